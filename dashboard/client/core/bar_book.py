"""Bars as a client keeps them: series for charts, and every final bar once, in order. Pure.

Several bars of a series can be open at once: one that has ended is amended by late trades until it
is final. That a final bar is missing is told by ``recovered: false``, or by a new epoch. While such
a gap is open, final bars are held back, until `BarBook.apply_series` mends it or `BarBook.give_up`
ends it. Who subscribes to a series that is held must say ``since``.
"""

from collections.abc import Iterable, Sequence
from math import inf

import msgspec

from dashboard.client.core.bar_series import Lost, Placed, Series, Told
from dashboard.client.core.bars import Bar, loaded_bars, pushed_bars
from dashboard.client.core.latency import Counts
from dashboard.client.core.ordering import Entered, Epochs
from feed_server.protocol import Bars, BarSeries, Position

MAX_BARS = 5_000
"""Bars kept of one series; the oldest go first."""


class BarsChange(msgspec.Struct, frozen=True):
    """What a message has brought of one series.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        reset: Whether bars before the last ones changed, too: draw all.
        since_ms: Start of the earliest bar that changed; 0 where all did, None where none did.
        finals: Bars that became final, in order of their start, each once. Where the feed began
            anew at an earlier time they begin anew, too. One that came without its indicators does
            not come again when they do.
        needs_history: Whether there is a gap that history has to mend: load ``/api/bars`` from
            `BarBook.resume_from` on and `apply_series` it, or `give_up`.
        lost: Some final bars are missing for good: before these, between them, or right after.
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
        counts: Where bars and gaps are counted.
        max_bars: Bars kept of one series.
    """

    def __init__(self, counts: Counts | None = None, max_bars: int = MAX_BARS) -> None:
        self.counts = counts or Counts()
        self._most = max_bars
        self._series: dict[str, Series] = {}
        self._epochs = Epochs()
        self._outputs: dict[str, Sequence[str]] = {}

    def __len__(self) -> int:
        return len(self._series)

    def apply(self, message: Bars) -> list[BarsChange]:
        """Take what was pushed; return what changed, one for each series that did."""
        told: dict[str, list[Bar]] = {
            symbol: [] for symbol in (*message.epochs, *message.offsets, *message.recovered)
        }
        for bar in pushed_bars(message):
            told.setdefault(bar.symbol, []).append(bar)
        self.counts.received += len(message.rows)
        changes = (self._push(symbol, bars, message) for symbol, bars in told.items())
        return [change for change in changes if change is not None]

    def apply_series(
        self, body: BarSeries, *, start_ms: int | None = None, end_ms: int | None = None
    ) -> BarsChange | None:
        """Take history, or the answer to a poll.

        The first one of a series only says where it stands: none of its bars is new. A later one
        tells those that became final, mends the gap if there is one, or says that something is
        lost. Where it ends before the gap does, history is needed once more.

        Args:
            body: As it came.
            start_ms: The start it was asked for from; None where the newest were asked for, however
                far back: this makes a series loaded.
            end_ms: The end it was asked for to: such a page of older bars says nothing of the
                newest.
        """
        bars = loaded_bars(body)
        self._outputs |= {name: tuple(columns) for name, columns in body.indicators.items()}
        series, entered = self._enter(body.symbol, body.interval, body.epoch, loaded=True)
        if entered == "left":
            self.counts.late += len(bars)
            is_open = series.gap_end is not None
            return _change(body.symbol, body.interval, Placed(), Told(needs_history=is_open))
        whole = start_ms is None and end_ms is None
        placed = series.put(bars, history=True)
        if entered == "new" or (whole and not series.is_loaded):
            placed = Placed(reset=True, since_ms=0)
        series.is_loaded = series.is_loaded or whole
        told = Told()
        if end_ms is None:
            told = series.join(bars, body.offset, _covered_from(body, start_ms))
        series.trim(self._most)
        return _change(body.symbol, body.interval, placed, told)

    def give_up(self, symbol: str, interval: str) -> BarsChange | None:
        """End a gap that cannot be mended; None where there is none."""
        series = self._series.get(_key(symbol, interval))
        if series is None or series.gap_end is None:
            return None
        return _change(symbol, interval, Placed(), series.close(joins=False))

    def unlinked(self) -> None:
        """Take note that a link has ended: until the next, what is polled is all there is."""
        for series in self._series.values():
            series.pushed, series.live = series.epoch, False

    def forget(self, symbol: str, interval: str) -> None:
        """Know nothing of a series any more; what still arrives of it is late."""
        key = _key(symbol, interval)
        self._series.pop(key, None)
        self._epochs.forget(key)

    # ---- what is held

    def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """Return the bars of a series, oldest first; not to be changed."""
        series = self._series.get(_key(symbol, interval))
        return () if series is None else series.bars

    def outputs(self, indicator: str) -> Sequence[str]:
        """Return the names of an indicator's outputs as history told them; empty before that."""
        return self._outputs.get(indicator, ())

    def is_loaded(self, symbol: str, interval: str) -> bool:
        """Tell whether the history before the live bars is held; a new epoch forgets it."""
        series = self._series.get(_key(symbol, interval))
        return series is not None and series.is_loaded

    def needs_history(self, symbol: str, interval: str) -> bool:
        """Tell whether a gap of the series is open."""
        series = self._series.get(_key(symbol, interval))
        return series is not None and series.gap_end is not None

    def resume_from(self, symbol: str, interval: str) -> int | None:
        """Return the start from which history has to be asked for, so that no bar is missed.

        Where history is held it is the first bar that could still change when it was told last: the
        newest that is held would not do, for it may stand beyond a gap. Else it is what follows the
        last final bar that was told. None where nothing is known.
        """
        series = self._series.get(_key(symbol, interval))
        return None if series is None else series.resume_from()

    def positions(self, symbols: Iterable[str], interval: str) -> dict[str, Position]:
        """Return where each of some series stands that is held: for `Subscribe.since`."""
        found = ((symbol, self._series.get(_key(symbol, interval))) for symbol in symbols)
        return {
            symbol: Position(series.epoch, series.offset)
            for symbol, series in found
            if series is not None and series.epoch and series.offset is not None
        }

    # ---- what comes

    def _push(self, symbol: str, bars: list[Bar], message: Bars) -> BarsChange | None:
        """Take one series' part of a message."""
        interval, epoch = message.interval, message.epochs.get(symbol)
        if epoch is None and _key(symbol, interval) not in self._series:
            self.counts.late += len(bars)
            return None
        series, entered = self._enter(symbol, interval, epoch)
        series.pushed = epoch or series.pushed
        if series.pushed != series.epoch:
            self.counts.late += len(bars)
            return None
        is_new = entered == "new"
        placed = series.put(bars)
        if is_new:
            placed = Placed(reset=True, since_ms=0)
        recovered = message.recovered.get(symbol, True)
        told = series.push(bars, message.offsets.get(symbol), is_new=is_new, recovered=recovered)
        if series.gap_end is not None and series.overflows(self._most):
            told = series.close(joins=False)
        series.trim(self._most)
        return _change(symbol, interval, placed, told)

    def _enter(
        self, symbol: str, interval: str, epoch: str | None, *, loaded: bool = False
    ) -> tuple[Series, Entered]:
        """Return the series that data of an epoch is of, and how the epoch stands to it."""
        key = _key(symbol, interval)
        series = self._series.get(key)
        if loaded and epoch and series is not None and series.live and series.epoch != epoch:
            # While a link tells of it, the link alone says which epoch is in force.
            return series, "left"
        entered = self._epochs.enter(key, epoch) if epoch else "same"
        if series is None:
            series = self._series[key] = Series(epoch or "", self.counts)
        elif entered == "new":
            series = self._series[key] = series.renewed(epoch or "")
        elif entered == "first":
            series.epoch = series.pushed = epoch or ""
        return series, entered


def _key(symbol: str, interval: str) -> str:
    return f"{symbol} {interval}"


def _covered_from(body: BarSeries, start_ms: int | None) -> float:
    """Return from which start on history has every bar, or says that there is no other."""
    if not body.more and body.note is None:
        return start_ms or 0
    return body.start_ms[0] if body.start_ms else inf


def _change(symbol: str, interval: str, placed: Placed, told: Told) -> BarsChange | None:
    """Return what changed, None where nothing did."""
    if placed.since_ms is None and not told.finals and not told.needs_history and not told.lost:
        return None
    return BarsChange(
        symbol,
        interval,
        reset=placed.reset,
        since_ms=placed.since_ms,
        finals=told.finals,
        needs_history=told.needs_history,
        lost=told.lost,
    )
