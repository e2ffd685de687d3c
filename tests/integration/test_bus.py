import asyncio
from typing import Self

import pytest
from msgspec.structs import replace
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError

from feed_server.bus import names
from feed_server.bus.connection import bus_errors, connect
from feed_server.bus.control import Disconnect, Drain, decode_control, publish_control
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.notices import SourceError, decode_error
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import PAGE, Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.errors import BusError
from feed_server.protocol import Interval, Position, SourceState, SourceStatus, SymbolInfo
from tests.harness import free_port, wait_for
from tests.updates import DAY_MS, bar, update

pytestmark = pytest.mark.integration

DAY = Interval.DAY
EVER = 10**15


def info(symbol: str) -> SymbolInfo:
    return SymbolInfo(symbol, symbol, "USD", 2, "replay", "REPLAY")


async def bars(redis: Redis, limit: int = 100, start_ms: int = 0) -> list[tuple[int, float, bool]]:
    reader = Reader(redis)
    kept = await reader.bars("AAPL", DAY, start_ms=start_ms, end_ms=EVER, limit=limit)
    return [(b.start_ms // DAY_MS, b.close, b.final) for b in kept.bars]


async def test_what_is_published_is_the_last_value(redis: Redis) -> None:
    sent = [update("AAPL", 5, count=3), update("IBM", 6)]
    positions = await Publisher(redis).publish(sent)
    kept = await Reader(redis).last_values(["AAPL", "IBM", "MSFT"])
    assert kept == {
        "AAPL": StoredUpdate(positions["AAPL"].epoch, 3, sent[0]),
        "IBM": StoredUpdate(positions["IBM"].epoch, 1, sent[1]),
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
    await publisher.begin_epoch("AAPL", "e2", [bar(day=d, final=True) for d in (1, 2)])
    assert await Reader(redis).last_values(["AAPL"]) == {}
    assert await bars(redis) == [(1, 1, True), (2, 1, True)]
    assert await publisher.publish([update(last=5, time_ms=10, day=3)]) == {
        "AAPL": Position("e2", 1)
    }
    assert await bars(redis) == [(1, 1, True), (2, 1, True), (3, 5, False)]


async def test_a_flushed_redis_gives_a_new_epoch_instead_of_lying_about_offsets(
    redis: Redis,
) -> None:
    publisher = Publisher(redis)
    await publisher.begin_epoch("AAPL", "e1", [])
    assert await publisher.publish([update()]) == {"AAPL": Position("e1", 1)}
    await redis.flushall()
    assert (await publisher.publish([update()]))["AAPL"].epoch != "e1"


async def offsets_since(redis: Redis, offset: int) -> list[tuple[int, int]]:
    """Gives where each logged update of AAPL begins and ends."""
    missed = await Reader(redis).updates_since({"AAPL": offset}, limit=1_000)
    return [(stored.begins_at, stored.offset) for stored in missed["AAPL"]]


async def trade_prices(redis: Redis, limit: int = 100) -> tuple[int, list[float]]:
    history = await Reader(redis).trades("AAPL", limit)
    return history.offset, [trade.price for trade in history.trades]


async def test_what_was_missed_is_in_the_log_as_it_was_published(redis: Redis) -> None:
    publisher = Publisher(redis)
    sent = [update(last=n, time_ms=n, count=2, trades=2) for n in (1, 2, 3)]
    for one in sent:
        positions = await publisher.publish([one])
    missed = await Reader(redis).updates_since({"AAPL": 2, "IBM": 0}, limit=10)
    expected = [
        StoredUpdate(positions["AAPL"].epoch, offset, sent[offset // 2 - 1]) for offset in (4, 6)
    ]
    assert missed == {"AAPL": expected, "IBM": []}
    assert await offsets_since(redis, 6) == []


async def test_an_update_published_again_is_logged_once(redis: Redis) -> None:
    publisher = Publisher(redis)
    for _ in range(2):
        await publisher.publish([update(count=3, trades=3)])
    assert await offsets_since(redis, 0) == [(0, 3)]


async def test_a_refused_update_is_not_logged(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(time_ms=2_000)])
    refused = await publisher.publish([update(time_ms=1_999)])
    assert refused["AAPL"].offset == -1
    assert await offsets_since(redis, 0) == [(0, 1)]


async def test_the_log_keeps_so_many_and_for_so_long(redis: Redis) -> None:
    publisher = Publisher(redis, log_entries=50, log_expires_s=7)
    for n in range(1, 501):
        await publisher.publish([update(time_ms=n)])
    kept = await offsets_since(redis, 0)
    assert 50 <= len(kept) < 200
    assert kept[-1] == (499, 500)
    assert kept[0] != (0, 1), "the gap shows"
    assert 6_000 < await redis.pttl(names.update_log("AAPL")) <= 7_000


async def test_of_many_missed_the_oldest_are_read_first(redis: Redis) -> None:
    publisher = Publisher(redis)
    for n in range(1, 11):
        await publisher.publish([update(time_ms=n)])
    missed = await Reader(redis).updates_since({"AAPL": 0}, limit=3)
    assert [stored.offset for stored in missed["AAPL"]] == [1, 2, 3]


async def test_a_new_epoch_has_no_log_of_the_one_before(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(count=5, trades=5)])
    await publisher.begin_epoch("AAPL", "e2", [])
    assert await offsets_since(redis, 0) == []
    await publisher.publish([update(count=2, trades=2)])
    await redis.delete(names.last_value("AAPL"))
    positions = await publisher.publish([update(count=9, trades=9)])
    (missed,) = (await Reader(redis).updates_since({"AAPL": 0}, limit=10))["AAPL"]
    assert missed.position == positions["AAPL"] == Position(missed.epoch, 9)


async def test_all_but_the_log_is_there_when_only_the_log_has_expired(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(last=1, time_ms=1, count=2, trades=2)])
    await publisher.publish([update(last=2, time_ms=2, count=2, trades=1)])
    await redis.delete(names.update_log("AAPL"))
    assert (await Reader(redis).last_values(["AAPL"]))["AAPL"].offset == 4
    assert await trade_prices(redis) == (4, [2])
    assert await bars(redis) == [(0, 2, False)]
    assert await offsets_since(redis, 2) == []
    await publisher.publish([update(last=3, time_ms=3, trades=1)])
    assert await offsets_since(redis, 2) == [(4, 5)], "the gap shows"
    assert await trade_prices(redis) == (5, [3])


async def test_trades_are_read_back_to_the_first_that_is_missing(redis: Redis) -> None:
    publisher = Publisher(redis)
    assert await trade_prices(redis) == (0, [])
    await publisher.publish([update(last=1, time_ms=1, count=2, trades=2)])
    await publisher.publish([update(last=2, time_ms=2, count=9, trades=2)])
    await publisher.publish([update(last=3, time_ms=3, count=3, trades=3)])
    assert await trade_prices(redis) == (14, [2, 2, 3, 3, 3])
    assert await trade_prices(redis, 4) == (14, [2, 3, 3, 3])
    assert await trade_prices(redis, 1) == (14, [3])


async def test_trades_are_found_among_any_number_of_quotes(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update(last=1, time_ms=1, count=2, trades=1)])
    await publisher.publish([update(last=2, time_ms=2, count=4, trades=4)])
    for n in range(3, PAGE + 20):
        await publisher.publish([update(last=2, time_ms=n)])
    found = await Reader(redis).trades("AAPL", 2)
    assert (found.offset, found.offsets) == (PAGE + 23, [5, 6])
    found = await Reader(redis).trades("AAPL", 10)
    assert (len(found.trades), found.offsets) == (5, [2, 3, 4, 5, 6])


async def test_trades_are_read_back_to_where_the_log_is_broken(redis: Redis) -> None:
    publisher = Publisher(redis)
    for n in (1, 2, 3, 4):
        await publisher.publish([update(last=n, time_ms=n, trades=1)])
    await redis.xdel(names.update_log("AAPL"), "2-0")
    assert await trade_prices(redis) == (4, [3, 4])


async def test_bars_say_where_they_end(redis: Redis) -> None:
    reader = Reader(redis)
    assert (await reader.bars("AAPL", DAY, start_ms=0, end_ms=EVER, limit=9)).offset == 0
    await Publisher(redis).publish([update(count=3)])
    assert (await reader.bars("AAPL", DAY, start_ms=0, end_ms=EVER, limit=9)).offset == 3


async def test_scripts_that_redis_forgot_are_loaded_and_run_once_each(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([update("AAPL", time_ms=1), update("IBM", time_ms=1)])
    await redis.script_flush()
    await publisher.publish([update("AAPL", time_ms=2), update("IBM", time_ms=2)])
    kept = await Reader(redis).last_values(["AAPL", "IBM"])
    assert [stored.offset for stored in kept.values()] == [2, 2]
    await redis.config_resetstat()
    await publisher.publish([update("AAPL", time_ms=3), update("IBM", time_ms=3)])
    assert (
        set(await redis.info("commandstats")) & {"cmdstat_script|load", "cmdstat_script|exists"}
        == set()
    )


async def test_a_script_that_fails_is_a_bus_error(redis: Redis) -> None:
    await redis.set(names.last_value("AAPL"), "not what it should be")
    with pytest.raises(BusError, match="publishing: Redis refused it"):
        await Publisher(redis).publish([update("AAPL"), update("IBM")])
    assert (await Reader(redis).last_values(["IBM"]))["IBM"].offset == 1


async def test_a_log_that_does_not_fit_the_last_value_is_begun_anew(redis: Redis) -> None:
    publisher = Publisher(redis)
    for n in (1, 2):
        await publisher.publish([update(time_ms=n)])
    await redis.hset(names.last_value("AAPL"), "offset", 1)
    await publisher.publish([update(time_ms=3)])
    assert await offsets_since(redis, 0) == [(1, 2)]


async def test_errors_and_orders_reach_those_who_listen(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    error = SourceError("replay", "AAPL", "no such file; trying the next", 7)
    async with Heard(valkey) as heard:
        await heard.subscriber.subscribe([names.ERRORS, names.CONTROL])
        await Publisher(redis).publish_error(error)
        assert await publish_control(redis, Disconnect("ann")) == 1
        await publish_control(redis, Drain("gateway-1"))
        messages = [await heard.messages.get() for _ in range(3)]
    assert messages[0][0] == names.ERRORS
    assert decode_error(messages[0][1]) == error
    assert [decode_control(payload) for _, payload in messages[1:]] == [
        Disconnect("ann"),
        Drain("gateway-1"),
    ]


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
    await publisher.begin_epoch("AAPL", "e1", [bar(day=d, final=True) for d in range(1, 6)])
    await publisher.publish([update(last=9, day=6)])
    assert [day for day, _, _ in await bars(redis, limit=3)] == [4, 5, 6]
    assert [day for day, _, _ in await bars(redis, start_ms=5 * DAY_MS)] == [5, 6]


async def test_symbols_are_replaced_as_a_whole(redis: Redis) -> None:
    await Publisher(redis).declare_symbols([info("MSFT"), info("AAPL")])
    assert list(await Reader(redis).symbols()) == ["AAPL", "MSFT"]
    await Publisher(redis).declare_symbols([info("IBM")])
    assert await Reader(redis).symbols() == {"IBM": info("IBM")}


async def test_symbols_are_added_and_said_anew_and_gateways_hear_of_it(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    publisher = Publisher(redis)
    await publisher.declare_symbols([info("IBM"), info("MSFT")])
    renamed = replace(info("IBM"), name="International Business Machines")
    async with Heard(valkey) as heard:
        await heard.subscriber.subscribe([names.SYMBOLS_CHANNEL])
        await publisher.add_symbols([info("AAPL"), renamed])
        assert await heard.messages.get() == (names.SYMBOLS_CHANNEL, b"added")
    assert list((await Reader(redis).symbols()).values()) == [info("AAPL"), renamed, info("MSFT")]


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
        positions = await Publisher(redis).publish([update("AAPL", 5), update("IBM", 6)])
        channel, payload = await heard.messages.get()
        assert channel == names.updates("AAPL")
        expected = StoredUpdate(positions["AAPL"].epoch, 1, update("AAPL", 5))
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
        async with asyncio.timeout(30):
            await asyncio.to_thread(wait_for, "it is deaf", lambda: not heard.subscriber.hears)
            await heard.connected.get()
        assert heard.subscriber.hears


async def test_an_unreachable_redis_is_a_bus_error() -> None:
    redis = connect(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(BusError, match=r"^reaching Redis: Redis cannot be reached$"):
        await Reader(redis).ping()
    await redis.aclose()


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Error 111 connecting to 10.0.0.5:6379. Connection refused."),
        TimeoutError("Timeout connecting to 10.0.0.5:6379"),
        OSError("Connect call failed ('10.0.0.5', 6379)"),
        exceptions.TimeoutError("Timeout reading from 10.0.0.5:6379"),
        exceptions.ConnectionError("Connection to 10.0.0.5:6379 lost"),
        exceptions.ResponseError("MOVED 1 10.0.0.5:6379"),
        exceptions.ReadOnlyError("10.0.0.5:6379 is a replica"),
        exceptions.MovedError("1 10.0.0.5:6379"),
        MasterNotFoundError("No master at 10.0.0.5:6379"),
    ],
)
async def test_an_errors_text_names_no_server(error: Exception) -> None:
    with pytest.raises(BusError, match=r"^looking: Redis [a-z ]+$"), bus_errors("looking"):
        raise error


async def test_what_cannot_be_used_harms_its_own_symbol_only(redis: Redis) -> None:
    await Publisher(redis).publish([update("AAPL", 5), update("IBM", 6)])
    await Publisher(redis).publish([update("AAPL", 6, time_ms=1_001)])
    await redis.hset(names.last_value("IBM"), "update", "garbage")
    await redis.xadd(names.update_log("AAPL"), {"u": "garbage"}, id="2-1")
    reader = Reader(redis)
    assert list(await reader.last_values(["AAPL", "IBM"])) == ["AAPL"]
    updates = await reader.updates_since({"AAPL": 0, "IBM": 0}, limit=10)
    assert [stored.offset for stored in updates["AAPL"]] == [1, 2]
