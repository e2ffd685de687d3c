"""Volume weighted average price since the session began."""

from math import nan

import numpy as np
import numpy.typing as npt

from feed_server.market.session import SessionCalendar

Column = npt.NDArray[np.float64]


class SessionVwap:
    """VWAP of the session so far, bar by bar: Σ(typical price × volume) / Σ volume.

    The typical price of a bar is (high + low + close) / 3, as in TA-Lib's ``VWAP`` (``ta_VWAP.c``),
    which sums from the first bar of all; here the sums begin anew with each session, by which the
    price is commonly quoted. A daily bar is a session of its own. It has no value while nothing was
    traded.

    Args:
        calendar: Dates the sessions.
    """

    __slots__ = ("_calendar", "_session", "_turnover", "_volume")

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._session = 0
        self._turnover = self._volume = 0.0

    @classmethod
    def open(cls, calendar: SessionCalendar, *columns: Column) -> tuple["SessionVwap", Column]:
        """Return one that has taken some bars, and their values.

        Args:
            calendar: Dates the sessions.
            columns: As `update` takes them.
        """
        handle = cls(calendar)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return handle, np.array([handle.update(*row) for row in rows], dtype=np.float64)

    def update(self, *inputs: float) -> float:
        """Take the next bar for good; return its value, NaN while nothing was traded.

        Args:
            inputs: Its start in UTC epoch milliseconds, high, low, close and volume.
        """
        self._session, self._turnover, self._volume = self._sums(*inputs)
        return self._turnover / self._volume if self._volume else nan

    def peek(self, *inputs: float) -> float:
        """Return what `update` would return, and stay."""
        _, turnover, volume = self._sums(*inputs)
        return turnover / volume if volume else nan

    def copy(self) -> "SessionVwap":
        """Return one that goes on from here by itself."""
        other = SessionVwap(self._calendar)
        other._session, other._turnover, other._volume = (
            self._session,
            self._turnover,
            self._volume,
        )
        return other

    def _sums(
        self, start_ms: float, high: float, low: float, close: float, volume: float
    ) -> tuple[int, float, float]:
        session = self._calendar.date_of(int(start_ms)).toordinal()
        turnover = (high + low + close) / 3 * volume
        if session != self._session:
            return session, turnover, volume
        return session, self._turnover + turnover, self._volume + volume
