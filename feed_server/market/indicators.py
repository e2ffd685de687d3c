"""Indicators of one symbol's bars, as they form: see `Line` for how. Pure."""

from bisect import bisect_left
from math import nan

import numpy as np
from numpy.typing import NDArray

from feed_server.market.history_join import BarArray
from feed_server.market.indicator_columns import Columns
from feed_server.market.indicator_line import COLUMNS, Line, Table, Values, listed, numbers_of
from feed_server.market.indicator_spec import IndicatorSpec
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar

MAX_BARS = 5_000
"""Final bars kept with their values; the indicators remember what came before them."""

SLACK = 1_000
"""So many more may be kept: they are dropped together, not one by one."""

MAX_NUMBER = 1e100
"""A bar with larger numbers, or none, is left out: sums and squares of them would overflow."""


class Series:
    """Final bars of one symbol and interval, those after them that are open, and indicators.

    Bars that cannot be computed with, see `MAX_NUMBER`, are left out, and have no values.

    Args:
        calendar: Dates the symbol's sessions.
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._bars = Columns(len(COLUMNS))
        self._starts: list[int] = []
        self._open: list[Bar] = []
        self._lines: dict[str, Line] = {}
        self._version = 0

    def __len__(self) -> int:
        """Return how many final bars are kept."""
        return len(self._starts)

    @property
    def start_ms(self) -> int | None:
        """Where the first final bar begins."""
        return self._starts[0] if self._starts else None

    @property
    def indicators(self) -> list[str]:
        """The canonical texts of the indicators that are followed."""
        return list(self._lines)

    def load(self, bars: BarArray) -> None:
        """Begin anew with the final ones of these bars; indicators begin at the first of them."""
        final = bars[bars["final"] & _usable(bars)]
        self._bars.fill(_table(final))
        self._starts = final["start_ms"].tolist()
        self._open = []
        self._version += 1
        for line in self._lines.values():
            line.open(self._bars.table)

    def take(self, bar: Bar) -> None:
        """Take the next final bar, or the state of one that is open."""
        if bar.final:
            self.close(bar)
        else:
            self.update(bar)

    def close(self, bar: Bar) -> None:
        """Take the next final bar; one that was taken before is left out."""
        if not _is_usable(bar) or (self._starts and bar.start_ms <= self._starts[-1]):
            return
        self._open = [other for other in self._open if other.start_ms > bar.start_ms]
        self._version += 1
        row = numbers_of(bar)
        self._bars.append(row)
        self._starts.append(bar.start_ms)
        for line in self._lines.values():
            line.close(self._bars.table, row)
        if len(self._starts) > MAX_BARS + SLACK:
            self._drop(len(self._starts) - MAX_BARS)

    def update(self, bar: Bar) -> None:
        """Take the state of a bar that is open: a new one, or one that has changed."""
        if not _is_usable(bar) or (self._starts and bar.start_ms <= self._starts[-1]):
            return
        place = bisect_left(self._open, bar.start_ms, key=lambda other: other.start_ms)
        known = [one for one in self._open[place : place + 1] if one.start_ms == bar.start_ms]
        if known == [bar]:
            return
        self._open[place : place + len(known)] = [bar]
        self._version += 1

    def values(self, spec: IndicatorSpec, bar: Bar) -> Values:
        """Return an indicator's values at a bar, `None` where it has none (yet).

        Of an open bar there are those of its present state only.
        """
        if bar.final:
            at = bisect_left(self._starts, bar.start_ms)
            if at < len(self._starts) and self._starts[at] == bar.start_ms:
                return listed(self.follow(spec).values.table[:, at].tolist())
        else:
            for place, known in enumerate(self._open):
                if known is bar or known == bar:
                    return self._look(spec, place)
        return [None] * len(spec.outputs)

    def columns(self, spec: IndicatorSpec, bars: BarArray) -> Table:
        """Return an indicator's values at some bars, oldest first: a row for each output.

        Those at bars that are in the series are the series' own; those at others, such as older
        ones, or one in a state that the series has not heard of yet, are computed over the bars
        given, with those of the series before them. NaN stands where there is none.
        """
        at = np.searchsorted(self._starts, bars["start_ms"])
        held = np.array([*self._starts, -1], dtype=np.int64)
        final = bars["final"] & (held[at] == bars["start_ms"])
        opens = {tuple(numbers_of(bar)): place for place, bar in enumerate(self._open)}
        looks = {
            place: opens[row]
            for place, row in enumerate(bars[list(COLUMNS)].tolist())
            if not final[place] and row in opens
        }
        if final.sum() + len(looks) == len(bars):
            table = np.full((len(spec.outputs), len(bars)), nan)
        else:
            table = self._anew(spec, bars)
        table[:, final] = self.follow(spec).values.table[:, at[final]]
        for place, known in looks.items():
            table[:, place] = np.array(self._look(spec, known), dtype=np.float64)
        return table

    def _anew(self, spec: IndicatorSpec, bars: BarArray) -> Table:
        """Return an indicator's values at some bars as they would be if the series had them."""
        before = self._bars.table[:, : bisect_left(self._starts, int(bars["start_ms"][0]))]
        table = computed(spec, bars, self._calendar, before)
        # What adds up from the first goes on from there, though that has been dropped.
        later = _usable(bars) & (bars["start_ms"] > (self._starts[-1] if self._starts else -1))
        values = self.follow(spec).after(_table(bars[later]))
        if values is not None:
            table[:, later] = values
        return table

    def follow(self, spec: IndicatorSpec) -> "Line":
        """Compute an indicator from now on; return it."""
        line = self._lines.get(spec.text)
        if line is None:
            line = self._lines[spec.text] = Line(spec, self._calendar)
            line.open(self._bars.table)
        return line

    def forget(self, text: str) -> None:
        """Follow an indicator no longer."""
        self._lines.pop(text, None)

    def _look(self, spec: IndicatorSpec, place: int) -> Values:
        return self.follow(spec).look(self._bars.table, self._open, place, self._version)

    def _drop(self, count: int) -> None:
        self._bars.drop(count)
        del self._starts[:count]
        for line in self._lines.values():
            line.values.drop(count)


def computed(
    spec: IndicatorSpec, bars: BarArray, calendar: SessionCalendar, before: Table | None = None
) -> Table:
    """Return an indicator's values over some bars, oldest first, as if all were final.

    Args:
        spec: The indicator.
        bars: The bars.
        calendar: Dates the symbol's sessions.
        before: Bars before them, a row for each of `COLUMNS`; their values are not returned.

    Returns:
        A row for each output, NaN where there is no value.
    """
    usable = _usable(bars)
    given = _table(bars[usable])
    line = Line(spec, calendar)
    line.open(given if before is None else np.concatenate([before, given], axis=1))
    table = np.full((len(spec.outputs), len(bars)), nan)
    table[:, usable] = line.values.table[:, -given.shape[1] :] if given.shape[1] else nan
    return table


def named(spec: IndicatorSpec, table: Table) -> dict[str, Values]:
    """Return an indicator's values by output, `None` where there is none."""
    return dict(zip(spec.outputs, map(listed, table.tolist()), strict=True))


def _usable(bars: BarArray) -> NDArray[np.bool_]:
    numbers = np.array([bars[name] for name in COLUMNS[1:]])
    usable: NDArray[np.bool_] = (np.abs(numbers) <= MAX_NUMBER).all(axis=0)
    return usable


def _table(bars: BarArray) -> Table:
    return np.array([bars[name] for name in COLUMNS], dtype=np.float64)


def _is_usable(bar: Bar) -> bool:
    numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    # It is not so for NaN.
    return all(abs(number) <= MAX_NUMBER for number in numbers)
