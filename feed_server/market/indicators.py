"""Indicators of one symbol's bars, as they form. Pure.

Each indicator is a stream of TA-Lib: a handle that has taken every final bar of the series. So a
final bar costs one step, and an open bar a look at what the step would give, however long the
series is; both are what TA-Lib gives over the whole series. A bar that has ended but may still be
amended is open, too: what comes after it is looked at from a copy that has taken it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import isfinite, nan

import numpy as np
import numpy.typing as npt
import talib

from feed_server.market.indicator_columns import Columns
from feed_server.market.indicator_functions import Handle, Value, opener, whole
from feed_server.market.indicator_spec import IndicatorSpec
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar

Table = npt.NDArray[np.float64]
Values = list[float | None]

COLUMNS = ("start_ms", "open", "high", "low", "close", "volume")

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
    def indicators(self) -> list[str]:
        """The canonical texts of the indicators that are followed."""
        return list(self._lines)

    def load(self, bars: Iterable[Bar]) -> None:
        """Begin anew with these bars, oldest first; indicators begin at the first of them."""
        kept = [bar for bar in bars if _is_usable(bar)]
        final = [bar for bar in kept if bar.final]
        self._bars.fill(_table(final))
        self._starts = [bar.start_ms for bar in final]
        self._open = []
        self._version += 1
        for line in self._lines.values():
            line.open(self._bars.table)
        for bar in kept[len(final) :]:
            self.update(bar)

    def close(self, bar: Bar) -> None:
        """Take the next final bar; one that was taken before is left out."""
        if not _is_usable(bar) or (self._starts and bar.start_ms <= self._starts[-1]):
            return
        self._open = [other for other in self._open if other.start_ms > bar.start_ms]
        self._version += 1
        row = _row(bar)
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
        known = place < len(self._open) and self._open[place].start_ms == bar.start_ms
        self._open[place : place + known] = [bar]
        self._version += 1

    def values(self, spec: IndicatorSpec, bar: Bar) -> Values:
        """Return an indicator's values at a bar, `None` where it has none (yet).

        A bar that is not, or no longer, in this state in the series has none.
        """
        if bar.final:
            at = bisect_left(self._starts, bar.start_ms)
            if at == len(self._starts) or _row(bar) != self._bars.table[:, at].tolist():
                return [None] * len(spec.outputs)
            return _listed(self._line(spec).values.table[:, at].tolist())
        for place, known in enumerate(self._open):
            if known is bar or known == bar:
                return self._line(spec).look(self._bars.table, self._open, place, self._version)
        return [None] * len(spec.outputs)

    def forget(self, text: str) -> None:
        """Follow an indicator no longer."""
        self._lines.pop(text, None)

    def _line(self, spec: IndicatorSpec) -> "Line":
        line = self._lines.get(spec.text)
        if line is None:
            line = self._lines[spec.text] = Line(spec, self._calendar)
            line.open(self._bars.table)
        return line

    def _drop(self, count: int) -> None:
        self._bars.drop(count)
        del self._starts[:count]
        for line in self._lines.values():
            line.values.drop(count)


class Line:
    """One indicator along a series.

    Attributes:
        values: At each final bar that is kept, a column for each output.
    """

    def __init__(self, spec: IndicatorSpec, calendar: SessionCalendar) -> None:
        self.values = Columns(len(spec.outputs))
        self._spec = spec
        self._inputs = [COLUMNS.index(name) for name in spec.inputs]
        self._opener = opener(spec.name, calendar)
        self._handle: Handle | None = None
        self._copies: list[tuple[Bar, Handle]] = []
        self._seen: dict[int, tuple[int, Values]] = {}

    def open(self, bars: Table) -> None:
        """Begin with these final bars."""
        self._copies, self._seen = [], {}
        self._handle, values = self._compute(bars)
        self.values.fill(values)

    def close(self, bars: Table, row: Sequence[float]) -> None:
        """Take a final bar, the last of ``bars``."""
        if self._handle is None:
            self.open(bars)
            return
        self._copies, self._seen = [], {}
        self.values.append(_outputs(self._handle.update(*[row[i] for i in self._inputs])))

    def look(self, bars: Table, open_bars: Sequence[Bar], place: int, version: int) -> Values:
        """Return the values at an open bar.

        Args:
            bars: The final ones.
            open_bars: All that are open, oldest first.
            place: Which of them.
            version: Another number means that bars have changed.
        """
        start_ms = open_bars[place].start_ms
        seen = self._seen.get(start_ms)
        if seen is not None and seen[0] == version:
            return seen[1]
        if self._handle is None:
            table = np.concatenate([bars, _table(open_bars[: place + 1])], axis=1)
            values = _listed(self._compute(table)[1][:, -1].tolist())
        else:
            handle = self._after(self._handle, open_bars[:place])
            row = _row(open_bars[place])
            values = _listed(_outputs(handle.peek(*[row[i] for i in self._inputs])))
        self._seen[start_ms] = version, values
        return values

    def _after(self, handle: Handle, ended: Sequence[Bar]) -> Handle:
        """Return a handle that has taken bars that are not final yet."""
        for place, bar in enumerate(ended):
            if place < len(self._copies) and self._copies[place][0] is bar:
                handle = self._copies[place][1]
                continue
            del self._copies[place:]
            row = _row(bar)
            handle = handle.copy()
            handle.update(*[row[i] for i in self._inputs])
            self._copies.append((bar, handle))
        return handle

    def _compute(self, bars: Table) -> tuple[Handle | None, Table]:
        """Return a handle that has taken these bars, if they are enough for it, and the values."""
        spec = self._spec
        length = bars.shape[1]
        if length <= spec.lookback:
            return None, np.full((len(spec.outputs), length), nan)
        columns = [bars[i] for i in self._inputs]
        handle: Handle | None
        try:
            handle, found = self._opener(*columns, *spec.values)
        except talib.InsufficientHistory:  # type: ignore[attr-defined]
            # Some have values before there is enough to go on from.
            handle, found = None, whole(spec.name)(*columns, *spec.values)
        values = np.array(found if isinstance(found, tuple) else [found], dtype=np.float64)
        # Where there is none, those that count in whole numbers have 0.
        values[:, : spec.lookback] = nan
        return handle, values


def columns(
    specs: Iterable[IndicatorSpec], bars: Sequence[Bar], calendar: SessionCalendar
) -> dict[str, dict[str, Values]]:
    """Return indicators over some bars, oldest first, as if all were final.

    Returns:
        By canonical text and output a value for each bar, `None` where there is none.
    """
    usable = [place for place, bar in enumerate(bars) if _is_usable(bar)]
    table = _table([bars[place] for place in usable])
    found: dict[str, dict[str, Values]] = {}
    for spec in specs:
        line = Line(spec, calendar)
        line.open(table)
        outputs = found[spec.text] = {}
        for name, values in zip(spec.outputs, line.values.table.tolist(), strict=True):
            outputs[name] = [None] * len(bars)
            for place, value in zip(usable, _listed(values), strict=True):
                outputs[name][place] = value
    return found


def _table(bars: Iterable[Bar]) -> Table:
    rows = np.array([_row(bar) for bar in bars], dtype=np.float64)
    return np.ascontiguousarray(rows.reshape(-1, len(COLUMNS)).T)


def _row(bar: Bar) -> list[float]:
    return [bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume]


def _is_usable(bar: Bar) -> bool:
    numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    # It is not so for NaN.
    return all(abs(number) <= MAX_NUMBER for number in numbers)


def _outputs(value: Value) -> Sequence[float]:
    return value if isinstance(value, tuple) else (value,)


def _listed(values: Iterable[float]) -> Values:
    return [value if isfinite(value) else None for value in values]
