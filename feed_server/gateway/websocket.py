"""The WebSocket: one connection's commands and its frames."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from feed_server.gateway.fanout import Topic
from feed_server.gateway.requests import NOT_BEGUN, RequestError, split_symbols
from feed_server.protocol import (
    PROTOCOL_VERSION,
    ClientMessage,
    CloseCode,
    Error,
    ErrorCode,
    Ping,
    Pong,
    ServerMessage,
    Status,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Welcome,
    decode_client_message,
    encode,
)

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

KNOWN_COMMANDS = frozenset({"subscribe", "unsubscribe", "ping"})

MIN_HZ = 0.1
"""A slower cohort would keep what is pending for too long after its members have gone."""

MAX_UNSENT_FRAMES = 256
"""A client with so many frames not yet taken by its socket is closed."""


class FeedSocket(WebSocketHandler):
    """One client's connection. Nothing is awaited while a command is handled."""

    def initialize(self, gateway: "Gateway") -> None:
        """Keep the gateway; Tornado calls this for every request."""
        self._gateway = gateway
        self._unsent = 0
        self.last_sent_s = 0.0

    def check_origin(self, origin: str) -> bool:
        """Take pages from allowed origins only."""
        return self._gateway.origins.allows(origin)

    def prepare(self) -> None:
        """Turn clients away until there is something to subscribe to; they come again."""
        if not self._gateway.view.symbols:
            self.set_status(503)
            self.finish(encode(Error(ErrorCode.NOT_READY, NOT_BEGUN)))

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Greet a new client."""
        settings = self._gateway.settings
        self.set_nodelay(True)
        self._gateway.connections[self] = None
        self._gateway.metrics.connections.inc()
        self.send(
            Welcome(
                version=PROTOCOL_VERSION,
                server=self._gateway.name,
                time_ms=self._gateway.now_ms(),
                heartbeat_ms=settings.heartbeat_ms,
                max_hz=settings.max_hz,
                max_symbols=settings.max_symbols,
            )
        )
        self.send(Status(self._gateway.view.statuses()))

    def on_message(self, message: str | bytes) -> None:
        """Handle one command."""
        try:
            self._handle(decode_client_message(message))
        except (msgspec.DecodeError, RecursionError) as error:
            code, request_id = _explain(message)
            self._fail(code, str(error), request_id)

    def on_close(self) -> None:
        """Forget the client."""
        if self._gateway.connections.pop(self, self) is None:
            self._gateway.metrics.connections.dec()
        self._gateway.drop(self)

    def send(self, message: ServerMessage) -> None:
        """Send one message to this client alone."""
        self.send_frame(encode(message))

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded message; a client that takes nothing is closed, with the reason."""
        if self._unsent >= MAX_UNSENT_FRAMES:
            self._gateway.metrics.slow_closes.inc()
            self.end(CloseCode.SLOW_CONSUMER)
            return
        self.last_sent_s = self._gateway.now_s()
        try:
            written = self.write_message(frame.decode())
        except WebSocketClosedError:
            return
        self._unsent += 1
        written.add_done_callback(self._on_written)
        self._gateway.metrics.frames.inc()
        self._gateway.metrics.sent_bytes.inc(len(frame))

    def end(self, code: CloseCode) -> None:
        """Close the connection, saying why; it gets nothing more."""
        self._gateway.drop(self)
        self.close(code.number, code.reason)

    def _on_written(self, written: "asyncio.Future[None]") -> None:
        self._unsent -= 1
        if not written.cancelled():
            error = written.exception()
            if error is not None and not isinstance(
                error, (WebSocketClosedError, StreamClosedError)
            ):
                raise error

    def _handle(self, command: ClientMessage) -> None:
        match command:
            case Ping(id=request_id):
                self.send(Pong(request_id, self._gateway.now_ms()))
            case Subscribe() | Unsubscribe() if (command.channel == "bars") != bool(
                command.interval
            ):
                self._fail(
                    ErrorCode.BAD_PARAMETER,
                    "channel 'bars' needs an interval, channel 'quotes' takes none",
                    command.id,
                )
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)

    def _subscribe(self, command: Subscribe) -> None:
        gateway = self._gateway
        room = gateway.settings.max_symbols - gateway.fanout.subscriptions_of(self)
        try:
            symbols, failed = split_symbols(
                command.symbols, gateway.view.symbols, most=max(room, 0)
            )
        except RequestError as error:
            self._fail(error.code, error.message, command.id)
            return
        if not (command.max_hz == 0 or command.max_hz >= MIN_HZ):
            self._fail(
                ErrorCode.BAD_PARAMETER, f"max_hz must be 0 or at least {MIN_HZ}", command.id
            )
            return
        self.send(Subscribed(command.id, command.channel, symbols, failed, command.interval))
        most = gateway.settings.max_hz
        max_hz = min(command.max_hz, most) if command.max_hz > 0 else most
        gateway.subscribe(self, Topic(command.interval, max_hz), symbols)

    def _unsubscribe(self, command: Unsubscribe) -> None:
        symbols = list(dict.fromkeys(command.symbols))
        self._gateway.unsubscribe(self, command.interval, symbols)
        self.send(Unsubscribed(command.id, command.channel, symbols))

    def _fail(self, code: ErrorCode, message: str, request_id: int | None) -> None:
        self._gateway.metrics.errors.labels(code.value).inc()
        self.send(Error(code, message, request_id))


class _Envelope(msgspec.Struct):
    type: str = ""
    id: int | None = None


def _explain(message: str | bytes) -> tuple[ErrorCode, int | None]:
    """Tell an unknown command from a malformed one, and find the request's number."""
    try:
        envelope = msgspec.json.decode(message, type=_Envelope)
    except (msgspec.DecodeError, RecursionError):
        return ErrorCode.BAD_MESSAGE, None
    known = envelope.type in KNOWN_COMMANDS
    return (ErrorCode.BAD_MESSAGE if known else ErrorCode.UNKNOWN_COMMAND), envelope.id
