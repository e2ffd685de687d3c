"""A million updates a second offered, ten messages a second sent to each of a thousand clients.

How far a client lags is told by every frame: from when the oldest of the changes it stands for was
published until it was received. A client's silence at the end of a window is another such lag.
"""

from dataclasses import dataclass

from benchmarks.children import CpuWindow
from benchmarks.crowd import Crowd, now_ms
from benchmarks.feed import Feed, running_feed
from benchmarks.feeder import FIRST_OFFSET, Stop
from benchmarks.figures import percentile, show
from benchmarks.load import (
    CLIENTS,
    CONFLATED_HZ,
    PER_CLIENT,
    SYMBOLS,
    TICKING,
    TICKS_HZ,
    watching,
)
from feed_server.protocol import Quotes, decode_server_message

RUNS = 3
WATCHLISTS = (1, 20, CLIENTS)
WARM_UP_S = 1.5
WINDOW_S = 4.0
LOOKED_AT = 100
"""Clients whose frames are all read, where most have frames of their own."""
MOST_CORES = 1.0
MOST_LAG_MS = 1000 / CONFLATED_HZ + 100


class Frames:
    """Who got which frame when; a frame that many got is kept once."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._kept: dict[bytes, bytes] = {}
        self.heard: list[tuple[int, bytes, float]] = []

    def take(self, number: int, payload: bytes, at_ms: float) -> None:
        """Take a frame."""
        if number % self._every == 0:
            self.heard.append((number, self._kept.setdefault(payload, payload), at_ms))

    def lags_ms(self, times_ms: dict[str, list[float]], end_ms: float) -> list[float]:
        """Return how far clients lagged, given when each symbol's values were published."""
        spans: dict[bytes, tuple[float, float, bool] | None] = {}
        newest: dict[int, float] = {}
        lags = []
        for number, payload, at_ms in self.heard:
            if payload not in spans:
                spans[payload] = _published_ms(payload, times_ms)
            span = spans[payload]
            if span is None:
                continue
            oldest_ms, newest_ms, is_state = span
            # What a client begins with may be of any age.
            if number in newest or not is_state:
                lags.append(at_ms - oldest_ms)
            newest[number] = newest_ms
        return lags + [end_ms - published_ms for published_ms in newest.values()]


@dataclass(frozen=True)
class Run:
    """What one window showed.

    Attributes:
        cores: Processor time of the gateway in cores.
        hz: Frames that each client got a second.
        lags_ms: How far clients lagged.
        ticks_hz: Ticks of each symbol a second that really were published.
    """

    cores: float
    hz: float
    lags_ms: list[float]
    ticks_hz: float


def main() -> None:
    """Measure and print."""
    print(
        f"conflation: {CLIENTS} clients × {PER_CLIENT} symbols × {TICKS_HZ:g} ticks a second, "
        f"conflated to {CONFLATED_HZ:g} a second"
    )
    for lists in WATCHLISTS:
        with running_feed(SYMBOLS) as feed:
            runs = [_measure(feed, lists) for _ in range(RUNS)]
        name = "one watchlist" if lists == 1 else f"{lists} watchlists"
        show(f"{name}: gateway", [run.cores for run in runs], "cores", MOST_CORES)
        show(f"{name}: lag, p50", [percentile(run.lags_ms, 50) for run in runs], "ms")
        p99 = [percentile(run.lags_ms, 99) for run in runs]
        show(f"{name}: lag, p99", p99, "ms", MOST_LAG_MS)
        show(f"{name}: each client gets", [run.hz for run in runs], "frames/s")
        show(f"{name}: offered", [run.ticks_hz for run in runs], "ticks/s of each")


def _measure(feed: Feed, lists: int) -> Run:
    frames = Frames(every=1 if lists < LOOKED_AT else CLIENTS // LOOKED_AT)
    with Crowd(feed.gateway.port) as crowd:
        crowd.join(CLIENTS, watching(lists))
        feed.feeder.tell(TICKING)
        crowd.listen(WARM_UP_S)
        before, began_ms = crowd.frames, now_ms()
        window = CpuWindow(feed.gateway.cpu_s)
        seconds = crowd.listen(WINDOW_S, frames.take)
        cores, end_ms = window.cores(), now_ms()
        hz = (crowd.frames - before) / seconds / CLIENTS
        times_ms = feed.feeder.tell(Stop())
        if crowd.closed:
            print(f"  {crowd.closed} connections were closed")
    ticks = sum(began_ms <= time < end_ms for times in times_ms.values() for time in times)
    lags_ms = frames.lags_ms(times_ms, end_ms)
    return Run(cores, hz, lags_ms, ticks / len(SYMBOLS) / seconds)


def _published_ms(
    payload: bytes, times_ms: dict[str, list[float]]
) -> tuple[float, float, bool] | None:
    """Return when the oldest and the newest change of a frame were published; if it is a snapshot.

    A snapshot, as one gets who was behind, stands for its own values.
    """
    message = decode_server_message(payload)
    if not isinstance(message, Quotes) or not message.rows:
        return None
    newest = max(row.volume for row in message.rows)
    if message.snapshot:
        return min(row.volume for row in message.rows), newest, True
    oldest = min(
        times_ms[row.symbol][row.offset - row.count + 1 - FIRST_OFFSET] for row in message.rows
    )
    return oldest, newest, False
