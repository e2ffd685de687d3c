"""Carries one day's trades by an ingest of its own when told to: a process of `benchmarks.day`.

``python -m benchmarks.day_source REDIS_URL``: it says ``ready``, and for each line that it reads
lets the day begin anew, as fast as Redis takes it.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress

from typing_extensions import override

from benchmarks.day_trades import SYMBOL, day_trades
from feed_server.bus.connection import connect
from feed_server.bus.publisher import Publisher
from feed_server.bus.quota import Quotas
from feed_server.bus.reader import Reader
from feed_server.ingest.worker import IngestBus, IngestWorker
from feed_server.protocol import SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Watchlist

BATCH = 100
"""Trades that come together, as of a busy stream."""


class Day(Provider):
    """The trades of one symbol and day, in batches, without a pause between them."""

    name = "day"
    label = "REPLAY"
    zone = "America/New_York"
    capabilities = Capabilities(streams=True, resumable=True)

    def __init__(self, trades: Sequence[Trade]) -> None:
        self._trades = trades
        self.go = asyncio.Event()

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        """Return the one instrument."""
        return [SymbolInfo(SYMBOL, SYMBOL, "USD", 2, self.name, self.label, self.zone)]

    @override
    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[Trade]]:
        """Yield the first trade at once and all others when told to."""
        yield self._trades[:1]
        await self.go.wait()
        for first in range(1, len(self._trades), BATCH):
            yield self._trades[first : first + BATCH]
        await asyncio.Event().wait()


async def main(redis_url: str) -> None:
    """Serve until the input ends."""
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    trades = day_trades()
    redis = connect(redis_url)
    bus = IngestBus(
        publisher=Publisher(redis),
        reader=Reader(redis),
        quotas=Quotas(redis),
    )
    carrying: asyncio.Task[None] | None = None
    day = Day(trades)
    while line := await commands.readline():
        if line == b"begin\n":
            await _end(carrying)
            day = Day(trades)
            day.run = f"day-{loop.time()}"
            carrying = asyncio.create_task(IngestWorker([day], bus, loop=False).run())
        else:
            day.go.set()
        print("ready", flush=True)
    await _end(carrying)
    await redis.aclose()


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
