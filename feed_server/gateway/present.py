"""History up to now: with the bar that forms, or a word that it is missing.

A source may tell of a symbol only when it is asked for it: its price at once, and the bar that
forms with the first trade after that. Who is the first to ask waits a little for that trade.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.history import JoinedBars
from feed_server.gateway.indicator_board import BarSource
from feed_server.market.forming import missing_ms
from feed_server.protocol import Interval

PATIENCE_S = 1.0
"""How long after a symbol was asked of its source a first trade is waited for."""
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

        Where the one that forms does not come in time, `JoinedBars.note` says so.

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
            return joined
        if await self._comes(symbol, interval, begins_ms):
            joined = await self._history.bars(
                symbol, interval, limit=limit, start_ms=start_ms, end_ms=end_ms
            )
        if self._missing_ms(joined, start_ms, end_ms) is None:
            return joined
        said = "" if joined.note is None else f"{joined.note}; "
        return replace(joined, note=f"{said}{self._why_missing(symbol)}")

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

    async def _comes(self, symbol: str, interval: Interval, begins_ms: int) -> bool:
        """Tell whether a bar is there, or comes before the symbol's source has had its time."""
        while not self._has(symbol, interval, begins_ms):
            if self._now_s() >= self._asked_s(symbol) + PATIENCE_S:
                return False
            await self._sleep(SOON_S)
        return True

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
        traded_ms = self._traded_ms(symbol) or 0
        at = datetime.fromtimestamp(traded_ms / 1000, UTC).strftime("%H:%M:%S UTC")
        return (
            "the bar that forms is missing: no trade in it has come since the symbol was asked of "
            f"its source, the last one before was at {at}"
        )
