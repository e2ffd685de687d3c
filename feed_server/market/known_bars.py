"""Which of a vendor's bars are known already, and for which times it is known. Pure."""

import numpy as np

from feed_server.market.history_join import NO_BARS, BarArray, between

MAX_SPANS = 200
"""Stretches that are remembered: those who ask for a moment here and one there make many."""


class KnownBars:
    """Final bars of one symbol and interval, and the stretches of time whose bars these all are."""

    def __init__(self) -> None:
        self._bars = NO_BARS
        self._spans: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._bars)

    def between(self, start_ms: int, end_ms: int) -> BarArray:
        """Return the known bars that begin in ``[start_ms, end_ms)``."""
        return between(self._bars, start_ms, end_ms)

    def reach_ms(self, end_ms: int) -> int:
        """Return since when all bars before a time are known; that time itself where none is."""
        return next((start for start, end in self._spans if start < end_ms <= end), end_ms)

    def add(self, start_ms: int, end_ms: int, bars: BarArray) -> None:
        """Note that these are all the bars that begin in ``[start_ms, end_ms)``."""
        before, after = np.searchsorted(self._bars["start_ms"], (start_ms, end_ms))
        self._bars = np.concatenate([self._bars[:before], bars, self._bars[after:]])
        apart = []
        for start, end in self._spans:
            if end < start_ms or start > end_ms:
                apart.append((start, end))
            else:
                start_ms, end_ms = min(start, start_ms), max(end, end_ms)
        if len(apart) >= MAX_SPANS:
            apart.remove(min(apart, key=lambda span: span[1] - span[0]))
        self._spans = sorted([*apart, (start_ms, end_ms)])

    def doubt_end(self, settled_ms: int, length_ms: int) -> None:
        """Hold it for possible that there are bars by now after the last that is known.

        Args:
            settled_ms: Before this time all bars that there will ever be were there.
            length_ms: Of a bar; none begins sooner after another.
        """
        next_ms = int(self._bars["start_ms"][-1]) + length_ms if len(self._bars) else 0
        sure_ms = max(next_ms, settled_ms)
        self._spans = [(start, min(end, sure_ms)) for start, end in self._spans if start < sure_ms]
