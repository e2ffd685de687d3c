"""Carries one provider's trades to the bus, as quotes, trades and daily bars."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress

import pandas as pd
import structlog

from feed_server.bus.leases import Seen
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.errors import BusError, FencedError
from feed_server.ingest.demand import Demand
from feed_server.ingest.line import Line
from feed_server.ingest.writer import Writer, until_done
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar, Interval, SourceState, SourceStatus, Trade
from feed_server.providers.base import Provider

STATUS_EVERY_S = 1.0
RETRY_S = 0.5
LOADING = "loading history"
YIELD_EVERY_S = 0.001
"""How long a provider that is never short of trades may keep others from running."""

log = structlog.get_logger(__name__)


class IngestWorker:
    """Runs one provider: history first, then its stream; begins again at the end if told to.

    Args:
        provider: The source.
        publisher: Where to.
        demand: What to publish all changes of; `None`: of all symbols.
        loop: Whether to begin again when the stream ends.
        lock: Who carries must hold it; `None`: nobody else can be there.
        now_ms: The clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        provider: Provider,
        publisher: Publisher,
        demand: Demand | None = None,
        *,
        loop: bool,
        lock: ProviderLock | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._provider = provider
        self._publisher = publisher
        self._demand = demand
        self._writer = Writer(publisher)
        self._loop = loop
        self._lock = lock
        self._now_ms = now_ms
        self._lines: dict[str, Line] = {}
        self._market_ms: int | None = None
        self._state = SourceState.CONNECTING
        self._message = LOADING

    async def run(self) -> None:
        """Carry until cancelled; while another does, wait, and take over when that has ended.

        Raises:
            FencedError: Another is at work, and there is no lock to wait for.
        """
        if self._lock is None:
            await self._work()
            return
        try:
            while True:
                self._publisher.fence = await self._lock.acquire()
                log.info("carrying", provider=self._provider.name, fence=self._publisher.fence)
                await self._work_while_held(self._lock)
                await asyncio.sleep(RETRY_S)
        finally:
            with suppress(BusError):
                await self._lock.release()

    async def _work_while_held(self, lock: ProviderLock) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(lock.keep())
                tasks.create_task(self._work())
        except* FencedError as errors:
            log.error(
                "another ingest is at work; this one has stopped",
                provider=self._provider.name,
                reasons=[str(error) for error in _leaves(errors)],
            )

    async def _work(self) -> None:
        self._writer = Writer(self._publisher)
        self._lines = {}
        self._market_ms = None
        self._state, self._message = SourceState.CONNECTING, LOADING
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writer.run())
            tasks.create_task(self._renew_status())
            if self._demand is not None:
                tasks.create_task(self._demand.run(self._on_demand, self._on_seen))
            tasks.create_task(self._carry())

    async def _carry(self) -> None:
        while True:
            await self._begin()
            await self._tell(SourceState.LIVE, "streaming")
            await self._stream()
            await self._writer.flush()
            if not self._loop:
                break
            log.info("replay begins again", provider=self._provider.name)
        await self._tell(SourceState.CLOSED, "the source has come to its end")

    async def _begin(self) -> None:
        """Load all history, then begin: what is declared can be asked for."""
        calendar = SessionCalendar(self._provider.zone)
        infos = self._provider.symbols()
        lines = {}
        for info in infos:
            history = await self._provider.history(info.symbol, Interval.DAY)
            lines[info.symbol] = Line(info.symbol, calendar, _bars(info.symbol, history))
        await self._writer.begin(infos, lines)
        self._lines = lines
        for symbol, line in lines.items():
            line.want(self._demand is None or symbol in self._demand.wanted)

    async def _stream(self) -> None:
        yielded_s = time.monotonic()
        async for batch in self._provider.stream():
            self._take(batch)
            if self._writer.full:
                await self._writer.room()
            elif time.monotonic() - yielded_s > YIELD_EVERY_S:
                await asyncio.sleep(0)
                yielded_s = time.monotonic()

    def _take(self, batch: Sequence[Trade]) -> None:
        received_ms = self._now_ms()
        for trade in batch:
            line = self._lines[trade.symbol]
            line.apply(trade, received_ms)
            if line.due:
                self._writer.note(trade.symbol)
        self._market_ms = batch[-1].time_ms

    def _on_demand(self, came: Collection[str], went: Collection[str]) -> None:
        for symbol in went:
            if symbol in self._lines:
                self._lines[symbol].want(False)
        for symbol in came:
            line = self._lines.get(symbol)
            if line is not None:
                line.want(True)
                if line.due:
                    self._writer.note(symbol)

    def _on_seen(self, numbers: Mapping[str, int]) -> None:
        self._writer.acknowledge(Seen(self._provider.name, dict(numbers)))

    async def _tell(self, state: SourceState, message: str) -> None:
        self._state, self._message = state, message
        await until_done(self._publish_status)

    async def _renew_status(self) -> None:
        while True:
            await until_done(self._writer.restore_if_lost)
            await until_done(self._publish_status)
            await asyncio.sleep(STATUS_EVERY_S)

    async def _publish_status(self) -> None:
        if self._lock is None or self._lock.holds:
            await self._publisher.publish_status(self._status())

    def _status(self) -> SourceStatus:
        return SourceStatus(
            source=self._provider.name,
            label=self._provider.label,
            state=self._state,
            message=self._message,
            market_ms=self._market_ms,
            updated_ms=self._now_ms(),
        )


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _bars(symbol: str, history: pd.DataFrame) -> list[Bar]:
    """Return a provider's daily history as final bars."""
    starts_ms = history.index.astype("datetime64[ms, UTC]").astype("int64").tolist()
    columns = (history[name].tolist() for name in ("open", "high", "low", "close", "volume"))
    return [
        Bar(symbol, Interval.DAY, start_ms, open_, high, low, close, volume, start_ms, True)
        for start_ms, open_, high, low, close, volume in zip(starts_ms, *columns, strict=True)
    ]
