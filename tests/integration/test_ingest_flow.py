"""What an ingest worker publishes when: driven trade by trade, over a real Redis."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.leases import Leases, WantedReader
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.errors import BusError
from feed_server.gateway import market_view
from feed_server.ingest import acknowledging, writer
from feed_server.ingest.demand import Demand
from feed_server.ingest.worker import IngestWorker
from feed_server.market.events import MarketEvent
from feed_server.protocol import Position
from feed_server.providers.base import Watchlist
from tests.harness import PATIENCE_S, until
from tests.integration.test_market_view import Recorder, running
from tests.tape import OPEN_MS, SYMBOLS, Tape, ingest_bus, ingesting

pytestmark = pytest.mark.integration


class Gated(Publisher):
    """A publisher that waits for leave, and remembers what it was given."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.open = asyncio.Event()
        self.open.set()
        self.published: list[list[SymbolUpdate]] = []

    async def publish(self, updates: Sequence[SymbolUpdate]) -> dict[str, Position]:
        self.published.append(list(updates))
        await self.open.wait()
        return await super().publish(updates)


class Forgetful(Publisher):
    """A publisher that loses the first answer to each update."""

    lost: SymbolUpdate | None = None

    async def publish(self, updates: Sequence[SymbolUpdate]) -> dict[str, Position]:
        positions = await super().publish(updates)
        if self.lost != updates[0]:
            self.lost = updates[0]
            raise BusError("publishing: the answer was lost")
        return positions


@pytest.fixture
async def demand(redis: Redis, valkey: EmbeddedValkey) -> AsyncIterator[Demand]:
    listening = connect(valkey.url)
    yield Demand(
        WantedReader(redis),
        lambda on_message, on_connected: Subscriber(listening, "test", on_message, on_connected),
    )
    await listening.aclose()


async def log_of(redis: Redis, symbol: str) -> list[StoredUpdate]:
    return (await Reader(redis).updates_since({symbol: 0}, limit=1_000))[symbol]


async def until_last(redis: Redis, symbol: str, price: float) -> StoredUpdate:
    """Return a symbol's last value when it has a price."""
    found: dict[str, StoredUpdate] = {}

    async def has_it() -> bool:
        found.update(await Reader(redis).last_values([symbol]))
        return symbol in found and found[symbol].update.quote.last == price

    await until(has_it)
    return found[symbol]


async def test_every_trade_is_published_in_order(redis: Redis) -> None:
    tape = Tape()
    async with ingesting(ingest_bus(redis), tape):
        tape.trade("BAC", 1, 2, 3)
        tape.trade("IBM", 50)
        tape.trade("BAC", 4)
        await until_last(redis, "BAC", 4)
    history = await Reader(redis).trades("BAC", 10)
    assert [trade.price for trade in history.trades] == [1, 2, 3, 4]
    assert history.offset == 4


async def test_what_comes_while_a_batch_is_on_its_way_goes_together_in_the_next(
    redis: Redis,
) -> None:
    tape, publisher = Tape(), Gated(redis)
    async with ingesting(ingest_bus(redis, publisher), tape):
        tape.trade("BAC", 1)
        await until_last(redis, "BAC", 1)
        publisher.open.clear()
        tape.trade("BAC", 2)
        await until(lambda: has_length(publisher.published, 2))
        for price in range(3, 10):
            tape.trade("BAC", price)
            tape.trade("IBM", price)
        await until(lambda: has_streamed(tape, 16))
        assert len(publisher.published) == 2
        publisher.open.set()
        await until_last(redis, "IBM", 9)
    counts = [[u.quote.count for u in updates] for updates in publisher.published]
    assert counts == [[1], [1], [7, 7]]
    assert [u.offset for u in await log_of(redis, "BAC")] == [1, 2, 9]


async def has_length(found: Sequence[object], length: int) -> bool:
    return len(found) >= length


async def has_streamed(tape: Tape, batches: int) -> bool:
    return tape.streamed >= batches


async def test_a_source_that_is_faster_than_redis_has_to_wait(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 10)
    tape, publisher = Tape(), Gated(redis)
    publisher.open.clear()
    async with ingesting(ingest_bus(redis, publisher), tape):
        for price in range(1, 101):
            tape.trade("BAC", price)
        await until(lambda: has_length(publisher.published, 1))
        await until(lambda: has_streamed(tape, 10))
        for _ in range(100):
            await asyncio.sleep(0)
        assert tape.streamed <= 20
        publisher.open.set()
        assert (await until_last(redis, "BAC", 100)).offset == 100


async def test_an_answer_that_is_lost_changes_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "RETRY_S", 0.01)
    tape = Tape()
    async with ingesting(ingest_bus(redis, Forgetful(redis)), tape):
        for price in range(1, 6):
            tape.trade("BAC", price, price)
        await until_last(redis, "BAC", 5)
    history = await Reader(redis).trades("BAC", 100)
    assert [trade.price for trade in history.trades] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert len({stored.epoch for stored in await log_of(redis, "BAC")}) == 1


async def test_trades_without_size_in_one_millisecond_are_all_published(redis: Redis) -> None:
    tape = Tape()
    worker = IngestWorker([tape], ingest_bus(redis), loop=False, now_ms=lambda: OPEN_MS)
    running = asyncio.create_task(worker.run())
    for number in range(3):
        tape.trade("BAC", 1, size=0)
        tape.number -= 1
        await until(lambda number=number: stands_at(redis, "BAC", number + 1))  # type: ignore[misc]
    running.cancel()
    await asyncio.wait([running])


async def stands_at(redis: Redis, symbol: str, offset: int) -> bool:
    kept = await Reader(redis).last_values([symbol])
    return symbol in kept and kept[symbol].offset == offset


async def test_where_redis_has_gone_back_a_new_epoch_begins(redis: Redis) -> None:
    tape = Tape()
    async with ingesting(ingest_bus(redis), tape):
        tape.trade("BAC", 1)
        first = await until_last(redis, "BAC", 1)
        tape.trade("BAC", 2)
        await until_last(redis, "BAC", 2)
        # As after a failover to a replica that lacked the second.
        await redis.hset(names.last_value("BAC"), "offset", 1)
        tape.trade("BAC", 3)
        await until(lambda: has_other_epoch(redis, "BAC", first.epoch))
        tape.trade("BAC", 4)
        last = await until_last(redis, "BAC", 4)
        assert last.offset == 2
        assert [s.epoch for s in await log_of(redis, "BAC")] == [last.epoch] * 2


async def has_other_epoch(redis: Redis, symbol: str, epoch: str) -> bool:
    return (await Reader(redis).last_values([symbol]))[symbol].epoch != epoch


async def test_only_what_is_wanted_is_published(redis: Redis, demand: Demand) -> None:
    leases = Leases(redis, "gateway")
    await leases.hold({"IBM": 1})
    tape, publisher = Tape(), Gated(redis)
    async with ingesting(ingest_bus(redis, publisher, demand), tape):
        await until(lambda: wants(demand, {"IBM"}))
        tape.trade("BAC", 1)
        await until_last(redis, "BAC", 1)
        for price in range(2, 5):
            tape.trade("BAC", price)
            tape.trade("IBM", price)
        await until_last(redis, "IBM", 4)
        first = (await Reader(redis).last_values(["BAC"]))["BAC"]
        assert first.update.quote.last == 1, "there is always a last value"

        await leases.hold({"IBM": 1, "BAC": 1})
        present = await until_last(redis, "BAC", 4)
        assert (present.update.missing, present.update.trades, present.offset) == (3, [], 4)
        tape.trade("BAC", 5)
        assert prices(await until_last(redis, "BAC", 5)) == [5]


def prices(stored: StoredUpdate) -> list[float]:
    return [trade.price for trade in stored.update.trades]


async def wants(demand: Demand, symbols: set[str]) -> bool:
    return demand.wanted == symbols


async def test_a_symbol_stays_wanted_for_a_while_after_its_leases_are_lost(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    clock_s = 100.0
    listening = connect(valkey.url)
    demand = Demand(
        WantedReader(redis),
        lambda on_message, on_connected: Subscriber(listening, "test", on_message, on_connected),
        now_s=lambda: clock_s,
    )
    changes: list[tuple[set[str], set[str]]] = []
    running = asyncio.create_task(
        demand.run(lambda came, went: changes.append((set(came), set(went))))
    )
    leases = Leases(redis, "gateway")
    await leases.hold({"BAC": 1, "IBM": 0})
    await until(lambda: wants(demand, {"BAC", "IBM"}))
    await redis.flushall()
    clock_s += 2
    await leases.renew()
    clock_s += 2
    await leases.hold({"IBM": 1})
    clock_s += 2
    await leases.hold({"IBM": 1, "MSFT": 1})
    await until(lambda: wants(demand, {"IBM", "MSFT"}))
    running.cancel()
    await asyncio.wait([running])
    await listening.aclose()
    assert changes[0] == ({"BAC", "IBM"}, set())
    assert set().union(*(went for _, went in changes)) == {"BAC"}


async def test_who_polls_first_gets_what_the_source_has_now(
    redis: Redis, valkey: EmbeddedValkey, demand: Demand, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who is not answered would wait so long, and then take what there is.
    monkeypatch.setattr(market_view, "ASK_PATIENCE_S", 2 * PATIENCE_S)
    monkeypatch.setattr(market_view, "POLL_PATIENCE_S", 2 * PATIENCE_S)
    tape = Tape()
    async with ingesting(ingest_bus(redis, demand=demand), tape):
        for symbol in SYMBOLS:
            tape.trade(symbol, 1)
            await until_last(redis, symbol, 1)
        for price in (2, 3):
            tape.trade("BAC", price)
            tape.trade("IBM", price)
        await until(lambda: has_streamed(tape, 5))
        async with running(valkey, Recorder()) as view:
            for symbol in SYMBOLS:
                async with asyncio.timeout(PATIENCE_S):
                    assert await view.want([symbol])
                assert view.latest[symbol].update.quote.last == 3


async def test_what_is_wanted_is_acknowledged_after_it_is_published(
    redis: Redis, valkey: EmbeddedValkey, demand: Demand
) -> None:
    tape, publisher = Tape(), Gated(redis)
    async with ingesting(ingest_bus(redis, publisher, demand), tape):
        tape.trade("BAC", 1)
        await until_last(redis, "BAC", 1)
        tape.trade("BAC", 2)
        async with running(valkey, Recorder()) as view:
            assert await view.want(["IBM"]), "one that has never traded"
            publisher.open.clear()
            polling = asyncio.create_task(view.want(["BAC"]))
            await until(lambda: has_length(publisher.published, 2))
            await asyncio.sleep(0.1)
            assert not polling.done()
            publisher.open.set()
            assert await polling
            assert view.latest["BAC"].update.quote.last == 2


class Stating(Tape):
    """A source that tells how a symbol stands when it is asked for it, a moment after."""

    capabilities = replace(Tape.capabilities, tells_state=True)

    def __init__(self) -> None:
        super().__init__()
        self.watchlist = Watchlist()

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        self.watchlist = watchlist
        async for events in super().stream(watchlist, taken):
            yield events


async def test_who_asks_first_waits_for_what_the_source_tells_of_the_symbol(
    redis: Redis, valkey: EmbeddedValkey, demand: Demand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market_view, "ASK_PATIENCE_S", 2 * PATIENCE_S)
    monkeypatch.setattr(market_view, "POLL_PATIENCE_S", 2 * PATIENCE_S)
    monkeypatch.setattr(acknowledging, "PATIENCE_S", PATIENCE_S)
    tape = Stating()
    async with ingesting(ingest_bus(redis, demand=demand), tape):
        tape.trade("BAC", 1)
        tape.trade("IBM", 1)
        await until_last(redis, "IBM", 1)
        async with running(valkey, Recorder()) as view:
            asking = asyncio.create_task(view.want(["BAC"]))
            await until(lambda: watches(tape, "BAC"))
            tape.trade("IBM", 2)
            await until_last(redis, "IBM", 2)
            assert not asking.done(), "that was another"
            tape.trade("BAC", 2)
            assert await asking
            assert view.latest["BAC"].update.quote.last == 2
            assert await view.want(["BAC"]), "it is known now"


async def watches(tape: Stating, symbol: str) -> bool:
    return symbol in tape.watchlist.symbols
