"""Bars that sources tell of the past, asked for once and kept."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from feed_server.bus.requests import Answer, Failed, LoadBars, Loaded, Request
from feed_server.market.history_join import NO_BARS, BarArray, between, column_array
from feed_server.market.known_bars import KnownBars
from feed_server.protocol import ErrorCode, Interval

CALL_S = 10.0
PATIENCE_S = 20.0
"""How long the sources have for all that one request needs."""
MAX_CALLS = 20
"""Questions to the sources for one request; who wants more pages back."""
MAX_EMPTY = 5
"""After so many answers without a bar, each of the time before, the source's history is over."""

DAY_MS = Interval.DAY.ms
SETTLED_MS = 2 * DAY_MS
"""A bar that began longer ago is in a vendor's history, or never will be."""
DOUBT_S = (60.0, 300.0)
"""Newer ones are asked for again after half a bar, but within these bounds."""
KEEP_S = 6 * 3600.0
"""Vendors correct their history, and adjust it for splits: after so long it is asked for anew."""
RETRY_S = (2.0, 60.0)
"""After a failure the sources are left alone for as long as they say, within these bounds."""
MAX_BARS = 500_000
"""So many bars are kept: some 25 MB."""
SERIES_COST = 50
"""What a series without bars counts for."""


class Sources(Protocol):
    """Answers questions, as `feed_server.bus.rpc.Caller` does."""

    async def call(self, request: Request, timeout_s: float) -> Answer:
        """Return the answer, `Failed` where there is none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars of one symbol and interval, the newest ``need`` of ``[start_ms, before_ms)``."""

    symbol: str
    interval: Interval
    start_ms: int
    before_ms: int
    need: int

    def likely_ms(self, now_ms: int) -> int:
        """Return since when there should be as many: markets close at night and over weekends."""
        closed = 1.6 if self.interval == Interval.DAY else 6
        span_ms = int(self.need * self.interval.ms * closed) + 4 * DAY_MS
        return max(self.start_ms, min(self.before_ms, now_ms) - span_ms)


@dataclass(frozen=True, slots=True)
class Past:
    """What could be had of `Wanted`.

    Attributes:
        bars: Oldest first; more than were needed where they are known.
        more: Whether there can be older ones.
        failed: Why not all that is wanted could be had.
    """

    bars: BarArray
    more: bool
    failed: Failed | None = None


@dataclass(slots=True, eq=False)
class _Series:
    """What is known of one symbol and interval.

    Attributes:
        known: The bars.
        since_s: Since when it is kept.
        doubt_s: From then on there can be newer ones.
        failed: Why the last question was not answered.
        retry_s: When the next may be asked.
        lock: Held by the one who asks: others find what it was told.
    """

    known: KnownBars = field(default_factory=KnownBars)
    since_s: float = field(default_factory=time.monotonic)
    doubt_s: float = 0.0
    failed: Failed | None = None
    retry_s: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class VendorBars:
    """Asks the sources for bars of the past; those least lately used are let go.

    Args:
        sources: Who is asked.
        max_bars: How many bars are kept.
    """

    def __init__(self, sources: Sources, max_bars: int = MAX_BARS) -> None:
        self._sources = sources
        self._max_bars = max_bars
        self._series: OrderedDict[tuple[str, Interval], _Series] = OrderedDict()

    async def load(self, wanted: Wanted) -> Past:
        """Return what is wanted, as far as the sources have it and can tell it now."""
        series = self._series_of(wanted)
        async with series.lock:
            failed = await self._complete(series.known, series, wanted)
        self._let_go()
        known = series.known
        reach_ms = max(wanted.start_ms, known.reach_ms(wanted.before_ms))
        bars = known.between(reach_ms, wanted.before_ms)
        if failed is None:
            return Past(bars, reach_ms > wanted.start_ms or len(bars) > wanted.need)
        if not len(bars):
            # Only the newest are missing: without them the others are better than nothing.
            bars = known.between(wanted.start_ms, wanted.before_ms)
        return Past(bars, failed.retry_ms is not None, failed)

    async def _complete(self, known: KnownBars, series: _Series, wanted: Wanted) -> Failed | None:
        """Ask until enough is known, or all that there is; return why that ended early."""
        now_s, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        if now_s >= series.doubt_s:
            known.doubt_end(now_ms - SETTLED_MS, wanted.interval.ms)
        empty = 0
        for _ in range(MAX_CALLS):
            reach_ms = known.reach_ms(wanted.before_ms)
            if empty >= MAX_EMPTY:
                known.add(wanted.start_ms, reach_ms, known.between(wanted.start_ms, reach_ms))
                break
            has = len(known.between(reach_ms, wanted.before_ms))
            if has >= wanted.need or reach_ms <= wanted.start_ms:
                break
            if series.failed is not None and time.monotonic() < series.retry_s:
                return series.failed
            # First what should be enough, for it may be the cheaper question; then all the rest.
            likely_ms = wanted.likely_ms(now_ms)
            start_ms = likely_ms if likely_ms < reach_ms else wanted.start_ms
            left_s = now_s + PATIENCE_S - time.monotonic()
            series.failed = await self._ask(series, wanted, start_ms, reach_ms, left_s)
            if series.failed is not None:
                series.retry_s = time.monotonic() + retry_s(series.failed)
                return series.failed
            told = known.between(known.reach_ms(wanted.before_ms), reach_ms)
            empty = 0 if len(told) else empty + 1
        return None

    async def _ask(
        self, series: _Series, wanted: Wanted, start_ms: int, before_ms: int, left_s: float
    ) -> Failed | None:
        """Load what begins in ``[start_ms, before_ms)``, or the newest of it."""
        now_ms = time.time_ns() // 1_000_000
        # No bar begins later, in no zone; and no source has to reckon with the year 9999.
        latest_ms = min(before_ms, now_ms + DAY_MS)
        if start_ms < latest_ms:
            request = LoadBars(wanted.symbol, wanted.interval, start_ms, latest_ms)
            answer = await self._sources.call(request, min(CALL_S, max(0.0, left_s)))
            if isinstance(answer, Failed):
                return answer
            if not isinstance(answer, Loaded) or answer.since_ms >= latest_ms:
                return Failed(ErrorCode.SOURCE, "the source's answer cannot be used")
            bars = between(_bars(answer), start_ms, latest_ms)
            series.known.add(max(start_ms, answer.since_ms), before_ms, bars)
        else:
            series.known.add(start_ms, before_ms, NO_BARS)
        if before_ms > now_ms - SETTLED_MS:
            half_s = wanted.interval.ms / 2000
            series.doubt_s = time.monotonic() + min(max(half_s, DOUBT_S[0]), DOUBT_S[1])
        return None

    def _series_of(self, wanted: Wanted) -> _Series:
        key = (wanted.symbol, wanted.interval)
        series = self._series.get(key)
        if series is None or time.monotonic() - series.since_s > KEEP_S:
            series = self._series[key] = _Series()
        self._series.move_to_end(key)
        return series

    def _let_go(self) -> None:
        """Forget what was least lately used, so that not too much is kept."""
        kept = sum(len(series.known) + SERIES_COST for series in self._series.values())
        while kept > self._max_bars:
            _, series = self._series.popitem(last=False)
            kept -= len(series.known) + SERIES_COST


def retry_s(failed: Failed) -> float:
    """Return for how long not to ask again."""
    return min(max((failed.retry_ms or 0) / 1000, RETRY_S[0]), RETRY_S[1])


def _bars(answer: Loaded) -> BarArray:
    columns = [answer.open, answer.high, answer.low, answer.close, answer.volume]
    return column_array(answer.start_ms, columns)
