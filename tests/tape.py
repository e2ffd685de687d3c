"""A source that tells what a test puts in, and an ingest that carries it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.bus.quota import Quotas
from feed_server.bus.reader import Reader
from feed_server.ingest.alerting import Alerting
from feed_server.ingest.demand import Demand
from feed_server.ingest.worker import IngestBus, IngestWorker
from feed_server.market.events import MarketEvent
from feed_server.protocol import SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Watchlist

SYMBOLS = ["BAC", "IBM"]
OPEN_MS = 1_381_154_400_000
"""2013-10-07, 10:00 in New York."""


class Tape(Provider):
    """A source that streams what the test puts in."""

    name = "tape"
    label = "TAPE"
    zone = "America/New_York"
    # Its times are of 2013: the clock of its market is its own.
    capabilities = Capabilities(streams=True, resumable=True)

    def __init__(self) -> None:
        self._batches: asyncio.Queue[Sequence[MarketEvent]] = asyncio.Queue()
        self.number = 0
        self.streamed = 0
        self.taken: Mapping[str, int] = {}

    async def symbols(self) -> Sequence[SymbolInfo]:
        return [SymbolInfo(s, s, "USD", 2, self.name, self.label, self.zone) for s in SYMBOLS]

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        self.taken = dict(taken)
        while True:
            yield await self._batches.get()
            self.streamed += 1

    def trade(self, symbol: str, *prices: float, size: float = 1.0) -> None:
        """Stream a batch of one symbol's trades, a millisecond after that before."""
        self.number += 1
        time_ms = OPEN_MS + self.number
        self.tell(*(Trade(symbol, time_ms, price, size) for price in prices))

    def tell(self, *events: MarketEvent) -> None:
        """Stream a batch of events."""
        self._batches.put_nowait(events)


def ingest_bus(
    redis: Redis,
    publisher: Publisher | None = None,
    demand: Demand | None = None,
    lock: ProviderLock | None = None,
    alerts: Alerting | None = None,
) -> IngestBus:
    """Return what an ingest has of a Redis."""
    return IngestBus(
        publisher=publisher or Publisher(redis),
        reader=Reader(redis),
        quotas=Quotas(redis),
        demand=demand,
        lock=lock,
        alerts=alerts,
    )


@asynccontextmanager
async def ingesting(bus: IngestBus, *providers: Provider) -> AsyncIterator[None]:
    """Run a worker over sources, the preferred first."""
    running = asyncio.create_task(IngestWorker(providers, bus, loop=False).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
