"""Where the gateway's time goes under the load of a benchmark: ``cProfile``, which slows it down.

``python -m benchmarks.profile_gateway [fanout|conflation]``; no measurement, only a hint.
"""

import pstats
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import MAX_HZ, SYMBOL
from benchmarks.crowd import Crowd, subscribe
from benchmarks.fanout import CLIENTS, HZ
from benchmarks.feed import gateway, valkey_and_feeder
from benchmarks.feeder import Declare, Tick
from benchmarks.load import CLIENTS as LOAD_CLIENTS
from benchmarks.load import SYMBOLS, TICKING, watching

SECONDS = 8.0
LINES = 40


def main(load: str) -> None:
    """Run and print."""
    fanout = load == "fanout"
    with TemporaryDirectory() as folder, valkey_and_feeder() as (valkey, feeder):
        path = Path(folder) / "gateway.prof"
        feeder.tell(Declare([SYMBOL] if fanout else SYMBOLS))
        interpreter = (sys.executable, "-m", "cProfile", "-o", str(path))
        with (
            gateway(valkey.url, interpreter, max_hz=str(MAX_HZ)) as child,
            Crowd(child.port) as crowd,
        ):
            if fanout:
                crowd.join(CLIENTS, lambda _number: subscribe([SYMBOL], max_hz=MAX_HZ))
                feeder.tell(Tick([SYMBOL], HZ))
            else:
                crowd.join(LOAD_CLIENTS, watching(1))
                feeder.tell(TICKING)
            began_s = time.monotonic()
            crowd.listen(SECONDS)
            print(f"{crowd.frames / (time.monotonic() - began_s):.0f} frames/s while profiled")
        pstats.Stats(str(path)).sort_stats("tottime").print_stats(LINES)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fanout")
