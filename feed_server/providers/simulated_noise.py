"""Randomness that depends on nothing but where one looks: the same in every process. Pure.

A random walk is a sum over levels: a level's tent stands on each stretch of ``2**level``
milliseconds, as high as a random number that the stretch itself gives. So are Brownian motions
built (P. Lévy's construction); here any moment of it can be computed without those before.

The tents' heights are scaled by what is drawn for the longer stretches that they lie in, which are
calm or wild: so volatility comes in clusters of all lengths (a binary cascade, as in L. Calvet, A.
Fisher, "Regime-switching and the estimation of multifractal processes", 2004).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feed_server.providers.bar_columns import Times, Values

Bits = npt.NDArray[np.uint64]

TOP_LEVEL = 37
"""Stretches of 4.4 years: where one ends, the walk is back at 0."""

BOTTOM_LEVEL = 8
"""Within a quarter of a second the walk is straight."""

_CASCADE = range(14, 32)
"""From 16 seconds to 25 days: how long it is calm or wild."""

_CALM, _WILD = math.sqrt(0.65), math.sqrt(1.35)
_YEAR_MS = 365.25 * 86_400_000
_HEIGHTS = {level: math.sqrt(2.0**level / _YEAR_MS) / 2 for level in range(TOP_LEVEL + 1)}

_WORD = 2**64
_GOLDEN = 0x9E3779B97F4A7C15
_LOW_21_BITS = np.uint64(2**21 - 1)


class Walk(NamedTuple):
    """A random walk at some moments.

    Attributes:
        heights: Shape ``(n,)``; of variance 1 for each year that lies between two moments.
        wildness: How much it moves at that moment, 1 on average; shape ``(n,)``.
    """

    heights: Values
    wildness: Values


def salted(keys: Bits, purpose: int) -> Bits:
    """Return keys for another purpose, whose bits have nothing in common with others'."""
    return keys + np.uint64((purpose + 1) * 0xD1342543DE82EF95 % _WORD)


def draw(keys: Bits, index: Times) -> Bits:
    """Return random bits of each key at each index (the mixing of SplitMix64)."""
    bits = keys + index.astype(np.uint64) * np.uint64(_GOLDEN)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def uniforms(bits: Bits) -> Values:
    """Return numbers from 0 to below 1, of the upper 53 bits."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normals(bits: Bits) -> Values:
    """Return numbers of mean 0 and variance 1, between -3 and 3, of the upper 63 bits.

    Sums of three even ones: unlike logarithms, they are the same on every processor.
    """
    summed = (bits >> np.uint64(43)) + (bits >> np.uint64(22) & _LOW_21_BITS)
    summed += bits >> np.uint64(1) & _LOW_21_BITS
    return summed.astype(np.float64) * 2.0**-20 - 3.0


def walks(keys: Bits, times: Times) -> Walk:
    """Return where the walk of each key is at the time beside it; both of shape ``(n,)``."""
    heights, wildness = np.zeros(len(times)), np.ones(len(times))
    for level in range(TOP_LEVEL, BOTTOM_LEVEL - 1, -1):
        tents = _tents(keys, times >> level, level, wildness)
        heights += tents * _slope(times, level)
    return Walk(heights, wildness)


def walk(key: Bits, times: Times) -> Walk:
    """Return what `walks` does, to the last bit, for one key: tents that many share are made once.

    Args:
        key: Shape ``(1,)``.
        times: Shape ``(n,)``, rising.
    """
    heights = np.zeros(len(times))
    first, last = int(times[0]) >> TOP_LEVEL, int(times[-1]) >> TOP_LEVEL
    wildness = np.ones(last - first + 1)
    for level in range(TOP_LEVEL, BOTTOM_LEVEL - 1, -1):
        first, last = int(times[0]) >> level, int(times[-1]) >> level
        if last - first >= len(times):
            return _walk_on(key, times, level, Walk(heights, wildness))
        index = np.arange(first, last + 1)
        if level < TOP_LEVEL:
            wildness = wildness[(index >> 1) - (first >> 1)]
        tents = _tents(key, index, level, wildness)
        heights += tents[(times >> level) - first] * _slope(times, level)
    return Walk(heights, wildness[(times >> BOTTOM_LEVEL) - first])


def _walk_on(key: Bits, times: Times, from_level: int, so_far: Walk) -> Walk:
    """Go on with `walk` where there are more tents than times."""
    above = times >> (from_level + 1)
    heights = so_far.heights
    wildness = so_far.wildness[above - above[0]]
    for level in range(from_level, BOTTOM_LEVEL - 1, -1):
        tents = _tents(key, times >> level, level, wildness)
        heights += tents * _slope(times, level)
    return Walk(heights, wildness)


def _tents(keys: Bits, index: Times, level: int, wildness: Values) -> Values:
    """Return the tents' heights; the wildness becomes that of this level."""
    bits = draw(salted(keys, level), index)
    if level in _CASCADE:
        wildness *= np.where(bits & np.uint64(1), _WILD, _CALM)
    return normals(bits) * wildness * _HEIGHTS[level]


def _slope(times: Times, level: int) -> Values:
    """Return how high tents of height 1 are at these times."""
    half = 1 << (level - 1)
    within = times & ((1 << level) - 1)
    rising = half - np.abs(within - half)
    return np.asarray(rising.astype(np.float64) * (1.0 / half), dtype=np.float64)
