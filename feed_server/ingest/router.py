"""Which source each symbol comes from: the first of the list that works. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence

FORGET_S = 600.0
"""A source that could not serve a symbol is asked for it again after so long."""


class Router:
    """Fails over down a list of sources, symbol by symbol, and returns.

    A source that is preferred to the one a symbol comes from stays asked for it: as soon as it
    tells something, the symbol comes from it again.

    Args:
        sources: Names, the preferred first.
        offers: Tells whether a source has a symbol, or may have it.
    """

    def __init__(
        self,
        sources: Sequence[str],
        offers: Callable[[str, str], bool] = lambda _source, _symbol: True,
    ) -> None:
        self.sources = tuple(sources)
        self._offers = offers
        self._down: set[str] = set()
        self._refused_until_s: dict[tuple[str, str], float] = {}
        self._doubted: set[tuple[str, str]] = set()
        self._active: dict[str, str] = {}

    def set_up(self, source: str, is_up: bool) -> None:
        """Note whether a source works at all."""
        if is_up:
            self._down.discard(source)
        else:
            self._down.add(source)

    def is_up(self, source: str) -> bool:
        """Tell whether a source works at all."""
        return source not in self._down

    def refuse(self, source: str, symbol: str, now_s: float) -> None:
        """Note that a source cannot serve a symbol; others are asked."""
        self._refused_until_s[source, symbol] = now_s + FORGET_S
        if self._active.get(symbol) == source:
            del self._active[symbol]

    def doubt(self, source: str, symbol: str) -> None:
        """Note that a source could not serve a symbol this time; others are asked as well."""
        self._doubted.add((source, symbol))

    def serves(self, source: str, symbol: str, now_s: float) -> bool:
        """Tell whether a source has not refused a symbol lately."""
        return self._refused_until_s.get((source, symbol), now_s) <= now_s

    def candidates(self, symbol: str, now_s: float) -> list[str]:
        """Return the sources to ask for a symbol now: down to the first that works."""
        asked = []
        for source in self.sources:
            if not self.serves(source, symbol, now_s) or not self._offers(source, symbol):
                continue
            asked.append(source)
            if self._works(source, symbol):
                break
        return asked

    def plan(self, symbols: Collection[str], now_s: float) -> Mapping[str, set[str]]:
        """Return by source what it is to be asked for."""
        plan: dict[str, set[str]] = {source: set() for source in self.sources}
        for symbol in symbols:
            for source in self.candidates(symbol, now_s):
                plan[source].add(symbol)
        return plan

    def take(self, source: str, symbol: str) -> bool | None:
        """Note that a source tells something of a symbol.

        Returns:
            `None` where it is not to be taken, since a preferred source works; else whether the
            symbol comes from another source now than before.
        """
        if self._doubted:
            self._doubted.discard((source, symbol))
        active = self._active.get(symbol)
        if active == source:
            return False
        if active is None:
            # A source that streams all it has is not asked, and may speak before the preferred.
            before = self.sources[: self.sources.index(source)]
            if any(self._is_expected(preferred, symbol) for preferred in before):
                return None
        elif self._is_preferred(active, source) and self._works(active, symbol):
            return None
        self._active[symbol] = source
        self._refused_until_s.pop((source, symbol), None)
        return True

    def source_of(self, symbol: str) -> str | None:
        """Return where a symbol came from last."""
        return self._active.get(symbol)

    def _works(self, source: str, symbol: str) -> bool:
        return source not in self._down and (source, symbol) not in self._doubted

    def _is_expected(self, source: str, symbol: str) -> bool:
        is_refused = (source, symbol) in self._refused_until_s
        return not is_refused and self._works(source, symbol) and self._offers(source, symbol)

    def _is_preferred(self, one: str, other: str) -> bool:
        return self.sources.index(one) < self.sources.index(other)
