"""Several sources at work: failing over and returning, polls within a budget, answers to gateways.

The sources are made up; Redis, the budgets in it, and all that runs them are real.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest
from redis.asyncio import Redis

from feed_server.bus.quota import Quota
from feed_server.bus.reader import Reader
from feed_server.errors import (
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
    UnknownSymbolError,
)
from feed_server.ingest import circuit
from feed_server.ingest.source import Source
from feed_server.market.events import MarketEvent, SessionSnapshot
from feed_server.protocol import SourceState, SourceStatus, SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Rate, Watchlist
from tests.harness import until
from tests.tape import ingest_bus, ingesting

pytestmark = pytest.mark.integration

FORTY = [f"S{number:02}" for number in range(40)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "FIRST_S", 0.05)
    monkeypatch.setattr(circuit, "MOST_S", 0.2)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Vendor(Provider):
    """A source that streams or polls, and fails as the test wants."""

    zone = "UTC"
    label = ""

    def __init__(self, name: str, symbols: Sequence[str], capabilities: Capabilities) -> None:
        self.name = name
        self.capabilities = capabilities
        self.price = 100.0
        self.failure: ProviderError | None = None
        self.unknown: set[str] = set()
        self.asked: list[tuple[float, tuple[str, ...]]] = []
        self.delay_s = 0.0
        self._symbols = symbols

    async def symbols(self) -> Sequence[SymbolInfo]:
        return [SymbolInfo(s, s, "USD", 2, self.name, self.label, self.zone) for s in self._symbols]

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        while True:
            if self.failure is not None:
                raise self.failure
            yield [Trade(s, now_ms(), self.price, 1.0) for s in sorted(watchlist.symbols)]
            await asyncio.sleep(0.02)

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        self.asked.append((time.monotonic(), tuple(symbols)))
        await asyncio.sleep(self.delay_s)
        if self.failure is not None:
            raise self.failure
        return {
            s: UnknownSymbolError(f"{s} is unknown")
            if s in self.unknown
            else SessionSnapshot(symbol=s, time_ms=now_ms(), last=self.price)
            for s in symbols
        }


def streaming(name: str, *symbols: str) -> Vendor:
    return Vendor(name, symbols, Capabilities(streams=True))


def polled(name: str, *symbols: str, rates: tuple[Rate, ...] = (), batch: int = 1) -> Vendor:
    can = Capabilities(polls=True, poll_s=0.05, rates=rates, batch=batch, per_symbol=True)
    return Vendor(name, symbols, can)


async def last(redis: Redis, symbol: str = "A") -> float | None:
    kept = await Reader(redis).last_values([symbol])
    return kept[symbol].update.quote.last if symbol in kept else None


async def until_last(redis: Redis, price: float, symbol: str = "A") -> None:
    async def has_it() -> bool:
        return await last(redis, symbol) == price

    await until(has_it)


async def status_of(redis: Redis, source: str) -> SourceStatus:
    found: list[SourceStatus] = []

    async def told() -> bool:
        found[:] = [s for s in await Reader(redis).statuses() if s.source == source]
        return bool(found)

    await until(told)
    return found[0]


async def until_state(redis: Redis, source: str, state: SourceState) -> SourceStatus:
    async def has_it() -> bool:
        return (await status_of(redis, source)).state == state

    await until(has_it)
    return await status_of(redis, source)


async def test_a_symbol_fails_over_to_the_next_source_and_returns(redis: Redis) -> None:
    first, second = streaming("first", "A"), polled("second", "A")
    first.price, second.price = 1.0, 2.0
    async with ingesting(ingest_bus(redis), first, second):
        await until_last(redis, 1.0)
        assert not second.asked, "who is not needed is not asked"
        first.failure = UnavailableError("first: the line is dead")
        await until_last(redis, 2.0)
        status = await until_state(redis, "first", SourceState.DOWN)
        assert status.message == "first: the line is dead"
        assert status.next_try_ms is not None
        assert (await Reader(redis).symbols())["A"].source == "second"
        first.failure = None
        await until_last(redis, 1.0)
        assert (await Reader(redis).symbols())["A"].source == "first"
        asked = len(second.asked)
        await asyncio.sleep(0.5)
        assert len(second.asked) <= asked + 1, "it is left alone again"


async def test_one_symbol_fails_over_while_others_stay(redis: Redis) -> None:
    first, second = polled("first", "A", "B"), polled("second", "A", "B")
    first.price, second.price = 1.0, 2.0
    first.unknown = {"B"}
    async with ingesting(ingest_bus(redis), first, second):
        await until_last(redis, 1.0, "A")
        await until_last(redis, 2.0, "B")
        assert {s for _, symbols in second.asked for s in symbols} == {"B"}


class Mute(Vendor):
    """A source that does not even tell its symbols while it fails."""

    async def symbols(self) -> Sequence[SymbolInfo]:
        if self.failure is not None:
            raise self.failure
        return await super().symbols()


async def test_a_source_that_does_not_tell_its_symbols_is_down_until_it_does(redis: Redis) -> None:
    source = Mute("vendor", ["A"], Capabilities(streams=True, open_list=True))
    source.failure = UnavailableError("vendor: no such host")
    async with ingesting(ingest_bus(redis), source):
        status = await until_state(redis, "vendor", SourceState.DOWN)
        assert status.message == "vendor: no such host"
        assert status.next_try_ms is not None
        source.failure = None
        await until_last(redis, 100.0)
        await until_state(redis, "vendor", SourceState.LIVE)


async def test_a_budget_is_kept_and_all_are_refreshed_in_turn(redis: Redis) -> None:
    source = polled("vendor", *FORTY, rates=(Rate(8, 0.5),), batch=8)
    async with ingesting(ingest_bus(redis), source):

        async def twice() -> bool:
            counts = Counter(s for _, symbols in source.asked for s in symbols)
            return min((counts[s] for s in FORTY), default=0) >= 2

        await until(twice)
        status = await status_of(redis, "vendor")
        assert [(b.limit, b.per_s) for b in status.budgets] == [(8, 0.5)]
    order = [(at_s, s) for at_s, symbols in source.asked for s in symbols]
    assert sorted(s for _, s in order[:40]) == FORTY
    assert max(Counter(s for _, s in order).values()) <= 3
    for (begin_s, _), (end_s, _) in zip(order, order[8:], strict=False):
        assert end_s - begin_s >= 0.5, "nine within the vendor's stretch"


async def test_two_processes_share_one_budget(redis: Redis) -> None:
    made = [polled("vendor", f"{name}1", f"{name}2", rates=(Rate(5, 60.0),)) for name in "AB"]
    async with ingesting(ingest_bus(redis), made[0]), ingesting(ingest_bus(redis), made[1]):

        async def spent() -> bool:
            return sum(len(source.asked) for source in made) >= 5

        await until(spent)
        await asyncio.sleep(1)
    assert sum(len(source.asked) for source in made) == 5


async def test_a_throttle_stops_the_asking_until_the_vendors_time(redis: Redis) -> None:
    source = polled("vendor", "A", rates=(Rate(100, 60.0),))
    source.failure = RateLimitedError("vendor: run out of credits", retry_after_s=0.8)
    async with ingesting(ingest_bus(redis), source):

        async def asked() -> bool:
            return bool(source.asked)

        await until(asked)
        source.failure = None
        await until_last(redis, 100.0)
    assert source.asked[1][0] - source.asked[0][0] >= 0.8


async def test_searches_leave_half_of_a_days_budget_for_prices(redis: Redis) -> None:
    vendor = Vendor(
        "vendor", ["A"], Capabilities(polls=True, open_list=True, rates=(Rate(10, 86_400.0),))
    )
    calls = Source(vendor, Quota(redis, "vendor", [(10, 86_400.0)]), _Told()).vendor
    for _ in range(6):
        assert await calls.search("A")
    with pytest.raises(RateLimitedError, match="kept for prices"):
        await calls.search("A")


async def test_a_refused_key_is_not_tried_again_and_again(redis: Redis) -> None:
    source = polled("vendor", "A")
    source.failure = UnauthorizedError("vendor: the key is refused; set QUOTEWIRE_…_KEY")
    async with ingesting(ingest_bus(redis), source):
        status = await until_state(redis, "vendor", SourceState.DOWN)
        assert "key is refused" in status.message
        await asyncio.sleep(0.7)
    assert len(source.asked) == 1


async def test_who_asks_together_is_answered_by_one_call(redis: Redis) -> None:
    vendor = polled("vendor", "A")
    vendor.delay_s, vendor.price = 0.1, 7.0
    vendor.capabilities = Capabilities(polls=True, poll_s=3600.0)
    told = _Told()
    source = Source(vendor, Quota(redis, "vendor", []), told)
    source.watch(["A"])
    running = asyncio.create_task(source.run())
    await source.refresh("A")
    count = len(vendor.asked)
    impatient = asyncio.create_task(source.refresh("A"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.gather(*(source.refresh("A") for _ in range(20)))
    assert len(vendor.asked) == count + 1
    vendor.failure = UnavailableError("vendor: away")
    outcomes = await asyncio.gather(
        *(source.refresh("A") for _ in range(20)), return_exceptions=True
    )
    assert {str(outcome) for outcome in outcomes} == {"vendor: away"}
    assert len(vendor.asked) == count + 2
    running.cancel()
    await asyncio.wait([running])


class _Still(Vendor):
    """A source whose stream flows, and has nothing to tell yet."""

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        yield []
        await asyncio.Event().wait()


async def test_what_streams_is_fresh_when_it_was_polled_once_since_it_is_watched(
    redis: Redis,
) -> None:
    vendor = _Still("vendor", ["A", "B"], Capabilities(streams=True, polls=True))
    source = Source(vendor, Quota(redis, "vendor", []), _Told())
    running = asyncio.create_task(source.run())
    source.watch(["A"])
    await source.refresh("A")
    vendor.delay_s = 0.1
    source.watch(["A", "B"])
    await source.refresh("B")
    assert [symbols for _, symbols in vendor.asked] == [("A",), ("B",)]
    await source.refresh("B")
    assert len(vendor.asked) == 2, "from then on the stream tells"
    running.cancel()
    await asyncio.wait([running])


class _Told:
    """Takes all that a source tells."""

    def taken(self, source: str) -> Mapping[str, int]:
        return {}

    async def take(self, source: str, events: Sequence[MarketEvent]) -> None:
        pass

    def refuse(self, source: str, symbol: str, error: ProviderError) -> None:
        pass

    def on_health(self, source: str) -> None:
        pass

    def on_gap(self, source: str) -> None:
        pass


async def test_a_call_that_hangs_is_given_up(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    from feed_server.ingest import vendor as calls

    monkeypatch.setattr(calls, "CALL_S", 0.1)
    source = polled("vendor", "A")
    source.delay_s = 60.0
    async with ingesting(ingest_bus(redis), source):
        status = await until_state(redis, "vendor", SourceState.DOWN)
        assert "has not answered in 0.1 s" in status.message
        source.delay_s = 0.0
        await until_last(redis, 100.0)
