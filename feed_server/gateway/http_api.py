"""HTTP: polling, history, health and metrics."""

import time
from types import TracebackType
from typing import TYPE_CHECKING

import structlog
from tornado.web import RequestHandler

from feed_server.errors import BusError
from feed_server.gateway.auth import Grant
from feed_server.gateway.requests import (
    NOT_BEGUN,
    RequestError,
    parse_int,
    parse_interval,
    split_symbols,
)
from feed_server.gateway.rows import bar_series, trade_series
from feed_server.protocol import Channel, Error, ErrorCode, SymbolInfo, SymbolList, encode

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

MAX_BARS = 10_000
MAX_TRADES = 10_000
MAX_TIME_MS = 253_402_300_799_000
"""9999-12-31, the last day that dates can name."""
MAX_DIGITS = 20
"""No cursor of ours is as long."""

log = structlog.get_logger(__name__)


class OpenHandler(RequestHandler):
    """What all have: CORS, JSON, and errors with the same codes as on the WebSocket."""

    def initialize(self, gateway: "Gateway") -> None:
        """Keep the gateway; Tornado calls this for every request."""
        self.gateway = gateway

    def set_default_headers(self) -> None:
        """Allow listed pages to read the answer."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Origin")

    def prepare(self) -> None:
        """Answer to allowed origins only."""
        origin = self.request.headers.get("Origin")
        if origin is not None and self.gateway.origins.allows(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Expose-Headers", "ETag")

    def options(self, *_args: str) -> None:
        """Answer a browser's question before a request with headers of its own."""
        self.set_header("Access-Control-Allow-Headers", "Authorization, If-None-Match")
        self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)

    def answer(self, body: object) -> None:
        """Send a struct as JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(encode(body))

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Send what went wrong as an `Error`."""
        exc_info = kwargs.get("exc_info")
        error = exc_info[1] if isinstance(exc_info, tuple) else None
        match error:
            case RequestError():
                body = Error(error.code, error.message)
            case BusError():
                body = Error(ErrorCode.NOT_READY, f"{error}; try again in a moment")
            case _ if status_code == 404:
                body = Error(ErrorCode.NOT_FOUND, f"no such path: {self.request.path}")
            case _ if status_code == 405:
                body = Error(
                    ErrorCode.METHOD_NOT_ALLOWED, f"{self.request.path} has no such method"
                )
            case _ if status_code < 500:
                body = Error(ErrorCode.BAD_PARAMETER, str(error) or self._reason)
            case _:
                body = Error(ErrorCode.INTERNAL, "internal error; the server's log has it")
        if status_code == 500:
            self.set_status(body.code.http_status)
        if self.get_status() == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        self.gateway.metrics.errors.labels(body.code.value).inc()
        self.answer(body)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what is our fault; what a client did wrong is answered and counted."""
        if not isinstance(value, (RequestError, BusError)):
            super().log_exception(typ, value, tb)


class NotFoundHandler(OpenHandler):
    """Any path that is not served."""

    def prepare(self) -> None:
        """Answer that there is nothing here."""
        super().prepare()
        raise RequestError(ErrorCode.NOT_FOUND, f"no such path: {self.request.path}")


class ApiHandler(OpenHandler):
    """Market data: for those whose token allows it, where tokens are asked for."""

    grant: Grant

    def prepare(self) -> None:
        """Let in who may."""
        super().prepare()
        if self.request.method != "OPTIONS":
            self.grant = self.gateway.authenticator.grant_header(
                self.request.headers.get("Authorization"), self.gateway.hub.now_ms() / 1000
            )

    async def declared_symbols(self) -> dict[str, SymbolInfo]:
        """Return all instruments.

        Raises:
            RequestError: No source has declared any yet.
            BusError: Nothing is heard of Redis, nor does it answer.
        """
        view = self.gateway.view
        symbols = view.symbols if view.hears else await self.gateway.reader.symbols()
        if not symbols:
            raise RequestError(ErrorCode.NOT_READY, NOT_BEGUN)
        return symbols

    async def symbols_of(self, channel: Channel, asked: list[str]) -> list[str]:
        """Return the symbols asked for, once each; all that can be had where none is named.

        Raises:
            RequestError: One is unknown, or the token does not allow it, or there are too many.
        """
        self.require(channel)
        known = await self.declared_symbols()
        symbols, failed = split_symbols(
            asked or filter(self.grant.allows_symbol, known),
            known,
            self.grant.allows_symbol,
            most=self.gateway.settings.max_symbols,
        )
        for symbol, code in failed.items():
            raise RequestError(code, f"{symbol!r}: {code.reason}")
        return symbols

    async def wanted_symbol(self, channel: Channel) -> str:
        """Return the parameter ``symbol``, which is kept current from now on for a while.

        Raises:
            RequestError: It is missing or unknown, or the token does not allow it.
        """
        symbol = self.get_query_argument("symbol", "")
        if not symbol:
            raise RequestError(ErrorCode.BAD_PARAMETER, "symbol is missing; see /api/symbols")
        symbols = await self.symbols_of(channel, [symbol])
        await self.gateway.view.want(symbols)
        return symbols[0]

    def require(self, channel: Channel) -> None:
        """Check that the token allows a channel.

        Raises:
            RequestError: It does not.
        """
        if not self.grant.allows_channel(channel):
            raise RequestError(ErrorCode.FORBIDDEN, f"the token does not allow channel {channel!r}")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a parameter that is a whole number.

        Raises:
            RequestError: It is none, or out of its bounds.
        """
        return parse_int(name, self.get_query_argument(name, str(default)), low, high)


class SymbolsHandler(ApiHandler):
    """``/api/symbols``: a `SymbolList`."""

    async def get(self) -> None:
        """Answer with all instruments."""
        symbols = await self.declared_symbols()
        self.answer(SymbolList([i for s, i in symbols.items() if self.grant.allows_symbol(s)]))


class StatusHandler(ApiHandler):
    """``/api/status``: a `Status`, as on the WebSocket."""

    def get(self) -> None:
        """Answer with how the sources and this gateway do."""
        self.answer(self.gateway.status())


class SubscriptionsHandler(ApiHandler):
    """``/api/subscriptions``: how many want each symbol, at all gateways together."""

    async def get(self) -> None:
        """Answer with the counts by symbol."""
        counts = await self.gateway.wanted.counts()
        self.answer({s: n for s, n in sorted(counts.items()) if self.grant.allows_symbol(s)})


class QuotesHandler(ApiHandler):
    """``/api/quotes?symbols=A,B&since=``: `Quotes`; 304 when nothing changed (ETag)."""

    async def get(self) -> None:
        """Answer with last values, of all symbols where none is named."""
        named = self.get_query_argument("symbols", "").split(",")
        symbols = await self.symbols_of("quotes", [s.strip() for s in named if s.strip()])
        view, rows = self.gateway.view, self.gateway.hub.fanout.rows
        if not await view.want(symbols):
            # What is kept here may be old: the answer is Redis's own, or an honest error.
            latest = await self.gateway.reader.last_values(symbols)
            self.answer(rows.snapshot(latest.values()))
            return
        since = self._since(self.get_query_argument("since", ""))
        changed = [s for s in symbols if s in view.latest and view.changed_at(s) > since]
        newest = max((view.changed_at(symbol) for symbol in symbols), default=0)
        cursor = f"{self.gateway.name}:{newest}"
        self.answer(rows.snapshot([view.latest[s] for s in changed], cursor))

    def _since(self, cursor: str) -> int:
        """Return the change that a cursor names; 0, for everything, where another made it."""
        server, _, number = cursor.rpartition(":")
        ours = server == self.gateway.name and number.isdecimal() and len(number) < MAX_DIGITS
        return int(number) if ours else 0


class BarsHandler(ApiHandler):
    """``/api/bars?symbol=&interval=&start=&end=&limit=``: a `BarSeries`."""

    async def get(self) -> None:
        """Answer with the newest ``limit`` bars that begin within ``start`` and ``end`` (ms)."""
        interval = parse_interval(self.get_query_argument("interval", "1d"))
        start_ms = self.number("start", 0, 0, MAX_TIME_MS)
        end_ms = self.number("end", MAX_TIME_MS, 0, MAX_TIME_MS)
        limit = self.number("limit", 500, 1, MAX_BARS)
        symbol = await self.wanted_symbol("bars")
        history = await self.gateway.reader.bars(
            symbol, interval, start_ms=start_ms, end_ms=end_ms, limit=limit
        )
        self.answer(bar_series(symbol, interval, history))


class TradesHandler(ApiHandler):
    """``/api/trades?symbol=&limit=``: a `TradeSeries`."""

    async def get(self) -> None:
        """Answer with the newest ``limit`` trades, as far back as none is missing."""
        limit = self.number("limit", 500, 1, MAX_TRADES)
        symbol = await self.wanted_symbol("trades")
        self.answer(trade_series(symbol, await self.gateway.reader.trades(symbol, limit)))


class HealthHandler(OpenHandler):
    """``/healthz``: the process is alive."""

    def get(self) -> None:
        """Answer that it is."""
        self.answer({"status": "ok", "server": self.gateway.name})


class ReadyHandler(OpenHandler):
    """``/readyz``: fit for traffic; 503 with the reasons where not."""

    async def get(self) -> None:
        """Answer with the reasons against."""
        started_s = time.monotonic()
        reasons = await self.gateway.not_ready_reasons()
        self.set_status(503 if reasons else 200)
        self.answer(
            {
                "ready": not reasons,
                "reasons": reasons,
                "symbols_behind": self.gateway.view.unsettled,
                "redis_ms": round((time.monotonic() - started_s) * 1000, 2),
            }
        )


class MetricsHandler(OpenHandler):
    """``/metrics``: for Prometheus."""

    def get(self) -> None:
        """Answer with all figures."""
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.gateway.figures())
