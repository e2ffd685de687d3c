"""A source that is never short of trades, carried as any source is: by an ingest of its own.

Each trade tells its number within its symbol, as its size: who gets it sees whether it is the one
that belongs there, and the volume tells how many went before.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping, Sequence

from typing_extensions import override

from feed_server.bus.connection import connect
from feed_server.bus.leases import WantedReader
from feed_server.bus.publisher import Publisher
from feed_server.bus.quota import Quotas
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.ingest.demand import Demand
from feed_server.ingest.worker import IngestBus, IngestWorker
from feed_server.protocol import SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Watchlist

SOURCE = "flood"
LABEL = "SIMULATED"
BEGIN_MS = 1_338_557_400_000
"""2012-06-01, 09:30 in New York: far from the end of a session, whenever this runs."""
MOST_AT_ONCE = 8
"""Trades of different symbols in one batch, at most, as a vendor's stream brings them."""
ORDERS = 8
WATCH_S = 0.01


class FloodProvider(Provider):
    """Tells each symbol's first trade at once, and more as fast as they are taken when told to.

    Args:
        symbols: Of what. In a round each trades once; every round has another order.
    """

    name = SOURCE
    label = LABEL
    zone = "America/New_York"
    # Its trades are of 2012: the clock of its market is its own.
    capabilities = Capabilities(streams=True, resumable=True)

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols = symbols
        chosen = random.Random(1)
        self._orders = [list(_cut(symbols, chosen)) for _ in range(ORDERS)]
        self._rounds = 1
        self._told = 0
        self._changed = asyncio.Condition()

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        """Return the instruments."""
        return [SymbolInfo(s, s, "USD", 2, SOURCE, LABEL) for s in self._symbols]

    @override
    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[Trade]]:
        """Yield trades, a few at a time; it has no end."""
        while True:
            while self._told < self._rounds:
                number = self._told + 1
                for symbols in self._orders[number % ORDERS]:
                    yield [trade(symbol, number) for symbol in symbols]
                self._told = number
            async with self._changed:
                self._changed.notify_all()
                await self._changed.wait_for(lambda: self._told < self._rounds)

    async def pour(self, rounds: int) -> None:
        """Tell so many trades more of each symbol; return when all are told."""
        async with self._changed:
            self._rounds += rounds
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._told == self._rounds)


class Flow:
    """A flood, and the ingest that carries it.

    Args:
        redis_url: Where to.
        symbols: Of what.
    """

    def __init__(self, redis_url: str, symbols: Sequence[str]) -> None:
        self._symbols = frozenset(symbols)
        self._provider = FloodProvider(symbols)
        # As in feed_server.ingest.service, but that we can see what is wanted.
        self._redis, self._listening = connect(redis_url), connect(redis_url)
        name = f"ingest-{secrets.token_hex(4)}"
        self._demand = Demand(
            WantedReader(self._redis),
            lambda on_message, on_connected: Subscriber(
                self._listening, name, on_message, on_connected
            ),
        )
        bus = IngestBus(
            publisher=Publisher(self._redis),
            reader=Reader(self._redis),
            quotas=Quotas(self._redis),
            demand=self._demand,
        )
        worker = IngestWorker([self._provider], bus, loop=False)
        self._running = asyncio.create_task(worker.run())

    async def begin(self) -> None:
        """Return when each symbol's first trade is on its way."""
        await self._while_running(self._provider.pour(0))

    async def await_demand(self) -> None:
        """Return when the ingest has seen that all symbols are wanted: now every trade is told."""
        await self._while_running(self._see_demand())

    async def pour(self, rounds: int) -> None:
        """See `FloodProvider.pour`."""
        await self._while_running(self._provider.pour(rounds))

    async def end(self) -> None:
        """Stop it."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._redis.aclose()
        await self._listening.aclose()

    async def _see_demand(self) -> None:
        while not self._demand.wanted >= self._symbols:  # noqa: ASYNC110 (it tells nobody else)
            await asyncio.sleep(WATCH_S)

    async def _while_running(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        await asyncio.wait([task, self._running], return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            task.cancel()
            self._running.result()
        await task


def trade(symbol: str, number: int) -> Trade:
    """Return a symbol's trade of this number, counted from 1."""
    return Trade(symbol, BEGIN_MS + number, round(100 + number % 50 / 100, 2), float(number))


def volume_after(number: int) -> float:
    """Return what has been traded of a symbol with the trade of this number."""
    return number * (number + 1) / 2


def _cut(symbols: Sequence[str], chosen: random.Random) -> Iterator[list[str]]:
    """Yield the symbols in any order, a few at a time."""
    order = chosen.sample(symbols, len(symbols))
    while order:
        few = chosen.randint(1, MOST_AT_ONCE)
        yield order[:few]
        del order[:few]
