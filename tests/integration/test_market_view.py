import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.control import ControlMessage, Drain, publish_control
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.leases import Leases, WantedReader
from feed_server.bus.notices import SourceError
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.errors import BusError
from feed_server.gateway import market_view
from feed_server.gateway.market_view import (
    ASK_PATIENCE_S,
    SYMBOLS_A_READ,
    UPDATES_A_READ,
    MarketView,
)
from feed_server.protocol import Position, SourceState, SourceStatus, SymbolInfo
from tests.harness import PATIENCE_S, until
from tests.updates import update

pytestmark = pytest.mark.integration

SERVER = "view"
LINGER_S = 0.2
APPLE = SymbolInfo("AAPL", "Apple Inc.", "USD", 2, "replay", "REPLAY")
LIVE = SourceStatus("replay", "REPLAY", SourceState.LIVE, "streaming", None, 0)


@dataclass
class Recorder:
    """Keeps what it is told."""

    updates: list[StoredUpdate] = field(default_factory=list)
    restated: list[StoredUpdate] = field(default_factory=list)
    statuses: int = 0
    errors: list[SourceError] = field(default_factory=list)
    controls: list[ControlMessage] = field(default_factory=list)

    def on_update(self, stored: StoredUpdate) -> None:
        self.updates.append(stored)

    def on_restated(self, stored: StoredUpdate) -> None:
        self.restated.append(stored)

    def on_status(self) -> None:
        self.statuses += 1

    def on_source_error(self, error: SourceError) -> None:
        self.errors.append(error)

    def on_control(self, message: ControlMessage) -> None:
        self.controls.append(message)

    @property
    def offsets(self) -> list[int]:
        return [stored.offset for stored in self.updates]


class SlowReader(Reader):
    """A reader whose answers about symbols take a while: long enough to be overtaken."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()

    async def symbols(self) -> dict[str, SymbolInfo]:
        found = await super().symbols()
        self.reading.set()
        await self.go_on.wait()
        return found


class Greedy(Reader):
    """A reader that remembers how much it was asked for at once, and may fail or stall."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.asked: list[int] = []
        self.fails_after: int | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def last_values(self, symbols: Sequence[str]) -> dict[str, StoredUpdate]:
        await self.go_on.wait()
        self.asked.append(len(symbols))
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise BusError("reading last values: Redis is away")
        return await super().last_values(symbols)


class Market:
    """Publishes one trade at a time."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.publisher = Publisher(redis)
        self._time_ms = 1_000

    async def trade(self, symbol: str = "AAPL") -> Position:
        self._time_ms += 1
        sent = update(symbol, last=self._time_ms, time_ms=self._time_ms, trades=1)
        return (await self.publisher.publish([sent]))[symbol]


@pytest.fixture
def market(redis: Redis) -> Market:
    return Market(redis)


@asynccontextmanager
async def running(
    valkey: EmbeddedValkey,
    recorder: Recorder,
    reader: Reader | None = None,
    *,
    linger_s: float = LINGER_S,
) -> AsyncIterator[MarketView]:
    redis, listening = connect(valkey.url), connect(valkey.url)

    def subscriber(
        on_message: Callable[[str, bytes], None], on_connected: Callable[[], None]
    ) -> Subscriber:
        return Subscriber(listening, SERVER, on_message, on_connected)

    view = MarketView(
        reader or Reader(redis), Leases(redis, SERVER), subscriber, recorder, linger_s=linger_s
    )
    task = asyncio.create_task(view.run())
    try:
        await soon(lambda: view.hears)
        yield view
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()
        await listening.aclose()


async def soon(condition: Callable[[], object]) -> None:
    async def holds() -> bool:
        return bool(condition())

    await until(holds)


def watch(view: MarketView, *symbols: str) -> None:
    view.interest.watch(symbols)
    view.changed()


async def cut_off(redis: Redis) -> None:
    """End the connections that listen, as a Redis does for one that is too slow."""
    await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


async def test_symbols_declared_while_they_are_read_are_not_missed(
    redis: Redis, valkey: EmbeddedValkey, market: Market
) -> None:
    recorder, reader = Recorder(), SlowReader(redis)
    async with running(valkey, recorder, reader) as view:
        await reader.reading.wait()
        await market.publisher.declare_symbols([APPLE])
        # Heard after it, on the same connection.
        await market.publisher.publish_status(LIVE)
        await soon(view.statuses)
        reader.go_on.set()
        await soon(lambda: "AAPL" in view.symbols)


async def test_what_is_watched_becomes_current_and_every_change_follows(
    valkey: EmbeddedValkey, market: Market
) -> None:
    recorder = Recorder()
    at = await market.trade()
    async with running(valkey, recorder) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        assert view.latest["AAPL"].position == at
        assert [stored.position for stored in recorder.restated] == [at]
        for _ in range(50):
            after = await market.trade()
        await market.trade("IBM")
        await soon(lambda: len(recorder.updates) >= 50)
        assert recorder.offsets == list(range(at.offset + 1, after.offset + 1))
        assert view.latest.keys() == {"AAPL"}


async def test_a_symbol_that_has_not_traded_is_settled_and_begins_when_it_does(
    valkey: EmbeddedValkey, market: Market
) -> None:
    recorder = Recorder()
    async with running(valkey, recorder) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        assert view.latest == {}
        at = await market.trade()
        await soon(lambda: view.latest)
        assert view.latest["AAPL"].position == at


async def test_what_was_published_while_nobody_heard_is_put_back_from_the_log(
    redis: Redis, valkey: EmbeddedValkey, market: Market
) -> None:
    recorder = Recorder()
    at = await market.trade()
    async with running(valkey, recorder) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        for _ in range(3):
            await cut_off(redis)
            for _ in range(20):
                after = await market.trade()
        await soon(lambda: view.latest["AAPL"].position == after)
        after = await market.trade()
        await soon(lambda: view.latest["AAPL"].position == after)
        assert recorder.offsets == list(range(at.offset + 1, after.offset + 1))
        assert len(recorder.restated) == 1


async def test_a_new_epoch_is_a_state_of_its_own(valkey: EmbeddedValkey, market: Market) -> None:
    recorder = Recorder()
    await market.trade()
    async with running(valkey, recorder) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        await market.publisher.begin_epoch("AAPL", "another", [])
        at = await market.trade()
        assert at == Position("another", 1)
        await soon(lambda: view.latest["AAPL"].position == at)
        assert [stored.epoch for stored in recorder.restated[1:]] == ["another"]
        after = await market.trade()
        await soon(lambda: view.latest["AAPL"].position == after)


async def test_what_nobody_watches_any_more_is_let_go_of_after_a_while(
    redis: Redis, valkey: EmbeddedValkey, market: Market
) -> None:
    wanted = WantedReader(redis)
    await market.trade()
    async with running(valkey, Recorder()) as view:
        watch(view, "AAPL")
        await soon(lambda: "AAPL" in view.latest)
        assert await wanted.counts() == {"AAPL": 1}
        loop = asyncio.get_running_loop()
        view.interest.unwatch(["AAPL"], loop.time())
        view.changed()
        await soon(lambda: "AAPL" not in view.latest)

        async def is_let_go_of() -> bool:
            return await wanted.counts() == {}

        await until(is_let_go_of)
        assert not view.is_settled(["AAPL"])


async def test_who_polls_is_told_when_it_is_current(valkey: EmbeddedValkey, market: Market) -> None:
    at = await market.trade()
    async with running(valkey, Recorder()) as view:
        assert await view.want(["AAPL"])
        assert view.latest["AAPL"].position == at
        first = view.changed_at("AAPL")
        await market.trade()
        await soon(lambda: view.changed_at("AAPL") > first > 0)
        assert view.changed_at("IBM") == 0


async def test_a_source_that_does_not_answer_is_waited_for_once(
    valkey: EmbeddedValkey, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await market.trade()
    monkeypatch.setattr(market_view, "POLL_PATIENCE_S", PATIENCE_S)
    async with running(valkey, Recorder(), linger_s=60) as view:
        await market.publisher.declare_symbols([APPLE])
        await soon(lambda: view.symbols)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        assert await view.want(["AAPL"])
        assert ASK_PATIENCE_S - 0.1 < loop.time() - began_s < PATIENCE_S - 1
        assert view.latest["AAPL"].position == at
        began_s = loop.time()
        assert await view.want(["AAPL"])
        assert loop.time() - began_s < ASK_PATIENCE_S - 0.1


async def test_notices_are_passed_on_and_nonsense_is_counted(
    redis: Redis, valkey: EmbeddedValkey, market: Market
) -> None:
    recorder = Recorder()
    async with running(valkey, recorder) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        channels = [
            *(names.STATUS_CHANNEL, names.ERRORS, names.CONTROL, names.SEEN),
            names.updates("AAPL"),
        ]
        for channel in channels:
            for payload in (b"", b"\xff", b"e1 x {}", b"e1 1 [1]", b"[" * 100_000):
                await redis.publish(channel, payload)
        await market.publisher.publish_status(LIVE)
        error = SourceError("replay", "AAPL", "halted", 5)
        await market.publisher.publish_error(error)
        await publish_control(redis, Drain("another"))
        await soon(lambda: recorder.controls)
        assert recorder.errors == [error]
        assert recorder.controls == [Drain("another")]
        assert view.malformed == 5 * len(channels)
        assert view.statuses() == [LIVE]
        await soon(lambda: recorder.statuses)
        at = await market.trade()
        await soon(lambda: view.latest.get("AAPL") is not None)
        assert view.latest["AAPL"].position == at


async def test_what_becomes_wanted_is_heard_though_something_cannot_be_let_go_of(
    valkey: EmbeddedValkey, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(valkey, Recorder()) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        monkeypatch.setattr(Subscriber, "unsubscribe", failing)
        view.interest.unwatch(["AAPL"], -LINGER_S)
        watch(view, "IBM")
        await soon(lambda: "IBM" in view.interest.kept and "AAPL" not in view.interest.kept)
        await asyncio.sleep(0.1)
        monkeypatch.undo()
        await soon(lambda: view.is_settled(["IBM"]))
        at = await market.trade("IBM")
        await soon(lambda: "IBM" in view.latest and view.latest["IBM"].position == at)


async def failing(_self: Subscriber, _channels: Iterable[str]) -> None:
    raise BusError("unsubscribing: lost")


class Offended(Recorder):
    """A listener with a fault of its own."""

    def on_update(self, stored: StoredUpdate) -> None:
        raise ValueError("a fault of the listener")


async def test_a_listeners_fault_is_not_taken_for_a_malformed_message(
    valkey: EmbeddedValkey, market: Market
) -> None:
    redis = connect(valkey.url)
    view = MarketView(
        Reader(redis),
        Leases(redis, SERVER),
        lambda on_message, on_connected: Subscriber(redis, SERVER, on_message, on_connected),
        Offended(),
        linger_s=LINGER_S,
    )
    running_view = asyncio.create_task(view.run())
    watch(view, "AAPL")
    await soon(lambda: view.is_settled(["AAPL"]))
    async with asyncio.timeout(30):
        while not running_view.done():
            await market.trade()
            await asyncio.sleep(0.02)
    await redis.aclose()
    assert view.malformed == 0
    assert isinstance(running_view.exception(), BaseExceptionGroup)


async def test_many_symbols_are_read_some_at_a_time_and_each_read_counts(
    redis: Redis, valkey: EmbeddedValkey, market: Market
) -> None:
    symbols = [f"S{number:03}" for number in range(3 * SYMBOLS_A_READ)]
    reader = Greedy(redis)
    reader.fails_after = 2
    async with running(valkey, Recorder(), reader) as view:
        watch(view, *symbols)
        await soon(lambda: len(reader.asked) == 3)
        assert view.is_settled(symbols[: 2 * SYMBOLS_A_READ])
        assert not view.is_settled(symbols)
        reader.fails_after = None
        await soon(lambda: view.is_settled(symbols))
    assert max(reader.asked) == SYMBOLS_A_READ


async def test_what_was_missed_is_put_back_piece_by_piece(
    redis: Redis, valkey: EmbeddedValkey, market: Market
) -> None:
    recorder = Recorder()
    at = await market.trade()
    async with running(valkey, recorder) as view:
        watch(view, "AAPL")
        await soon(lambda: view.is_settled(["AAPL"]))
        await cut_off(redis)
        for _ in range(3 * UPDATES_A_READ):
            after = await market.trade()
        await soon(lambda: view.latest["AAPL"].position == after)
        assert recorder.offsets == list(range(at.offset + 1, after.offset + 1))
        assert len(recorder.restated) == 1


async def test_leases_are_renewed_while_reading_takes_long_and_it_is_told(
    redis: Redis, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed_server.gateway.market_view.RENEW_EVERY_S", 0.1)
    reader = Greedy(redis)
    async with running(valkey, Recorder(), reader) as view:
        assert view.unsettled == 0
        reader.go_on.clear()
        watch(view, "AAPL", "IBM")
        await soon(lambda: view.unsettled == 2)
        await redis.delete(names.server(SERVER))

        async def is_leased() -> bool:
            return (await WantedReader(redis).counts()).keys() == {"AAPL", "IBM"}

        await until(is_leased)
        assert not view.is_settled(["AAPL"])
        reader.go_on.set()
        await soon(lambda: view.is_settled(["AAPL", "IBM"]))
        assert view.unsettled == 0
