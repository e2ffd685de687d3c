"""One indicator along a series of bars. Pure.

It is a stream of TA-Lib: a handle that has taken every final bar. So a final bar costs one step,
and an open bar a look at what the step would give, however long the series is; both are what TA-Lib
gives over the whole series. A bar that has ended but may still be amended is open, too: what comes
after it is looked at from a copy that has taken it.
"""

from collections.abc import Iterable, Sequence
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from feed_server.market.indicator_columns import Columns
from feed_server.market.indicator_functions import Handle, Value, opener, whole
from feed_server.market.indicator_spec import IndicatorSpec
from feed_server.market.session import SessionCalendar
from feed_server.market.talib_alone import talib
from feed_server.protocol import Bar

Table = NDArray[np.float64]
Values = list[float | None]

COLUMNS = ("start_ms", "open", "high", "low", "close", "volume")


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
            rows = [numbers_of(bar) for bar in open_bars[: place + 1]]
            table = np.concatenate([bars, np.array(rows).T], axis=1)
            values = listed(self._compute(table)[1][:, -1].tolist())
        else:
            handle = self._after(self._handle, open_bars[:place])
            row = numbers_of(open_bars[place])
            values = listed(_outputs(handle.peek(*[row[i] for i in self._inputs])))
        self._seen[start_ms] = version, values
        return values

    def after(self, bars: Table) -> Table | None:
        """Return the values at bars that would follow the final ones; `None` where those lack."""
        if self._handle is None:
            return None
        handle = self._handle.copy()
        values = np.empty((len(self.values.table), bars.shape[1]))
        for place, row in enumerate(bars.T.tolist()):
            values[:, place] = _outputs(handle.update(*[row[i] for i in self._inputs]))
        return values

    def _after(self, handle: Handle, ended: Sequence[Bar]) -> Handle:
        """Return a handle that has taken bars that are not final yet."""
        for place, bar in enumerate(ended):
            if place < len(self._copies) and self._copies[place][0] is bar:
                handle = self._copies[place][1]
                continue
            del self._copies[place:]
            row = numbers_of(bar)
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


def numbers_of(bar: Bar) -> list[float]:
    """Return what of a bar indicators are computed from, see `COLUMNS`."""
    return [bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume]


def listed(values: Iterable[float]) -> Values:
    """Return values as they are sent: `None` where there is none."""
    return [value if isfinite(value) else None for value in values]


def _outputs(value: Value) -> Sequence[float]:
    return value if isinstance(value, tuple) else (value,)
