"""Twelve Data: quotes, bars and search by REST, prices by WebSocket.

https://twelvedata.com/docs. What its answers mean is told by `twelvedata_messages`,
`twelvedata_bars` and `twelvedata_prices`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

import pandas as pd
import structlog
from typing_extensions import override

from feed_server.errors import ConfigurationError, ProviderError, RateLimitedError
from feed_server.market.events import MarketEvent, SessionSnapshot
from feed_server.protocol import Interval, SymbolInfo
from feed_server.providers.base import Capabilities, Provider, Rate, Watchlist, bar_frame
from feed_server.providers.twelvedata_bars import HISTORY_BARS, VENDOR_INTERVALS, Series
from feed_server.providers.twelvedata_messages import (
    NAME,
    NO_DATA,
    ZONE,
    blame,
    credits_back_s,
    error_of,
    instruments,
    listed,
    quotes,
    refusal,
)
from feed_server.providers.twelvedata_prices import HEARTBEAT, Prices, address
from feed_server.providers.vendor_http import VendorAnswer, VendorHttp
from feed_server.providers.vendor_socket import VendorSocket, open_socket

BATCH = 8
POLL_S = 30.0
FOUND = 30
"""Instruments that a search asks for."""
HEARTBEAT_S = 10.0
SILENCE_S = 35.0
"""It answers heartbeats, so that three were lost then."""
LOOK_S = 0.5
"""How often the watchlist is looked at: one message for all that has changed meanwhile."""
CONFIRM_S = 15.0
"""It has so long to say which symbols it carries."""
AT_ONCE = 500
"""Messages at most that are yielded together."""

DEFAULTS = {
    "AAPL": "Apple Inc.",
    "MSFT": "Microsoft Corporation",
    "NVDA": "NVIDIA Corporation",
    "AMZN": "Amazon.com, Inc.",
    "GOOGL": "Alphabet Inc.",
    "SPY": "SPDR S&P 500 ETF Trust",
    "EUR/USD": "Euro / US Dollar",
    "BTC/USD": "Bitcoin / US Dollar",
}

log = structlog.get_logger(__name__)


class TwelveDataProvider(Provider):
    """Twelve Data.

    Symbols are the vendor's: ``BRK.B``, ``RY:TSX``, ``EUR/USD``.

    Args:
        key: API key.
        symbols: Offered from the start; empty for a choice of ours.
        url: Of the REST interface.
        websocket_url: Of the WebSocket; empty where only REST is to be used.
        per_minute: Credits a minute that the plan has.
        per_day: Credits a day that the plan has.
        clock: Tells the time, in epoch seconds.

    Raises:
        ConfigurationError: The key is missing or cannot be one, or an address is none.
    """

    name = NAME
    label = ""
    zone = ZONE

    def __init__(
        self,
        key: str,
        symbols: Sequence[str],
        url: str,
        websocket_url: str,
        per_minute: int,
        per_day: int,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not key:
            raise ConfigurationError(
                "twelvedata needs an API key (https://twelvedata.com/apikey): "
                "set QUOTEWIRE_TWELVEDATA_KEY"
            )
        self.capabilities = Capabilities(
            streams=bool(websocket_url),
            polls=True,
            open_list=True,
            batch=min(BATCH, per_minute),
            per_symbol=True,
            rates=(Rate(per_minute, 60.0), Rate(per_day, 86_400.0)),
            poll_s=POLL_S,
            intervals=frozenset(VENDOR_INTERVALS),
            history_bars=HISTORY_BARS,
        )
        self._key = key
        self._symbols = tuple(symbols)
        self._websocket_url = websocket_url
        self._clock = clock
        self._http = VendorHttp(
            NAME, url, secrets=(key,), headers={"Authorization": f"apikey {key}"}, explains=True
        )

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        names = self._symbols or tuple(DEFAULTS)
        return [listed(symbol, DEFAULTS.get(symbol, "")) for symbol in names]

    @override
    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        if not symbols:
            return {}
        answer = await self._get("/quote", {"symbol": ",".join(symbols), "timezone": "UTC"})
        if (error := error_of(answer.body, answer.status)) is not None:
            return blame(symbols, self._refusal(*error, answer))
        return quotes(symbols, answer.body, lambda code, says: self._refusal(code, says, answer))

    @override
    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        series = Series(symbol, interval, start_ms, end_ms, round(self._clock() * 1000))
        if start_ms >= min(end_ms, series.now_ms + Interval.DAY.ms):
            return bar_frame([])
        answer = await self._get("/time_series", series.params())
        if (error := error_of(answer.body, answer.status)) is not None:
            if NO_DATA in error[1].casefold():
                return bar_frame([])
            raise self._refusal(*error, answer)
        return series.frame(answer.body)

    @override
    async def search(self, text: str) -> list[SymbolInfo]:
        # Its search knows no ``RY:TSX``: the exchange is looked for among what it finds.
        base = text.partition(":")[0].strip()
        if not base:
            return []
        answer = await self._get("/symbol_search", {"symbol": base, "outputsize": FOUND})
        if (error := error_of(answer.body, answer.status)) is not None:
            raise self._refusal(*error, answer)
        return instruments(text.strip(), answer.body)

    @override
    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        url, prices = address(self._websocket_url, self._key), Prices(self._http.masked)
        async with open_socket(NAME, url, silence_s=SILENCE_S, secrets=(self._key,)) as socket:
            receiving = asyncio.ensure_future(socket.receive())
            talk, told = Talk(socket, prices, watchlist), False
            try:
                while True:
                    await talk.go_on()
                    await asyncio.wait({receiving}, timeout=LOOK_S)
                    if not receiving.done():
                        continue
                    messages = [receiving.result(), *socket.received(AT_ONCE)]
                    receiving = asyncio.ensure_future(socket.receive())
                    events = [event for message in messages for event in prices.take(message)]
                    # The first word may come long before the first price of a market that sleeps.
                    if events or (prices.confirmed and not told):
                        told = True
                        yield events
            finally:
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)

    @override
    async def aclose(self) -> None:
        await self._http.aclose()

    async def _get(self, path: str, params: Mapping[str, str | int]) -> VendorAnswer:
        try:
            return await self._http.get(path, params)
        except RateLimitedError as error:
            if error.retry_after_s is not None:
                raise
            wait_s = credits_back_s(str(error), self._clock())
            raise RateLimitedError(str(error), wait_s) from None

    def _refusal(self, code: int, message: str, answer: VendorAnswer) -> ProviderError:
        wait_s = answer.retry_after_s
        if wait_s is None:
            wait_s = credits_back_s(message, self._clock())
        return refusal(code, message, self._http.masked(message), wait_s)


class Talk:
    """What is said to the vendor on one connection, and when.

    Args:
        socket: The connection.
        prices: What it has said.
        watchlist: What it shall carry.
    """

    def __init__(self, socket: VendorSocket, prices: Prices, watchlist: Watchlist) -> None:
        self._socket = socket
        self._prices = prices
        self._watchlist = watchlist
        self._looked_s = 0.0
        self._beat_s = time.monotonic() + HEARTBEAT_S
        self._asked_s = time.monotonic()
        self._refused: set[str] = set()

    async def go_on(self) -> None:
        """Say what is due.

        Raises:
            UnavailableError: The connection is closed, or the vendor has not answered in time.
            NotOfferedError: It carries nothing of what is wanted.
        """
        now_s = time.monotonic()
        if now_s < self._looked_s + LOOK_S:
            return
        self._looked_s = now_s
        for message in self._prices.want(self._watchlist.symbols):
            await self._socket.send(message)
            self._asked_s = now_s
        if now_s >= self._beat_s:
            await self._socket.send(HEARTBEAT)
            self._beat_s = now_s + HEARTBEAT_S
        if self._prices.pending and now_s > self._asked_s + CONFIRM_S:
            self._prices.give_up()
        self._log_refused()
        self._prices.require_some()

    def _log_refused(self) -> None:
        for symbol in self._prices.refused.keys() - self._refused:
            reason = self._prices.refused[symbol]
            log.warning("a symbol is not streamed", source=NAME, symbol=symbol, reason=reason)
        self._refused = set(self._prices.refused)
        self._watchlist.refused = frozenset(self._refused)
        if self._prices.unread:
            log.warning("prices could not be read", source=NAME, count=self._prices.unread)
            self._prices.unread = 0
