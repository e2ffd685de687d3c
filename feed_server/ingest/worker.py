"""Carries one provider's trades to the bus, as quotes and daily bars."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pandas as pd
import structlog

from feed_server.bus.publisher import Publisher, new_epoch
from feed_server.bus.update import SymbolUpdate
from feed_server.errors import BusError
from feed_server.market.session import SessionCalendar
from feed_server.market.symbol_session import SymbolSession
from feed_server.protocol import Bar, Interval, SourceState, SourceStatus, Trade
from feed_server.providers.base import Provider

STATUS_EVERY_S = 1.0
RETRY_S = 0.5

log = structlog.get_logger(__name__)


class _Line:
    """One symbol on its way: its session, its final bars, its epoch in Redis."""

    def __init__(self, symbol: str, calendar: SessionCalendar, history: list[Bar]) -> None:
        prev_close = history[-1].close if history else None
        self.session = SymbolSession(symbol, calendar, prev_close)
        self.final_bars = history
        self.epoch = new_epoch()
        self.last_update: SymbolUpdate | None = None
        self._ended: list[Bar] = []

    def apply(self, trade: Trade, received_ms: int) -> None:
        """Take one trade."""
        ended = self.session.apply(trade, received_ms)
        if ended is not None:
            self.final_bars.append(ended)
            self._ended.append(ended)

    def take_update(self) -> SymbolUpdate | None:
        """Return what changed since the last update."""
        if not self.session.changed:
            return None
        ended, self._ended = self._ended, []
        bars = [*ended, self.session.bar()]
        self.last_update = SymbolUpdate(self.session.take_quote(), bars)
        return self.last_update


class IngestWorker:
    """Runs one provider: history first, then its stream; begins again at the end if told to.

    Args:
        provider: The source.
        publisher: Where to.
        loop: Whether to begin again when the stream ends.
        now_ms: The clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        provider: Provider,
        publisher: Publisher,
        *,
        loop: bool,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._provider = provider
        self._publisher = publisher
        self._loop = loop
        self._now_ms = now_ms
        self._lines: dict[str, _Line] = {}
        self._market_ms: int | None = None
        self._begun = False
        self._writing = asyncio.Lock()
        self._state = SourceState.CONNECTING
        self._message = "loading history"

    async def run(self) -> None:
        """Carry until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._renew_status())
            tasks.create_task(self._carry())

    async def _carry(self) -> None:
        while True:
            await self._begin()
            await self._tell(SourceState.LIVE, "streaming")
            async for batch in self._provider.stream():
                await self._take(batch)
            if not self._loop:
                break
            log.info("replay begins again", provider=self._provider.name)
        await self._tell(SourceState.CLOSED, "the source has come to its end")

    async def _begin(self) -> None:
        """Load all history, then declare the symbols: what is declared can be asked for."""
        calendar = SessionCalendar(self._provider.zone)
        infos = self._provider.symbols()
        self._begun = False
        self._lines = {}
        for info in infos:
            history = await self._provider.history(info.symbol, Interval.DAY)
            line = _Line(info.symbol, calendar, _bars(info.symbol, history))
            self._lines[info.symbol] = line
            await self._until_done(partial(self._begin_epoch, line))
        await self._until_done(lambda: self._publisher.declare_symbols(infos))
        self._begun = True

    async def _begin_epoch(self, line: _Line) -> None:
        symbol = line.session.symbol
        await self._publisher.begin_epoch(symbol, line.epoch, Interval.DAY, line.final_bars)

    async def _take(self, batch: Sequence[Trade]) -> None:
        received_ms = self._now_ms()
        touched: dict[str, _Line] = {}
        for trade in batch:
            line = touched[trade.symbol] = self._lines[trade.symbol]
            line.apply(trade, received_ms)
        self._market_ms = batch[-1].time_ms
        updates = [u for line in touched.values() if (u := line.take_update()) is not None]
        if updates:
            await self._until_done(lambda: self._publish(updates))

    async def _publish(self, updates: Sequence[SymbolUpdate]) -> None:
        async with self._writing:
            epochs = await self._publisher.publish(updates)
            if any(epoch != self._lines[symbol].epoch for symbol, epoch in epochs.items()):
                await self._restore()

    async def _restore_if_lost(self) -> None:
        """See to symbols that do not trade: their loss shows in no answer."""
        async with self._writing:
            epochs = await self._publisher.epochs(list(self._lines))
            if self._begun and epochs != {s: line.epoch for s, line in self._lines.items()}:
                await self._restore()

    async def _restore(self) -> None:
        """Put back what Redis has lost (flushed, evicted, restarted empty), as new epochs."""
        log.warning("redis had lost symbols; restoring all")
        await self._publisher.declare_symbols(self._provider.symbols())
        for line in self._lines.values():
            line.epoch = new_epoch()
            await self._begin_epoch(line)
        await self._publisher.publish(
            [line.last_update for line in self._lines.values() if line.last_update is not None]
        )

    async def _until_done(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeat a write until Redis has taken it: nothing is lost while Redis is away."""
        while True:
            try:
                await write()
            except BusError as error:
                log.warning("redis is away; trying again", error=str(error))
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _tell(self, state: SourceState, message: str) -> None:
        self._state, self._message = state, message
        await self._until_done(lambda: self._publisher.publish_status(self._status()))

    async def _renew_status(self) -> None:
        while True:
            await self._until_done(self._restore_if_lost)
            await self._until_done(lambda: self._publisher.publish_status(self._status()))
            await asyncio.sleep(STATUS_EVERY_S)

    def _status(self) -> SourceStatus:
        return SourceStatus(
            source=self._provider.name,
            label=self._provider.label,
            state=self._state,
            message=self._message,
            market_ms=self._market_ms,
            updated_ms=self._now_ms(),
        )


def _bars(symbol: str, history: pd.DataFrame) -> list[Bar]:
    """Return a provider's daily history as final bars."""
    starts_ms = history.index.astype("datetime64[ms, UTC]").astype("int64").tolist()
    columns = (history[name].tolist() for name in ("open", "high", "low", "close", "volume"))
    return [
        Bar(symbol, Interval.DAY, start_ms, open_, high, low, close, volume, start_ms, True)
        for start_ms, open_, high, low, close, volume in zip(starts_ms, *columns, strict=True)
    ]
