"""Server-Sent Events: the same subscriptions for those whom no WebSocket reaches."""

from typing import cast

from tornado.iostream import IOStream

from feed_server.gateway.client import Client
from feed_server.gateway.commands import MIN_HZ, Commands, check_subscribe
from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError, parse_int, parse_interval
from feed_server.protocol import Channel, CloseCode, ErrorCode, Position, Subscribe, split_specs
from feed_server.protocol.data import MAX_OFFSET

CHANNELS = ("quotes", "trades", "bars")
SWITCH = ("0", "1")
HEAD = (
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/event-stream; charset=utf-8\r\n"
    "Cache-Control: no-store\r\n"
    "X-Accel-Buffering: no\r\n"
    "Vary: Origin\r\n"
    "Connection: close\r\n"
)


class EventStreamHandler(ApiHandler):
    """``/api/stream?channel=&symbols=A,B&…``: the WebSocket's messages as events.

    What the WebSocket's `Subscribe` asks for is in the address; each event is one message.
    """

    _client: Client | None = None

    async def get(self) -> None:
        """Answer with events until the client leaves."""
        command = self._command()
        check_subscribe(command, self.grant)
        await self._check_symbols(command.symbols)
        address = self.gateway.admit(self.request)
        # From here on it is written to directly, and every way out is the end of the stream.
        stream = self.detach()
        if stream.closed():
            self._ended(address)
            return
        stream.set_close_callback(lambda: self._ended(address))
        try:
            await self._begin(stream, command)
        except BaseException:
            stream.close()
            raise

    def _command(self) -> Subscribe:
        channel = self._choice("channel", "quotes", CHANNELS)
        interval = self.get_query_argument("interval", "")
        return Subscribe(
            id=0,
            channel=cast(Channel, channel),
            symbols=self._parts("symbols"),
            interval=parse_interval(interval) if interval else None,
            max_hz=self._max_hz(self.get_query_argument("max_hz", "0")),
            since=dict(_place(part) for part in self._parts("since")),
            snapshot=self._choice("snapshot", "1", SWITCH) == "1",
            indicators=split_specs(self.get_query_argument("indicators", "")),
        )

    def _parts(self, name: str) -> list[str]:
        parts = self.get_query_argument(name, "").split(",")
        return [part.strip() for part in parts if part.strip()]

    def _choice(self, name: str, default: str, values: tuple[str, ...]) -> str:
        value = self.get_query_argument(name, default)
        if value not in values:
            raise RequestError(
                ErrorCode.BAD_PARAMETER, f"{name} {value!r} is not one of {', '.join(values)}"
            )
        return value

    def _max_hz(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise RequestError(
                ErrorCode.BAD_PARAMETER, f"max_hz must be 0 or at least {MIN_HZ}, not {text!r}"
            ) from None

    async def _check_symbols(self, asked: list[str]) -> None:
        """Check that there is something to stream: no other symbols can be asked for later.

        Raises:
            RequestError: There is nothing, or it is too much.
        """
        if not asked:
            raise RequestError(ErrorCode.BAD_PARAMETER, "symbols is missing; see /api/symbols")
        symbols, error = await self.find(asked)
        if error is not None and not symbols:
            raise error

    async def _begin(self, stream: IOStream, command: Subscribe) -> None:
        """Greet the client, and do what it asks for."""
        allowed = self._headers.get("Access-Control-Allow-Origin")
        head = HEAD + (f"Access-Control-Allow-Origin: {allowed}\r\n" if allowed else "") + "\r\n"
        stream.set_nodelay(True)
        stream.write(head.encode())
        if stream.closed():
            return
        hub = self.gateway.hub
        client = Client(
            stream,
            "event",
            self.gateway.patience,
            on_drained=hub.catch_up,
            on_close=lambda code: self._end(stream, code),
            opened_s=hub.now_s(),
        )
        client.grant = self.grant
        self._client = client
        self.gateway.welcome(client)
        commands = Commands(client, hub, self.gateway.authenticator, self.gateway.lookup)
        if (answered := commands.run(command)) is not None:
            await answered

    def _end(self, stream: IOStream, code: CloseCode) -> None:
        assert self._client is not None
        self.gateway.end(self._client, code)
        stream.close()

    def _ended(self, address: str) -> None:
        self.gateway.admitted.leave(address)
        if self._client is not None:
            self.gateway.forget(self._client)


def _place(text: str) -> tuple[str, Position]:
    """Return a symbol and where a client stands, from ``SYMBOL:epoch:offset``."""
    match text.rsplit(":", 2):
        case [symbol, epoch, offset]:
            return symbol, Position(epoch, parse_int("since", offset, 0, MAX_OFFSET))
    raise RequestError(
        ErrorCode.BAD_PARAMETER, f"since must be SYMBOL:epoch:offset,…, not {text!r}"
    )
