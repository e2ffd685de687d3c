"""``FeedClient``: quotes over the WebSocket, history over HTTP."""

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx
import msgspec
import pandas as pd
from tornado.httpclient import HTTPError as HandshakeError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    websocket_connect,
)

from dashboard.client.errors import FeedError, FeedUnavailableError
from dashboard.client.login import Credentials, Login, TokenSource, feed_error
from dashboard.client.quote_book import QuoteBook
from feed_server.protocol import (
    BarSeries,
    Error,
    ErrorCode,
    Interval,
    Quote,
    Quotes,
    Subscribe,
    Subscribed,
    SymbolInfo,
    SymbolList,
    Welcome,
    decode_server_message,
    encode,
)

DEFAULT_URL = "http://127.0.0.1:8765"
TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 15.0


class FeedClient:
    """A client of one feed server.

    Use it as an asynchronous context manager::

        async with FeedClient() as feed:
            history = await feed.history("AAPL")
            async for quote in feed.quotes("AAPL"):
                print(quote.last)

    Args:
        url: The feed's address, ``http://host:port``; without it ``QUOTEWIRE_FEED_URL``, else the
            address of a feed on this machine.
        token: What the feed lets the client in with, where it asks for that: a JSON Web Token, or
            a function that gives one, called whenever one is needed, so that a stream of quotes
            outlives any of them. Without it ``QUOTEWIRE_TOKEN``.
    """

    def __init__(self, url: str | None = None, token: TokenSource | None = None) -> None:
        self.url = (url or os.environ.get("QUOTEWIRE_FEED_URL") or DEFAULT_URL).rstrip("/")
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"feed address {self.url!r} must begin with http:// or https://")
        self._credentials = Credentials(token or os.environ.get("QUOTEWIRE_TOKEN") or None)
        self._http = httpx.AsyncClient(base_url=self.url, timeout=TIMEOUT_S)

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def symbols(self) -> list[SymbolInfo]:
        """Return all instruments that the feed offers.

        Raises:
            FeedError: The feed cannot be reached.
        """
        body = await self._get("/api/symbols")
        return msgspec.json.decode(body, type=SymbolList).symbols

    async def snapshot(self, *symbols: str) -> dict[str, Quote]:
        """Return the last values of some symbols, of all where none is named.

        Raises:
            FeedError: The feed cannot be reached, or does not know a symbol.
        """
        body = await self._get("/api/quotes", symbols=",".join(symbols))
        book = QuoteBook()
        return {quote.symbol: quote for quote in book.apply(msgspec.json.decode(body, type=Quotes))}

    async def history(
        self, symbol: str, interval: str = Interval.DAY, *, limit: int = 500
    ) -> pd.DataFrame:
        """Return the newest bars of a symbol, oldest first; the last may still be forming.

        Args:
            symbol: The instrument.
            interval: Length of the bars, ``1d``.
            limit: Bars at most, 1 to 10,000.

        Returns:
            Columns ``open, high, low, close, volume`` (float64) and ``final`` (bool; False for the
            forming bar), indexed by each bar's start as UTC timestamps named ``time``.

        Raises:
            FeedError: The feed cannot be reached, or refuses the request.
        """
        body = await self._get("/api/bars", symbol=symbol, interval=interval, limit=str(limit))
        series = msgspec.json.decode(body, type=BarSeries)
        time = pd.to_datetime(series.start_ms, unit="ms", utc=True).rename("time")
        columns = ("open", "high", "low", "close", "volume")
        frame = pd.DataFrame({c: getattr(series, c) for c in columns}, time, dtype="float64")
        return frame.assign(final=pd.Series(series.final, time, dtype="bool"))

    async def quotes(self, *symbols: str, limit: int | None = None) -> AsyncGenerator[Quote, None]:
        """Yield each newer quote of some symbols, beginning with what the feed has now.

        Drops are survived: it reconnects with backoff and goes on, never with an older quote.

        Args:
            symbols: The instruments.
            limit: End after so many quotes.

        Raises:
            ValueError: No symbol is named.
            FeedError: The feed does not know one of the symbols.
            FeedAccessError: The feed asks for a token and takes none of this client.
            FeedUnavailableError: The first connection failed.
        """
        if not symbols:
            raise ValueError("name the symbols to get quotes of; feed.symbols() lists them")
        book = QuoteBook()
        left = limit
        attempt = 0
        connected = False
        while left is None or left > 0:
            try:
                async with aclosing(self._listen(symbols)) as messages:
                    async for message in messages:
                        connected, attempt = True, 0
                        for quote in book.apply(message):
                            yield quote
                            left = None if left is None else left - 1
                            if left == 0:
                                return
            except FeedUnavailableError:
                if not connected:
                    raise
            ceiling_s = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2**attempt)
            attempt = min(attempt + 1, 10)
            await asyncio.sleep(random.uniform(0, ceiling_s))

    async def _listen(self, symbols: tuple[str, ...]) -> AsyncGenerator[Quotes, None]:
        """Yield what one connection says of quotes, until it is lost or falls silent."""
        socket = await self._connect()
        try:
            login = Login(self._credentials)
            patience_s = TIMEOUT_S
            while True:
                text = await asyncio.wait_for(socket.read_message(), patience_s)
                if text is None:
                    login.closed(socket.close_code, socket.close_reason)
                    return
                message = decode_server_message(text)
                was_in = login.is_in
                for answer in login.answer(message, time.time() * 1000):
                    await socket.write_message(encode(answer))
                if login.is_in and not was_in:
                    await socket.write_message(encode(Subscribe(1, "quotes", list(symbols))))
                match message:
                    case Quotes():
                        yield message
                    case Welcome(heartbeat_ms=heartbeat_ms):
                        patience_s = 2 * heartbeat_ms / 1000
                    case Subscribed(failed=failed) if failed:
                        raise FeedError(_explain(failed))
                    case Error() if not login.tolerates(message):
                        raise feed_error(message)
        except (TimeoutError, WebSocketClosedError):
            return
        finally:
            await _close(socket)

    async def _connect(self) -> WebSocketClientConnection:
        address = f"{self.url.replace('http', 'ws', 1)}/ws"
        try:
            return await websocket_connect(address, connect_timeout=TIMEOUT_S)
        except (OSError, HandshakeError) as error:
            raise FeedUnavailableError(self._away(error)) from error

    async def _get(self, path: str, **parameters: str) -> bytes:
        try:
            response = await self._http.get(
                path, params=parameters, headers=self._credentials.headers()
            )
        except httpx.TransportError as error:
            raise FeedUnavailableError(self._away(error)) from error
        if response.is_success:
            return response.content
        try:
            answer = msgspec.json.decode(response.content, type=Error)
        except msgspec.DecodeError:
            raise FeedError(f"{self.url}{path} answered {response.status_code}") from None
        raise feed_error(answer)

    def _away(self, error: Exception) -> str:
        return (
            f"no feed at {self.url} ({str(error) or type(error).__name__}): "
            "start one with `make run`, or set QUOTEWIRE_FEED_URL"
        )


def _explain(failed: Mapping[str, ErrorCode]) -> str:
    unknown = [symbol for symbol, code in failed.items() if code is ErrorCode.UNKNOWN_SYMBOL]
    if unknown:
        return f"the feed does not know {', '.join(unknown)}"
    return "; ".join(f"{symbol}: {code.reason}" for symbol, code in failed.items())


async def _close(socket: WebSocketClientConnection) -> None:
    """Close a connection and wait until it is gone, so that nothing outlives its owner."""
    socket.close()
    if socket.close_code is not None:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            while await socket.read_message() is not None:
                pass
