"""Trades that make up one bar: a pure function of the symbol and the bar.

The trades reproduce the bar exactly: the first is its open, the last its close, the highest and
lowest its extremes, their sizes its volume. Between these the price follows Brownian bridges.
Over a session, trading is denser and larger towards both ends, as it is in real markets. The random
numbers are seeded by the symbol and the bar's start, so the same bar always gives the same trades.
"""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from feed_server.protocol import Trade
from feed_server.providers.bar_columns import Times, Values

SESSION_MS = 23_400_000
"""A regular session of the New York exchanges: 6.5 hours."""

MIN_TRADES = 4
_TRADES_PER_SESSION = 140
_LEAST, _MOST = 0.86, 1.14
_ROUND_LOT = 100
_WITH_TREND = 0.75


class PathBar(NamedTuple):
    """What the trades have to reproduce.

    Attributes:
        open: First price.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Shares or units traded, below 2**53.
        start_ms: The first trade's time.
        end_ms: Where the bar ends; every trade is before it. At least 4 ms after the start.
    """

    open: float
    high: float
    low: float
    close: float
    volume: float
    start_ms: int
    end_ms: int


def trade_path(symbol: str, bar: PathBar) -> list[Trade]:
    """Return the trades of one bar, each later than the one before.

    A session has about 140 trades, a shorter bar as many as its share of a session, at least 4.
    """
    columns = zip(*(column.tolist() for column in path_columns(symbol, bar)), strict=True)
    return [Trade(symbol, time_ms, price, size) for time_ms, price, size in columns]


def path_columns(symbol: str, bar: PathBar) -> tuple[Times, Values, Values]:
    """Return times, prices and sizes of the trades of `trade_path`, each of shape ``(n,)``."""
    rng = _generator(symbol, bar.start_ms)
    length_ms = bar.end_ms - bar.start_ms
    count = _count(rng, length_ms)
    # Midday is 5 times quieter than the ends of a session; within a minute nothing is.
    busier_at_ends = 4.0 * _session_share(length_ms)
    times = _times(rng, bar, count, busier_at_ends)
    progress = (times - bar.start_ms) / length_ms
    prices = _prices(rng, bar, progress)
    return times, prices, _sizes(rng, bar.volume, _activity(progress, busier_at_ends))


def path_length(symbol: str, start_ms: int, end_ms: int) -> int:
    """Return how many trades `trade_path` makes of a bar, without making them."""
    length_ms = end_ms - start_ms
    if _TRADES_PER_SESSION * _session_share(length_ms) * _MOST <= MIN_TRADES:
        return MIN_TRADES
    return _count(_generator(symbol, start_ms), length_ms)


def _generator(symbol: str, start_ms: int) -> np.random.Generator:
    return np.random.default_rng([start_ms % 2**64, *symbol.encode()])


def _session_share(length_ms: int) -> float:
    return min(1.0, length_ms / SESSION_MS)


def _count(rng: np.random.Generator, length_ms: int) -> int:
    drawn = _TRADES_PER_SESSION * _session_share(length_ms) * rng.uniform(_LEAST, _MOST)
    return max(MIN_TRADES, round(drawn))


def decimals_of(prices: Values) -> int:
    """Return the most digits after the point in any of the prices, between 2 and 8."""
    return next((d for d in range(2, 8) if np.array_equal(np.round(prices, d), prices)), 8)


def _activity(progress: Values, busier_at_ends: float) -> Values:
    return 1.0 + busier_at_ends * (2.0 * progress - 1.0) ** 2


def _times(rng: np.random.Generator, bar: PathBar, count: int, busier_at_ends: float) -> Times:
    """Draw times from the density `_activity`, by the inverse of its integral."""
    grid = np.linspace(0.0, 1.0, 257)
    integral = grid + busier_at_ends * ((2.0 * grid - 1.0) ** 3 + 1.0) / 6.0
    drawn = np.interp(np.sort(rng.random(count)), integral / integral[-1], grid)
    # Without its rank each time may equal its neighbour's; with it, it is at least 1 ms later.
    rank = np.arange(count)
    times = bar.start_ms + (drawn * (bar.end_ms - bar.start_ms)).astype(np.int64) - rank
    times[0] = bar.start_ms
    times[-1] = bar.end_ms - count
    times = np.minimum(np.maximum.accumulate(times), bar.end_ms - count)
    return times + rank


def _prices(rng: np.random.Generator, bar: PathBar, progress: Values) -> Values:
    """Walk from the open over one extreme and the other to the close."""
    count = len(progress)
    with_trend = rng.random() < _WITH_TREND
    low_first = (bar.close >= bar.open) == with_trend
    extremes = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    between = np.sort(rng.choice(np.arange(1, count - 1), 2, replace=False))
    knots = np.array([0, *between, count - 1])
    anchors = np.array([bar.open, *extremes, bar.close])
    walk = np.cumsum(rng.standard_normal(count) * np.sqrt(np.diff(progress, prepend=0.0)))
    bridge = walk - np.interp(progress, progress[knots], walk[knots])
    prices = np.interp(progress, progress[knots], anchors) + 0.4 * (bar.high - bar.low) * bridge
    prices = bar.high - np.abs(bar.high - prices)
    prices = bar.low + np.abs(prices - bar.low)
    decimals = decimals_of(np.array([bar.open, bar.high, bar.low, bar.close]))
    path: Values = np.clip(np.round(prices, decimals), bar.low, bar.high)
    path[knots] = anchors
    return path


def _sizes(rng: np.random.Generator, volume: float, activity: Values) -> Values:
    """Split the volume, in round lots where there are enough of them.

    The shares are counted in the volume's last decimal, so that they add up exactly.
    """
    digits = max(0, -int(Decimal(repr(volume)).normalize().as_tuple().exponent))
    total = int(Decimal(repr(volume)).scaleb(digits))
    count = len(activity)
    lot = _ROUND_LOT if total >= _ROUND_LOT * count else 1
    lots, odd = divmod(total, lot)
    weights = activity * rng.lognormal(0.0, 0.8, count)
    # Opening and closing auctions; negligible on bars much shorter than a session.
    weights[[0, -1]] *= activity[[0, -1]]
    each = 1 if lots >= count else 0
    sizes = lot * (each + _shares(lots - each * count, weights))
    sizes[-1] += odd
    return np.asarray(sizes / 10.0**digits, dtype=np.float64)


def _shares(total: int, weights: Values) -> Times:
    """Split a whole number in proportion to the weights, without a remainder."""
    reached = np.cumsum(weights)
    edges = np.rint(reached / reached[-1] * total).astype(np.int64)
    edges[-1] = total
    shares: Times = np.diff(edges, prepend=0)
    return shares
