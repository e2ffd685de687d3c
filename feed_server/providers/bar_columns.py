"""Columns of trades put together into bars, as `feed_server.market.bars` does it one by one. Pure.

Bars are aligned to the epoch within a day, and are of the session's date in the zone for a day. A
late trade counts in the bar of its time; a bar opens with its first trade by time, of those at one
time the first to come, and closes with its last.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.market.session import SessionCalendar, daily_bar_start_ms
from feed_server.protocol import Interval
from feed_server.providers.base import BAR_COLUMNS

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

Starts = Callable[[Times], Times]
"""Tells of event times in which bars they are: where each of those starts, as in a frame."""

_DAY = timedelta(days=1)
_DAY_MS = Interval.DAY.ms
_EXACT = 2.0**53


class Span(NamedTuple):
    """Event times from ``first_ms`` to before ``last_ms``: whole bars."""

    first_ms: int
    last_ms: int


class Pieces(NamedTuple):
    """Trades, or bars that each lie within one wanted bar, in the order in which they came.

    Attributes:
        times: Event times, shape ``(n,)``, UTC epoch milliseconds.
        prices: Open, high, low and close, shape ``(n, 4)``.
        sizes: Shape ``(n,)``.
    """

    times: Times
    prices: Values
    sizes: Values

    def at(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Pieces":
        """Return some of them."""
        return Pieces(self.times[rows], self.prices[rows], self.sizes[rows])


def trade_pieces(times: Times, prices: Values, sizes: Values) -> Pieces:
    """Return trades as pieces."""
    return Pieces(times, np.repeat(prices[:, np.newaxis], 4, axis=1), sizes)


def bar_starts(interval: Interval, zone: str) -> Starts:
    """Return what tells of event times, in any order, where their bars start."""
    if interval is not Interval.DAY:
        return lambda times: times - times % interval.ms
    calendar = SessionCalendar(zone)

    def starts(times: Times) -> Times:
        first = calendar.date_of(int(times.min()))
        last = calendar.date_of(int(times.max()))
        days = [first + timedelta(n) for n in range((last - first).days + 1)]
        begins = np.array([calendar.bounds_ms(day)[0] for day in days])
        labels = np.array([daily_bar_start_ms(day) for day in days])
        found: Times = labels[np.searchsorted(begins, times, side="right") - 1]
        return found

    return starts


def whole_bars(
    interval: Interval, zone: str, asked: Span, told_from_ms: int, reached_ms: int
) -> Span:
    """Return the event times of the bars asked for that have ended.

    Args:
        interval: Length of the bars.
        zone: By which sessions are dated.
        asked: Where bars start.
        told_from_ms: No trade is older than this.
        reached_ms: How far the market's clock is.
    """
    first_ms = max(asked.first_ms, told_from_ms - 2 * _DAY_MS)
    last_ms = min(asked.last_ms, reached_ms + 2 * _DAY_MS)
    if interval is not Interval.DAY:
        begin_ms, end_ms = _up(first_ms, interval.ms), _up(last_ms, interval.ms)
        return Span(begin_ms, min(end_ms, reached_ms - reached_ms % interval.ms))
    calendar = SessionCalendar(zone)
    running = calendar.date_of(reached_ms)
    first = calendar.bounds_ms(_date_at(_up(first_ms, _DAY_MS)))[0]
    return Span(first, calendar.bounds_ms(min(_date_at(_up(last_ms, _DAY_MS)), running))[0])


def newest_bars(newest_first: Iterable[Pieces], starts_of: Starts, limit: int) -> pd.DataFrame:
    """Return bars as `Provider.history` does, and take no more pieces than their number needs.

    Args:
        newest_first: Pieces of which each lies before the one that is given before it.
        starts_of: See `bar_starts`.
        limit: Bars at most, the newest.
    """
    found: list[Pieces] = []
    count, oldest_ms = 0, None
    for pieces in newest_first:
        if not len(pieces.times):
            continue
        starts = np.unique(starts_of(pieces.times))
        count += len(starts) - (int(starts[-1]) == oldest_ms)
        oldest_ms = int(starts[0])
        found.append(pieces)
        # The oldest may lack what was not looked at; it is not among the newest ``limit``.
        if count > limit:
            break
    if not found:
        return bar_columns_frame(np.empty(0, np.int64), np.empty((0, 4)), np.empty(0))
    found.reverse()
    together = Pieces(
        np.concatenate([pieces.times for pieces in found]),
        np.concatenate([pieces.prices for pieces in found]),
        np.concatenate([pieces.sizes for pieces in found]),
    )
    return put_together(together, starts_of, limit)


def put_together(pieces: Pieces, starts_of: Starts, limit: int) -> pd.DataFrame:
    """Return the bars of one or more pieces as `Provider.history` does, the newest ``limit``."""
    if (np.diff(pieces.times) < 0).any():
        pieces = pieces.at(np.argsort(pieces.times, kind="stable"))
    starts = starts_of(pieces.times)
    edges = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))[-limit:]
    prices = pieces.prices[edges[0] :]
    firsts = edges - edges[0]
    lasts = np.append(firsts[1:], len(prices)) - 1
    columns = (
        prices[firsts, 0],
        np.maximum.reduceat(prices[:, 1], firsts),
        np.minimum.reduceat(prices[:, 2], firsts),
        prices[lasts, 3],
    )
    volumes = _sums(pieces.sizes[edges[0] :], firsts)
    return bar_columns_frame(starts[edges], np.column_stack(columns), volumes)


def bar_columns_frame(starts: Times, prices: Values, volumes: Values) -> pd.DataFrame:
    """Return columns as `Provider.history` does.

    Args:
        starts: Shape ``(n,)``, UTC epoch milliseconds.
        prices: Open, high, low and close, shape ``(n, 4)``.
        volumes: Shape ``(n,)``.
    """
    index = pd.DatetimeIndex(starts.astype("datetime64[ms]"), tz="UTC", name="time")
    return pd.DataFrame(np.column_stack([prices, volumes]), index, BAR_COLUMNS)


def _sums(sizes: Values, firsts: npt.NDArray[np.intp]) -> Values:
    """Add up without rounding on the way."""
    if np.array_equal(np.rint(sizes), sizes) and sizes.sum() < _EXACT:
        return np.add.reduceat(sizes, firsts)
    return np.array([math.fsum(part) for part in np.split(sizes, firsts[1:])])


def _up(time_ms: int, step_ms: int) -> int:
    return -(-time_ms // step_ms) * step_ms


def _date_at(time_ms: int) -> date:
    return datetime.fromtimestamp(time_ms / 1000, UTC).date()
