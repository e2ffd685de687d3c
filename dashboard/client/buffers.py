"""What has come for a stream and was not read yet, bounded. Pure."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from msgspec.structs import replace

from dashboard.client.core.bars import Bar
from dashboard.client.core.trades import Trade
from feed_server.protocol import Quote

T = TypeVar("T")


class Buffer(Protocol[T]):
    """First in, first out.

    Attributes:
        handful: How many may be taken at once by who reads them one by one: what waits to be the
            latest may not wait elsewhere.
    """

    handful: int

    def extend(self, items: Sequence[T]) -> int:
        """Add items in order; return how many were dropped for want of room."""

    def pop(self) -> T:
        """Take out the next one.

        Raises:
            LookupError: There is none.
        """

    def clear(self) -> None:
        """Drop all."""

    def __len__(self) -> int:
        """Return how many wait."""

    @property
    def crowded(self) -> bool:
        """Whether so much waits that its reader should be let run before more comes."""


class Every(Generic[T]):
    """Keeps every item; where there are too many, the oldest are dropped.

    Args:
        room: Items at most.
    """

    handful = 500

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: deque[T] = deque(maxlen=room)
        self.pop: Callable[[], T] = self._items.popleft

    def __len__(self) -> int:
        return len(self._items)

    def extend(self, items: Sequence[T]) -> int:
        """Add items in order; return how many were dropped for want of room."""
        dropped = len(self._items) + len(items) - self._room
        self._items.extend(items)
        return max(dropped, 0)

    def clear(self) -> None:
        """Drop all."""
        self._items.clear()

    @property
    def crowded(self) -> bool:
        """Whether so much waits that its reader should be let run before more comes."""
        return 2 * len(self._items) > self._room


class Latest(Generic[T]):
    """Keeps one item of each kind; those that were not read in time are merged with newer ones.

    Args:
        kind: What an item is of.
        merge: Makes one of two of a kind, the older one first.
        room: Kinds at most; where there are more, the oldest are dropped.
        again: Whether a kind that is told again waits anew, behind what was told before: then items
            come in the order in which they were told last.
    """

    handful = 1

    def __init__(
        self,
        kind: Callable[[T], Hashable],
        merge: Callable[[T, T], T],
        room: int,
        *,
        again: bool = False,
    ) -> None:
        self._kind = kind
        self._merge = merge
        self._room = room
        self._again = again
        self._items: OrderedDict[Hashable, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def extend(self, items: Sequence[T]) -> int:
        """Add items in order; return how many were dropped for want of room."""
        waiting = self._items
        for item in items:
            kind = self._kind(item)
            older = waiting.get(kind)
            waiting[kind] = item if older is None else self._merge(older, item)
            if self._again:
                waiting.move_to_end(kind)
        dropped = max(len(waiting) - self._room, 0)
        for _ in range(dropped):
            self.pop()
        return dropped

    def pop(self) -> T:
        """Take out the item whose kind waits longest."""
        return self._items.popitem(last=False)[1]

    def clear(self) -> None:
        """Drop all."""
        self._items.clear()

    @property
    def crowded(self) -> bool:
        """Whether so much waits that its reader should be let run before more comes."""
        return False


def latest_quotes(room: int) -> Latest[Quote]:
    """Return a buffer of the last quote of each symbol, which counts those it stands for."""

    def merge(older: Quote, newer: Quote) -> Quote:
        return replace(newer, count=older.count + newer.count)

    return Latest(attrgetter("symbol"), merge, room)


def latest_trades(room: int) -> Latest[Trade]:
    """Return a buffer of the last trade of each symbol."""
    return Latest(attrgetter("symbol"), lambda _older, newer: newer, room)


def latest_bars(room: int) -> Latest[Bar]:
    """Return a buffer of the last account of each bar of one series.

    An open bar can wait when those before it are told, late, after a gap: they come first.
    """
    return Latest(attrgetter("start_ms"), lambda _older, newer: newer, room, again=True)
