import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from feed_server.errors import UnavailableError, UnknownSymbolError
from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.protocol import Interval, Trade
from feed_server.providers.base import Watchlist
from feed_server.providers.simulated import MOST_BEHIND_MS, SimulatedProvider, ticker_names
from feed_server.providers.simulated_feed import SimulatedFeed
from feed_server.providers.simulated_market import ZONE, SimulatedMarket, activity
from feed_server.providers.simulated_noise import draw, walk, walks
from tests.bars_of import built_bars

OPEN_MS = 1_381_152_600_000
"""2013-10-07, 09:30 in New York."""
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Clock:
    """A clock that goes on by what is slept."""

    def __init__(self, now_ms: int = OPEN_MS) -> None:
        self.now_s = now_ms / 1000

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now_s += seconds


def provider(
    symbols: int = 3, hz: float = 5, seed: int = 1, clock: Clock | None = None
) -> SimulatedProvider:
    clock = clock or Clock()
    return SimulatedProvider(symbols, hz, seed, clock.now, clock.sleep)


async def streamed(
    source: SimulatedProvider, clock: Clock, for_ms: int, symbols: Sequence[str] | None = None
) -> list[MarketEvent]:
    watched = Watchlist(source_names(source) if symbols is None else symbols)
    until_s = clock.now_s + for_ms / 1000
    events: list[MarketEvent] = []
    async with aclosing(source.stream(watched, {})) as stream:
        async for batch in stream:
            assert batch
            assert all(event.time_ms <= clock.now_s * 1000 for event in batch)
            if clock.now_s > until_s:
                break
            events += batch
    return events


def source_names(source: SimulatedProvider) -> list[str]:
    return ticker_names(len(source.market.keys))


def trades_of(events: Sequence[MarketEvent], symbol: str) -> list[Trade]:
    return [event for event in events if isinstance(event, Trade) and event.symbol == symbol]


def told(
    market: SimulatedMarket, from_ms: int, to_ms: int, step_ms: int = 250
) -> list[MarketEvent]:
    """What a feed of a market tells from after one moment up to another."""
    names = ticker_names(len(market.keys))
    feed = SimulatedFeed(market, names, from_ms)
    feed.carry(frozenset(names))
    return [
        event for until in (*range(from_ms, to_ms, step_ms), to_ms) for event in feed.advance(until)
    ]


# Randomness


def test_what_is_drawn_is_even_and_has_nothing_to_do_with_its_neighbours() -> None:
    bits = draw(np.array([7], np.uint64), np.arange(100_000))
    ones = np.unpackbits(bits.view(np.uint8)).reshape(-1, 64)
    assert abs(ones.mean(axis=0) - 0.5).max() < 0.01
    assert abs((ones[1:] != ones[:-1]).mean(axis=0) - 0.5).max() < 0.01


@pytest.mark.parametrize("step_ms", [1, 97, 5_000, MINUTE_MS, DAY_MS])
def test_a_walk_is_the_same_alone_and_among_others_to_the_last_bit(step_ms: int) -> None:
    key = np.array([12_345], np.uint64)
    times = OPEN_MS + np.arange(500) * step_ms
    alone, among = walk(key, times), walks(np.repeat(key, 500), times)
    assert np.array_equal(alone.heights, among.heights)
    assert np.array_equal(alone.wildness, among.wildness)


@pytest.mark.parametrize("step_ms", [2_000, MINUTE_MS, HOUR_MS, DAY_MS])
def test_a_walk_moves_as_far_as_the_root_of_the_time(step_ms: int) -> None:
    moves = [
        np.diff(walk(np.array([key], np.uint64), OPEN_MS + np.arange(500) * step_ms).heights)
        for key in range(40)
    ]
    variance = np.mean(np.square(moves)) / (step_ms / (365.25 * DAY_MS))
    assert 0.6 < variance < 1.6


def test_a_walk_has_no_jumps() -> None:
    heights = walk(np.array([3], np.uint64), OPEN_MS + np.arange(100_000)).heights
    assert np.abs(np.diff(heights)).max() < 1e-5


# The market


def test_a_seed_is_a_market_whichever_process_looks_and_however_many_symbols_it_has() -> None:
    events = told(SimulatedMarket(3, 5, 1), OPEN_MS, OPEN_MS + 5_000)
    assert events == told(SimulatedMarket(3, 5, 1), OPEN_MS, OPEN_MS + 5_000)
    more = told(SimulatedMarket(4, 5, 1), OPEN_MS, OPEN_MS + 5_000)
    name = ticker_names(1)[0]
    assert trades_of(more, name) == trades_of(events, name) != []
    other = told(SimulatedMarket(3, 5, 2), OPEN_MS, OPEN_MS + 5_000)
    assert trades_of(other, name) != trades_of(events, name)


def test_how_a_market_is_asked_does_not_change_it() -> None:
    market = SimulatedMarket(3, 20, 1)
    by_steps = [
        [
            event
            for event in told(market, OPEN_MS, OPEN_MS + 6_000, step)
            if isinstance(event, Trade)
        ]
        for step in (7, 50, 6_000)
    ]
    assert by_steps[0] == by_steps[1] == by_steps[2] != []


def test_a_successor_goes_on_where_another_ended() -> None:
    market = SimulatedMarket(5, 5, 1)
    parts = [told(market, OPEN_MS, OPEN_MS + 700), told(market, OPEN_MS + 700, OPEN_MS + 3_000)]
    prints = [event for part in parts for event in part if isinstance(event, Trade)]
    whole = [e for e in told(market, OPEN_MS, OPEN_MS + 3_000) if isinstance(e, Trade)]
    assert prints == whole
    assert len({(trade.symbol, trade.trade_id) for trade in prints}) == len(prints)


def test_prices_are_of_all_levels_and_of_whole_cents() -> None:
    market = SimulatedMarket(300, 1, 1)
    prices = np.array([market.mid_prices(n, np.array([OPEN_MS]))[0] for n in range(300)])
    assert 1 < prices.min() < 10
    assert 300 < prices.max() < 2_000
    assert 20 < np.median(prices) < 120
    assert np.array_equal(np.round(prices, 2), prices)


def test_trades_lie_between_the_best_prices_and_come_in_round_lots() -> None:
    events = told(SimulatedMarket(200, 5, 1), OPEN_MS, OPEN_MS + 2_000, 1)
    last: dict[str, Trade] = {}
    spreads = []
    for event in events:
        if isinstance(event, Trade):
            last[event.symbol] = event
            assert event.size >= 100
            assert event.size % 100 == 0
        elif isinstance(event, TopOfBook):
            assert event.bid is not None
            assert event.ask is not None
            assert 0 < event.bid < event.ask
            assert event.bid <= last[event.symbol].price <= event.ask
            spreads.append((event.ask - event.bid) / event.bid)
    assert 0.5e-4 < np.median(spreads) < 10e-4
    sizes = np.array([trade.size for trade in last.values()])
    assert len(set(sizes)) > 5
    assert np.mean(sizes) > 1.2 * np.median(sizes)


def test_volatility_comes_in_clusters_and_returns_do_not() -> None:
    market = SimulatedMarket(5, 1, 1)
    times = OPEN_MS + np.arange(20_000) * MINUTE_MS

    def correlation(values: np.ndarray, lag: int) -> float:
        return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])

    returns = [np.diff(np.log(market.mid_prices(number, times))) for number in range(5)]
    for lag in (1, 10, 60):
        assert np.mean([correlation(np.abs(r), lag) for r in returns]) > 0.08
        assert abs(np.mean([correlation(r, lag) for r in returns])) < 0.03
    assert np.mean([np.mean(r**4) / np.mean(r**2) ** 2 for r in returns]) > 4


def test_a_days_activity_is_a_u_and_never_silent() -> None:
    times = OPEN_MS - 34_200_000 + np.arange(0, DAY_MS, MINUTE_MS)
    busy = activity(times)
    assert busy.mean() == pytest.approx(1, abs=0.01)
    opening, noon, closing, night = (
        float(activity(np.array([OPEN_MS + int(hours * HOUR_MS)]))[0])
        for hours in (0.05, 3.25, 6.45, -3)
    )
    assert min(opening, closing) > 2 * noon > 3 * night > 0.9
    # In winter, too, the session begins at 09:30 in New York.
    winter_ms = pd.Timestamp("2014-01-07 09:31", tz=ZONE).value // 10**6
    assert activity(np.array([winter_ms]))[0] > activity(np.array([winter_ms - 120_000]))[0] * 2


@pytest.mark.parametrize("hz", [0.02, 1, 5, 300])
def test_trades_come_as_often_as_asked_for_over_a_day(hz: float) -> None:
    market = SimulatedMarket(40, hz, 1)
    spread_over_day = OPEN_MS + np.arange(0, DAY_MS, DAY_MS // 500)
    cells = np.tile(spread_over_day // market.cell_ms, 40)
    numbers = np.repeat(np.arange(40), 501)[: len(cells)]
    count = len(market.arrivals(numbers, cells).times)
    seconds = len(cells) * market.cell_ms / 1000
    assert count / seconds == pytest.approx(hz, rel=0.1)


def test_trades_are_numbered_in_order() -> None:
    trades = trades_of(told(SimulatedMarket(1, 50, 1), OPEN_MS, OPEN_MS + 20_000), "PSL")
    assert len(trades) > 1_000
    assert all(
        a.time_ms <= b.time_ms and (a.trade_id or 0) < (b.trade_id or 0)
        for a, b in pairwise(trades)
    )
    assert (trades[-1].trade_id or 0) < 2**53


def test_symbols_are_unique() -> None:
    names = ticker_names(20_000)
    assert len(set(names)) == 20_000
    assert {len(name) for name in names} == {3, 4}
    assert ticker_names(10) == names[:10]


# The provider


async def test_events_are_streamed_in_order_of_time_and_none_of_the_future() -> None:
    clock = Clock()
    source = provider(20, 5, clock=clock)
    events = [
        e for e in await streamed(source, clock, 10_000) if not isinstance(e, SessionSnapshot)
    ]
    assert len(events) > 1_000
    assert all(a.time_ms <= b.time_ms for a, b in pairwise(events))
    assert events[0].time_ms > OPEN_MS
    assert events[-1].time_ms > OPEN_MS + 9_800


async def test_what_is_not_watched_is_told_once() -> None:
    clock = Clock()
    source = provider(5, 5, clock=clock)
    first, second, *others = source_names(source)
    events = await streamed(source, clock, 5_000, [first])
    counts = Counter((event.symbol, type(event)) for event in events)
    assert counts[first, SessionSnapshot] == 1
    assert counts[first, Trade] > 20
    for other in (second, *others):
        assert counts[other, SessionSnapshot] == 1
        assert counts[other, Trade] == counts[other, TopOfBook] == 0


async def test_the_state_told_first_is_that_of_the_last_trade() -> None:
    market = SimulatedMarket(50, 0.5, 1)
    names = ticker_names(50)
    before = told(market, OPEN_MS - 5 * MINUTE_MS, OPEN_MS, HOUR_MS)
    for snapshot in SimulatedFeed(market, names, OPEN_MS).state(names):
        assert isinstance(snapshot, SessionSnapshot)
        last = trades_of(before, snapshot.symbol)[-1]
        assert (snapshot.time_ms, snapshot.last, snapshot.size) == (
            last.time_ms,
            last.price,
            last.size,
        )


async def test_a_symbol_that_becomes_watched_flows_from_then_on() -> None:
    clock = Clock()
    source = provider(3, 20, clock=clock)
    first, second, _ = source_names(source)
    watched = Watchlist([first])
    seen: list[MarketEvent] = []
    async with aclosing(source.stream(watched, {})) as stream:
        async for batch in stream:
            seen += batch
            if clock.now_s > OPEN_MS / 1000 + 2:
                watched.set([second])
            if clock.now_s > OPEN_MS / 1000 + 4:
                break
    changed = [event.time_ms for event in seen if event.symbol == first]
    assert max(changed) < OPEN_MS + 2_200
    market = source.market
    expected = trades_of(told(market, OPEN_MS, OPEN_MS + 5_000), second)
    flowed = trades_of(seen, second)
    assert len(flowed) > 10
    assert flowed == [t for t in expected if flowed[0].time_ms <= t.time_ms <= flowed[-1].time_ms]


async def test_a_market_that_is_behind_catches_up_in_small_steps() -> None:
    clock = Clock()
    source = provider(3, 50, clock=clock)
    async with aclosing(source.stream(Watchlist(source_names(source)), {})) as stream:
        await anext(stream)
        clock.now_s += 5
        batches = [await anext(stream) for _ in range(12)]
    assert all(batch[-1].time_ms - batch[0].time_ms <= 250 for batch in batches)
    assert all(a[-1].time_ms < b[0].time_ms for a, b in pairwise(batches))


def test_what_becomes_watched_begins_with_its_last_trade_but_none_is_told_twice() -> None:
    market = SimulatedMarket(2, 0.5, 1)
    first, second = ticker_names(2)
    until_ms = OPEN_MS + MINUTE_MS
    last = trades_of(told(market, OPEN_MS, until_ms), second)[-1]
    feed = SimulatedFeed(market, [first, second], OPEN_MS)
    assert trades_of(feed.carry(frozenset({first})), first) == [], "of before it began"
    feed.advance(until_ms)
    began = feed.carry(frozenset({first, second}))
    assert isinstance(began[0], SessionSnapshot)
    assert began[1:] == [last]
    feed.carry(frozenset({first}))
    assert trades_of(feed.carry(frozenset({first, second})), second) == []


async def test_a_machine_that_has_slept_begins_the_stream_again() -> None:
    clock = Clock()
    source = provider(clock=clock)
    async with aclosing(source.stream(Watchlist(source_names(source)), {})) as stream:
        await anext(stream)
        clock.now_s += MOST_BEHIND_MS / 1000 + 1
        with pytest.raises(UnavailableError, match="have passed unseen"):
            await anext(stream)


async def test_a_clock_that_is_set_back_tells_nothing_twice() -> None:
    clock = Clock()
    source = provider(3, 50, clock=clock)
    seen: list[Trade] = []
    async with aclosing(source.stream(Watchlist(source_names(source)), {})) as stream:
        async for batch in stream:
            seen += (event for event in batch if isinstance(event, Trade))
            if len(seen) > 300:
                break
            if 100 < len(seen) < 110:
                clock.now_s -= 0.7
    assert all(a.time_ms <= b.time_ms for a, b in pairwise(seen))
    assert len({(trade.symbol, trade.trade_id) for trade in seen}) == len(seen)


@pytest.mark.parametrize("hz", [0.5, 7])
async def test_history_is_the_bars_of_what_is_streamed(hz: float) -> None:
    clock = Clock(OPEN_MS + 570_000)
    source = provider(2, hz, clock=clock)
    name = source_names(source)[0]
    events = told(source.market, OPEN_MS - 30_000, OPEN_MS + 570_000)
    trades = trades_of([*events, *await streamed(source, clock, 30_000)], name)
    built = built_bars(trades, ZONE)
    first, last = OPEN_MS, OPEN_MS + 9 * MINUTE_MS
    for interval in (Interval.SECOND, Interval.FIVE_SECONDS, Interval.MINUTE):
        expected = built[interval].loc[
            pd.Timestamp(first, unit="ms", tz="UTC") : pd.Timestamp(last - 1, unit="ms", tz="UTC")
        ]
        history = await source.history(name, interval, first, last)
        assert len(history) == len(expected) > 8
        pd.testing.assert_frame_equal(
            history, expected, check_exact=True, check_index_type=False, check_freq=False
        )


@pytest.mark.parametrize("interval", Interval)
async def test_history_ends_with_the_last_bar_that_has_ended(interval: Interval) -> None:
    now_ms = OPEN_MS + 123_456
    source = provider(1, 5, clock=Clock(now_ms))
    name = source_names(source)[0]
    bars = await source.history(name, interval, 0, 2**52)
    assert len(bars) == source.capabilities.history_bars == 1_000
    last_ms = bars.index[-1].value // 10**6
    if interval is Interval.DAY:
        assert str(bars.index[-1]) == "2013-10-06 00:00:00+00:00"
    else:
        assert now_ms - 2 * interval.ms < last_ms <= now_ms - interval.ms
    assert bars.index.is_monotonic_increasing
    assert bars.index.is_unique
    assert (bars["low"] > 0).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["volume"] > 0).all()


@pytest.mark.parametrize("interval", [Interval.FIVE_MINUTES, Interval.HOUR])
async def test_long_bars_are_near_those_of_the_trades(interval: Interval) -> None:
    source = provider(1, 1, clock=Clock(OPEN_MS + DAY_MS))
    name = source_names(source)[0]
    start_ms, end_ms = OPEN_MS - 1_800_000, OPEN_MS + 5 * HOUR_MS + 1_800_000
    long = await source.history(name, interval, start_ms, end_ms)
    minutes = await source.history(name, Interval.MINUTE, start_ms, end_ms)
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    expected = minutes.groupby(minutes.index.floor(f"{interval.ms}ms")).agg(rules)  # type: ignore[attr-defined]
    prices = ["open", "high", "low", "close"]
    assert np.abs(long[prices] / expected[prices] - 1).max().max() < 0.003
    assert long["volume"].sum() == pytest.approx(expected["volume"].sum(), rel=0.15)


async def test_history_does_not_depend_on_the_range_asked_for() -> None:
    source = provider(1, 2, clock=Clock(OPEN_MS + DAY_MS))
    name = source_names(source)[0]
    for interval in Interval:
        whole = await source.history(name, interval, 0, OPEN_MS)
        some = whole.iloc[-700:-300]
        start_ms = some.index[0].value // 10**6
        again = await source.history(
            name, interval, start_ms - 1, some.index[-1].value // 10**6 + 1
        )
        pd.testing.assert_frame_equal(again, some, check_freq=False)


async def test_a_trade_at_a_bars_end_is_in_the_next() -> None:
    source = provider(1, 1, clock=Clock(OPEN_MS + DAY_MS))
    market = source.market
    cells = np.arange(OPEN_MS // market.cell_ms, (OPEN_MS + 4 * HOUR_MS) // market.cell_ms)
    times = market.arrivals(np.zeros(len(cells), np.intp), cells).times
    ends = times[(times % 1_000 == 0) & (times % market.cell_ms != 0)].tolist()
    assert ends
    for end in ends:
        name = source_names(source)[0]
        bars = await source.history(name, Interval.SECOND, end - 1_000, end)
        assert [time.value // 10**6 for time in bars.index] in ([], [end - 1_000])


async def test_an_unknown_symbol_has_no_history() -> None:
    with pytest.raises(UnknownSymbolError, match="NOPE! is not in the simulated market"):
        await provider().history("NOPE!", Interval.DAY, 0, OPEN_MS)


async def test_instruments_say_that_they_are_simulated() -> None:
    source = provider(2)
    infos = await source.symbols()
    assert [info.symbol for info in infos] == ticker_names(2)
    assert {(info.label, info.zone, info.source) for info in infos} == {
        ("SIMULATED", ZONE, "simulated")
    }
    assert infos[0].name == f"Simulated {infos[0].symbol}"
    assert provider(seed=1).run == provider(seed=1).run != provider(seed=2).run


async def test_two_thousand_symbols_cost_little() -> None:
    clock = Clock()
    source = provider(2_000, 5, clock=clock)
    began_s = time.process_time()
    events = await streamed(source, clock, 3_000)
    cost = (time.process_time() - began_s) / 3
    prints = sum(isinstance(event, Trade) for event in events)
    # The first minutes of a session are more than three times as busy as a day on average.
    assert prints > 60_000
    assert cost / (prints / 3) * 10_000 < 0.25


async def test_a_thousand_minutes_are_told_quickly() -> None:
    source = provider(1, 1)
    name = source_names(source)[0]
    began_s = time.process_time()
    assert (
        len(await source.history(name, Interval.MINUTE, OPEN_MS - 1_000 * MINUTE_MS, OPEN_MS))
        == 1_000
    )
    assert time.process_time() - began_s < 0.6
