"""What gateways tell each other of themselves, and of Redis."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from feed_server.bus import gateways as module
from feed_server.bus import names
from feed_server.bus.gateways import GatewayReports, redis_state
from feed_server.protocol import RedisState, Subscribed
from tests.harness import FeedProcess, wait_for
from tests.market import Market, gateway_of, market
from tests.raw_socket import RawSocket
from tests.servers import ValkeyServer

pytestmark = pytest.mark.integration

Json = dict[str, Any]


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


def gateways(feed: FeedProcess) -> Json:
    told: Json = httpx.get(f"{feed.url}/api/gateways", timeout=10).raise_for_status().json()
    return told


def own(told: Json) -> Json:
    report: Json = next(r for r in told["gateways"] if r["server"] == told["server"])
    return report


def test_each_gateway_tells_of_all(here: Market) -> None:
    with gateway_of(here) as one, gateway_of(here) as other:
        wait_for("both are told", lambda: len(gateways(one)["gateways"]) == 2)
        told = gateways(other)
        assert {r["server"] for r in told["gateways"]} == {
            r["server"] for r in gateways(one)["gateways"]
        }
        assert told["server"] != gateways(one)["server"]
        assert told["redis"]["reachable"]
        assert told["redis"]["used_memory_bytes"] > 0
    with gateway_of(here) as last:
        # Who has gone is told of no more.
        wait_for("it is alone", lambda: len(gateways(last)["gateways"]) == 1)


def test_a_gateway_counts_its_clients_and_what_they_get(here: Market) -> None:
    with gateway_of(here) as feed, RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="quotes", symbols=["AAPL"])
        client.next(Subscribed)
        here.trade("AAPL")
        wait_for("a frame is counted", lambda: own(gateways(feed))["frames"] > 0)
        report = own(gateways(feed))
        assert (report["clients"], report["cohorts"], report["symbols"]) == (1, 1, 1)
        assert report["flush_p50_ms"] > 0
        assert report["hears"]
        assert 0 < report["redis_lag_ms"] < 4000
        assert report["backlog_bytes"] == 0


def test_it_answers_also_while_redis_is_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server, Market(server.url) as there:
        there.trade("AAPL")
        with gateway_of(there) as feed:
            server.stop()
            told = gateways(feed)
            assert not told["redis"]["reachable"]
            assert "Redis" in told["redis"]["message"]
            assert [r["server"] for r in told["gateways"]] == [told["server"]]


async def test_a_report_of_another_version_is_left_out(redis: Redis) -> None:
    await redis.zadd(names.SERVERS, {"old": 1})
    await redis.set(names.gateway_report("old"), b'{"server":"old"}')
    assert await GatewayReports(redis).read() == []


def test_what_redis_does_not_tell_is_unknown() -> None:
    state = redis_state({"redis_version": "7.2", "used_memory": 5, "maxmemory": 0}, 1.5)
    assert (state.version, state.used_memory_bytes, state.max_memory_bytes) == ("7.2", 5, 0)
    assert (state.role, state.clients, state.ping_ms) == (None, None, 1.5)


async def commands(redis: Redis) -> dict[str, int]:
    """Return how often Redis was asked each thing."""
    told = await redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in told.items()}


async def test_those_who_ask_at_once_are_told_what_was_asked_of_redis_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = GatewayReports(redis)
    before = (await commands(redis)).get("ping", 0)
    states = [state for state, _ in await asyncio.gather(*(reports.all() for _ in range(20)))]
    assert (await commands(redis))["ping"] == before + 1
    assert len(set(map(id, states))) == 1
    monkeypatch.setattr(module, "REFRESH_S", -1)
    await reports.all()
    assert (await commands(redis))["ping"] == before + 2


async def test_redis_is_not_asked_for_more_than_is_told(redis: Redis) -> None:
    asked: list[tuple[object, ...]] = []
    async with redis.monitor() as monitor:
        state = await GatewayReports(redis).redis_state()
        await redis.publish("last", b"")
        async for told in monitor.listen():
            asked.append(tuple(told["command"].split()[:2]))
            if told["command"].startswith("PUBLISH"):
                break
    infos = [command for command in asked if command[0] == "INFO"]
    assert infos == [("INFO", section) for section in module.SECTIONS]
    untold = [name for name in RedisState.__struct_fields__ if getattr(state, name) is None]
    assert untold == []
