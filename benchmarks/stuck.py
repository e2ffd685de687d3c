"""A thousand clients that subscribe and never read: what they cost, and whether others notice.

Memory is the gateway's own; what the kernel keeps in its sockets is told beside it.
"""

import resource
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.crowd import Crowd
from benchmarks.feed import Feed, running_feed
from benchmarks.figures import percentile, show, show_ratio
from benchmarks.latency import PROBE, PROBE_MAX_HZ, PROBING, Delays, probing
from benchmarks.load import CLIENTS, SYMBOLS, TICKING, watching

GOOD_CLIENTS = 20
BEFORE_S = 15
STUCK_S = 60
SLICE_S = 5
RECEIVE_BUFFER_BYTES = 4096
"""As little as the kernel allows: so that the server is soon alone with what is not read."""
MIB = 2**20
MOST_TIMES_UNDISTURBED = 1.5
MAX_BACKLOG_BYTES = 128 * 1024
STALL_TIMEOUT_MS = 45_000
"""They stay for most of the time, and are seen off before its end."""
CONNECTION_BYTES = 18 * 1024
"""What a connection may cost that reads all; see `benchmarks.memory`."""


@dataclass
class Phase:
    """What was seen, slice by slice."""

    delays_ms: list[list[float]] = field(default_factory=list)
    memory_bytes: list[int] = field(default_factory=list)
    kernel_bytes: list[int] = field(default_factory=list)

    def p99s_ms(self) -> list[float]:
        """Return the delays' 99th percentile of each slice."""
        return [percentile(delays, 99) for delays in self.delays_ms]


def main() -> None:
    """Measure and print."""
    print(f"stuck: {CLIENTS} clients that never read for {STUCK_S} s, {GOOD_CLIENTS} that do")
    with (
        running_feed(
            [PROBE, *SYMBOLS],
            max_hz=str(PROBE_MAX_HZ),
            max_backlog_bytes=str(MAX_BACKLOG_BYTES),
            stall_timeout_ms=str(STALL_TIMEOUT_MS),
        ) as feed,
        Crowd(feed.gateway.port) as good,
        Crowd(feed.gateway.port, receive_buffer_bytes=RECEIVE_BUFFER_BYTES) as stuck,
    ):
        good.join(GOOD_CLIENTS, probing, watching(1))
        feed.feeder.tell(PROBING)
        feed.feeder.tell(TICKING)
        good.listen(SLICE_S)
        before = _watch(good, feed, BEFORE_S)
        stuck.join(CLIENTS, watching(1))
        good.listen(1)  # what came while we were connecting the others waited for us
        during = _watch(good, feed, STUCK_S)
        stuck.listen(SLICE_S)
        _report(before, during, good.closed, stuck.closed)


def _watch(good: Crowd, feed: Feed, seconds: int) -> Phase:
    phase = Phase()
    for _ in range(0, seconds, SLICE_S):
        delays = Delays()
        good.listen(SLICE_S, partial(Delays.take_quotes, delays))
        phase.delays_ms.append(delays.ms)
        phase.memory_bytes.append(feed.gateway.memory_bytes())
        phase.kernel_bytes.append(_kernel_bytes())
    return phase


def _report(before: Phase, during: Phase, good_closed: int, stuck_closed: int) -> None:
    base = before.memory_bytes[-1]
    most = max(during.memory_bytes) - base
    show("gateway's memory grew, at its highest", [most / MIB], "MiB")
    bound = (MAX_BACKLOG_BYTES + CONNECTION_BYTES) / 1024
    show("the same, for each stuck client", [most / CLIENTS / 1024], "KiB", bound)
    grown = (f"{(value - base) / MIB:.0f}" for value in during.memory_bytes)
    print(f"  growth seen every {SLICE_S} s: {', '.join(grown)} MiB")
    kernel = max(during.kernel_bytes) - before.kernel_bytes[-1]
    show("kernel's memory in sockets grew, all processes", [kernel / MIB], "MiB")
    print(f"  the server closed {stuck_closed} of {CLIENTS} stuck, {good_closed} good clients")
    p99s = (f"{value:.0f}" for value in during.p99s_ms())
    print(f"  others' latency every {SLICE_S} s, p99: {', '.join(p99s)} ms")
    show("others' latency before, p99", before.p99s_ms(), "ms")
    show("others' latency beside stuck clients, p99", during.p99s_ms(), "ms")
    show_ratio("the same, as a factor", during.p99s_ms(), before.p99s_ms(), MOST_TIMES_UNDISTURBED)


def _kernel_bytes() -> int:
    """Return what all TCP sockets of this machine hold, of /proc/net/sockstat's ``mem``."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("mem") + 1]) * resource.getpagesize()
    raise ValueError("/proc/net/sockstat tells nothing of TCP")
