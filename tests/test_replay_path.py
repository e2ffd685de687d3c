import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feed_server.protocol import Trade
from feed_server.providers.replay_path import (
    MIN_TRADES,
    SESSION_MS,
    PathBar,
    decimals_of,
    trade_path,
)

START_MS = 1_338_557_400_000  # 2012-06-01 09:30 in New York
MINUTE_MS = 60_000


def session(volume: float = 18_606_700, start_ms: int = START_MS) -> PathBar:
    """AAPL on 2012-06-01."""
    return PathBar(569.16, 572.65, 560.52, 560.99, volume, start_ms, start_ms + SESSION_MS)


def total(trades: list[Trade]) -> Decimal:
    return sum((Decimal(repr(trade.size)) for trade in trades), Decimal(0))


def digits(value: float) -> int:
    return max(0, -int(Decimal(repr(value)).normalize().as_tuple().exponent))


@st.composite
def bars(draw: st.DrawFn) -> PathBar:
    decimals = draw(st.integers(0, 10))
    ticks = draw(st.lists(st.integers(1, 10**9), min_size=4, max_size=4))
    low, open_, high, close = (tick / 10**decimals for tick in ticks)
    low, high = min(low, open_, high, close), max(low, open_, high, close)
    volume = draw(st.integers(0, 10**15)) / 10 ** draw(st.sampled_from([0, 0, 1, 3, 8]))
    start_ms = draw(st.integers(-(10**12), 10**13))
    length_ms = draw(st.integers(MIN_TRADES, 3 * SESSION_MS) | st.integers(MIN_TRADES, 9))
    return PathBar(open_, high, low, close, volume, start_ms, start_ms + length_ms)


@given(bars())
@example(session(volume=123_456_789.12345679))
def test_any_bar_is_reproduced_exactly(bar: PathBar) -> None:
    trades = trade_path("IBM", bar)
    prices = [trade.price for trade in trades]
    assert (prices[0], max(prices), min(prices), prices[-1]) == bar[:4]
    assert total(trades) == Decimal(repr(bar.volume))
    assert all(trade.size >= 0 for trade in trades)


@given(bars())
def test_times_rise_strictly_from_the_start_of_the_bar_to_its_last_millisecond(
    bar: PathBar,
) -> None:
    times = [trade.time_ms for trade in trade_path("IBM", bar)]
    assert times[0] == bar.start_ms
    assert times[-1] == bar.end_ms - 1
    assert all(earlier < later for earlier, later in pairwise(times))


@given(bars())
def test_prices_have_no_more_digits_than_the_bars_own(bar: PathBar) -> None:
    most = max(2, *map(digits, bar[:4]))
    assert max(digits(trade.price) for trade in trade_path("IBM", bar)) <= most


def test_a_bar_finer_than_eight_digits_is_not_left_by_rounding() -> None:
    bar = session()._replace(
        open=0.1234567892, high=0.1234567894, low=0.1234567891, close=0.1234567893
    )
    prices = [trade.price for trade in trade_path("AAPL", bar)]
    assert (min(prices), max(prices)) == (bar.low, bar.high)


def test_the_same_day_is_always_the_same() -> None:
    assert trade_path("AAPL", session()) == trade_path("AAPL", session())


def test_symbols_and_days_differ() -> None:
    def shape(symbol: str, start_ms: int) -> list[float]:
        return [trade.price for trade in trade_path(symbol, session(start_ms=start_ms))]

    assert shape("AAPL", START_MS) != shape("IBM", START_MS)
    assert shape("AAPL", START_MS) != shape("AAPL", START_MS + 86_400_000)


def test_a_session_has_120_to_160_trades() -> None:
    counts = [len(trade_path(f"S{n}", session())) for n in range(200)]
    assert min(counts) >= 120
    assert max(counts) <= 160
    assert len(set(counts)) > 10


@pytest.mark.parametrize(
    ("length_ms", "least", "most"),
    [
        (1_000, MIN_TRADES, MIN_TRADES),
        (MINUTE_MS, MIN_TRADES, MIN_TRADES),
        (60 * MINUTE_MS, 18, 26),
        (7 * 24 * 60 * MINUTE_MS, 120, 160),
    ],
)
def test_a_shorter_bar_has_its_share_of_a_sessions_trades(
    length_ms: int, least: int, most: int
) -> None:
    bar = session()._replace(end_ms=START_MS + length_ms)
    assert least <= len(trade_path("AAPL", bar)) <= most


def test_a_session_is_busier_at_its_ends() -> None:
    trades = [trade for n in range(100) for trade in trade_path(f"S{n}", session())]
    hours = np.array([(trade.time_ms - START_MS) / 3_600_000 for trade in trades])
    sizes = np.array([trade.size for trade in trades])
    ends, middle = (hours < 1) | (hours > 5.5), (hours > 2.25) & (hours < 4.25)
    assert ends.sum() > 2 * middle.sum()
    assert sizes[ends].mean() > 2 * sizes[middle].mean()


def test_a_minute_bar_is_not_busier_at_its_ends() -> None:
    bar = session()._replace(end_ms=START_MS + MINUTE_MS)
    sizes = np.array([[t.size for t in trade_path(f"S{n}", bar)] for n in range(400)])
    assert sizes[:, [0, -1]].mean() < 1.2 * sizes[:, 1:-1].mean()


def test_the_price_moves_between_the_extremes_without_sticking_to_them() -> None:
    prices = [trade.price for n in range(100) for trade in trade_path(f"S{n}", session())]
    assert len(set(prices)) > 1000
    at_extremes = sum(price in (572.65, 560.52) for price in prices)
    assert at_extremes < 0.03 * len(prices)


@pytest.mark.parametrize(("close", "expected"), [(572.0, True), (561.0, False)])
def test_a_rising_day_mostly_sees_its_low_first(close: float, expected: bool) -> None:
    def low_first(symbol: str) -> bool:
        prices = [t.price for t in trade_path(symbol, session()._replace(open=566, close=close))]
        return prices.index(min(prices)) < prices.index(max(prices))

    as_expected = sum(low_first(f"S{n}") is expected for n in range(200))
    assert 120 < as_expected < 180


def test_sizes_are_round_lots_and_the_close_takes_the_odd_rest() -> None:
    *sizes, last = (trade.size for trade in trade_path("AAPL", session(volume=18_606_742)))
    assert all(size >= 100 and size % 100 == 0 for size in sizes)
    assert last % 100 == 42


@pytest.mark.parametrize(("volume", "least"), [(16_000, 100), (200, 1)])
def test_every_trade_has_a_lot_where_there_are_enough(volume: float, least: float) -> None:
    sizes = [trade.size for trade in trade_path("AAPL", session(volume=volume))]
    assert sum(sizes) == volume
    assert min(sizes) == least


@pytest.mark.parametrize("volume", [0, 1, 17])
def test_a_volume_below_the_number_of_trades_leaves_some_without_size(volume: float) -> None:
    sizes = [trade.size for trade in trade_path("AAPL", session(volume=volume))]
    assert math.fsum(sizes) == volume
    assert len(sizes) >= 120


def test_a_flat_bar_trades_at_one_price() -> None:
    bar = session()._replace(open=5.0, high=5.0, low=5.0, close=5.0)
    assert {trade.price for trade in trade_path("AAPL", bar)} == {5.0}


@pytest.mark.parametrize(
    ("prices", "decimals"),
    [
        ([5, 6], 2),
        ([13.94, 13.9], 2),
        ([28.695, 1], 3),
        ([438.1799], 4),
        ([0.00000001], 8),
        ([0.1 + 0.2], 8),
        ([123_456.12345], 5),
    ],
)
def test_decimals_are_the_most_digits_seen_between_2_and_8(
    prices: list[float], decimals: int
) -> None:
    assert decimals_of(np.array(prices, dtype=np.float64)) == decimals
