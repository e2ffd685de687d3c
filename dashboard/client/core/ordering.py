"""Which of two accounts of the same thing is newer: the one rule for push, poll and history. Pure.

Offsets count within an epoch, and epochs have no order of their own: `Epochs` remembers those that
were left, so that what still arrives from them is late, and anything else unknown is new. While a
link tells of something, the link alone says which epoch is in force: an answer over HTTP that does
not agree is late, for it may have been on its way for long.
"""

from typing import Literal

REMEMBERED = 8
"""Epochs of a stream that are known as left."""

Entered = Literal["first", "same", "new", "left"]


def compare(held_ms: int, held_offset: int, new_ms: int, new_offset: int) -> int:
    """Tell which of two quotes of a symbol in one epoch is newer.

    The later event time wins, at equal times the higher offset.

    Returns:
        Above 0 where the new one is newer, 0 where both are the same, below 0 where it is older.
    """
    return (new_ms - held_ms) or (new_offset - held_offset)


class Epochs:
    """Which epoch each stream of data is in."""

    def __init__(self) -> None:
        self._current: dict[str, str] = {}
        self._left: dict[str, list[str]] = {}

    def enter(self, stream: str, epoch: str) -> Entered:
        """Take note that data of an epoch came, and tell how it stands to what came before."""
        current = self._current.get(stream)
        if current == epoch:
            return "same"
        left = self._left.setdefault(stream, [])
        if epoch in left:
            return "left"
        self._current[stream] = epoch
        if current is None:
            return "first"
        self._left[stream] = [current, *left][:REMEMBERED]
        return "new"

    def forget(self, stream: str) -> None:
        """Know nothing of a stream any more."""
        self._current.pop(stream, None)
        self._left.pop(stream, None)
