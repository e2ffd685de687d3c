"""Which symbols wait for being published. Pure."""

from itertools import islice


class Outbox:
    """Symbols with something to publish, first come first, and how much.

    While a batch is on its way to Redis, what changes meanwhile gathers here and goes in the next:
    nothing waits when there is little to do, and batches grow with the load.

    Args:
        most: Changes that may wait; beyond them the source has to.

    Attributes:
        entered: How many places were taken until now.
        left: How many of them were given up: all before them were as well.
    """

    def __init__(self, most: int) -> None:
        self.entered = 0
        self.left = 0
        self._most = most
        self._waiting: dict[str, int] = {}
        self._changes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether the source has to wait."""
        return self._changes >= self._most

    def add(self, symbol: str) -> None:
        """Note one more change of a symbol."""
        self.entered += symbol not in self._waiting
        self._waiting[symbol] = self._waiting.get(symbol, 0) + 1
        self._changes += 1

    def remind(self, symbol: str) -> None:
        """Let a symbol wait that may not yet; nothing more of it has changed."""
        if symbol not in self._waiting:
            self.add(symbol)

    def take(self, most: int) -> list[str]:
        """Return the symbols that wait longest, and forget them."""
        symbols = list(islice(self._waiting, most))
        self._changes -= sum(map(self._waiting.pop, symbols))
        self.left += len(symbols)
        return symbols
