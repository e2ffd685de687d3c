import asyncio
from typing import Self

import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import connect, masked
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.errors import BusError
from feed_server.protocol import Interval, SourceState, SourceStatus, SymbolInfo
from tests.harness import free_port, wait_for
from tests.updates import DAY_MS, bar, update

pytestmark = pytest.mark.integration

DAY = Interval.DAY
EVER = 10**15


async def bars(redis: Redis, limit: int = 100, start_ms: int = 0) -> list[tuple[int, float, bool]]:
    reader = Reader(redis)
    kept = await reader.bars("AAPL", DAY, start_ms=start_ms, end_ms=EVER, limit=limit)
    return [(b.start_ms // DAY_MS, b.close, b.final) for b in kept.bars]


async def test_what_is_published_is_the_last_value(redis: Redis) -> None:
    sent = [update("AAPL", 5, count=3), update("IBM", 6)]
    epochs = await Publisher(redis).publish(sent)
    kept = await Reader(redis).last_values(["AAPL", "IBM", "MSFT"])
    assert kept == {
        "AAPL": StoredUpdate(epochs["AAPL"], 3, sent[0]),
        "IBM": StoredUpdate(epochs["IBM"], 1, sent[1]),
    }


async def test_older_data_is_refused_and_equal_times_are_taken(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(last=1, time_ms=2_000)])
    await publisher.publish([update(last=2, time_ms=1_999)])
    assert (await Reader(redis).last_values(["AAPL"]))["AAPL"].update.quote.last == 1
    await publisher.publish([update(last=3, time_ms=2_000)])
    kept = (await Reader(redis).last_values(["AAPL"]))["AAPL"]
    assert (kept.update.quote.last, kept.offset) == (3, 2)


async def test_an_update_published_again_after_a_lost_answer_counts_once(redis: Redis) -> None:
    publisher = Publisher(redis)
    for _ in range(2):
        await publisher.publish([update(count=3)])
    assert (await Reader(redis).last_values(["AAPL"]))["AAPL"].offset == 3


async def test_an_epoch_begins_with_its_history_and_forgets_the_one_before(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(last=1, time_ms=9_000, day=7)])
    await publisher.begin_epoch("AAPL", "e2", DAY, [bar(day=d, final=True) for d in (1, 2)])
    assert await Reader(redis).last_values(["AAPL"]) == {}
    assert await bars(redis) == [(1, 1, True), (2, 1, True)]
    assert await publisher.publish([update(last=5, time_ms=10, day=3)]) == {"AAPL": "e2"}
    assert await bars(redis) == [(1, 1, True), (2, 1, True), (3, 5, False)]


async def test_a_flushed_redis_gives_a_new_epoch_instead_of_lying_about_offsets(
    redis: Redis,
) -> None:
    publisher = Publisher(redis)
    await publisher.begin_epoch("AAPL", "e1", DAY, [])
    assert await publisher.publish([update()]) == {"AAPL": "e1"}
    await redis.flushall()
    assert (await publisher.publish([update()]))["AAPL"] != "e1"


async def test_a_bar_that_closes_is_there_once(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(last=1, day=1)])
    closing = SymbolUpdate(
        update(last=4, time_ms=2_000).quote,
        [bar(close=3, day=1, final=True), bar(close=4, day=2)],
    )
    await publisher.publish([closing])
    await publisher.publish([closing])
    assert await bars(redis) == [(1, 3, True), (2, 4, False)]


async def test_bars_are_read_by_range_and_count_newest_first_kept(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.begin_epoch("AAPL", "e1", DAY, [bar(day=d, final=True) for d in range(1, 6)])
    await publisher.publish([update(last=9, day=6)])
    assert [day for day, _, _ in await bars(redis, limit=3)] == [4, 5, 6]
    assert [day for day, _, _ in await bars(redis, start_ms=5 * DAY_MS)] == [5, 6]


async def test_symbols_are_replaced_as_a_whole(redis: Redis) -> None:
    def info(symbol: str) -> SymbolInfo:
        return SymbolInfo(symbol, symbol, "USD", 2, "replay", "REPLAY")

    await Publisher(redis).declare_symbols([info("MSFT"), info("AAPL")])
    assert list(await Reader(redis).symbols()) == ["AAPL", "MSFT"]
    await Publisher(redis).declare_symbols([info("IBM")])
    assert await Reader(redis).symbols() == {"IBM": info("IBM")}


async def test_a_source_that_does_not_renew_its_status_is_not_believed(redis: Redis) -> None:
    status = SourceStatus("replay", "REPLAY", SourceState.LIVE, "streaming", None, 0)
    await Publisher(redis).publish_status(status)
    assert await Reader(redis).statuses() == [status]
    assert 0 < await redis.pttl(names.source_status("replay")) <= 5_000
    await redis.delete(names.source_status("replay"))
    assert await Reader(redis).statuses() == []


class Heard:
    """A running subscriber, and what it was told."""

    def __init__(self, valkey: EmbeddedValkey) -> None:
        self.messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.connected: asyncio.Queue[None] = asyncio.Queue()
        self._redis = connect(valkey.url)
        self.subscriber = Subscriber(
            self._redis,
            "test",
            lambda channel, payload: self.messages.put_nowait((channel, payload)),
            lambda: self.connected.put_nowait(None),
        )

    async def __aenter__(self) -> Self:
        await self.subscriber.subscribe([names.updates("AAPL")])
        self._running = asyncio.create_task(self.subscriber.run())
        await self.connected.get()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])
        await self._redis.aclose()


async def test_a_subscriber_hears_what_is_published(redis: Redis, valkey: EmbeddedValkey) -> None:
    async with Heard(valkey) as heard:
        epochs = await Publisher(redis).publish([update("AAPL", 5), update("IBM", 6)])
        channel, payload = await heard.messages.get()
        assert channel == names.updates("AAPL")
        expected = StoredUpdate(epochs["AAPL"], 1, update("AAPL", 5))
        assert StoredUpdate.from_message(payload) == expected
        assert heard.messages.empty()


async def test_subscriptions_survive_a_lost_connection(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async with Heard(valkey) as heard:
        await redis.client_kill_filter(_type="pubsub")
        await heard.connected.get()
        await Publisher(redis).publish([update("AAPL", 7)])
        _, payload = await heard.messages.get()
        assert StoredUpdate.from_message(payload).update.quote.last == 7


async def test_a_deaf_subscriber_says_so_and_recovers(redis: Redis, valkey: EmbeddedValkey) -> None:
    async with Heard(valkey) as heard:
        assert heard.subscriber.hears
        await redis.execute_command("CLIENT", "PAUSE", "6000", "ALL")
        async with asyncio.timeout(15):
            await asyncio.to_thread(wait_for, "it is deaf", lambda: not heard.subscriber.hears)
            await heard.connected.get()
        assert heard.subscriber.hears


async def test_an_unreachable_redis_is_a_bus_error() -> None:
    redis = connect(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(BusError, match="reaching Redis"):
        await Reader(redis).ping()
    await redis.aclose()


def test_a_shown_address_holds_no_password() -> None:
    assert masked("redis://user:secret@host:6379/0") == "redis://***@host:6379/0"
    assert masked("redis://host:6379/0") == "redis://host:6379/0"
