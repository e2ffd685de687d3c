"""The load of many clients: watchlists of fifty symbols, each of which ticks twenty times a second.

``python -m benchmarks.load PORT`` is the clients alone, in a process of their own.
"""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.crowd import Crowd, subscribe
from benchmarks.feeder import Tick
from tests.harness import PROJECT

CLIENTS = 1000
SYMBOLS = [f"L{number:02}" for number in range(60)]
PER_CLIENT = 50
TICKS_HZ = 20.0
CONFLATED_HZ = 10.0
TICKING = Tick(SYMBOLS, TICKS_HZ, batch=5)
"""Five symbols at a time: spread over the second, as a market's are."""
READY = "ready"


def watching(lists: int) -> Callable[[int], bytes]:
    """Return what each client says, that there be so many different watchlists."""
    chosen = random.Random(1)
    commands = [
        subscribe(sorted(chosen.sample(SYMBOLS, PER_CLIENT)), max_hz=CONFLATED_HZ)
        for _ in range(lists)
    ]
    return lambda number: commands[number % lists]


@contextmanager
def clients_elsewhere(port: int) -> Iterator[None]:
    """Keep the clients connected, with one watchlist, by a process of their own."""
    command = [sys.executable, "-m", "benchmarks.load", str(port)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != READY:
                raise RuntimeError("the clients could not connect")
            yield
        finally:
            process.kill()


def _main(port: int) -> None:
    with Crowd(port) as crowd:
        crowd.join(CLIENTS, watching(1))
        print(READY, flush=True)
        # The end of the server ends this too, should nobody else.
        crowd.listen(float("inf"), until=lambda: crowd.closed == CLIENTS)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
