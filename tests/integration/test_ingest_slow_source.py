"""What a source that is slow or throttled leaves to those who watch."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence

import pandas as pd
import pytest
from redis.asyncio import Redis

from feed_server.bus.reader import Reader
from feed_server.errors import RateLimitedError
from feed_server.ingest.demand import Demand
from feed_server.market.events import MarketEvent
from feed_server.protocol import Interval, SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Watchlist
from tests.harness import until
from tests.tape import ingest_bus, ingesting

pytestmark = pytest.mark.integration


class Watched(Demand):
    """One symbol that was wanted before the ingest began."""

    def __init__(self) -> None:
        self.wanted = frozenset(["A"])

    async def run(
        self,
        on_change: Callable[[Collection[str], Collection[str]], None],
        on_seen: Callable[[Mapping[str, int]], None] = lambda _numbers: None,
    ) -> None:
        await asyncio.Event().wait()


class Slow(Provider):
    """A source of one trade, or none where it is throttled, and of bars that never come."""

    name = "slow"
    label = ""
    zone = "UTC"
    capabilities = Capabilities(streams=True, open_list=True, intervals=frozenset(Interval))

    def __init__(self, throttle: RateLimitedError | None = None) -> None:
        self.throttle = throttle
        self.began_s: list[float] = []
        self.asked_for_bars: list[str] = []

    async def symbols(self) -> Sequence[SymbolInfo]:
        return [SymbolInfo("A", "A", "USD", 2, self.name, self.label, self.zone)]

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        self.began_s.append(time.monotonic())
        if self.throttle is not None:
            raise self.throttle
        yield [Trade("A", time.time_ns() // 1_000_000, 100.0, 1.0)]
        await asyncio.Event().wait()

    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        self.asked_for_bars.append(symbol)
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_bar_is_closed_while_the_source_does_not_tell_its_history(redis: Redis) -> None:
    source = Slow()
    async with ingesting(ingest_bus(redis, demand=Watched()), source):

        async def has_final_bar() -> bool:
            finals = await Reader(redis).final_starts(["A"])
            return Interval.SECOND in finals["A"]

        await until(has_final_bar)
        assert source.asked_for_bars == ["A"], "also what was wanted from the start is learnt of"


async def test_a_throttled_stream_is_not_begun_before_the_vendors_time(redis: Redis) -> None:
    source = Slow(RateLimitedError("slow: too many connections", retry_after_s=3.0))
    async with ingesting(ingest_bus(redis, demand=Watched()), source):

        async def twice() -> bool:
            return len(source.began_s) >= 2

        await until(twice)
    assert source.began_s[1] - source.began_s[0] >= 3.0
