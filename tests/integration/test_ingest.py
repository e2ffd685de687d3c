import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.reader import Reader
from feed_server.ingest.worker import IngestWorker
from feed_server.protocol import Bar, Interval, SourceState
from feed_server.providers.replay import open_replay
from tests.harness import until
from tests.tape import ingest_bus

pytestmark = pytest.mark.integration

TRADES = """time,symbol,price,size
2013-10-07T14:00:00Z,BAC,13.90,100
2013-10-07T14:00:01Z,IBM,182.00,10
2013-10-07T15:00:00Z,BAC,14.10,200
2013-10-08T14:00:00Z,BAC,14.05,50
"""


@asynccontextmanager
async def working(redis: Redis, folder: Path) -> AsyncIterator[Reader]:
    """Run a worker over the trades, as fast as possible, until it has come to the end."""
    (folder / "trades.csv").write_text(TRADES)
    provider = open_replay([folder], None, "America/New_York", math.inf)
    worker = IngestWorker([provider], ingest_bus(redis), loop=False)
    running = asyncio.create_task(worker.run())
    reader = Reader(redis)
    try:
        await until(lambda: has_ended(reader))
        yield reader
    finally:
        running.cancel()
        await asyncio.wait([running])


async def has_ended(reader: Reader) -> bool:
    return any(s.state == SourceState.CLOSED for s in await reader.statuses())


async def bars(reader: Reader, symbol: str) -> list[Bar]:
    kept = await reader.bars(symbol, Interval.DAY, start_ms=0, end_ms=10**15, limit=10)
    return kept.bars


async def test_trades_become_quotes_and_daily_bars(redis: Redis, tmp_path: Path) -> None:
    async with working(redis, tmp_path) as reader:
        assert list(await reader.symbols()) == ["BAC", "IBM"]
        quote = (await reader.last_values(["BAC"]))["BAC"].update.quote
        assert (quote.last, quote.prev_close, quote.session) == (14.05, 14.10, "2013-10-08")
        first, second = await bars(reader, "BAC")
        assert (first.open, first.high, first.close, first.volume) == (13.9, 14.1, 14.1, 300)
        assert (first.final, second.final, second.volume) == (True, False, 50)
        (status,) = await reader.statuses()
        assert (status.source, status.label, status.message) == (
            "replay",
            "REPLAY",
            "the source has come to its end",
        )


async def test_what_redis_loses_is_restored_also_when_nothing_trades(
    redis: Redis, tmp_path: Path
) -> None:
    async with working(redis, tmp_path) as reader:
        before = await reader.last_values(["BAC", "IBM"])
        history = await bars(reader, "BAC")
        await redis.flushall()

        async def restored() -> bool:
            return await bars(reader, "BAC") == history

        await until(restored)
        after = await reader.last_values(["BAC", "IBM"])
        for symbol, kept in before.items():
            assert after[symbol].update == kept.update
            assert after[symbol].epoch != kept.epoch
        assert list(await reader.symbols()) == ["BAC", "IBM"]


async def test_a_history_that_was_evicted_is_put_back(redis: Redis, tmp_path: Path) -> None:
    async with working(redis, tmp_path) as reader:
        history = await bars(reader, "BAC")
        await redis.delete(names.final_bars("BAC", Interval.DAY))

        async def restored() -> bool:
            return await bars(reader, "BAC") == history

        await until(restored)


async def test_a_list_of_symbols_that_was_evicted_is_put_back(redis: Redis, tmp_path: Path) -> None:
    async with working(redis, tmp_path) as reader:
        before = await reader.last_values(["BAC"])
        listed = await reader.symbols()
        await redis.delete(names.SYMBOLS)

        async def restored() -> bool:
            return await reader.symbols() == listed

        await until(restored)
        assert await reader.last_values(["BAC"]) == before
