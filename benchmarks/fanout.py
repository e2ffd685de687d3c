"""Processor time per delivered frame, against a bare ``send`` loop and other servers.

The same message to many clients, many times a second. The clients are raw sockets in this process;
every server gets its messages from the same Redis (whose time is nobody's), but for the bare loop.

What a server does once a message, however many get it, is shared out among the frames; for ours it
is told apart, by one client at the same rate.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.children import CpuWindow
from benchmarks.contenders import (
    CONTENDERS,
    SYMBOL,
    Contender,
    NotMeasuredError,
    Running,
    Work,
    ours,
)
from benchmarks.crowd import Crowd
from benchmarks.feed import FeederHandle, valkey_and_feeder
from benchmarks.feeder import Declare, Stop
from benchmarks.figures import show, show_not_measured, show_ratio

RUNS = 5
CLIENTS = 500
HZ = 50
WARM_UP_S = 0.7
WINDOW_S = 3.0
LEAST_DELIVERED = 0.95
"""A server that delivers less of what it is offered has not done the work."""

OURS = Contender("Quotewire", ours)


@dataclass(frozen=True)
class Window:
    """What one window showed.

    Attributes:
        cost_us: Processor time per delivered frame, in microseconds.
        busy_ms_per_s: Processor time in milliseconds a second.
    """

    cost_us: float
    busy_ms_per_s: float


def main() -> None:
    """Measure and print."""
    print(f"fanout: processor time per frame, {CLIENTS} clients × {HZ} a second")
    with valkey_and_feeder() as (valkey, feeder), ExitStack() as stack:
        feeder.tell(Declare([SYMBOL]))
        work = Work(valkey.url, 0, HZ)
        running = {OURS: stack.enter_context(OURS.start(work))}
        work = Work(valkey.url, _size_bytes(running[OURS], feeder), HZ)
        for contender in CONTENDERS:
            try:
                running[contender] = stack.enter_context(contender.start(work))
            except NotMeasuredError as reason:
                show_not_measured(contender.name, str(reason))
        costs: dict[Contender, list[float]] = {contender: [] for contender in running}
        for _ in range(RUNS):
            for contender, server in running.items():
                costs[contender].append(_measure(contender, server, feeder).cost_us)
        alone = [_measure(OURS, running[OURS], feeder, clients=1) for _ in range(RUNS)]
    print(f"  each message {work.size_bytes} bytes")
    for contender, values in costs.items():
        show(contender.name, values, "µs a frame")
    fixed = [window.busy_ms_per_s for window in alone]
    show("Quotewire, one client alone: its fixed cost", fixed, "ms/s")
    for contender, values in costs.items():
        if contender is not OURS:
            show_ratio(f"Quotewire, against {contender.name}", costs[OURS], values, contender.most)


def _size_bytes(server: Running, feeder: FeederHandle) -> int:
    """Return the length of the message that our own server sends."""
    with Crowd(server.child.port, server.path) as crowd:
        _begin(crowd, 1, server, feeder)
        crowd.listen(0.5)
        feeder.tell(Stop())
        return crowd.payload_bytes


def _measure(
    contender: Contender, server: Running, feeder: FeederHandle, clients: int = CLIENTS
) -> Window:
    with Crowd(server.child.port, server.path) as crowd:
        _begin(crowd, clients, server, feeder)
        crowd.listen(WARM_UP_S)
        window, frames = CpuWindow(server.child.cpu_s), crowd.frames
        seconds = crowd.listen(WINDOW_S)
        cpu_s, frames = window.cpu_s(), crowd.frames - frames
        feeder.tell(Stop())
    offered = clients * HZ * seconds
    if frames < offered * LEAST_DELIVERED:
        print(f"  {contender.name}: only {frames / offered:.0%} of the frames came")
    time.sleep(0.1)
    return Window(cpu_s / frames * 1e6, cpu_s / seconds * 1e3)


def _begin(crowd: Crowd, clients: int, server: Running, feeder: FeederHandle) -> None:
    crowd.join(clients, *((lambda _number, say=say: say) for say in server.say))
    for command in server.feed:
        feeder.tell(command)
