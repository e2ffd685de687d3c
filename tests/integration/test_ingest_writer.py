"""What putting back costs: bounded, also with many symbols."""

import asyncio

import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.publisher import Publisher
from feed_server.ingest import writer
from feed_server.ingest.line import Line
from feed_server.ingest.writer import Writer
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Interval, SymbolInfo, Trade
from tests.tape import OPEN_MS
from tests.updates import DAY_MS

pytestmark = pytest.mark.integration

SYMBOLS = [f"S{number}" for number in range(250)]


async def begun(redis: Redis, days: int = 0) -> Writer:
    calendar = SessionCalendar("America/New_York")
    lines = {}
    for symbol in SYMBOLS:
        info = SymbolInfo(symbol, symbol, "USD", 2, "tape", "TAPE", "America/New_York")
        lines[symbol] = Line(info, calendar, grace_ms=0)
    begun = Writer(Publisher(redis))
    await begun.begin(lines)
    for symbol, line in lines.items():
        for day in range(days):
            line.apply(Trade(symbol, OPEN_MS + day * DAY_MS, 1.0, 1.0), 0)
        line.advance(OPEN_MS + days * DAY_MS)
        if days:
            begun.note(symbol)
    running = asyncio.create_task(begun.run())
    await begun.flush()
    running.cancel()
    await asyncio.wait([running])
    return begun


async def calls(redis: Redis, command: str) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))


async def test_all_that_was_lost_is_put_back_in_parts(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_BARS", 100)
    begun_writer = await begun(redis, days=7)
    assert await redis.zcard(names.final_bars("S249", Interval.DAY)) == 7
    await redis.flushall()
    await begun_writer.restore_if_lost()
    for interval in Interval:
        assert await redis.zcard(names.final_bars("S249", interval)) == 7
    assert await redis.hlen(names.SYMBOLS) == len(SYMBOLS)


async def test_it_looks_at_some_symbols_each_time_and_at_all_by_and_by(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOOK_AT", 100)
    begun_writer = await begun(redis)
    await redis.config_resetstat()
    await begun_writer.restore_if_lost()
    assert await calls(redis, "hmget") == 100
    await redis.delete(names.last_value("S249"))
    await begun_writer.restore_if_lost()
    assert not await redis.exists(names.last_value("S249"))
    await begun_writer.restore_if_lost()
    assert await redis.exists(names.last_value("S249"))


async def test_where_one_is_lost_all_are_looked_at_at_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOOK_AT", 100)
    begun_writer = await begun(redis, days=2)
    await redis.flushall()
    await begun_writer.restore_if_lost()
    for symbol in SYMBOLS:
        assert await redis.exists(names.last_value(symbol))
    assert await redis.hlen(names.SYMBOLS) == len(SYMBOLS)
