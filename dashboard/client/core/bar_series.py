"""One series of bars: what is held, and which final bars were told. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

import msgspec

from dashboard.client.core.bars import Bar, compare_bars, merged
from dashboard.client.core.latency import Counts

Lost = Literal["gap", "epoch"]
"""Why final bars are missing for good: history does not reach back, or the feed began anew."""


class Told(msgspec.Struct, frozen=True):
    """What comes of some bars beside what they changed.

    Attributes:
        finals: Bars that became final.
        needs_history: Whether history has to mend a gap.
        lost: Why some around `finals` are missing for good.
    """

    finals: Sequence[Bar] = ()
    needs_history: bool = False
    lost: Lost | None = None


class Placed(msgspec.Struct):
    """What some bars changed.

    Attributes:
        reset: Whether one went in before others.
        since_ms: Start of the earliest that changed; None where none did.
    """

    reset: bool = False
    since_ms: int | None = None


class Series:
    """One symbol's bars of one interval, in one epoch.

    Args:
        epoch: Which; empty while the feed itself keeps nothing.
        counts: Where bars and gaps are counted.

    Attributes:
        pushed: The epoch that pushes without one are of.
        bars: In order of their start, each start once.
        offset: Where the client stands in the epoch; None where it does not know.
        live: Whether a link tells every final bar.
        is_loaded: Whether the history before the live bars is held.
        filled_ms: The first bar that could still change when history was told last.
        told_ms: Up to which start final bars were told; None where that is not known.
        gap_end: How far history has to reach to mend the gap that is open; None where none is.
        is_anew: Whether the gap is between two epochs.
    """

    def __init__(self, epoch: str, counts: Counts) -> None:
        self.epoch = self.pushed = epoch
        self.bars: list[Bar] = []
        self.offset: int | None = None
        self.live = False
        self.is_loaded = False
        self.filled_ms: int | None = None
        self.told_ms: int | None = None
        self.gap_end: int | None = None
        self.is_anew = False
        self._starts: list[int] = []
        self._counts = counts

    def renewed(self, epoch: str) -> "Series":
        """Return the series as it begins in another epoch: without bars, and with a gap.

        Bars go by their start, so that those of the new epoch can go on where the old one ended.
        """
        self._counts.gaps += self.gap_end is None
        new = Series(epoch, self._counts)
        new.told_ms, new.gap_end, new.is_anew = self.told_ms, 0, True
        return new

    def resume_from(self) -> int | None:
        """Return the start from which history has to be asked for; None where it is not known."""
        # The last bar that was told comes again: that it is there shows that none is missing.
        if not self.is_loaded or self.filled_ms is None:
            return self.told_ms
        return self.filled_ms if self.told_ms is None else min(self.filled_ms, self.told_ms)

    # ---- what is held

    def put(self, bars: Sequence[Bar], *, history: bool = False) -> Placed:
        """Take accounts of bars. History repeats what is held by its nature, a push should not."""
        placed = Placed()
        for bar in bars:
            at = bisect_left(self._starts, bar.start_ms)
            if at == len(self.bars) or self._starts[at] != bar.start_ms:
                placed.reset = placed.reset or at < len(self.bars)
                self.bars.insert(at, bar)
                self._starts.insert(at, bar.start_ms)
            elif not self._replace(at, bar, history=history):
                continue
            if placed.since_ms is None or bar.start_ms < placed.since_ms:
                placed.since_ms = bar.start_ms
        return placed

    def _replace(self, at: int, bar: Bar, *, history: bool) -> bool:
        """Take another account of a bar; tell whether it changed anything."""
        held = self.bars[at]
        order = compare_bars(held, bar)
        if order > 0:
            self.bars[at] = bar
            return True
        values = merged(held, bar) if order == 0 and bar.indicators else held.indicators
        if values != held.indicators:
            self.bars[at] = msgspec.structs.replace(held, indicators=values)
            return True
        if not history:
            self._counts.duplicates += order == 0
            self._counts.late += order < 0
        return False

    def overflows(self, most: int) -> bool:
        """Tell whether to keep so few bars would drop some that were not told."""
        surplus = len(self.bars) - most
        return surplus > 0 and self.bars[surplus - 1].start_ms > (self.told_ms or 0)

    def trim(self, most: int) -> None:
        """Keep no more than the newest."""
        if len(self.bars) > most:
            del self.bars[:-most], self._starts[:-most]

    # ---- which final bars are told

    def push(
        self, bars: Sequence[Bar], offset: int | None, *, is_new: bool, recovered: bool
    ) -> Told:
        """Tell what comes of bars that were pushed, after `put`.

        Args:
            bars: In order of their start.
            offset: Where the client stands after them.
            is_new: Whether their epoch is.
            recovered: False where some before them may be missing.
        """
        self.live = True
        moves = offset is not None and (self.offset is None or offset > self.offset)
        opens = is_new or (not recovered and moves and self.offset is not None)
        lost: Lost | None = None
        if self.is_anew and (self.told_ms is None or self._went_back()):
            self.gap_end, self.told_ms, self.is_anew = None, None, False
            lost = "epoch"
        elif opens:
            self._counts.gaps += self.gap_end is None
            self.gap_end = offset or 0
        if offset is not None and moves:
            self.offset = offset
        if self.gap_end is not None:
            return Told(needs_history=opens)
        return Told(self._tell(bars), lost=lost)

    def join(self, bars: Sequence[Bar], offset: int, covered_ms: float) -> Told:
        """Tell what comes of history that reaches to the present, after `put`.

        Args:
            bars: In order of their start.
            offset: Where it ends.
            covered_ms: From which start on it has every bar.
        """
        told_ms = self.told_ms
        joins = told_ms is not None and covered_ms <= told_ms + 1
        told = Told()
        if self.gap_end is not None:
            if offset < self.gap_end:
                return Told(needs_history=True)
            told = self.close(joins=joins)
        elif told_ms is None:
            if not self.live:
                self._begin()
        elif self.live and not joins:
            return told  # What lies between comes by the link.
        elif offset >= (self.offset or 0):  # Else its final bars were told, or were given up.
            lost = not joins and bool(bars)
            self._counts.gaps += lost
            told = Told(self._tell(self._finals_after(told_ms)), lost="gap" if lost else None)
        self.offset = max(offset, self.offset or 0)
        if bars:
            self.filled_ms = max(_unsettled_from(bars), self.filled_ms or 0)
        return told

    def close(self, *, joins: bool) -> Told:
        """End the gap that is open: tell what is held from after it.

        Args:
            joins: Whether all from before it on is held, too.
        """
        is_anew = self.is_anew
        self.gap_end, self.is_anew = None, False
        # Where the new epoch has no bar from the last that was told on, it is at an earlier time.
        went_back = is_anew and (not self.bars or self._went_back())
        if self.told_ms is None or went_back:
            self._begin()
            return Told(lost="epoch" if is_anew else "gap")
        return Told(self._tell(self._finals_after(self.told_ms)), lost=None if joins else "gap")

    def _tell(self, bars: Sequence[Bar]) -> list[Bar]:
        """Return those of some bars that are final and were not told; from now on they were."""
        finals = []
        for bar in bars:
            if bar.final and (self.told_ms is None or bar.start_ms > self.told_ms):
                finals.append(bar)
                self.told_ms = bar.start_ms
        if self.told_ms is None and bars:
            self.told_ms = bars[0].start_ms - 1
        return finals

    def _begin(self) -> None:
        """Begin to tell final bars: those held are no news, those that are open will be."""
        final = [bar.start_ms for bar in self.bars if bar.final]
        self.told_ms = final[-1] if final else self.bars[0].start_ms - 1 if self.bars else None

    def _finals_after(self, start_ms: int) -> list[Bar]:
        at = bisect_left(self._starts, start_ms + 1)
        return [bar for bar in self.bars[at:] if bar.final]

    def _went_back(self) -> bool:
        """Tell whether the new epoch is at an earlier time than the one before was."""
        return bool(self.bars) and self.bars[-1].start_ms < (self.told_ms or 0)


def _unsettled_from(bars: Sequence[Bar]) -> int:
    """Return the start of the first bar that may still change; of the last where none may."""
    return next((bar.start_ms for bar in bars if not bar.final), bars[-1].start_ms)
