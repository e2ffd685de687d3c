"""Bars as a client keeps them: series for charts, and every final bar once, in order. Pure.

Several bars of a series can be open at once: one that has ended is amended by late trades until it
is final. That a final bar is missing is told by ``recovered: false``, or by a new epoch. While such
a gap is open, final bars are held back, until `BarBook.apply_series` mends it or `BarBook.give_up`
ends it. Who subscribes to a series that is held must say ``since``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from dashboard.client.core.latency import Counts
from feed_server.protocol import Bars, BarSeries, Position

MAX_BARS = 5_000
"""Bars kept of one series; the oldest go first."""

Lost = Literal["gap", "epoch"]
"""Why final bars are missing for good: history does not reach back, or the feed began anew."""


class Bar(msgspec.Struct, frozen=True):
    """One bar, as a client has it.

    Attributes:
        symbol: The instrument.
        interval: Length of the bar.
        start_ms: Where the bar begins.
        open: First price.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Shares or units traded.
        time_ms: Event time of its last trade; None in history, which tells it of the last bar only.
        final: False while trades may change it.
        indicators: By indicator, as the feed names it, the values in the order of its outputs.
    """

    symbol: str
    interval: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    time_ms: int | None
    final: bool
    indicators: Mapping[str, Sequence[float | None]] = {}


class BarsChange(msgspec.Struct, frozen=True):
    """What a message has brought of one series.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        reset: Whether bars before the last ones changed, too: draw all.
        since_ms: Start of the earliest bar that changed; 0 where all did, None where none did.
        finals: Bars that became final, in order of their start, each once. Where the feed began
            anew at an earlier time they begin anew, too.
        needs_history: Whether there is a gap that history has to mend: load ``/api/bars`` from
            `BarBook.resume_from` on and `apply_series` it, or `give_up`.
        lost: Some final bars before these are missing for good.
    """

    symbol: str
    interval: str
    reset: bool = False
    since_ms: int | None = None
    finals: Sequence[Bar] = ()
    needs_history: bool = False
    lost: Lost | None = None


class BarBook:
    """The bars of every symbol and interval that is followed.

    Args:
        counts: Where rows and gaps are counted.
        max_bars: Bars kept of one series.
    """

    def __init__(self, counts: Counts | None = None, max_bars: int = MAX_BARS) -> None:
        self.counts = counts or Counts()
        self._most = max_bars

    def apply(self, message: Bars) -> list[BarsChange]:
        """Take what was pushed; return what changed, one for each series that did."""
        raise NotImplementedError

    def apply_series(
        self, series: BarSeries, *, start_ms: int | None = None, end_ms: int | None = None
    ) -> BarsChange | None:
        """Take history, or the answer to a poll.

        Args:
            series: As it came.
            start_ms: The start it was asked for from; None where the newest were asked for, however
                far back: this makes a series loaded.
            end_ms: The end it was asked for to: such a page of older bars says nothing of the
                newest.
        """
        raise NotImplementedError

    def give_up(self, symbol: str, interval: str) -> BarsChange | None:
        """End a gap that cannot be mended; None where there is none."""
        raise NotImplementedError

    def needs_history(self, symbol: str, interval: str) -> bool:
        """Tell whether a gap of the series is open."""
        raise NotImplementedError

    def resume_from(self, symbol: str, interval: str) -> int | None:
        """Return the start from which history has to be asked for again, so that no bar is missed.

        None where that is not known, or where nothing of the history before the live bars is held.
        """
        raise NotImplementedError

    def gap_from(self, symbol: str, interval: str) -> int | None:
        """Return the start from which history mends an open gap; None where none is or can be."""
        raise NotImplementedError

    def is_loaded(self, symbol: str, interval: str) -> bool:
        """Tell whether the history before the live bars is held."""
        raise NotImplementedError

    def unlinked(self) -> None:
        """Take note that a link has ended: until the next, what is polled is all there is."""
        raise NotImplementedError

    def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """Return the bars of a series, oldest first; not to be changed."""
        raise NotImplementedError

    def outputs(self, indicator: str) -> Sequence[str]:
        """Return the names of an indicator's outputs as history told them; empty before that."""
        raise NotImplementedError

    def positions(self, symbols: Iterable[str], interval: str) -> dict[str, Position]:
        """Return where each of some series stands that is held: for `Subscribe.since`."""
        raise NotImplementedError

    def forget(self, symbol: str, interval: str) -> None:
        """Know nothing of a series any more."""
        raise NotImplementedError
