import math
from contextlib import aclosing
from pathlib import Path

import pytest

from feed_server.market.events import MarketEvent
from feed_server.protocol import Trade
from feed_server.providers.base import Watchlist
from feed_server.providers.replay import MAX_BATCH, MIN_SLEEP_S, ReplayProvider, open_replay
from feed_server.providers.replay_clock import ReplayClock
from feed_server.providers.replay_path import PathBar, trade_path
from feed_server.providers.replay_source import ReplaySource, make_source

NEW_YORK = "America/New_York"


class Time:
    """A clock that only moves when someone sleeps, and oversleeps."""

    def __init__(self, oversleeps_s: float = 0.0) -> None:
        self.now_s = 5_000.0
        self.oversleeps_s = oversleeps_s
        self.slept: list[float] = []

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds + (self.oversleeps_s if seconds else 0.0)


def last_days(count: int) -> ReplaySource:
    """The last sessions of the sample, as a source of their own."""
    tapes = open_replay([], None, NEW_YORK, 1).source.tapes
    return make_source(
        {symbol: [tape.part(slice(-count, None)) for tape in tapes[symbol]] for symbol in tapes},
        [],
        NEW_YORK,
        None,
    )


async def played(provider: ReplayProvider) -> list[MarketEvent]:
    return [trade async for batch in provider.stream(Watchlist(), {}) for trade in batch]


async def test_trades_come_when_they_are_due_and_no_more_than_a_hundred_times_a_second() -> None:
    source, time = last_days(3), Time()
    clock = ReplayClock(780, started_s=time.now_s)
    count = 0
    async for batch in ReplayProvider(source, 780, time.now, time.sleep).stream(Watchlist(), {}):
        for trade in batch:
            assert -1e-9 <= time.now_s - clock.due_s(trade.time_ms) <= MIN_SLEEP_S + 1e-9
            count += 1
    assert count == len(list(source.trades()))
    assert time.now_s - 5_000.0 == pytest.approx(3 * 30.0 + 2 * 1.0, abs=0.02)
    assert all(seconds >= MIN_SLEEP_S for seconds in time.slept[1:])


async def test_oversleeping_does_not_add_up() -> None:
    source, time = last_days(3), Time(oversleeps_s=0.003)
    clock = ReplayClock(780, started_s=time.now_s)
    async for batch in ReplayProvider(source, 780, time.now, time.sleep).stream(Watchlist(), {}):
        late_s = time.now_s - clock.due_s(batch[0].time_ms)
        assert late_s <= MIN_SLEEP_S + 0.003 + 1e-9
        for trade in batch[1:]:
            clock.due_s(trade.time_ms)
    assert len(time.slept) > 500


async def test_a_slow_consumer_catches_up_and_misses_nothing() -> None:
    source, time = last_days(2), Time()
    clock = ReplayClock(780, started_s=time.now_s)
    received: list[MarketEvent] = []
    async for batch in ReplayProvider(source, 780, time.now, time.sleep).stream(Watchlist(), {}):
        received += batch
        dues = [clock.due_s(trade.time_ms) for trade in batch]
        assert dues[-1] <= time.now_s
        if len(received) < 300:
            time.now_s += 5.0
    assert received == list(source.trades())
    assert time.now_s - dues[-1] <= MIN_SLEEP_S


async def test_batches_are_bounded_and_others_run_in_between(tmp_path: Path) -> None:
    path = tmp_path / "BAC.csv"
    path.write_text("time,price,size\n" + "1381152600000,13.94,100\n" * 2_500)
    time = Time()
    source = open_replay([path], None, NEW_YORK, 1).source
    provider = ReplayProvider(source, 1, time.now, time.sleep)
    assert [len(batch) async for batch in provider.stream(Watchlist(), {})] == [
        MAX_BATCH,
        MAX_BATCH,
        500,
    ]
    assert time.slept == [0.0] * 3


async def test_at_infinite_speed_nothing_waits() -> None:
    time = Time()
    provider = ReplayProvider(last_days(5), math.inf, time.now, time.sleep)
    count = len(await played(provider))
    assert time.slept == [0.0] * math.ceil(count / MAX_BATCH)


async def test_each_stream_begins_anew() -> None:
    provider = ReplayProvider(last_days(1), math.inf)
    first = await played(provider)
    assert len(first) > 500
    assert await played(provider) == first


async def test_days_are_made_only_as_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def count(symbol: str, bar: PathBar) -> list[Trade]:
        made.append(symbol)
        return trade_path(symbol, bar)

    provider = open_replay([], None, NEW_YORK, math.inf)
    monkeypatch.setattr("feed_server.providers.replay_tape.trade_path", count)
    async with aclosing(provider.stream(Watchlist(), {})) as stream:
        await anext(stream)
    assert len(made) <= 3 * 5
