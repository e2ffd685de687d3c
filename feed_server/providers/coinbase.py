"""The ``coinbase`` provider: live prices of Coinbase Exchange, for which no key is needed."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from urllib.parse import quote

import pandas as pd
import structlog
from typing_extensions import override

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    UnavailableError,
    UnknownSymbolError,
)
from feed_server.market.events import MarketEvent, SessionSnapshot
from feed_server.protocol import Interval, SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Rate, Watchlist, bar_frame
from feed_server.providers.coinbase_messages import (
    NAME,
    rest_candles,
    rest_products,
    rest_ticker,
    rest_trades,
)
from feed_server.providers.coinbase_session import CoinbaseSession, Complaints
from feed_server.providers.coinbase_trades import Hole, TradeOrder
from feed_server.providers.vendor_http import VendorHttp
from feed_server.providers.vendor_socket import open_socket

VENDOR = "Coinbase"
DEFAULT_SYMBOLS = (
    "BTC-USD",
    "ETH-USD",
    "SOL-USD",
    "XRP-USD",
    "DOGE-USD",
    "ADA-USD",
    "AVAX-USD",
    "LINK-USD",
    "LTC-USD",
    "BCH-USD",
    "DOT-USD",
    "UNI-USD",
    "ETH-BTC",
    "BTC-EUR",
)
INTERVALS = (
    Interval.MINUTE,
    Interval.FIVE_MINUTES,
    Interval.QUARTER_HOUR,
    Interval.HOUR,
    Interval.DAY,
)
MAX_CANDLES = 300
MAX_TRADES = 1000
"""Of one page of trades."""
MAX_PAGES = 10
"""Of missing trades of one product; more are left out."""
FIND_S = 15.0
"""Missing trades are looked for at most so long, for what has come since waits for them."""
PAUSE_S = 0.15
"""Between pages of trades, so that the vendor's limit leaves room for others."""
PRODUCTS_S = 300.0
"""The list of products is asked for again when it is older."""
SILENCE_S = 8.0
"""Heartbeats come every second."""

log = structlog.get_logger(__name__)


class CoinbaseProvider(Provider):
    """Coinbase Exchange, by WebSocket and REST; see `Provider`.

    Args:
        symbols: Products offered from the start; without any, well-known ones.
        url: Where its REST interface is.
        websocket_url: Where its WebSocket is.
        silence_s: A connection on which nothing comes for so long is taken for dead.
    """

    name = NAME
    label = ""
    zone = "UTC"
    # https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits; that bursts may have up to
    # 20 leaves room for trades that are missing, which nobody counts.
    capabilities = Capabilities(
        streams=True,
        polls=True,
        open_list=True,
        rates=(Rate(8, 1.0),),
        poll_s=5.0,
        tells_sessions=False,
        intervals=frozenset(INTERVALS),
        history_bars=MAX_CANDLES,
        counts_gaps=True,
        heals=True,
    )

    def __init__(
        self,
        symbols: Sequence[str],
        url: str,
        websocket_url: str,
        *,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._symbols = tuple(symbols)
        self._http = VendorHttp(VENDOR, url)
        self._websocket_url = websocket_url
        self._silence_s = silence_s
        self._order = TradeOrder()
        self._complaints = Complaints()
        self._paging = asyncio.Lock()
        self._listing = asyncio.Lock()
        self._products: dict[str, SymbolInfo] = {}
        self._listed_s = -PRODUCTS_S

    @property
    def malformed(self) -> int:
        """How many messages could not be understood."""
        return self._complaints.count

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        products = await self._list()
        missing = [symbol for symbol in self._symbols if symbol not in products]
        if missing:
            log.warning("coinbase does not trade what is set", symbols=missing)
        wanted = self._symbols or DEFAULT_SYMBOLS
        return [products[symbol] for symbol in wanted if symbol in products]

    @override
    async def search(self, text: str) -> list[SymbolInfo]:
        wanted = _folded(text.strip())
        found = [
            info
            for info in (await self._list()).values()
            if wanted in _folded(info.symbol) or wanted in _folded(info.name)
        ]
        return sorted(found, key=lambda info: _rank(info, wanted))

    @override
    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        while True:
            # Who has nothing to ask for within 5 s is disconnected.
            await watchlist.changed(frozenset())
            async with open_socket(
                VENDOR, self._websocket_url, silence_s=self._silence_s
            ) as socket:
                session = CoinbaseSession(socket, self._order, self._find, self._complaints)
                async with aclosing(session.run(watchlist)) as batches:
                    async for events in batches:
                        yield events

    @override
    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        quotes: dict[str, SessionSnapshot | ProviderError] = {}
        for symbol in symbols:
            try:
                body = await self._get(symbol, "ticker", {})
                quotes[symbol] = rest_ticker(symbol, body)
            except (UnknownSymbolError, MalformedError) as error:
                quotes[symbol] = error
        return quotes

    @override
    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        if interval not in INTERVALS:
            raise NotOfferedError(
                f"{VENDOR} has no bars of {interval}; it has {', '.join(INTERVALS)}"
            )
        now_ms = time.time_ns() // 1_000_000
        # The last that begins before the end and has ended; the vendor takes both ends as within.
        last = min((end_ms - 1) // interval.ms, now_ms // interval.ms - 1)
        first = max(-(-start_ms // interval.ms), last - MAX_CANDLES + 1, 0)
        if first > last:
            return bar_frame([])
        first_ms, last_ms = first * interval.ms, last * interval.ms
        body = await self._get(
            symbol,
            "candles",
            {
                "granularity": interval.ms // 1000,
                "start": _iso(first_ms),
                "end": _iso(last_ms),
            },
        )
        return rest_candles(body, interval, first_ms, last_ms + interval.ms)

    @override
    async def aclose(self) -> None:
        await self._http.aclose()

    async def _list(self) -> dict[str, SymbolInfo]:
        """Return all products by their ids; who asks meanwhile shares the answer."""
        async with self._listing:
            if time.monotonic() - self._listed_s >= PRODUCTS_S:
                answer = await self._http.get("/products", {})
                if answer.status != 200:
                    raise _refusal("/products", answer.status, answer.body)
                products = rest_products(answer.body)
                if not products:
                    raise MalformedError(f"{VENDOR} lists no products")
                self._products, self._listed_s = products, time.monotonic()
            return self._products

    async def _get(self, symbol: str, what: str, params: Mapping[str, str | int]) -> object:
        path = f"/products/{quote(symbol, safe='')}/{what}"
        answer = await self._http.get(path, params)
        if answer.status == 404:
            raise UnknownSymbolError(f"{VENDOR} does not know {symbol}")
        if answer.status != 200:
            raise _refusal(path, answer.status, answer.body)
        return answer.body

    async def _find(self, hole: Hole) -> list[Trade]:
        """Return missing trades, oldest first; those that cannot be had are left out."""
        pages: list[list[Trade]] = []
        try:
            async with asyncio.timeout(FIND_S):
                await self._page_back(hole, pages)
        except TimeoutError:
            log.warning("missing trades take too long", symbol=hole.symbol, after_s=FIND_S)
        except ProviderError as error:
            log.warning("missing trades cannot be had", symbol=hole.symbol, error=str(error))
        return [trade for page in reversed(pages) for trade in page]

    async def _page_back(self, hole: Hole, pages: list[list[Trade]]) -> None:
        """Add pages of missing trades, the newest first.

        ``after`` asks for trades older than a number
        (https://docs.cdp.coinbase.com/exchange/rest-api/pagination). ``before`` would give the
        newest of those that are newer, not the next ones.
        """
        before = hole.before
        for _ in range(MAX_PAGES):
            async with self._paging:
                limit = min(before - hole.after, MAX_TRADES)
                params = {"after": before, "limit": limit}
                body = await self._get(hole.symbol, "trades", params)
                await asyncio.sleep(PAUSE_S)
            page = [
                trade
                for trade in rest_trades(hole.symbol, body)
                if trade.trade_id is not None and hole.after < trade.trade_id < before
            ]
            if not page:
                return
            pages.append(page)
            before = page[0].trade_id or 0
            if before <= hole.after + 1:
                return


def _rank(info: SymbolInfo, wanted: str) -> tuple[bool, bool, str]:
    symbol = _folded(info.symbol)
    return symbol != wanted, not symbol.startswith(wanted), symbol


def _folded(text: str) -> str:
    """Return what is the same for ``BTC-USD``, ``btc-usd`` and ``BTC/USD``."""
    return text.casefold().replace("/", "-")


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(path: str, status: int, body: object) -> ProviderError:
    """Return what an answer is that tells of an error in JSON, ``{"message": …}``."""
    said = body.get("message") if isinstance(body, dict) else None
    return UnavailableError(f"{VENDOR}: {path}: HTTP {status}: {str(said)[:200]}")
