"""How long data takes and how much of it comes. Pure: the time is an argument.

Two spans are measured. *Event to received* is from the market's event to the feed, both as the feed
tells them. *Received to shown* is from the feed to the screen, or to whom it is handed over: it
needs the server's clock, which `ClockOffset` estimates. All times are milliseconds.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

SAMPLES = 512
"""Samples that percentiles are of."""
PINGS = 16
"""Pings among which the one with the least round trip counts."""
RATE_SECONDS = 5
"""Whole seconds that a rate is over."""
REPLAYED_MS = 86_400_000
"""An event that is older than this when the feed receives it was no live one."""


@dataclass(slots=True)
class Counts:
    """What came, and what was wrong with it.

    Attributes:
        received: Rows, whatever became of them.
        conflated: Changes that rows stand for beside the one they tell.
        gaps: Gaps in a lossless channel, mended or not.
        duplicates: Rows that were pushed again.
        late: Rows that were older than what is held.
        reconnects: Connections after the first.
        bytes: Length of all messages.
    """

    received: int = 0
    conflated: int = 0
    gaps: int = 0
    duplicates: int = 0
    late: int = 0
    reconnects: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """Percentiles of one span in milliseconds; None where nothing was measured."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a `Meter` knows at a time.

    Attributes:
        event_to_received: From the market to the feed.
        received_to_shown: From the feed to the screen, or to whom the data is handed over.
        round_trip_ms: Least round trip of the last pings.
        clock_offset_ms: The server's clock less ours.
        per_second: Rows a second that brought something new.
        last_message_age_ms: Since anything came.
        last_data_age_ms: Since something new came.
    """

    event_to_received: Reading
    received_to_shown: Reading
    round_trip_ms: float | None
    clock_offset_ms: float | None
    per_second: float
    last_message_age_ms: float | None
    last_data_age_ms: float | None


class Timed(Protocol):
    """What tells when it happened and when the feed received it: a quote or a trade."""

    @property
    def symbol(self) -> str: ...  # noqa: D102
    @property
    def time_ms(self) -> int: ...  # noqa: D102
    @property
    def received_ms(self) -> int: ...  # noqa: D102


class ClockOffset:
    """The server's clock less ours, from the ping with the least round trip of the last few."""

    def __init__(self) -> None:
        self._pings: deque[tuple[float, float]] = deque(maxlen=PINGS)

    def add(self, sent_ms: float, server_ms: float, answered_ms: float) -> None:
        """Add a ping: when it was sent and answered by our clock, and the server's between."""
        round_trip_ms = answered_ms - sent_ms
        self._pings.append((round_trip_ms, server_ms - (sent_ms + round_trip_ms / 2)))

    def clear(self) -> None:
        """Know nothing: another server may answer from here on."""
        self._pings.clear()

    def __len__(self) -> int:
        return len(self._pings)

    @property
    def round_trip_ms(self) -> float | None:
        """The least round trip, None before the first ping was answered."""
        return min(self._pings, key=_round_trip)[0] if self._pings else None

    @property
    def offset_ms(self) -> float | None:
        """What to add to our clock to have the server's, None where it is not known."""
        return min(self._pings, key=_round_trip)[1] if self._pings else None


class Percentiles:
    """Percentiles over the last samples."""

    def __init__(self, size: int = SAMPLES) -> None:
        self._samples: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        """Add a sample; beyond the window the oldest goes."""
        self._samples.append(value)

    def clear(self) -> None:
        """Forget all samples."""
        self._samples.clear()

    def at(self, percent: float) -> float | None:
        """Return a percentile by nearest rank, None where there is no sample."""
        return _rank(sorted(self._samples), percent)

    def read(self) -> Reading:
        """Return the percentiles that are shown."""
        ordered = sorted(self._samples)
        return Reading(_rank(ordered, 50), _rank(ordered, 95), _rank(ordered, 99))


class Rate:
    """Events a second over the last whole seconds, so that the running one makes no jump."""

    def __init__(self) -> None:
        self._seconds: dict[int, int] = {}

    def add(self, now_ms: float, count: int = 1) -> None:
        """Add some events."""
        second = math.floor(now_ms / 1000)
        if second in self._seconds:
            self._seconds[second] += count
            return
        self._seconds = {s: n for s, n in self._seconds.items() if s >= second - RATE_SECONDS}
        self._seconds[second] = count

    def per_second(self, now_ms: float) -> float:
        """Return the rate."""
        second = math.floor(now_ms / 1000)
        wanted = range(second - RATE_SECONDS, second)
        return sum(n for s, n in self._seconds.items() if s in wanted) / RATE_SECONDS


@dataclass(slots=True)
class Meter:
    """What a connection counts and measures.

    It is cheap: of each message one row is measured, the last that changed something.

    Attributes:
        counts: Shared with the books, which count rows.
        replayed: Symbols whose event times are no live ones.
    """

    counts: Counts = field(default_factory=Counts)
    replayed: Collection[str] = frozenset()
    _clock: ClockOffset = field(default_factory=ClockOffset)
    _event: Percentiles = field(default_factory=Percentiles)
    _shown: Percentiles = field(default_factory=Percentiles)
    _rate: Rate = field(default_factory=Rate)
    _ping: tuple[int, float] | None = None
    _unshown: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _seen: bool = True
    _message_ms: float | None = None
    _data_ms: float | None = None
    _connections: int = 0

    def message(self, now_ms: float, size_bytes: int = 0) -> None:
        """Count a message, whatever it is."""
        self._message_ms = now_ms
        self.counts.bytes += size_bytes

    def applied(self, now_ms: float, rows: int, newest: Timed | None = None) -> None:
        """Count rows that brought something new, and measure one of them.

        Args:
            now_ms: Our clock.
            rows: How many.
            newest: The last of them; None where none is a pushed event: state as it is, which a
                snapshot or a poll tells, is old by its nature.
        """
        if not rows:
            return
        self._rate.add(now_ms, rows)
        self._data_ms = now_ms
        if newest is None:
            return
        span_ms = newest.received_ms - newest.time_ms
        if span_ms < REPLAYED_MS and newest.symbol not in self.replayed:
            self._event.add(max(0, span_ms))
        if self._seen:
            self._unshown.append(newest.received_ms)

    def shown(self, now_ms: float) -> None:
        """Take note that all that was applied is on the screen now, or was handed over."""
        self.handed(now_ms, self._unshown)
        self._unshown.clear()

    def handed(self, now_ms: float, received: Iterable[float]) -> None:
        """Measure what is handed over one by one, by when the feed received it."""
        offset_ms = self._clock.offset_ms
        if offset_ms is not None:
            for received_ms in received:
                self._shown.add(max(0, now_ms + offset_ms - received_ms))

    def seen(self, seen: bool) -> None:
        """Take note that the page is seen or not: a hidden one shows nothing."""
        self._seen = seen
        self._unshown.clear()

    def pinged(self, ping: int, now_ms: float) -> None:
        """Take note of a ping; it takes the place of one that was not answered."""
        self._ping = (ping, now_ms)

    def ponged(self, ping: int, server_ms: float, now_ms: float) -> None:
        """Take note of an answer; one that nothing was asked for is no measure."""
        if self._ping is not None and self._ping[0] == ping:
            self._clock.add(self._ping[1], server_ms, now_ms)
            self._ping = None

    def welcomed(self) -> None:
        """Begin anew at a connection: another server may answer, with another clock."""
        self._connections += 1
        self.counts.reconnects = self._connections - 1
        self._ping = None
        self._clock.clear()
        self._shown.clear()
        self._unshown.clear()

    @property
    def answered_pings(self) -> int:
        """How many pings of this connection count for the clock, `PINGS` at most."""
        return len(self._clock)

    def server_ms(self, now_ms: float) -> float:
        """Return the server's time; ours where its clock is not known."""
        return now_ms + (self._clock.offset_ms or 0)

    def facts(self, now_ms: float) -> Facts:
        """Return all that is measured."""
        return Facts(
            event_to_received=self._event.read(),
            received_to_shown=self._shown.read(),
            round_trip_ms=self._clock.round_trip_ms,
            clock_offset_ms=self._clock.offset_ms,
            per_second=self._rate.per_second(now_ms),
            last_message_age_ms=_since(self._message_ms, now_ms),
            last_data_age_ms=_since(self._data_ms, now_ms),
        )


def _round_trip(ping: tuple[float, float]) -> float:
    return ping[0]


def _rank(ordered: list[float], percent: float) -> float | None:
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def _since(then_ms: float | None, now_ms: float) -> float | None:
    return None if then_ms is None else now_ms - then_ms
