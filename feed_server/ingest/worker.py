"""Carries what sources tell to the bus: one process at a time, the others wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from feed_server.bus.leases import Seen
from feed_server.bus.lock import ProviderLock
from feed_server.bus.notices import SourceError
from feed_server.bus.publisher import Publisher
from feed_server.bus.quota import Quotas
from feed_server.bus.reader import Reader
from feed_server.bus.requests import Answer, Request
from feed_server.errors import BusError, FencedError, ProviderError
from feed_server.ingest.acknowledging import Acknowledging
from feed_server.ingest.alerting import Alerting
from feed_server.ingest.answers import Answers
from feed_server.ingest.demand import Demand
from feed_server.ingest.floor import Floor
from feed_server.ingest.listing import Listing
from feed_server.ingest.source import Source
from feed_server.ingest.vendor import quota_of
from feed_server.ingest.writer import Writer, until_done
from feed_server.market.events import MarketEvent
from feed_server.protocol import SymbolInfo
from feed_server.providers.base import Provider

TICK_S = 0.5
"""How often bars that are over are closed, and what is asked of each source is looked at."""
STATUS_EVERY_S = 1.0
RETRY_S = 0.5

log = structlog.get_logger(__name__)

Serve = Callable[[Callable[[Request], Awaitable[Answer]]], Coroutine[None, None, None]]
"""Answers what gateways ask, for as long as it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBus:
    """What an ingest has of Redis.

    Attributes:
        publisher: Where to.
        reader: For what an ingest before has left.
        quotas: Gives the vendors' budgets.
        demand: What to publish all changes of; `None`: of all symbols.
        lock: Who carries must hold it; `None`: nobody else can be there.
        serve: Answers gateways; `None`: there are none that ask.
        alerts: Evaluates users' alerts; `None`: nobody does.
    """

    publisher: Publisher
    reader: Reader
    quotas: Quotas
    demand: Demand | None = None
    lock: ProviderLock | None = None
    serve: Serve | None = None
    alerts: Alerting | None = None


class IngestWorker:
    """Runs the sources, and takes what they tell to the bus.

    Args:
        providers: The sources, the preferred first.
        bus: Where to.
        loop: Whether to begin again when all have come to their end.
        grace_ms: For how long late trades amend a bar that has ended.
        now_ms: The clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        bus: IngestBus,
        *,
        loop: bool,
        grace_ms: int = 2_000,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._providers = providers
        self._name = ",".join(provider.name for provider in providers)
        self._bus = bus
        self._loop = loop
        self._grace_ms = grace_ms
        self._now_ms = now_ms

    async def run(self) -> None:
        """Carry until cancelled; while another does, wait, and take over when that has ended.

        Raises:
            FencedError: Another is at work, and there is no lock to wait for.
        """
        lock = self._bus.lock
        try:
            while True:
                if lock is None:
                    await self._carry()
                    return
                self._bus.publisher.fence = await lock.acquire()
                log.info("carrying", sources=self._name, fence=self._bus.publisher.fence)
                await self._carry_while_held(lock)
                await asyncio.sleep(RETRY_S)
        finally:
            if lock is not None:
                with suppress(BusError):
                    await lock.release()

    async def _carry_while_held(self, lock: ProviderLock) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(lock.keep())
                tasks.create_task(self._carry())
        except* FencedError as errors:
            log.error(
                "another ingest is at work; this one has stopped",
                sources=self._name,
                reasons=[str(error) for error in _leaves(errors)],
            )

    async def _carry(self) -> None:
        resume = True
        while True:
            carrying = Carrying(self._providers, self._bus, self._grace_ms, self._now_ms)
            await carrying.run(resume=resume, until_ended=self._loop)
            log.info("the sources begin again", sources=self._name)
            resume = False


class Carrying:
    """One time of carrying, from when the sources begin until they end, or the lock is lost.

    Args:
        providers: The sources, the preferred first.
        bus: Where to.
        grace_ms: For how long late trades amend a bar that has ended.
        now_ms: The clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        bus: IngestBus,
        grace_ms: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._bus = bus
        self._now_ms = now_ms
        self._writer = Writer(bus.publisher, bus.alerts.consider if bus.alerts else None)
        self._floor = Floor(
            providers,
            grace_ms=grace_ms,
            now_ms=now_ms,
            on_due=self._writer.note,
            on_waiting=self._writer.remind,
            offers=lambda source, symbol: bool(self._listing.offered(source, [symbol])),
        )
        self._sources = {p.name: Source(p, quota_of(bus.quotas, p), self) for p in providers}
        self._listing = Listing(
            list(self._sources.values()), self._floor, self._writer, bus, now_ms
        )
        self._answers = Answers(self._sources, self._floor, self._listing, now_ms)
        self._wanted: frozenset[str] = frozenset()
        self._came: set[str] = set()
        self._acknowledging = {provider.name: Acknowledging() for provider in providers}
        self._notices: dict[tuple[str, str], SourceError] = {}
        self._poked = asyncio.Event()

    async def run(self, *, resume: bool, until_ended: bool) -> None:
        """Carry until cancelled, or until all sources have ended.

        Args:
            resume: Whether to go on where another has left off.
            until_ended: Whether to return when all sources have ended.
        """
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._writer.run()),
                tasks.create_task(self._say_how_it_goes()),
            ]
            if self._bus.demand is not None:
                running.append(
                    tasks.create_task(self._bus.demand.run(self._on_demand, self._on_seen))
                )
            if self._bus.alerts is not None:
                # Before the first price of this time: what it crosses was set before.
                await until_done(self._bus.alerts.load)
            await self._listing.begin(resume=resume)
            if self._bus.alerts is not None:
                self._bus.alerts.begin(self._floor.lines.get)
                running.append(tasks.create_task(self._bus.alerts.run()))
            self._want_all()
            if self._bus.serve is not None:
                running.append(tasks.create_task(self._bus.serve(self._answers.answer)))
            running.append(tasks.create_task(self._tick_always()))
            running.append(tasks.create_task(self._complete_always()))
            async with asyncio.TaskGroup() as sources:
                for source in self._sources.values():
                    sources.create_task(source.run())
            self._floor.advance()
            await self._writer.flush()
            self._poked.set()
            if until_ended:
                for task in running:
                    task.cancel()

    def _want_all(self) -> None:
        demand = self._bus.demand
        self._wanted = frozenset(self._floor.lines) if demand is None else demand.wanted
        self._floor.want(self._wanted, True)
        if demand is not None:
            self._listing.note_wanted(self._wanted)
        self._plan()

    def _plan(self) -> None:
        """Ask each source for what should come from it."""
        known = [symbol for symbol in self._wanted if symbol in self._floor.lines]
        plan = self._floor.router.plan(known, time.monotonic())
        for name, symbols in plan.items():
            self._sources[name].watch(symbols)

    async def _tick_always(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._floor.advance()
            for source in self._sources.values():
                source.hand_over()
            self._plan()
            for name in self._sources:
                self._acknowledge(name)

    async def _complete_always(self) -> None:
        # Beside the ticks: a vendor that is slow must not keep bars from being closed.
        noted = self._listing.noted
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await noted.wait()
            noted.clear()
            await self._listing.complete()

    # ---- what sources tell -----------------------------------------------------------------

    def taken(self, source: str) -> Mapping[str, int]:
        """See `Sink`."""
        return self._floor.taken(source)

    async def take(self, source: str, events: Sequence[MarketEvent]) -> None:
        """See `Sink`."""
        moved = self._floor.take(source, events)
        acknowledging = self._acknowledging[source]
        if acknowledging.waits:
            acknowledging.tell(event.symbol for event in events)
            self._acknowledge(source)
        if moved:
            await self._redeclare(moved)
        if self._writer.full:
            await self._writer.room()

    async def _redeclare(self, moved: Sequence[SymbolInfo]) -> None:
        for info in moved:
            log.warning(
                "a symbol comes from another source", symbol=info.symbol, source=info.source
            )
        await until_done(lambda: self._bus.publisher.add_symbols(moved))

    def refuse(self, source: str, symbol: str, error: ProviderError) -> None:
        """See `Sink`."""
        self._floor.refuse(source, symbol, error, time.monotonic())
        self._notices[source, symbol] = SourceError(source, symbol, str(error), self._now_ms())
        self._plan()

    def on_health(self, source: str) -> None:
        """See `Sink`."""
        runs = self._sources[source]
        self._floor.router.set_up(source, runs.is_up)
        runs.pace()
        self._plan()
        self._poked.set()

    def on_gap(self, source: str) -> None:
        """See `Sink`."""
        self._listing.note_gap(source)

    # ---- what gateways want ------------------------------------------------------------------

    def _on_demand(self, came: Collection[str], went: Collection[str]) -> None:
        assert self._bus.demand is not None
        self._wanted = self._bus.demand.wanted
        self._floor.want(went, False)
        self._floor.want(came, True)
        self._listing.note_wanted(came)
        self._came.update(came)
        self._plan()

    def _on_seen(self, numbers: Mapping[str, int]) -> None:
        came, self._came = self._came, set()
        for name, source in self._sources.items():
            self._acknowledging[name].hold(numbers, source.will_tell(came), time.monotonic())
            self._acknowledge(name)

    def _acknowledge(self, source: str) -> None:
        numbers = self._acknowledging[source].take(time.monotonic())
        if numbers is not None:
            self._writer.acknowledge(Seen(source, numbers))

    # ---- what is told of the sources ---------------------------------------------------------

    async def _say_how_it_goes(self) -> None:
        while True:
            await until_done(self._writer.restore_if_lost)
            await until_done(self._publish_statuses)
            with suppress(TimeoutError):
                async with asyncio.timeout(STATUS_EVERY_S):
                    await self._poked.wait()
            self._poked.clear()

    async def _publish_statuses(self) -> None:
        lock = self._bus.lock
        if lock is not None and not lock.holds:
            return
        notices, self._notices = self._notices, {}
        for notice in notices.values():
            await self._bus.publisher.publish_error(notice)
        for name, source in self._sources.items():
            await self._bus.publisher.publish_status(
                source.status(
                    self._now_ms(), self._floor.market_ms.get(name), self._floor.refused[name]
                )
            )


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
