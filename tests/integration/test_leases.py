import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.leases import LEASE_MS, Leases, WantedReader
from tests.harness import until

pytestmark = pytest.mark.integration


async def announced(redis: Redis, leases: Leases, counts: dict[str, int]) -> bool:
    """Tell whether holding these counts is announced."""
    async with redis.pubsub() as listening:
        await listening.subscribe(names.SUBSCRIPTIONS)
        await listening.get_message(timeout=5)
        await leases.hold(counts)
        await redis.publish(names.SUBSCRIPTIONS, b"end")
        message = await listening.get_message(timeout=5)
        assert message is not None
        return bool(message["data"] != b"end")


async def test_what_gateways_want_is_summed(redis: Redis) -> None:
    one, two = Leases(redis, "one"), Leases(redis, "two")
    wanted = WantedReader(redis)
    assert await wanted.counts() == {}
    await one.hold({"AAPL": 2, "IBM": 1})
    await two.hold({"AAPL": 3, "BTC/USD": 1})
    assert await wanted.counts() == {"AAPL": 5, "IBM": 1, "BTC/USD": 1}
    await one.hold({"AAPL": 1})
    assert await wanted.counts() == {"AAPL": 4, "BTC/USD": 1}
    await two.hold({})
    assert await wanted.counts() == {"AAPL": 1}
    await one.release()
    await two.release()
    assert await wanted.counts() == {}
    assert await redis.keys("*leases*") == []


async def test_each_change_has_a_number_that_can_be_read(redis: Redis) -> None:
    one, two = Leases(redis, "one"), Leases(redis, "two")
    wanted = WantedReader(redis)
    for counts in ({"AAPL": 1}, {"AAPL": 1, "IBM": 1}, {"AAPL": 5, "IBM": 1}):
        await one.hold(counts)
    await two.hold({})
    await redis.flushall()
    await one.renew()
    assert one.number == 2
    assert (await wanted.read()).numbers == {"one": 2}
    await two.hold({"MSFT": 1})
    assert (await wanted.read()).numbers == {"one": 2, "two": 1}


async def test_only_symbols_that_come_or_go_are_announced(redis: Redis) -> None:
    leases = Leases(redis, "one")
    assert await announced(redis, leases, {"AAPL": 1})
    assert not await announced(redis, leases, {"AAPL": 2})
    assert not await announced(redis, leases, {"AAPL": 2})
    assert await announced(redis, leases, {"AAPL": 2, "IBM": 1})
    assert await announced(redis, leases, {"IBM": 1})
    assert await announced(redis, leases, {})
    assert not await announced(redis, leases, {})


async def test_the_lease_of_a_gateway_that_ends_without_a_word_expires(redis: Redis) -> None:
    killed, alive = Leases(redis, "killed"), Leases(redis, "alive")
    await killed.hold({"AAPL": 1, "IBM": 1})
    await alive.hold({"AAPL": 1})
    assert LEASE_MS - 1_000 < await redis.pttl(names.server("killed")) <= LEASE_MS
    # As if it had been long ago.
    await redis.pexpire(names.server("killed"), 200)
    await redis.pexpire(names.server("alive"), 200)
    await alive.renew()

    async def only_one_is_left() -> bool:
        return await WantedReader(redis).counts() == {"AAPL": 1}

    await until(only_one_is_left)
    assert LEASE_MS - 1_000 < await redis.pttl(names.server("alive")) <= LEASE_MS


async def test_a_lease_that_redis_lost_is_written_again(redis: Redis) -> None:
    leases = Leases(redis, "one")
    await leases.hold({"AAPL": 2, "IBM": 1})
    await redis.flushall()
    await leases.renew()
    assert await WantedReader(redis).counts() == {"AAPL": 2, "IBM": 1}


async def test_a_lost_lease_that_a_change_began_anew_is_written_as_a_whole(redis: Redis) -> None:
    leases = Leases(redis, "one")
    await leases.hold({"AAPL": 2, "IBM": 1})
    await redis.flushall()
    await leases.hold({"AAPL": 2, "IBM": 1, "MSFT": 1})
    assert await WantedReader(redis).counts() == {"AAPL": 2, "IBM": 1, "MSFT": 1}


async def test_a_failed_change_is_made_up_for(redis: Redis) -> None:
    leases = Leases(redis, "one")
    await leases.hold({"AAPL": 1})
    await redis.set(names.SERVERS, "not what it should be")
    with pytest.raises(Exception, match="holding leases"):
        await leases.hold({"IBM": 1})
    await redis.flushall()
    await leases.renew()
    assert await WantedReader(redis).counts() == {"IBM": 1}


async def test_renewing_costs_the_same_for_many_symbols(redis: Redis) -> None:
    leases = Leases(redis, "one")
    await leases.hold({f"S{number}": 1 for number in range(5_000)})
    await redis.config_resetstat()
    await leases.renew()
    info = await redis.info("stats")
    assert info["total_net_input_bytes"] < 2_000


async def test_names_of_gateways_long_gone_are_removed(redis: Redis) -> None:
    await redis.zadd(names.SERVERS, {"gone": 1_000})
    await Leases(redis, "one").hold({"AAPL": 1})
    assert await redis.zrange(names.SERVERS, 0, -1) == [b"one"]
