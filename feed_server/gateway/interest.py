"""Which symbols this gateway keeps current, and for how long after the last who watched. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping


class Interest:
    """Counts who watches each symbol; one that nobody watches any more lingers a while.

    So a client that reconnects, or a page that is turned, finds its symbols still flowing.

    Args:
        linger_s: How long a symbol is kept after its last watcher, or since it was last polled.
    """

    def __init__(self, linger_s: float) -> None:
        self._linger_s = linger_s
        self._watchers: Counter[str] = Counter()
        self._until_s: dict[str, float] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """By symbol that is kept, how many watch it; 0 where it lingers."""
        return {symbol: self._watchers[symbol] for symbol in self.kept}

    @property
    def kept(self) -> set[str]:
        """All symbols to keep current."""
        return {*self._watchers, *self._until_s}

    def watch(self, symbols: Iterable[str]) -> None:
        """Keep these symbols current; once more for each call."""
        self._watchers.update(symbols)

    def unwatch(self, symbols: Iterable[str], now_s: float) -> None:
        """Take one `watch` of each symbol back."""
        for symbol in symbols:
            self._watchers[symbol] -= 1
            if self._watchers[symbol] <= 0:
                del self._watchers[symbol]
                self._until_s[symbol] = now_s + self._linger_s

    def touch(self, symbols: Iterable[str], now_s: float, *, at_least_s: float = 0.0) -> None:
        """Keep these symbols current for a while, as one who polls wants.

        Args:
            symbols: Which.
            now_s: The time.
            at_least_s: However short they linger, they are kept for so long.
        """
        for symbol in symbols:
            self._until_s[symbol] = now_s + max(self._linger_s, at_least_s)

    def expire(self, now_s: float) -> None:
        """Let go what has lingered long enough."""
        over = [symbol for symbol, until_s in self._until_s.items() if until_s <= now_s]
        for symbol in over:
            del self._until_s[symbol]
