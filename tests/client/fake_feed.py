"""A feed in the test's own event loop: it tells what it is told to, and fails on demand."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from feed_server.protocol import (
    Auth,
    Bars,
    Error,
    ErrorCode,
    GatewayStatus,
    Heartbeat,
    Ping,
    Pong,
    Position,
    QuoteDetails,
    QuoteRow,
    Quotes,
    Status,
    Subscribe,
    Subscribed,
    SymbolInfo,
    SymbolList,
    TradeRow,
    Trades,
    Unsubscribe,
    Unsubscribed,
    Welcome,
    decode_client_message,
    encode,
)

EPOCH = "e1"
BEGIN_MS = 1_700_000_000_000
UNKNOWN = "NOPE"
DETAILS = QuoteDetails(100.0, 101.0, 99.0, 100.0, "2023-11-14", EPOCH, 2)


class FakeFeed:
    """Use as an asynchronous context manager.

    Attributes:
        url: Its address.
        answers: Whether requests are answered.
        takes_sockets: Whether WebSockets are let in.
        talks: Whether it says anything on those that it has let in.
        sockets: Those that are open.
        subscribed: By channel what is subscribed to, on the last socket that said so.
        asked: Paths of requests.
        opened: How many sockets were let in.
        heartbeat_ms: As in `Welcome`.
        names: What it calls the symbols that are asked for by other names.
        bodies: By path what is answered instead of sense.
        changes: What was to be changed: method, address, body, and what was shown with it.
        token: What has to be shown for a change; None: anything.
    """

    def __init__(self, *, heartbeat_ms: int = 2000) -> None:
        self.answers = self.takes_sockets = self.talks = True
        self.heartbeat_ms = heartbeat_ms
        self.sockets: set[Socket] = set()
        self.subscribed: dict[str, set[str]] = {}
        self.asked: list[str] = []
        self.opened = 0
        self.names: dict[str, str] = {}
        self.bodies: dict[str, bytes] = {}
        self.changes: list[tuple[str, str, bytes, str]] = []
        self.token: str | None = None
        self.offset = 1
        handlers = [("/ws", Socket, {"feed": self}), ("/api/.*", Api, {"feed": self})]
        self._server = HTTPServer(Application(handlers, log_function=lambda _handler: None))
        listener, self.port = bind_unused_port()
        self._server.add_socket(listener)
        self.url = f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()
        self._server.stop()
        await self._server.close_all_connections()

    def drop(self) -> None:
        """Hang up on all sockets."""
        for each in list(self.sockets):
            each.hang_up()

    def say(self, message: object) -> None:
        """Say something to all."""
        for each in list(self.sockets):
            each.say(message)

    def quote(self, *symbols: str, times: int = 1) -> None:
        """Tell so many new quotes of each symbol, one message each."""
        for _ in range(times):
            self.offset += 1
            self.say(self.quotes(symbols, snapshot=False))

    def trade(self, symbol: str, times: int = 1) -> None:
        """Tell so many new trades."""
        for _ in range(times):
            self.offset += 1
            row = TradeRow(symbol, float(self.offset), 1.0, 0, 0, self.offset)
            self.say(Trades(BEGIN_MS + self.offset, BEGIN_MS, [row]))

    def quotes(self, symbols: Iterable[str], *, snapshot: bool = True) -> Quotes:
        """Return quotes as they are now; their last price is the offset."""
        rows = [
            QuoteRow(s, float(self.offset), 1.0, None, None, 1.0, 0, 0, self.offset, 1)
            for s in symbols
        ]
        details = dict.fromkeys(symbols, DETAILS) if snapshot else {}
        at_ms = BEGIN_MS + self.offset
        return Quotes(at_ms, at_ms, rows, details, snapshot=snapshot)

    def status(self) -> Status:
        """Return that all is well."""
        return Status([], GatewayStatus("fake", 1.0))


class Socket(WebSocketHandler):
    """``/ws``."""

    def initialize(self, feed: FakeFeed) -> None:
        self.feed = feed

    def prepare(self) -> None:
        if not self.feed.takes_sockets:
            self.set_status(503)
            self.finish()

    def open(self, *_: str, **__: str) -> None:
        feed = self.feed
        # Else the kernel holds a second message back until the first is acknowledged.
        self.set_nodelay(True)
        feed.sockets.add(self)
        feed.opened += 1
        self.frames = 0
        self._heartbeat: asyncio.TimerHandle | None = None
        now_ms = BEGIN_MS
        self.say(Welcome(1, "fake", now_ms, feed.heartbeat_ms, 10.0, 1000, 65536, 50, "none"))
        self.say(feed.status())
        self._beat()

    def _beat(self) -> None:
        self.say(Heartbeat(BEGIN_MS, self.frames))
        loop = asyncio.get_running_loop()
        self._heartbeat = loop.call_later(self.feed.heartbeat_ms / 1000, self._beat)

    def say(self, message: object) -> None:
        if self.feed.talks:
            self.frames += 1
            self.send(encode(message))

    def send(self, data: bytes, *, binary: bool = False) -> None:
        """Send bytes, whatever they mean."""
        with suppress(WebSocketClosedError):
            written = self.write_message(data, binary)
            written.add_done_callback(lambda done: done.exception())

    def hang_up(self) -> None:
        """End the connection without a word."""
        if self.ws_connection is not None:
            self.ws_connection._abort()

    def on_message(self, text: str | bytes) -> None:
        message = decode_client_message(text)
        match message:
            case Subscribe():
                self._subscribe(message)
            case Unsubscribe(id=id, channel=channel, symbols=symbols, interval=interval):
                self.feed.subscribed.get(channel, set()).difference_update(symbols)
                self.say(Unsubscribed(id, channel, symbols, interval))
            case Ping(id=id):
                self.say(Pong(id, BEGIN_MS))
            case Auth(id=id):
                self.say(Error(ErrorCode.AUTH_FAILED, "no token is asked for", id))

    def _subscribe(self, asked: Subscribe) -> None:
        feed = self.feed
        known = [symbol for symbol in asked.symbols if symbol != UNKNOWN]
        failed = {s: ErrorCode.UNKNOWN_SYMBOL for s in asked.symbols if s == UNKNOWN}
        feed.subscribed.setdefault(asked.channel, set()).update(known)
        self.say(Subscribed(asked.id, asked.channel, known, failed, 10.0, asked.interval))
        if asked.channel == "quotes":
            self.say(feed.quotes(known))
        elif asked.channel == "trades":
            positions = dict.fromkeys(known, Position(EPOCH, feed.offset))
            recovered = dict.fromkeys(asked.since, True)
            self.say(Trades(0, 0, [], positions, recovered))
        elif asked.interval is not None:
            epochs = dict.fromkeys(known, EPOCH)
            offsets = dict.fromkeys(known, feed.offset)
            recovered = dict.fromkeys(asked.since, True)
            bars = Bars(asked.interval, [], epochs, True, offsets, recovered)
            self.say(bars)

    def on_close(self) -> None:
        self.feed.sockets.discard(self)
        if self._heartbeat is not None:
            self._heartbeat.cancel()


class Api(RequestHandler):
    """What polls ask for."""

    def initialize(self, feed: FakeFeed) -> None:
        self.feed = feed

    def post(self) -> None:
        self._change()

    def put(self) -> None:
        self._change()

    def delete(self) -> None:
        self._change()

    def _change(self) -> None:
        request, feed = self.request, self.feed
        shown = request.headers.get("Authorization", "")
        feed.changes.append((request.method or "", request.uri or "", request.body, shown))
        if feed.token is not None and shown != f"Bearer {feed.token}":
            self.set_status(401)
            self.finish(encode(Error(ErrorCode.AUTH_EXPIRED, "expired")))
        elif request.path in feed.bodies:
            self.finish(feed.bodies[request.path])
        else:
            self.set_status(204)

    def get(self) -> None:
        feed = self.feed
        feed.asked.append(self.request.path)
        if not feed.answers:
            self.set_status(503)
            self.finish(encode(Error(ErrorCode.NOT_READY, "not ready")))
        elif self.request.path in feed.bodies:
            self.finish(feed.bodies[self.request.path])
        elif self.request.path == "/api/quotes":
            symbols = self.get_query_argument("symbols").split(",")
            if UNKNOWN in symbols:
                self.set_status(404)
                self.finish(encode(Error(ErrorCode.UNKNOWN_SYMBOL, f"{UNKNOWN}: unknown")))
            else:
                self.finish(encode(feed.quotes([feed.names.get(s, s) for s in symbols])))
        elif self.request.path == "/api/status":
            self.finish(encode(feed.status()))
        else:
            info = SymbolInfo("AAPL", "Apple", "USD", 2, "fake", "")
            self.finish(encode(SymbolList([info])))
