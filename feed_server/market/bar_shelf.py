"""A few hundred bars in little memory. Pure."""

from array import array
from collections.abc import Sequence
from typing import overload

from feed_server.protocol import Bar, Interval

_FIELDS = 7


class BarShelf(Sequence[Bar]):
    """The newest final bars of one symbol and interval, oldest first.

    Held as plain numbers, a fifth of what as many `Bar` objects take: of thousands of symbols they
    wait in memory for the day on which Redis loses its own.

    Args:
        symbol: The instrument.
        interval: Length of the bars.
        most: How many to keep.
    """

    def __init__(self, symbol: str, interval: Interval, most: int) -> None:
        self._symbol = symbol
        self._interval = interval
        self._most = most
        self._numbers = array("d")

    def append(self, bar: Bar) -> None:
        """Keep one more, newer than all."""
        numbers = self._numbers
        numbers.extend((bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume))
        numbers.append(bar.time_ms)
        if len(numbers) >= 2 * self._most * _FIELDS:
            # Not at each: that would move all the others each time.
            del numbers[: -self._most * _FIELDS]

    def __len__(self) -> int:
        return min(len(self._numbers) // _FIELDS, self._most)

    @overload
    def __getitem__(self, index: int) -> Bar: ...
    @overload
    def __getitem__(self, index: slice) -> list[Bar]: ...
    def __getitem__(self, index: int | slice) -> Bar | list[Bar]:
        if isinstance(index, slice):
            return [self._bar(place) for place in range(len(self))[index]]
        return self._bar(range(len(self))[index])

    def _bar(self, place: int) -> Bar:
        begin = (place - len(self)) * _FIELDS + len(self._numbers)
        start, open_, high, low, close, volume, time = self._numbers[begin : begin + _FIELDS]
        return Bar(
            self._symbol,
            self._interval,
            int(start),
            open_,
            high,
            low,
            close,
            volume,
            int(time),
            True,
        )
