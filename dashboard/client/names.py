"""What the feed calls the instruments that people ask for: ``aapl`` is ``AAPL``."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from dashboard.client.errors import FeedError
from dashboard.client.http_api import HttpApi
from feed_server.protocol import SymbolInfo

PATIENCE_S = 5.0
"""Who knows how an instrument is called need not wait for the feed to say so."""


class Names:
    """The names of one feed's instruments, asked for when they are needed.

    Args:
        http: The feed.

    Attributes:
        listed: The instruments that the feed offers, as far as they were asked for.
    """

    def __init__(self, http: HttpApi) -> None:
        self.listed: list[SymbolInfo] = []
        self._http = http
        self._known: dict[str, str] = {}
        self._asking = asyncio.Lock()

    def knows(self, symbols: Sequence[str]) -> bool:
        """Tell whether these are known, and written as the feed does."""
        return all(self._known.get(symbol) == symbol for symbol in symbols)

    def known(self, symbol: str) -> str:
        """Return the feed's name of a symbol, as far as that is known."""
        return self._known.get(symbol, symbol)

    async def of(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """Return the feed's names; what it does not know, or cannot tell, as it was asked."""
        with suppress(FeedError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S), self._asking:
                await self._learn(symbols)
        return tuple(dict.fromkeys(map(self.known, symbols)))

    async def _learn(self, symbols: Sequence[str]) -> None:
        if any(symbol not in self._known for symbol in symbols):
            self.listed = (await self._http.symbols()).symbols
            self._known |= {info.symbol: info.symbol for info in self.listed}
        for symbol in symbols:
            if symbol not in self._known:
                with suppress(FeedError):
                    rows = (await self._http.quotes([symbol])).rows
                    if rows:
                        self._known[symbol] = rows[0].symbol
