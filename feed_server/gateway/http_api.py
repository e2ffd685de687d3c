"""What all that is served over HTTP has in common."""

from types import TracebackType
from typing import TYPE_CHECKING

from tornado.web import RequestHandler

from feed_server.errors import BusError
from feed_server.gateway.auth import Grant
from feed_server.gateway.lookup import codes, explained
from feed_server.gateway.requests import (
    NOT_BEGUN,
    RequestError,
    parse_int,
    split_symbols,
)
from feed_server.protocol import Channel, Error, ErrorCode, SymbolInfo, encode

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

EXPOSED = ("ETag", "Content-Disposition", "Link", "Quotewire-Note", "Quotewire-Rows")
"""Headers that pages may read."""
CHANGES = ("POST", "PUT", "DELETE")
"""Methods that change something."""


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
        """Answer to allowed origins only, and let no other page change anything.

        Raises:
            RequestError: Another page asks for a change; browsers send that unasked.
        """
        origin = self.request.headers.get("Origin")
        if not self._let_read(origin) and self.request.method in CHANGES:
            raise RequestError(ErrorCode.FORBIDDEN, f"pages of {origin} can change nothing")

    def _let_read(self, origin: str | None) -> bool:
        """Let a page read the answer if it may; tell whether it may, or is none."""
        if origin is None:
            return True
        if not self.gateway.origins.allows(origin):
            return False
        self.set_header("Access-Control-Allow-Origin", origin)
        self.set_header("Access-Control-Expose-Headers", ", ".join(EXPOSED))
        return True

    def options(self, *_args: str) -> None:
        """Answer a browser's question before a request with headers of its own."""
        self.set_header(
            "Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match"
        )
        self.set_header("Access-Control-Allow-Methods", ", ".join(("GET", *CHANGES)))
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
        # Tornado has forgotten the headers of the answer that it was to be.
        self._let_read(self.request.headers.get("Origin"))
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
        if not asked:
            known = await self.declared_symbols()
            asked = list(filter(self.grant.allows_symbol, known))
        symbols, error = await self.find(asked)
        if error is not None:
            raise error
        return symbols

    async def find(self, asked: list[str]) -> tuple[list[str], RequestError | None]:
        """Return the symbols that there are, as the feed names them, and the first other's error.

        Raises:
            RequestError: There are too many, or no source has declared any yet.
        """
        lookup, allows = self.gateway.lookup, self.grant.allows_symbol
        why = await lookup.find(asked, await self.declared_symbols(), allows)
        known = await self.declared_symbols()
        symbols, failed = split_symbols(
            asked,
            lambda text: lookup.meaning(text, known),
            allows,
            most=self.gateway.settings.max_symbols,
            why=codes(why),
        )
        for text, code in failed.items():
            # The first only: what may be meant is found by comparing it with very many.
            said = explained(text, code, why=why, known=list(filter(allows, known)))
            return symbols, RequestError(code, said)
        return symbols, None

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

    def count_change(self, subject: str) -> None:
        """Count a change that a user makes.

        Raises:
            RequestError: It is one too many.
        """
        if not self.gateway.changes.take(subject, self.gateway.hub.now_s()):
            most = self.gateway.settings.max_commands_per_s
            raise RequestError(
                ErrorCode.TOO_MANY_COMMANDS, f"more than {most} changes a second: wait a moment"
            )

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a parameter that is a whole number.

        Raises:
            RequestError: It is none, or out of its bounds.
        """
        return parse_int(name, self.get_query_argument(name, str(default)), low, high)
