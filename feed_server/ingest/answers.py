"""Answers what gateways ask of the sources."""

import asyncio
from collections.abc import Callable, Mapping

import pandas as pd

from feed_server.bus.requests import (
    Answer,
    Done,
    Found,
    LoadBars,
    Loaded,
    Refresh,
    Request,
    Resolve,
    Search,
)
from feed_server.errors import (
    NotOfferedError,
    ProviderError,
    UnknownSymbolError,
)
from feed_server.ingest.floor import Floor
from feed_server.ingest.listing import Listing
from feed_server.ingest.source import Source
from feed_server.protocol import SymbolInfo
from feed_server.providers.base import BAR_COLUMNS, Capabilities

MAX_FOUND = 50


class Answers:
    """Asks the sources what gateways want to know.

    Args:
        sources: By name, the preferred first.
        floor: What is known already.
        listing: Which symbols there are.
        now_ms: The clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        floor: Floor,
        listing: Listing,
        now_ms: Callable[[], int],
    ) -> None:
        self._sources = sources
        self._floor = floor
        self._listing = listing
        self._now_ms = now_ms

    async def answer(self, request: Request) -> Answer:
        """Return the answer to a question.

        Raises:
            ProviderError: There is none.
            BusError: Redis could not be reached.
        """
        match request:
            case Resolve(symbol=symbol):
                return Found([await self._resolve(symbol)])
            case Refresh(symbols=symbols, max_age_ms=max_age_ms):
                return await self._refresh(symbols, max_age_ms)
            case LoadBars():
                return await self._load(request)
            case Search(text=text):
                return Found(await self._search(text))

    async def _resolve(self, symbol: str) -> SymbolInfo:
        info = await self._listing.resolve(symbol)
        if info is None:
            raise UnknownSymbolError(f"no source knows {symbol!r}")
        return info

    async def _refresh(self, symbols: list[str], max_age_ms: int) -> Answer:
        """Ask for those that are too old; the first failure is the answer, when all are through."""
        oldest_ms = self._now_ms() - max_age_ms
        asked = [s for s in symbols if self._floor.received_ms(s) < oldest_ms]
        outcomes = await asyncio.gather(*map(self._refresh_one, asked), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return Done()

    async def _refresh_one(self, symbol: str) -> None:
        failure: ProviderError = UnknownSymbolError(f"no source is asked for {symbol!r}")
        for source in self._sources.values():
            if symbol not in source.symbols:
                continue
            try:
                await source.refresh(symbol)
            except ProviderError as error:
                failure = error
            else:
                return
        raise failure

    async def _load(self, request: LoadBars) -> Answer:
        failure: ProviderError = NotOfferedError(
            f"no source has bars of {request.symbol} at {request.interval}"
        )
        for source in self._in_order(request.symbol):
            try:
                frame = await source.vendor.history(
                    request.symbol, request.interval, request.start_ms, request.end_ms
                )
            except ProviderError as error:
                failure = error
            else:
                return loaded(frame, request, source.vendor.can)
        raise failure

    def _in_order(self, symbol: str) -> list[Source]:
        """Return the sources that may know a symbol's history: that first which it comes from."""
        line = self._floor.lines.get(symbol)
        own = line.info.source if line is not None else ""
        able = [s for s in self._sources.values() if self._listing.offered(s.name, [symbol])]
        return sorted(able, key=lambda source: source.name != own)

    async def _search(self, text: str) -> list[SymbolInfo]:
        found: dict[str, SymbolInfo] = {}
        failure: ProviderError | None = None
        for source in self._sources.values():
            try:
                for info in await source.vendor.search(text):
                    found.setdefault(info.symbol, info)
            except ProviderError as error:
                failure = error
        if failure is not None and not found:
            raise failure
        return list(found.values())[:MAX_FOUND]


def loaded(frame: pd.DataFrame, request: LoadBars, can: Capabilities) -> Loaded:
    """Return a provider's history as a gateway is told it."""
    starts_ms = frame.index.astype("datetime64[ms, UTC]").astype("int64").tolist()
    columns = {name: frame[name].tolist() for name in BAR_COLUMNS}
    since_ms = request.start_ms
    if can.counts_gaps:
        since_ms = max(since_ms, request.end_ms - can.history_bars * request.interval.ms)
    elif len(starts_ms) >= can.history_bars:
        since_ms = starts_ms[0]
    return Loaded(start_ms=starts_ms, since_ms=since_ms, **columns)
