"""Alerts in Redis: set, armed, fired once, and their history."""

import time
from typing import Any

import pytest
from redis.asyncio import Redis

from feed_server.alerts import Arming, Firing, Standing, Tick, Turn, Watch
from feed_server.bus import alert_writer, names
from feed_server.bus.alert_writer import AlertWriter
from feed_server.bus.alerts import (
    AlertNote,
    AlertStore,
    Full,
    decode_alert_note,
    decode_alerts,
)
from feed_server.errors import FencedError
from feed_server.protocol import Alert
from tests.test_alerts import alert

pytestmark = pytest.mark.integration

NOW_MS = 1_000


async def put(
    store: AlertStore,
    one: Alert,
    subject: str = "ann",
    *,
    most: int = 10,
    symbols: int = 10,
    seen_ms: int | None = None,
) -> Alert | Full:
    kept = await store.set(subject, one, most=most, most_symbols=symbols)
    await store.see([subject], seen_ms or time.time_ns() // 1_000_000)
    return kept


def firing(one: Alert, price: float = 101.0, *, subject: str = "ann", time_ms: int = 1) -> Firing:
    watch = Watch(subject, one, Standing(True), "")
    return Firing(watch, Tick(time_ms, price, "e"), price, NOW_MS + 60_000)


def arming(one: Alert, *, time_ms: int = 1) -> Arming:
    return Arming(Watch("ann", one, Standing(False), ""), Tick(time_ms, 99.0, "e"))


async def write(writer: AlertWriter, *turns: Turn, fence: int = 1) -> list[bool]:
    return await writer.write(writer.pack(turns, fence, NOW_MS))


async def standing(store: AlertStore, name: str = "a") -> Standing:
    kept = decode_alerts((await store.kept(["ann"]))["ann"])
    return next(how for one, how in kept if one.id == name)


async def test_alerts_are_kept_by_user(redis: Redis) -> None:
    store = AlertStore(redis)
    assert await put(store, alert(name="a")) == alert(name="a")
    assert await put(store, alert(name="b", armed=False), "bob")
    assert await store.alerts("ann") == [alert(name="a")]
    assert await store.alerts("bob") == [alert(name="b", armed=False)]
    assert await store.alerts("eve") == []
    assert await store.users() == ["ann", "bob"]


async def test_there_is_room_for_so_many_and_a_known_one_needs_none(redis: Redis) -> None:
    store = AlertStore(redis)
    set_ = [await put(store, alert(name=name), most=2) for name in "abc"]
    assert [isinstance(kept, Alert) for kept in set_] == [True, True, False]
    assert set_[2] is Full.USER
    await put(store, alert(name="a", repeat=True), most=2)
    assert [kept.repeat for kept in await store.alerts("ann")] == [True, False]
    assert await store.remove("ann", "b")
    assert isinstance(await put(store, alert(name="c"), most=2), Alert)


async def test_all_users_alerts_together_look_at_so_many_symbols(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    one, two = alert(symbol="IBM"), alert(symbol="BRK B:é")
    assert isinstance(await put(store, one, symbols=1), Alert)
    assert isinstance(await put(store, one, "bob", symbols=1), Alert)
    assert await put(store, two, "eve", symbols=1) is Full.SYMBOLS
    await store.remove("ann", "a")
    assert await put(store, two, "eve", symbols=1) is Full.SYMBOLS
    await write(writer, firing(one, subject="bob"))
    assert isinstance(await put(store, two, "eve", symbols=1), Alert)
    await store.remove("eve", "a")
    assert await redis.hgetall(names.ALERT_SYMBOLS) == {}


async def test_what_is_changed_stands_as_before(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    one = alert(repeat=True)
    await put(store, one)
    await write(writer, firing(one, time_ms=7))
    before = await standing(store)
    assert before == Standing(False, NOW_MS + 60_000, "e", 7, writer.name)
    later = Alert(
        **{
            **{name: getattr(one, name) for name in one.__struct_fields__},
            "created_ms": 99,
            "note": "new",
            "armed": True,
        }
    )
    kept = await put(store, later)
    assert isinstance(kept, Alert)
    assert (kept.note, kept.armed, kept.created_ms) == ("new", False, one.created_ms)
    assert await standing(store) == before
    await store.remove("ann", "a")
    assert await put(store, later) == later
    assert await standing(store) == Standing(True, writer="-")


async def test_a_user_without_alerts_is_forgotten(redis: Redis) -> None:
    store = AlertStore(redis)
    await put(store, alert())
    assert not await store.remove("ann", "other")
    assert not await store.remove("bob", "a")
    assert await store.remove("ann", "a")
    assert await store.users() == []
    await put(store, alert())
    assert await write(AlertWriter(redis, "tape"), firing(alert())) == [True]
    assert await store.users() == []


async def test_alerts_of_who_was_not_seen_for_long_are_forgotten(redis: Redis) -> None:
    store = AlertStore(redis)
    for subject in ("ann", "bob", "eve"):
        for name in "ab":
            await put(store, alert(name=name), subject, seen_ms=2)
    await store.see(["bob", "stranger"], 5_000)
    await store.see(["bob"], 4_000)
    await store.remove("eve", "a")
    assert await store.forget_unseen(4_999) == 3
    assert await store.users() == ["bob"]
    assert await store.alerts("ann") == []
    assert await redis.hgetall(names.ALERT_SYMBOLS) == {b"AAPL": b"2"}


async def test_it_moves_from_the_armed_ones_to_the_history_once(redis: Redis) -> None:
    store, writers = AlertStore(redis), [AlertWriter(redis, "tape") for _ in range(2)]
    await put(store, alert())
    done = [await write(writer, firing(alert())) for writer in writers * 5]
    assert done == [[True]] + [[False]] * 9
    assert await store.alerts("ann") == []
    (told,) = await store.fired("ann")
    assert (told.price, told.id) == (101.0, "a")
    assert await store.fired("ann", told.cursor) == []


async def test_what_is_sent_again_happens_once(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    one = alert(repeat=True, armed=False)
    await put(store, one)
    packed = writer.pack([arming(one), firing(one)], 1, NOW_MS)
    assert await writer.write(packed) == [True, True]
    assert await writer.write(packed) == [True, True]
    assert len(await store.fired("ann")) == 1
    assert (await standing(store)).armed is False


async def test_what_was_removed_does_not_fire(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    await put(store, alert())
    await store.remove("ann", "a")
    assert await write(writer, firing(alert()), arming(alert())) == [False, False]
    assert await store.fired("ann") == []


async def test_an_earlier_writer_is_refused(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    for name in "abc":
        await put(store, alert(name=name))
    assert await write(writer, firing(alert(name="a")), fence=7) == [True]
    with pytest.raises(FencedError):
        await write(writer, firing(alert(name="b")), fence=6)
    with pytest.raises(FencedError):
        await writer.claim(6)
    await writer.claim(8)
    with pytest.raises(FencedError):
        await write(writer, arming(alert(name="b")), fence=7)
    assert await write(AlertWriter(redis, "other"), firing(alert(name="c")), fence=6) == [True]
    assert [told.id for told in await store.fired("ann")] == ["a", "c"]


async def test_the_history_is_capped(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_writer, "KEPT_FIRED", 3)
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    for number in range(5):
        await put(store, alert())
        await write(writer, firing(alert(), float(number)))
    assert [told.price for told in await store.fired("ann")] == [2.0, 3.0, 4.0]


async def test_all_that_happens_is_told(redis: Redis) -> None:
    store, writer = AlertStore(redis), AlertWriter(redis, "tape")
    pubsub: Any = redis.pubsub()
    await pubsub.subscribe(names.ALERTS)
    assert (await pubsub.get_message(timeout=5))["type"] == "subscribe"
    await put(store, alert(), "ann é {x}")
    await write(writer, firing(alert(), subject="ann é {x}"))
    notes = [decode_alert_note((await pubsub.get_message(timeout=5))["data"]) for _ in range(2)]
    (told,) = await store.fired("ann é {x}")
    assert notes == [
        AlertNote("ann é {x}", version=await store.version()),
        AlertNote("ann é {x}", told),
    ]
    await pubsub.aclose()


async def test_one_that_cannot_be_read_harms_no_other(redis: Redis) -> None:
    store = AlertStore(redis)
    await put(store, alert())
    await redis.hset(names.alerts("ann"), "x", "{")
    await redis.hset(names.alerts("ann"), "y", b"{}")
    assert await store.alerts("ann") == [alert()]


async def test_an_entry_of_the_history_that_cannot_be_read_harms_no_other(redis: Redis) -> None:
    store = AlertStore(redis)
    for field, text in (("f", "{"), ("x", "y")):
        await redis.xadd(names.fired_alerts("ann"), {field: text})
    await put(store, alert())
    await write(AlertWriter(redis, "tape"), firing(alert()))
    assert [told.id for told in await store.fired("ann")] == ["a"]
