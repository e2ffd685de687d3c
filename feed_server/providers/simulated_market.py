"""The simulated market: what every instrument trades at, at any time. Pure.

Nothing depends on what was asked before: prices, times and sizes follow from the seed, the
instrument's number and the time. So each process, and each answer, tells of the same market.

Trades come at random (a Poisson process) within cells of time, more of them where it is wild, and
at the session's ends: the market is open around the clock, its regular hours are busiest.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.providers.bar_columns import Times, Values
from feed_server.providers.simulated_noise import (
    Bits,
    Walk,
    draw,
    normals,
    salted,
    uniforms,
    walk,
    walks,
)

ZONE = "America/New_York"
TICK = 0.01
DECIMALS = 2
LOT = 100.0

TRADES_IN_CELL = 8.0
"""A cell is so short that it has at most so many trades on average."""

_CELLS_MS = (60_000, 30_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
_MOST_IN_CELL = 256

_DAY_MS = 86_400_000
_OPENS_MS, _CLOSES_MS = 34_200_000, 57_600_000
_QUIET, _BUSIER_AT_ENDS = 0.5, 1.6
_REGULAR = (_CLOSES_MS - _OPENS_MS) / _DAY_MS
_ON_AVERAGE = (1 - _REGULAR) * _QUIET + _REGULAR * (1 + _BUSIER_AT_ENDS / 3)

_BURSTS = (14, 17, 20)
"""Stretches of ``2**n`` milliseconds that are busy or not: 16 s, 2 minutes, 17 minutes."""

_BURST = 0.4

# What is drawn, beside the levels of the walk.
_ARRIVAL, _COUNT, _SIDE, _SIZE, _TRAITS, _BURSTING = 100, 101, 102, 103, 104, 110

Numbers = npt.NDArray[np.intp]


class Traits(NamedTuple):
    """What makes each instrument, shape ``(n,)`` each.

    Attributes:
        level: Price around which its own moves.
        volatility: Standard deviation of a year's logarithmic return.
        spread: Usual spread, as a share of the price.
        lots: Mean of the logarithm of a trade's round lots.
    """

    level: Values
    volatility: Values
    spread: Values
    lots: Values


class Arrivals(NamedTuple):
    """When trades come, in the order of their rows' cells.

    Attributes:
        rows: Which of the rows that were asked for, shape ``(n,)``.
        times: Event times, rising within each row.
        trade_ids: Rising with each instrument's trades.
    """

    rows: Numbers
    times: Times
    trade_ids: Times


class Prints(NamedTuple):
    """Trades and the best prices that they met, shape ``(n,)`` each."""

    prices: Values
    sizes: Values
    bids: Values
    asks: Values


class SimulatedMarket:
    """A market of so many instruments, numbered from 0.

    Args:
        symbols: How many.
        hz: Trades a second of each, on average over a day.
        seed: Which of all markets; the trades of one are others at another rate.

    Attributes:
        cell_ms: Length of the cells in which trades are drawn.
    """

    def __init__(self, symbols: int, hz: float, seed: int) -> None:
        origin = np.array([seed % 2**64], np.uint64)
        self.keys: Bits = draw(draw(origin, np.zeros(1, np.int64)), np.arange(symbols))
        self.hz = hz
        fitting = (cell for cell in _CELLS_MS if hz * cell / 1000 <= TRADES_IN_CELL)
        self.cell_ms = next(fitting, _CELLS_MS[-1])

    @cached_property
    def traits(self) -> Traits:
        """What makes each instrument."""
        level, volatility, spread, lots = (
            normals(draw(salted(self.keys, _TRAITS), np.full(len(self.keys), n))) for n in range(4)
        )
        return Traits(
            level=np.clip(np.exp(4.0 + 1.0 * level), 3.0, 900.0),
            volatility=0.3 * np.exp(0.35 * volatility),
            spread=2e-4 * np.exp(0.5 * spread),
            lots=0.4 + 0.4 * lots,
        )

    def arrivals(self, numbers: Numbers, cells: Times) -> Arrivals:
        """Return when each instrument trades in the cell beside it; both of shape ``(n,)``."""
        keys = self.keys[numbers]
        counts = _poisson(draw(salted(keys, _COUNT), cells), self.expected(keys, cells))
        rows = np.repeat(np.arange(len(numbers)), counts)
        ends = np.cumsum(counts)
        rank = np.arange(len(rows)) - np.repeat(ends - counts, counts)
        trade_ids = cells[rows] * _MOST_IN_CELL + rank
        within = uniforms(draw(salted(keys, _ARRIVAL)[rows], trade_ids)) * self.cell_ms
        times = cells[rows] * self.cell_ms + within.astype(np.int64)
        return Arrivals(rows, times[np.lexsort((times, rows))], trade_ids)

    def expected(self, keys: Bits, cells: Times) -> Values:
        """Return how many trades each key has on average in the cell beside it."""
        return self._busy(keys, cells * self.cell_ms) * (self.hz * self.cell_ms / 1000)

    def rates(self, number: int, times: Times) -> Values:
        """Return how many trades a second an instrument has on average at these times."""
        return self._busy(self.keys[number : number + 1], times) * self.hz

    def _busy(self, keys: Bits, times: Times) -> Values:
        busy = activity(times)
        for level in _BURSTS:
            bits = draw(salted(keys, _BURSTING + level), times >> level)
            busy *= np.where(bits >> np.uint64(63), 1 + _BURST, 1 - _BURST)
        return busy

    def prints(self, numbers: Numbers, times: Times, trade_ids: Times) -> Prints:
        """Return the trades of instruments at times; all of shape ``(n,)``."""
        return self._prints(numbers, walks(self.keys[numbers], times), trade_ids)

    def prints_of(self, number: int, times: Times, trade_ids: Times) -> Prints:
        """Return what `prints` does, for one instrument and rising times."""
        moved = walk(self.keys[number : number + 1], times)
        return self._prints(np.full(len(times), number), moved, trade_ids)

    def mid_prices(self, number: int, times: Times) -> Values:
        """Return one instrument's price at rising times, in whole ticks."""
        moved = walk(self.keys[number : number + 1], times)
        return _prices(np.rint(self._ticks(np.full(len(times), number), moved)))

    def mean_size(self, number: int) -> float:
        """Return the mean size of an instrument's trades."""
        drawn = normals(draw(np.zeros(1, np.uint64), np.arange(4096)))
        return float(_sizes(np.full(len(drawn), self.traits.lots[number]), drawn).mean())

    def _ticks(self, numbers: Numbers, moved: Walk) -> Values:
        traits = self.traits
        moves = np.exp(traits.volatility[numbers] * moved.heights)
        return np.asarray(traits.level[numbers] * moves / TICK, dtype=np.float64)

    def _prints(self, numbers: Numbers, moved: Walk, trade_ids: Times) -> Prints:
        keys, traits = self.keys[numbers], self.traits
        ticks = self._ticks(numbers, moved)
        usual = ticks * traits.spread[numbers] * np.clip(moved.wildness, 0.5, 4.0)
        spread = np.maximum(1.0, np.rint(usual))
        bid = np.maximum(1.0, np.rint(ticks - spread / 2))
        # Most trades meet a quote, some lie between the best prices where there is room.
        place = np.floor(uniforms(draw(salted(keys, _SIDE), trade_ids)) * 8.0)
        between = np.floor(spread / 2)
        paid = np.where(place < 3, 0.0, np.where(place < 5, between, spread))
        sizes = _sizes(traits.lots[numbers], normals(draw(salted(keys, _SIZE), trade_ids)))
        return Prints(_prices(bid + paid), sizes, _prices(bid), _prices(bid + spread))


def activity(times: Times) -> Values:
    """Return how much is traded at these times, 1 on average over a day."""
    utc = pd.DatetimeIndex(times.astype("datetime64[ms]"), tz="UTC")
    local = utc.tz_convert(ZONE).tz_localize(None).as_unit("ms").asi8 % _DAY_MS
    progress = (local - _OPENS_MS) / (_CLOSES_MS - _OPENS_MS)
    regular = 1.0 + _BUSIER_AT_ENDS * (2.0 * progress - 1.0) ** 2
    is_open = (progress >= 0.0) & (progress < 1.0)
    return np.asarray(np.where(is_open, regular, _QUIET) / _ON_AVERAGE, dtype=np.float64)


def _poisson(bits: Bits, means: Values) -> npt.NDArray[np.int64]:
    """Return numbers with these means, by the inverse of the distribution."""
    drawn = uniforms(bits)
    counts = np.zeros(len(drawn), np.int64)
    share = np.exp(-means)
    reached = share.copy()
    for count in range(1, _MOST_IN_CELL):
        more = drawn > reached
        if not more.any():
            break
        counts += more
        share *= means / count
        reached += share
    return counts


def _sizes(lots: Values, drawn: Values) -> Values:
    return LOT * np.maximum(1.0, np.rint(np.exp(lots + 0.9 * drawn)))


def _prices(ticks: Values) -> Values:
    """Return ticks as the decimal numbers that they are."""
    return ticks / round(1 / TICK)
