"""The feed over HTTP: symbols, quotes for those who poll, history."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import httpx
import msgspec

from dashboard.client.credentials import Credentials, headers
from dashboard.client.errors import UNREADABLE, feed_error, in_python, no_feed
from feed_server.protocol import BarSeries, Error, Quotes, Status, SymbolList, TradeSeries

CONNECT_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 20.0
"""Without a byte of an answer. A source may be asked before the feed answers."""
WHOLE_TIMEOUT_S = 60.0
"""Of one request from beginning to end, however slowly its answer drips."""

T = TypeVar("T")


class HttpApi:
    """Requests to one feed.

    Args:
        url: Its address, ``http://host:port``.
        credentials: Shown with each request.
        timeout_s: Of one request from beginning to end.
    """

    def __init__(
        self, url: str, credentials: Credentials, *, timeout_s: float = WHOLE_TIMEOUT_S
    ) -> None:
        self.url = url
        self._credentials = credentials
        self._timeout_s = timeout_s
        timeout = httpx.Timeout(min(SILENCE_TIMEOUT_S, timeout_s), connect=CONNECT_TIMEOUT_S)
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def symbols(self) -> SymbolList:
        """Return all instruments that the feed offers."""
        return await self._ask(SymbolList, "/api/symbols")

    async def search(self, text: str) -> SymbolList:
        """Return the instruments whose symbol or name has a text in it, the best first."""
        return await self._ask(SymbolList, "/api/search", q=text)

    async def status(self) -> Status:
        """Return how the sources and the server do."""
        return await self._ask(Status, "/api/status")

    async def quotes(self, symbols: Sequence[str], since: str | None = None) -> Quotes:
        """Return the last values of some symbols, of all where none is named.

        Args:
            symbols: The instruments.
            since: `Quotes.cursor` of an answer before: only what has changed from there on.
        """
        return await self._ask(Quotes, "/api/quotes", symbols=",".join(symbols), since=since)

    async def bars(
        self,
        symbol: str,
        interval: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int | None = None,
        indicators: Sequence[str] = (),
    ) -> BarSeries:
        """Return the newest bars that begin from ``start_ms`` to ``end_ms``, oldest first."""
        return await self._ask(
            BarSeries,
            "/api/bars",
            symbol=symbol,
            interval=interval,
            start=start_ms,
            end=end_ms,
            limit=limit,
            indicators=",".join(indicators) or None,
        )

    async def trades(self, symbol: str, *, limit: int | None = None) -> TradeSeries:
        """Return the newest trades, oldest first; none is missing between them."""
        return await self._ask(TradeSeries, "/api/trades", symbol=symbol, limit=limit)

    async def _ask(self, kind: type[T], path: str, **query: str | int | None) -> T:
        answer = await self._answer("GET", path, given(query))
        if isinstance(answer, Error):
            raise feed_error(in_python(answer))
        try:
            return msgspec.json.decode(answer, type=kind)
        except UNREADABLE as error:
            reason = f"{path} does not answer as a feed does: {error}"
            raise no_feed(self.url, reason) from None

    async def get(self, path: str, **query: str | int | None) -> bytes:
        """Return the body of the answer to a request.

        Args:
            path: Such as ``/api/symbols``.
            query: Its parameters; those that are None are left out.

        Raises:
            FeedUnavailableError: There is no whole answer in time, or none of a feed.
            FeedError: The feed refuses the request.
        """
        return await self.request("GET", path, given(query))

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b""
    ) -> bytes:
        """Return the body of the answer to a request of any method, which sends JSON or nothing.

        Raises:
            FeedUnavailableError: There is no whole answer in time, or none of a feed.
            FeedError: The feed refuses the request.
        """
        answer = await self._answer(method, path, query, body)
        if isinstance(answer, Error):
            raise feed_error(answer)
        return answer

    async def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b""
    ) -> bytes | Error:
        request = self._http.build_request(
            *(method, path),
            params=query,
            content=body or None,
            headers={"Content-Type": "application/json"} if body else None,
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._send(request)
        except (httpx.RequestError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise no_feed(self.url, reason) from error
        if response.is_success:
            return response.content
        try:
            return msgspec.json.decode(response.content, type=Error)
        except UNREADABLE:
            reason = f"{path} answered {response.status_code}, and not as a feed does"
            raise no_feed(self.url, reason) from None

    async def _send(self, request: httpx.Request) -> httpx.Response:
        token = await self._credentials.shown()
        request.headers.update(headers(token))
        response = await self._http.send(request)
        if response.status_code == httpx.codes.UNAUTHORIZED and self._credentials.renewable:
            token = await self._credentials.shown(refused=token)
            request.headers.update(headers(token))
            response = await self._http.send(request)
        return response


def given(query: Mapping[str, str | int | None]) -> dict[str, str]:
    """Return the parameters that are set, as text."""
    return {name: str(value) for name, value in query.items() if value is not None}
