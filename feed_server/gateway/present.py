"""History up to now: with the bar that forms, or a word on what is missing of it.

A source may tell of a symbol only when it is asked for it: its price at once, and the bar that
forms with the first trade after that. Who is the first to ask waits a little for that trade, and
for what the source's history has of the bar before it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.history import JoinedBars
from feed_server.gateway.indicator_board import BarSource
from feed_server.market.forming import lacking_ms, missing_ms
from feed_server.protocol import Interval

PATIENCE_S = 1.0
"""How long after a symbol was asked of its source the bar that forms is waited for."""
SOON_S = 0.02
"""How often it is looked for it."""


class Present:
    """Sees to the end of histories.

    Args:
        history: Tells bars.
        latest: By symbol the present.
        asked_s: Tells when a symbol was asked of its source, by ``now_s``.
        now_s: A clock that never steps, in seconds.
        now_ms: The clock, UTC epoch milliseconds.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        history: BarSource,
        latest: Mapping[str, StoredUpdate],
        asked_s: Callable[[str], float],
        *,
        now_s: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._history = history
        self._latest = latest
        self._asked_s = asked_s
        self._now_s = now_s
        self._now_ms = now_ms
        self._sleep = sleep

    async def bars(
        self, symbol: str, interval: Interval, *, limit: int, start_ms: int, end_ms: int
    ) -> JoinedBars:
        """Return the newest ``limit`` bars that begin in ``[start_ms, end_ms]``.

        Where the one that forms does not come in time, or not all of it, `JoinedBars.note` says so.

        Args:
            symbol: The instrument; it must be kept current.
            interval: Length of the bars.
            limit: How many at most.
            start_ms: None that begins before.
            end_ms: None that begins after.

        Raises:
            BusError: Redis cannot be reached.
        """
        joined = await self._history.bars(
            symbol, interval, limit=limit, start_ms=start_ms, end_ms=end_ms
        )
        begins_ms = self._missing_ms(joined, start_ms, end_ms)
        if begins_ms is None:
            begins_ms = self._lacking_ms(joined)
        if begins_ms is None:
            return joined
        await self._wait(symbol, interval, begins_ms)
        if self._has(symbol, interval, begins_ms):
            joined = await self._history.bars(
                symbol, interval, limit=limit, start_ms=start_ms, end_ms=end_ms
            )
        if self._missing_ms(joined, start_ms, end_ms) is not None:
            return _with_note(joined, self._why_missing(symbol))
        if self._lacking_ms(joined) is not None:
            return _with_note(joined, self._what_lacks(symbol))
        return joined

    def _missing_ms(self, joined: JoinedBars, start_ms: int, end_ms: int) -> int | None:
        newest_ms = int(joined.bars["start_ms"][-1]) if len(joined.bars) else None
        return missing_ms(
            joined.interval,
            newest_ms,
            self._traded_ms(joined.symbol),
            start_ms=start_ms,
            end_ms=end_ms,
            now_ms=self._now_ms(),
        )

    def _lacking_ms(self, joined: JoinedBars) -> int | None:
        """Return where the bar begins that forms and lacks something, None where none does."""
        if not len(joined.bars):
            return None
        newest = joined.bars[-1]
        lacks_ms = self._lacks_ms(joined.symbol)
        return lacking_ms(joined.interval, int(newest["start_ms"]), bool(newest["final"]), lacks_ms)

    def _lacks_ms(self, symbol: str) -> int:
        latest = self._latest.get(symbol)
        return 0 if latest is None else latest.update.lacks_ms

    async def _wait(self, symbol: str, interval: Interval, begins_ms: int) -> None:
        """Return when a bar is there as a whole, or the symbol's source has had its time."""
        until_s = self._asked_s(symbol) + PATIENCE_S
        # Of daily bars it is not told what they lack.
        may_lack = interval is not Interval.DAY
        while not self._has(symbol, interval, begins_ms) or (
            may_lack and self._lacks_ms(symbol) > begins_ms
        ):
            if self._now_s() >= until_s:
                return
            await self._sleep(SOON_S)

    def _has(self, symbol: str, interval: Interval, begins_ms: int) -> bool:
        latest = self._latest.get(symbol)
        bars = [] if latest is None else latest.update.bars
        return any(bar.interval == interval and bar.start_ms >= begins_ms for bar in bars)

    def _traded_ms(self, symbol: str) -> int | None:
        """Return when the last trade was that is known: best prices alone make no bar."""
        latest = self._latest.get(symbol)
        days = [] if latest is None else latest.update.bars
        return max((day.time_ms for day in days if day.interval == Interval.DAY), default=None)

    def _why_missing(self, symbol: str) -> str:
        at = _clock(self._traded_ms(symbol) or 0)
        return (
            "the bar that forms is missing: no trade in it has come since the symbol was asked of "
            f"its source, the last one before was at {at}"
        )

    def _what_lacks(self, symbol: str) -> str:
        at = _clock(self._lacks_ms(symbol))
        return (
            f"the bar that forms may lack what was traded before {at}: the feed did not follow the "
            "symbol then, and its source has not told it"
        )


def _with_note(joined: JoinedBars, note: str) -> JoinedBars:
    return replace(joined, note=note if joined.note is None else f"{joined.note}; {note}")


def _clock(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%H:%M:%S UTC")
