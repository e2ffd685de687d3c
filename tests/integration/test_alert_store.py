"""Alerts in Redis: set, armed, fired once, and their history."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from feed_server.bus import alerts as bus_alerts
from feed_server.bus import names
from feed_server.bus.alerts import AlertNote, AlertStore, AlertWriter, decode_alert_note
from feed_server.errors import FencedError
from feed_server.protocol import Condition, Fired
from tests.harness import until
from tests.test_alerts import alert

pytestmark = pytest.mark.integration


def fired(name: str = "a", *, repeat: bool = False, price: float = 101.0) -> Fired:
    return Fired(
        id=name,
        symbol="AAPL",
        condition=Condition.PRICE_ABOVE,
        level=100.0,
        repeat=repeat,
        note="",
        price=price,
        value=price,
        time_ms=1,
        fired_ms=2,
    )


async def fire(writer: AlertWriter, which: Fired, *, fence: int = 1, rest_ms: int = 60_000) -> bool:
    return await writer.fire("ann", which, fence, rest_ms=rest_ms)


async def test_alerts_are_kept_by_user(redis: Redis) -> None:
    store = AlertStore(redis)
    assert await store.set("ann", alert(name="a"), 10)
    assert await store.set("bob", alert(name="b", armed=False), 10)
    assert await store.alerts("ann") == [alert(name="a")]
    assert await store.alerts("bob") == [alert(name="b", armed=False)]
    assert await store.alerts_of(["bob", "eve"]) == {
        "bob": [alert(name="b", armed=False)],
        "eve": [],
    }
    assert await store.users() == ["ann", "bob"]


async def test_there_is_room_for_so_many_and_a_known_one_needs_none(redis: Redis) -> None:
    store = AlertStore(redis)
    assert [await store.set("ann", alert(name=name), 2) for name in "abc"] == [True, True, False]
    assert await store.set("ann", alert(name="a", repeat=True), 2)
    assert [kept.repeat for kept in await store.alerts("ann")] == [True, False]
    assert await store.remove("ann", "b")
    assert await store.set("ann", alert(name="c"), 2)


async def test_a_user_without_alerts_is_forgotten(redis: Redis) -> None:
    store = AlertStore(redis)
    await store.set("ann", alert(), 10)
    assert not await store.remove("ann", "other")
    assert not await store.remove("bob", "a")
    assert await store.remove("ann", "a")
    assert await store.users() == []
    await store.set("ann", alert(), 10)
    assert await fire(AlertWriter(redis, "tape"), fired())
    assert await store.users() == []


async def test_it_moves_from_the_armed_ones_to_the_history_once(redis: Redis) -> None:
    store, writers = AlertStore(redis), [AlertWriter(redis, "tape") for _ in range(2)]
    await store.set("ann", alert(), 10)
    done = await asyncio.gather(*(fire(writer, fired()) for writer in writers * 5))
    assert sorted(done) == [False] * 9 + [True]
    assert await store.alerts("ann") == []
    (told,) = await store.fired("ann")
    assert (told.price, told.id) == (101.0, "a")
    assert await store.fired("ann", told.cursor) == []


async def test_what_was_removed_does_not_fire(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    await store.set("ann", alert(), 10)
    await store.remove("ann", "a")
    assert not await fire(writer, fired())
    assert not await writer.arm("ann", alert(), 1)
    assert await store.fired("ann") == []


async def test_one_that_stays_rests_before_it_is_armed_again(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    kept = alert(repeat=True)
    await store.set("ann", kept, 10)
    assert await fire(writer, fired(repeat=True), rest_ms=100)
    assert [now.armed for now in await store.alerts("ann")] == [False]
    assert not await fire(writer, fired(repeat=True), rest_ms=100)
    assert not await writer.arm("ann", kept, 1)
    await until(lambda: writer.arm("ann", kept, 1))
    assert await fire(writer, fired(repeat=True, price=102.0))
    assert [told.price for told in await store.fired("ann")] == [101.0, 102.0]


async def test_an_earlier_writer_is_refused(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    for name in "abc":
        await store.set("ann", alert(name=name), 10)
    assert await fire(writer, fired("a"), fence=7)
    with pytest.raises(FencedError):
        await fire(writer, fired("b"), fence=6)
    with pytest.raises(FencedError):
        await writer.arm("ann", alert(name="b"), 6)
    assert await fire(AlertWriter(redis, "other"), fired("c"), fence=6)
    assert [told.id for told in await store.fired("ann")] == ["a", "c"]


async def test_the_history_is_capped(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_alerts, "KEPT_FIRED", 3)
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    for number in range(5):
        await store.set("ann", alert(), 10)
        await fire(writer, fired(price=float(number)))
    assert [told.price for told in await store.fired("ann")] == [2.0, 3.0, 4.0]


async def test_all_that_happens_is_told(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    pubsub: Any = redis.pubsub()
    await pubsub.subscribe(names.ALERTS)
    assert (await pubsub.get_message(timeout=5))["type"] == "subscribe"
    await store.set("ann é {x}", alert(), 10)
    await writer.fire("ann é {x}", fired(), 1, rest_ms=1)
    notes = [decode_alert_note((await pubsub.get_message(timeout=5))["data"]) for _ in range(2)]
    (told,) = await store.fired("ann é {x}")
    assert notes == [AlertNote("ann é {x}"), AlertNote("ann é {x}", told)]
    await pubsub.aclose()


async def test_one_that_cannot_be_read_harms_no_other(redis: Redis) -> None:
    store = AlertStore(redis)
    await store.set("ann", alert(), 10)
    await redis.hset(names.alerts("ann"), "x", "{")
    assert await store.alerts("ann") == [alert()]
