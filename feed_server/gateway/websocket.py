"""The WebSocket way in: Tornado's side of one connection."""

import zlib
from asyncio import Future
from collections.abc import Awaitable
from types import TracebackType
from typing import TYPE_CHECKING

from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler

from feed_server.gateway.client import Client
from feed_server.gateway.commands import Commands
from feed_server.gateway.frames import Form, deflate_offer
from feed_server.gateway.requests import RequestError
from feed_server.protocol import CloseCode, Error, encode

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

EXTENSIONS = "Sec-WebSocket-Extensions"


class FeedSocket(WebSocketHandler):
    """One client's connection. Its next message is read when the one before is answered."""

    def initialize(self, gateway: "Gateway") -> None:
        """Keep the gateway; Tornado calls this for every request."""
        self._gateway = gateway
        self._client: Client | None = None
        self._commands: Commands | None = None
        self._form: Form = "plain"
        self._agreed: str | None = None

    def check_origin(self, origin: str) -> bool:
        """Take pages from allowed origins only."""
        return self._gateway.origins.allows(origin)

    async def get(self, *args: str, **kwargs: str) -> None:
        """Serve a connection until it ends; turn clients away that cannot be served now."""
        gateway = self._gateway
        try:
            address = gateway.admit(self.request)
        except RequestError as error:
            self.set_status(error.code.http_status)
            self.finish(encode(Error(error.code, error.message)))
            return
        try:
            self._negotiate()
            await super().get(*args, **kwargs)
        finally:
            # Tornado does not call `on_close` of all that are gone before they are open.
            gateway.admitted.leave(address)
            if self._client is not None:
                gateway.forget(self._client)

    def get_compression_options(self) -> dict[str, int] | None:
        """Let Tornado accept what `_negotiate` has left of the client's offer."""
        return {} if self._form == "deflated" else None

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Greet a new client."""
        gateway = self._gateway
        assert self.ws_connection is not None
        stream = self.ws_connection.stream
        assert isinstance(stream, IOStream)
        if stream.closed():
            return
        self.set_nodelay(True)
        self._client = Client(
            stream,
            self._form,
            gateway.patience,
            on_drained=gateway.hub.catch_up,
            on_close=self._end,
            opened_s=gateway.hub.now_s(),
        )
        self._commands = Commands(self._client, gateway.hub, gateway.authenticator, gateway.lookup)
        gateway.welcome(self._client)

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Handle one command."""
        assert self._commands is not None
        return self._commands.receive(message)

    def on_ping(self, data: bytes) -> None:
        """Count a ping, which Tornado has answered by itself."""
        assert self._client is not None
        assert self._commands is not None
        self._client.others_wrote()
        self._commands.receive_control()

    def on_pong(self, data: bytes) -> None:
        """Count a pong, for which nobody has asked."""
        assert self._commands is not None
        self._commands.receive_control()

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what is our fault, not what a client did wrong that ends its connection."""
        if not isinstance(value, zlib.error):
            super().log_exception(typ, value, tb)

    def _negotiate(self) -> None:
        """Agree on compression that lets all clients share a frame, or on none."""
        offer = deflate_offer(self.request.headers.get(EXTENSIONS))
        if offer is not None and self._gateway.settings.compression:
            self._form, self._agreed = "deflated", offer
            # Tornado leaves out parameters without a value, and would keep a compressor and a
            # decompressor for each connection: more than ten times what it costs otherwise.
            self.request.headers[EXTENSIONS] = offer.replace("takeover", "takeover=")

    def finish(self, chunk: str | bytes | dict[str, object] | None = None) -> "Future[None]":
        """Say what was agreed on as the standard writes it."""
        if self._agreed is not None and self.get_status() == 101:
            self.set_header(EXTENSIONS, self._agreed)
        return super().finish(chunk)

    def _end(self, code: CloseCode) -> None:
        """Close, saying why; the client gets no more data."""
        assert self._client is not None
        self._gateway.end(self._client, code)
        self.close(code.number, code.reason)
