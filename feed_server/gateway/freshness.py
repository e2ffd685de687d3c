"""Quotes as fresh as they are asked for: older ones are fetched by the sources that poll."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

from feed_server.bus.requests import Failed, Refresh
from feed_server.gateway.market_view import MarketView
from feed_server.gateway.vendor_bars import Sources, retry_s

PATIENCE_S = 5.0
MAX_REMEMBERED = 50_000
"""Symbols of which is known when a source was asked last."""

T = TypeVar("T")


class Freshness:
    """Lets sources fetch quotes that are too old.

    Args:
        sources: Who is asked; they fetch once what several ask for.
        view: Has the last values.
    """

    def __init__(self, sources: Sources, view: MarketView) -> None:
        self._sources = sources
        self._view = view
        self._sure_ms: OrderedDict[str, int] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, Failed]] = OrderedDict()

    async def refresh(self, symbols: Sequence[str], max_age_ms: int) -> dict[str, Failed]:
        """Have quotes fetched that are older than ``max_age_ms``, and wait for them.

        A quote of a source that tells every change is as old as its last word that there is none.

        Returns:
            By symbol that is still too old, why.
        """
        stale = [symbol for symbol in symbols if self._is_stale(symbol, max_age_ms)]
        asked = [symbol for symbol in stale if self._left_alone(symbol) is None]
        # Each source by itself: none waits for another, nor has its failure.
        by_source = groupby(sorted(asked, key=self._source_of), self._source_of)
        await asyncio.gather(*(self._fetch([*some], max_age_ms) for _, some in by_source))
        if asked:
            await self._view.want(symbols)
        return {
            symbol: failed
            for symbol in stale
            if (failed := self._left_alone(symbol)) and self._is_stale(symbol, max_age_ms)
        }

    async def _fetch(self, symbols: list[str], max_age_ms: int) -> None:
        began_ms = _now_ms()
        answer = await self._sources.call(Refresh(symbols, max_age_ms), PATIENCE_S)
        for symbol in symbols:
            if isinstance(answer, Failed):
                _remember(self._failed, symbol, (time.monotonic() + retry_s(answer), answer))
            else:
                _remember(self._sure_ms, symbol, began_ms)
                self._failed.pop(symbol, None)

    def _is_stale(self, symbol: str, max_age_ms: int) -> bool:
        latest = self._view.latest.get(symbol)
        received_ms = 0 if latest is None else latest.update.quote.received_ms
        return _now_ms() - max(received_ms, self._sure_ms.get(symbol, 0)) > max_age_ms

    def _left_alone(self, symbol: str) -> Failed | None:
        """Return why a source is not asked again now; None where it can be."""
        until_s, failed = self._failed.get(symbol, (0.0, None))
        return failed if time.monotonic() < until_s else None

    def _source_of(self, symbol: str) -> str:
        info = self._view.symbols.get(symbol)
        return "" if info is None else info.source


def _remember(by_symbol: OrderedDict[str, T], symbol: str, value: T) -> None:
    by_symbol[symbol] = value
    by_symbol.move_to_end(symbol)
    if len(by_symbol) > MAX_REMEMBERED:
        by_symbol.popitem(last=False)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
