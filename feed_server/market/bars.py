"""Bars from trades: of one interval, and of all at once. Pure.

A bar forms until its interval has passed, then stays open for late trades for a time of grace by
the market's clock, and is final then: it never changes again. Where nothing was traded is no bar.
"""

from bisect import insort
from collections.abc import Iterable, Mapping
from datetime import date

from feed_server.market.session import (
    SessionCalendar,
    daily_bar_start_ms,
    session_of_daily_bar,
)
from feed_server.protocol import Bar, Interval

NEVER_MS = 2**63
"""A time that no clock reaches."""

RUNGS = len(Interval)
"""In how many bars each trade counts."""

_Bounds = tuple[int, int, int]
"""Where a bar's time begins, where it ends, and the bar's start as it is told."""


class _Bucket:
    """The trades of one bar.

    Attributes:
        begin_ms: First moment that is in it.
        end_ms: First moment that is no more.
        bar: The bar as it was last asked for, `None` where it has changed since.
    """

    __slots__ = (
        "_close",
        "_first_ms",
        "_high",
        "_last_ms",
        "_low",
        "_open",
        "_start_ms",
        "_volume",
        "_volume_lost",
        "bar",
        "begin_ms",
        "end_ms",
    )

    def __init__(self, bounds: _Bounds, time_ms: int, price: float, size: float) -> None:
        self.begin_ms, self.end_ms, self._start_ms = bounds
        self._first_ms = self._last_ms = time_ms
        self._open = self._high = self._low = self._close = price
        self._volume, self._volume_lost = size, 0.0
        self.bar: Bar | None = None

    @classmethod
    def of(cls, bounds: _Bounds, bar: Bar) -> "_Bucket":
        """Go on from a bar. When its first trade was is not known: its open will not change."""
        bucket = cls(bounds, bar.time_ms, bar.close, bar.volume)
        bucket.set(bar)
        return bucket

    def set(self, bar: Bar) -> None:
        """Be as a bar is."""
        self._first_ms, self._last_ms = -NEVER_MS, bar.time_ms
        self._open, self._high, self._low, self._close = bar.open, bar.high, bar.low, bar.close
        self._volume, self._volume_lost = bar.volume, 0.0
        self.bar = None

    def add(self, time_ms: int, price: float, size: float) -> None:
        """Take a trade that falls in it; of trades at one time the first to come was first."""
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        if time_ms >= self._last_ms:
            self._close = price
            self._last_ms = time_ms
        elif time_ms < self._first_ms:
            self._open = price
            self._first_ms = time_ms
        # Without rounding on the way: what each sum loses is kept beside it (Neumaier).
        volume = self._volume
        self._volume = total = volume + size
        if volume >= size:
            self._volume_lost += (volume - total) + size
        else:
            self._volume_lost += (size - total) + volume
        self.bar = None

    def to_bar(self, symbol: str, interval: Interval, *, final: bool) -> Bar:
        """Return the bar."""
        bar = self.bar
        if bar is None or bar.final != final:
            bar = self.bar = Bar(
                symbol,
                interval,
                self._start_ms,
                self._open,
                self._high,
                self._low,
                self._close,
                self._volume + self._volume_lost,
                self._last_ms,
                final,
            )
        return bar


class BarBuilder:
    """Builds one symbol's bars of one interval.

    They are aligned to the UTC epoch; a daily bar is a session of the calendar.

    Args:
        symbol: The instrument.
        interval: Length of the bars.
        calendar: Dates its sessions.
        grace_ms: For how long after its end a bar takes late trades, by the market's clock.

    Attributes:
        market_ms: How far the market's clock is.
        current: What the newest bar is made of, `None` where none is open.
    """

    __slots__ = (
        "_calendar",
        "_final_ms",
        "_grace_ms",
        "_interval",
        "_older",
        "_symbol",
        "current",
        "market_ms",
    )

    def __init__(
        self, symbol: str, interval: Interval, calendar: SessionCalendar, grace_ms: int
    ) -> None:
        self.market_ms = -NEVER_MS
        self.current: _Bucket | None = None
        self._symbol = symbol
        self._interval = interval
        self._calendar = calendar
        self._grace_ms = grace_ms
        self._older: list[_Bucket] = []
        self._final_ms = -NEVER_MS

    def apply(self, time_ms: int, price: float, size: float) -> bool:
        """Take one trade.

        Returns:
            Whether it was in time: false where its bar is final.
        """
        current = self.current
        if current is not None and current.begin_ms <= time_ms < current.end_ms:
            current.add(time_ms, price, size)
            return True
        bounds = self._bounds(time_ms)
        if self._is_final(bounds):
            return False
        bucket = self._find(bounds[0])
        if bucket is None:
            self._place(_Bucket(bounds, time_ms, price, size))
        else:
            bucket.add(time_ms, price, size)
        return True

    def put(self, bar: Bar) -> bool:
        """Let a bar be as somebody else knows it; later trades amend it.

        Returns:
            Whether it was in time: false where it is final.
        """
        bounds = self._bounds_of(bar)
        if self._is_final(bounds):
            return False
        held = self._find(bounds[0])
        if held is None:
            self._place(_Bucket.of(bounds, bar))
        else:
            held.set(bar)
        return True

    def resume(self, bars: Iterable[Bar], final_ms: int | None) -> None:
        """Go on where another has ended.

        Args:
            bars: Those that were open; a trade that comes before the first of one, and was not
                there yet, does not change its open price: it is not known when the first was.
            final_ms: Start of the last bar that was final, `None` where none was.
        """
        if final_ms is not None:
            self._final_ms = final_ms
        for bar in bars:
            self.put(bar)

    @property
    def due_ms(self) -> int:
        """When the oldest open bar becomes final, by the market's clock."""
        oldest = self._older[0] if self._older else self.current
        return NEVER_MS if oldest is None else oldest.end_ms + self._grace_ms

    def advance(self, market_ms: int) -> list[Bar]:
        """Return the bars that are final now, oldest first; the clock never goes back.

        Args:
            market_ms: How far the market's clock is.
        """
        self.market_ms = max(self.market_ms, market_ms)
        ended = []
        while self.due_ms <= self.market_ms:
            bucket = self._older.pop(0) if self._older else self.current
            assert bucket is not None
            if bucket is self.current:
                self.current = None
            bar = bucket.to_bar(self._symbol, self._interval, final=True)
            self._final_ms = bar.start_ms
            ended.append(bar)
        return ended

    def open_bars(self) -> list[Bar]:
        """Return the bars that can still change, oldest first."""
        symbol, interval = self._symbol, self._interval
        bars = [bucket.to_bar(symbol, interval, final=False) for bucket in self._older]
        if self.current is not None:
            bars.append(self.current.to_bar(symbol, interval, final=False))
        return bars

    def _bounds(self, time_ms: int) -> _Bounds:
        if self._interval is Interval.DAY:
            return self._session_bounds(self._calendar.date_of(time_ms))
        begin_ms = time_ms - time_ms % self._interval.ms
        return begin_ms, begin_ms + self._interval.ms, begin_ms

    def _bounds_of(self, bar: Bar) -> _Bounds:
        if self._interval is Interval.DAY:
            return self._session_bounds(session_of_daily_bar(bar.start_ms))
        return self._bounds(bar.start_ms)

    def _session_bounds(self, session: date) -> _Bounds:
        return *self._calendar.bounds_ms(session), daily_bar_start_ms(session)

    def _is_final(self, bounds: _Bounds) -> bool:
        _, end_ms, start_ms = bounds
        return end_ms + self._grace_ms <= self.market_ms or start_ms <= self._final_ms

    def _find(self, begin_ms: int) -> _Bucket | None:
        if self.current is not None and self.current.begin_ms == begin_ms:
            return self.current
        return next((b for b in reversed(self._older) if b.begin_ms == begin_ms), None)

    def _place(self, bucket: _Bucket) -> None:
        current = self.current
        if current is None or bucket.begin_ms > current.begin_ms:
            self.current = bucket
            if current is not None:
                self._older.append(current)
        else:
            insort(self._older, bucket, key=_begin_ms)


_NOTHING = (0, 0)


class BarLadder:
    """Builds one symbol's bars of all intervals at once.

    Args:
        symbol: The instrument.
        calendar: Dates its sessions.
        grace_ms: See `BarBuilder`.

    Attributes:
        market_ms: How far the market's clock is.
    """

    __slots__ = (
        "_begin_ms",
        "_builders",
        "_current",
        "_day",
        "_due_ms",
        "_end_ms",
        "_told",
        "market_ms",
    )

    def __init__(self, symbol: str, calendar: SessionCalendar, grace_ms: int) -> None:
        self.market_ms = -NEVER_MS
        self._builders = {
            interval: BarBuilder(symbol, interval, calendar, grace_ms) for interval in Interval
        }
        self._day = self._builders[Interval.DAY]
        self._told: dict[Interval, tuple[int, int]] = {}
        self._look()

    def apply(self, time_ms: int, price: float, size: float) -> int:
        """Take one trade.

        Returns:
            How many of the `RUNGS` bars it falls in took it, the others being final; none where
            its session is over.
        """
        if self._begin_ms <= time_ms < self._end_ms:
            for bucket in self._current:
                bucket.add(time_ms, price, size)
            return RUNGS
        for builder in self._builders.values():
            builder.market_ms = self.market_ms
        if not self._day.apply(time_ms, price, size):
            return 0
        took = 1
        for interval, builder in self._builders.items():
            begin_ms, end_ms = self._told.get(interval, _NOTHING)
            if begin_ms <= time_ms < end_ms:
                took += 1
            elif builder is not self._day:
                took += builder.apply(time_ms, price, size)
        self._look()
        return took

    def put(self, bar: Bar, *, told_ms: int | None = None) -> bool:
        """Let a bar be as somebody else knows it, see `BarBuilder.put`.

        Args:
            bar: How it is.
            told_ms: Up to when all that was traded in it is in it: who tells of that time later
                tells of the same trades. Not for daily bars. None where it is not known.
        """
        builder = self._builders[bar.interval]
        builder.market_ms = self.market_ms
        took = builder.put(bar)
        if took and told_ms is not None:
            self._told[bar.interval] = (bar.start_ms, told_ms)
        self._look()
        return took

    def resume(self, bars: Iterable[Bar], final_ms: Mapping[Interval, int]) -> None:
        """Go on where another has ended, see `BarBuilder.resume`."""
        bars = list(bars)
        for interval, builder in self._builders.items():
            builder.resume((b for b in bars if b.interval is interval), final_ms.get(interval))
        self._look()

    def advance(self, market_ms: int) -> list[Bar]:
        """Return the bars that are final now, each interval's oldest first."""
        if market_ms <= self.market_ms:
            return []
        self.market_ms = market_ms
        if market_ms < self._due_ms:
            return []
        ended = [bar for builder in self._builders.values() for bar in builder.advance(market_ms)]
        self._look()
        return ended

    def open_bars(self) -> list[Bar]:
        """Return the bars that can still change, each interval's oldest first."""
        return [bar for builder in self._builders.values() for bar in builder.open_bars()]

    def sessions(self) -> list[Bar]:
        """Return the daily bars that can still change, oldest first."""
        return self._day.open_bars()

    def _look(self) -> None:
        """Remember the time that all the newest bars have in common, and when one becomes final."""
        builders = self._builders.values()
        self._current = [b.current for b in builders if b.current is not None]
        self._due_ms = min(builder.due_ms for builder in builders)
        self._begin_ms = self._end_ms = 0
        if len(self._current) == RUNGS:
            told = (end_ms for _, end_ms in self._told.values())
            self._begin_ms = max(*(bucket.begin_ms for bucket in self._current), *told)
            self._end_ms = min(bucket.end_ms for bucket in self._current)


def _begin_ms(bucket: _Bucket) -> int:
    return bucket.begin_ms
