"""An ingest evaluates alerts: none is lost and none fires twice, whatever ends in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from feed_server import alerts
from feed_server.bus import lock as locks
from feed_server.bus import names
from feed_server.bus.alert_writer import AlertWriter
from feed_server.bus.alerts import AlertStore
from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.leases import Leases, WantedReader
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import SymbolUpdate
from feed_server.ingest.alerting import Alerting
from feed_server.ingest.worker import IngestWorker
from feed_server.protocol import Condition, Fired, Position, Trade
from tests.harness import until
from tests.integration.test_alert_store import put
from tests.integration.test_ingest_flow import until_last
from tests.tape import OPEN_MS, Tape, ingest_bus
from tests.test_alerts import alert

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_MS", 600)
    monkeypatch.setattr(locks, "RENEW_EVERY_S", 0.1)
    monkeypatch.setattr(locks, "TRY_EVERY_S", 0.1)


class DyingPublisher(Publisher):
    """Ends its process's work where it is to publish a price."""

    def __init__(self, redis: Redis, at: float | None) -> None:
        super().__init__(redis)
        self.at = at
        self.dead = asyncio.Event()

    async def publish(self, updates: Sequence[SymbolUpdate]) -> dict[str, Position]:
        if any(update.quote.last == self.at for update in updates):
            self.dead.set()
            await asyncio.Event().wait()
        return await super().publish(updates)


class Ingest:
    """A worker that evaluates alerts, with connections of its own."""

    def __init__(self, url: str, *, dies_at: float | None = None, name: str = "one") -> None:
        self.tape = Tape()
        self._clients = [connect(url), connect(url)]
        redis, listening = self._clients
        self.publisher = DyingPublisher(redis, dies_at)
        self.lock = ProviderLock(redis, "tape")
        alerting = Alerting(
            AlertStore(redis),
            AlertWriter(redis, "tape"),
            Leases(redis, name),
            lambda on_message, on_connected: Subscriber(listening, name, on_message, on_connected),
            fence=lambda: self.publisher.fence,
        )
        bus = ingest_bus(redis, self.publisher, lock=self.lock, alerts=alerting)
        self.task = asyncio.create_task(IngestWorker([self.tape], bus, loop=False).run())

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        for client in self._clients:
            await client.aclose()

    async def die(self) -> None:
        """End, and keep the lock as one that was killed does."""
        self.lock.release = nothing  # type: ignore[method-assign]
        await self.end()


async def nothing() -> None:
    pass


@asynccontextmanager
async def running(valkey: EmbeddedValkey, **options: float) -> AsyncIterator[Ingest]:
    ingest = Ingest(valkey.url, dies_at=options.get("dies_at"))
    try:
        yield ingest
    finally:
        await ingest.end()


async def prices_of(redis: Redis, count: int) -> list[Fired]:
    """Return what has fired of Ann's, as soon as it is so much."""
    store, found = AlertStore(redis), list[Fired]()

    async def enough() -> bool:
        found[:] = await store.fired("ann")
        return len(found) >= count

    await until(enough)
    return found


async def test_it_fires_with_nobody_connected(redis: Redis, valkey: EmbeddedValkey) -> None:
    store = AlertStore(redis)
    await put(store, alert(100, symbol="BAC", name="a"), "ann")
    await put(store, alert(102, Condition.PRICE_BELOW, symbol="BAC", name="b", armed=False), "ann")
    async with running(valkey) as ingest:
        ingest.tape.trade("BAC", 99)
        ingest.tape.trade("BAC", 101, 104, 103)
        (told,) = await prices_of(redis, 1)
        assert (told.price, told.level, told.time_ms) == (101, 100, OPEN_MS + 2)
        ingest.tape.trade("BAC", 101.5)
        assert [told.id for told in await prices_of(redis, 2)] == ["a", "b"]
        assert await store.alerts("ann") == []


async def test_its_symbol_is_wanted_as_long_as_it_is_set(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    store, wanted = AlertStore(redis), WantedReader(redis)
    await put(store, alert(100, symbol="BAC", name="a"), "ann")

    async def is_wanted(**counts: int) -> bool:
        return await wanted.counts() == counts

    # Another ingest has it, or none: it is counted where it is carried.
    await put(store, alert(100, symbol="ELSEWHERE", name="d"))
    async with running(valkey):
        await until(lambda: is_wanted(BAC=1))
        await put(store, alert(200, symbol="BAC", name="b"), "bob")
        await put(store, alert(50, symbol="IBM", name="c"), "bob")
        await until(lambda: is_wanted(BAC=2, IBM=1))
        await store.remove("bob", "c")
        await store.remove("ann", "a")
        await until(lambda: is_wanted(BAC=1))
    await until(is_wanted)


async def test_what_is_set_while_it_runs_is_evaluated_at_once(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async with running(valkey) as ingest:
        ingest.tape.trade("BAC", 101)
        await until_last(redis, "BAC", 101)
        # It was below when the user set it; the price has moved on since.
        await put(AlertStore(redis), alert(100, symbol="BAC"), "ann")
        (told,) = await prices_of(redis, 1)
        assert told.price == 101


async def test_one_that_is_beyond_when_it_is_set_waits_for_the_way_back(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    store = AlertStore(redis)
    await put(store, alert(100, symbol="BAC", armed=False), "ann")

    async def is_armed() -> bool:
        return [kept.armed for kept in await store.alerts("ann")] == [True]

    async with running(valkey) as ingest:
        for price in (101, 102, 99):
            ingest.tape.trade("BAC", price)
        await until(is_armed)
        assert await store.fired("ann") == []
        ingest.tape.trade("BAC", 105)
        (told,) = await prices_of(redis, 1)
        assert told.price == 105


@pytest.mark.parametrize("repeat", [False, True])
async def test_killed_between_firing_and_publishing_the_next_does_not_fire_it_again(
    redis: Redis, valkey: EmbeddedValkey, repeat: bool
) -> None:
    store = AlertStore(redis)
    await put(store, alert(100, symbol="BAC", name="a", repeat=repeat), "ann")
    await put(store, alert(110, symbol="BAC", name="b"), "ann")
    first = Ingest(valkey.url, dies_at=101)
    first.tape.trade("BAC", 98)
    await until_last(redis, "BAC", 98)
    crossing = [Trade("BAC", OPEN_MS + n, price, 1.0) for n, price in ((2, 99), (3, 101))]
    first.tape.tell(*crossing)
    await first.publisher.dead.wait()
    (told,) = await prices_of(redis, 1)
    await first.die()
    second = Ingest(valkey.url, name="two")
    try:
        # The source gives it again, for it was not published.
        second.tape.tell(*crossing)
        second.tape.tell(Trade("BAC", OPEN_MS + 4, 111, 1.0))
        fired = await prices_of(redis, 2)
        await until_last(redis, "BAC", 111)
        assert fired == [told, fired[1]]
        assert [one.id for one in await store.fired("ann")] == ["a", "b"]
    finally:
        await second.end()


async def test_what_is_crossed_by_the_first_price_after_a_takeover_fires(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    await put(AlertStore(redis), alert(100, symbol="BAC"), "ann")
    first = Ingest(valkey.url)
    first.tape.trade("BAC", 99)
    await until_last(redis, "BAC", 99)
    await first.die()
    second = Ingest(valkey.url, name="two")
    try:
        second.tape.tell(Trade("BAC", OPEN_MS + 9, 120, 1.0))
        (told,) = await prices_of(redis, 1)
        assert told.price == 120
    finally:
        await second.end()


async def test_one_that_was_paused_fires_nothing_after_another_took_over(
    redis: Redis, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AlertStore(redis)
    await put(store, alert(100, symbol="BAC", name="a"), "ann")
    await put(store, alert(100, symbol="IBM", name="b"), "ann")
    first = Ingest(valkey.url)
    first.tape.trade("BAC", 99)
    await until_last(redis, "BAC", 99)
    # As if it were paused, but for what it still evaluates.
    monkeypatch.setattr(first.lock, "_hold", lambda: asyncio.Event().wait())
    second = Ingest(valkey.url, name="two")
    try:
        second.tape.tell(Trade("BAC", OPEN_MS + 5, 101, 1.0))
        assert [told.id for told in await prices_of(redis, 1)] == ["a"]
        first.tape.tell(Trade("IBM", OPEN_MS + 9, 200, 1.0))
        await asyncio.sleep(0.5)
        assert [told.id for told in await store.fired("ann")] == ["a"]
        assert [kept.id for kept in await store.alerts("ann")] == ["b"]
    finally:
        await second.end()
        await first.end()


async def test_a_trade_that_comes_late_fires_nothing(redis: Redis, valkey: EmbeddedValkey) -> None:
    await put(AlertStore(redis), alert(100, symbol="BAC"))
    async with running(valkey) as ingest:
        for time_ms, price in ((10, 99), (5, 120), (11, 98), (12, 101), (13, 97)):
            ingest.tape.tell(Trade("BAC", OPEN_MS + time_ms, price, 1.0))
        (told,) = await prices_of(redis, 1)
        assert (told.price, told.time_ms) == (101, OPEN_MS + 12)


async def test_long_after_a_takeover_the_same_prices_fire_nothing_again(
    redis: Redis, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "REST_MS", 0)
    await put(AlertStore(redis), alert(100, symbol="BAC", repeat=True))
    first = Ingest(valkey.url, dies_at=101)
    first.tape.trade("BAC", 98)
    await until_last(redis, "BAC", 98)
    crossing = [Trade("BAC", OPEN_MS + n, price, 1.0) for n, price in ((2, 99), (3, 101))]
    first.tape.tell(*crossing)
    await first.publisher.dead.wait()
    await prices_of(redis, 1)
    await first.die()
    second = Ingest(valkey.url, name="two")
    try:
        second.tape.tell(*crossing)
        second.tape.tell(Trade("BAC", OPEN_MS + 4, 98, 1.0), Trade("BAC", OPEN_MS + 5, 103, 1.0))
        assert [told.price for told in await prices_of(redis, 2)] == [101, 103]
        await until_last(redis, "BAC", 103)
        assert len(await prices_of(redis, 2)) == 2
    finally:
        await second.end()


async def test_what_is_put_back_is_not_evaluated_again(
    redis: Redis, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "REST_MS", 0)
    await put(AlertStore(redis), alert(100, symbol="BAC", repeat=True))
    async with running(valkey) as ingest:
        ingest.tape.trade("BAC", 99, 101)
        await until_last(redis, "BAC", 101)
        await redis.delete(names.last_value("BAC"))
        await until_last(redis, "BAC", 101)
        ingest.tape.trade("BAC", 102)
        await until_last(redis, "BAC", 102)
        assert [told.price for told in await prices_of(redis, 1)] == [101]


async def test_while_redis_is_away_prices_wait_and_nothing_is_lost(
    fresh_valkey: EmbeddedValkey,
) -> None:
    redis = connect(fresh_valkey.url)
    await put(AlertStore(redis), alert(100, symbol="BAC"), "ann")
    ingest = Ingest(fresh_valkey.url)
    try:
        ingest.tape.trade("BAC", 99)
        await until_last(redis, "BAC", 99)
        await redis.execute_command("CLIENT", "PAUSE", "1500", "WRITE")
        ingest.tape.trade("BAC", 101)
        ingest.tape.trade("BAC", 98)
        (told,) = await prices_of(redis, 1)
        assert told.price == 101
        await until_last(redis, "BAC", 98)
        assert (await Reader(redis).last_values(["BAC"]))["BAC"].update.quote.last == 98
    finally:
        await ingest.end()
        await redis.aclose()
