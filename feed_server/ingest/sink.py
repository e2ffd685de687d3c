"""Who takes what a source tells."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from feed_server.errors import ProviderError
from feed_server.market.events import MarketEvent


class Sink(Protocol):
    """Takes what sources, known by their names, tell."""

    def taken(self, source: str) -> Mapping[str, int]:
        """Return by symbol how many of the source's events were taken, from the very first."""

    async def take(self, source: str, events: Sequence[MarketEvent]) -> None:
        """Take events; return when more may come."""

    def refuse(self, source: str, symbol: str, error: ProviderError) -> None:
        """Hear that a source cannot serve a symbol."""

    def on_health(self, source: str) -> None:
        """Hear that a source works again, or no more."""

    def on_gap(self, source: str) -> None:
        """Hear that a source's stream begins: what happened before may have been missed."""
