"""One series of bars from two: a vendor's history, and what the feed has built. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from feed_server.protocol import Bar, Interval

BAR = np.dtype(
    [
        ("start_ms", np.int64),
        ("open", np.float64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("volume", np.float64),
        ("final", np.bool_),
    ]
)
"""A bar in an array; the fields are `feed_server.protocol.Bar`'s."""

BarArray = NDArray[np.void]
"""Bars of one symbol and interval with elements of `BAR`, oldest first, no start twice."""

NO_BARS: BarArray = np.empty(0, BAR)

EARLIEST_SESSION_MS = 14 * 3_600_000
"""No session begins longer before 00:00 UTC of its date: the easternmost zone is UTC+14."""


def bar_array(bars: Sequence[Bar]) -> BarArray:
    """Return bars as an array."""
    rows = [(b.start_ms, b.open, b.high, b.low, b.close, b.volume, b.final) for b in bars]
    return np.array(rows, BAR)


def column_array(start_ms: Sequence[int], columns: Sequence[Sequence[float]]) -> BarArray:
    """Return final bars as an array.

    Args:
        start_ms: Where each begins, UTC epoch milliseconds, rising.
        columns: Open, high, low, close and volume.
    """
    bars = np.empty(len(start_ms), BAR)
    bars["start_ms"] = start_ms
    for name, column in zip(("open", "high", "low", "close", "volume"), columns, strict=True):
        bars[name] = column
    bars["final"] = True
    return bars


def between(bars: BarArray, start_ms: int, end_ms: int) -> BarArray:
    """Return the bars that begin in ``[start_ms, end_ms)``."""
    first, after = np.searchsorted(bars["start_ms"], (start_ms, end_ms))
    return bars[first:after]


def taken_over_ms(kept: BarArray, interval: Interval, since_ms: int) -> int | None:
    """Return from where on the feed's own bars count, and no vendor's.

    A bar that is still open is the feed's own, whatever it lacks: live data change it, and no
    vendor's answer does.

    Args:
        kept: The feed's own bars.
        interval: Their length.
        since_ms: Market time from which on all bars that there were are among them, and whole; 0
            where all count that there are.

    Returns:
        A time; None where the feed's bars count nowhere.
    """
    if since_ms <= 0:
        return int(kept["start_ms"][0]) if len(kept) else None
    whole_ms = since_ms + (EARLIEST_SESSION_MS if interval == Interval.DAY else 0)
    still_open = kept["start_ms"][~kept["final"]]
    return min(whole_ms, int(still_open[0])) if len(still_open) else whole_ms


def join(history: BarArray, kept: BarArray, from_ms: int | None) -> BarArray:
    """Return one series without a seam: each start is there once, and gaps stay gaps.

    Before ``from_ms`` a vendor's bar goes before one of ours that begins with it, for ours may lack
    trades; where the vendor has none, ours is used all the same. From there on only ours count.

    Args:
        history: The vendor's bars.
        kept: Ours.
        from_ms: See `taken_over_ms`.
    """
    if from_ms is not None:
        history = history[history["start_ms"] < from_ms]
    ours = kept[~np.isin(kept["start_ms"], history["start_ms"])]
    joined = np.concatenate([history, ours])
    return joined[np.argsort(joined["start_ms"], kind="stable")]
