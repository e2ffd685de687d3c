"""A local Coinbase Exchange: its WebSocket and REST on one port, with every fault on demand.

It runs in a thread of its own, so that it can serve other processes as well. What it says has the
shapes of real frames and answers.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self, TypeVar

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler
from typing_extensions import override

FIRST_TRADE = 1000
SUBSCRIBE_WITHIN_S = 5.0
MAX_PAGE = 1000
PRICES = {
    "BTC-USD": ("50000.00", "0.01"),
    "ETH-USD": ("3000.00", "0.01"),
    "SOL-USD": ("150.00", "0.01"),
    "ETH-BTC": ("0.06000", "0.00001"),
    "DOGE-USD": ("0.15000", "0.00001"),
}
"""By product its first price and the step of its prices."""

T = TypeVar("T")
Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is answered instead.

    Attributes:
        body: Text as it is, anything else as JSON.
        wait_s: Silence before it.
        missing: Bytes that are promised and never come.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = ""
    wait_s: float = 0.0
    missing: int = 0


class CoinbaseServer:
    """The exchange; use it as a context manager.

    Args:
        prices: By product its first price and the step of its prices.
        heartbeat_s: Between two heartbeats of a product.
        history: Whether each product has had a trade before, as `last_match` tells.

    Attributes:
        url: Where REST is.
        websocket_url: Where the WebSocket is.
        faults: By the last part of a path (``products``, ``candles``, …; ``websocket``) what is
            answered instead.
        silent: Whether all sockets are dead though open.
        refusal: Reason that a refused request is given, ``{product}`` is what it is refused for.
        asked: REST requests that came, as paths with their queries.
        sockets: How many WebSockets were opened so far.
        heard: Messages that came on WebSockets.
    """

    def __init__(
        self,
        prices: Mapping[str, tuple[str, str]] | None = None,
        *,
        heartbeat_s: float = 1.0,
        history: bool = True,
    ) -> None:
        self.faults: dict[str, Fault] = {}
        self.silent = False
        self.refusal = "{product} is not a valid product"
        self.asked: list[str] = []
        self.sockets = 0
        self.heard: list[dict[str, object]] = []
        self.trades: dict[str, list[Row]] = {}
        self.open: set[_Socket] = set()
        self.prices = dict(PRICES if prices is None else prices)
        self.heartbeat_s = heartbeat_s
        self._loop = asyncio.new_event_loop()
        self._ready: Future[int] = Future()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        for product, (price, _) in self.prices.items():
            self.trades[product] = []
            if history:
                self._add(product, float(price), 0.5, None)

    def __enter__(self) -> Self:
        self._thread.start()
        port = self._ready.result(10)
        self.url = f"http://127.0.0.1:{port}"
        self.websocket_url = f"ws://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def subscribed(self) -> set[str]:
        """Products whose trades any open socket carries."""
        return self._do(lambda: {p for socket in self.open for p in socket.channels["matches"]})

    def trade(
        self,
        product: str,
        price: float,
        size: float,
        *,
        time_ms: int | None = None,
        lost: bool = False,
    ) -> int:
        """Let a trade happen, and return its number.

        Args:
            product: Of what.
            price: At which price.
            size: Of how much.
            time_ms: When, epoch milliseconds; now where it is None.
            lost: Whether no socket is told.
        """

        def happen() -> int:
            row = self._add(product, price, size, time_ms)
            if not lost:
                self._tell("matches", product, {"type": "match", **_match(product, row)})
                self._tell("ticker", product, self.ticker(product))
            return int(str(row["trade_id"]))

        return self._do(happen)

    def minutes(self, product: str) -> list[int]:
        """Return the starts of the minutes in which a product was traded, epoch milliseconds."""

        def starts() -> set[int]:
            times = (datetime.fromisoformat(str(row["time"])) for row in self.trades[product])
            return {int(time.timestamp()) // 60 * 60_000 for time in times}

        return sorted(self._do(starts))

    def say(self, message: str | bytes | Row) -> None:
        """Send all sockets a message, JSON or not."""
        text = json.dumps(message) if isinstance(message, dict) else message
        self._each(lambda socket: socket.say(text))

    def drop(self) -> None:
        """Hang up on all sockets without a word."""
        self._each(_Socket.drop)

    def close(self, code: int, reason: str) -> None:
        """Close all sockets properly."""
        self._each(lambda socket: socket.close(code, reason))

    def ticker(self, product: str) -> Row:
        """Return a message of the channel ``ticker``."""
        row = self.trades[product][-1]
        price, step = float(str(row["price"])), float(self.prices[product][1])
        return {
            "type": "ticker",
            "sequence": row["trade_id"],
            "product_id": product,
            "price": row["price"],
            "open_24h": row["price"],
            "volume_24h": "87.00170000",
            "low_24h": row["price"],
            "high_24h": row["price"],
            "volume_30d": "1546.32461700",
            "best_bid": f"{price - step:.8f}",
            "best_ask": f"{price + step:.8f}",
            "side": "buy",
            "time": row["time"],
            "trade_id": row["trade_id"],
            "last_size": row["size"],
        }

    def product(self, product: str) -> Row:
        """Return a row of ``/products``."""
        base, quote = product.split("-")
        return {
            "id": product,
            "base_currency": base,
            "quote_currency": quote,
            "quote_increment": self.prices[product][1],
            "base_increment": "0.00000001",
            "display_name": f"{base}-{quote}",
            "min_market_funds": "1",
            "margin_enabled": False,
            "post_only": False,
            "limit_only": False,
            "cancel_only": False,
            "status": "online",
            "status_message": "",
            "trading_disabled": False,
            "fx_stablecoin": False,
            "auction_mode": False,
        }

    def _add(self, product: str, price: float, size: float, time_ms: int | None) -> Row:
        now_ms = time.time_ns() // 1_000_000 if time_ms is None else time_ms
        row: Row = {
            "time": datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "trade_id": FIRST_TRADE + len(self.trades[product]),
            "price": f"{price:.8f}",
            "size": f"{size:.8f}",
            "side": "sell",
        }
        self.trades[product].append(row)
        return row

    def _tell(self, channel: str, product: str, message: Row) -> None:
        text = json.dumps(message)
        for socket in list(self.open):
            if product in socket.channels[channel]:
                socket.say(text)

    def _each(self, do: "Callable[[_Socket], None]") -> None:
        def all_of_them() -> None:
            for socket in list(self.open):
                do(socket)

        self._do(all_of_them)

    def _do(self, work: Callable[[], T]) -> T:
        """Do something in the server's thread."""

        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        application = Application(
            [
                (r"/", _Socket, {"exchange": self}),
                (r"/products", _Rest, {"exchange": self}),
                (r"/products/([^/]+)/(ticker|trades|candles)", _Rest, {"exchange": self}),
            ],
            log_function=lambda handler: None,
        )
        server = HTTPServer(application)
        (bound,) = bind_sockets(0, "127.0.0.1")
        server.add_sockets([bound])
        self._ready.set_result(bound.getsockname()[1])
        beating = asyncio.create_task(self._beat())
        await self._ended.wait()
        beating.cancel()
        server.stop()
        for socket in list(self.open):
            socket.drop()
        await server.close_all_connections()
        # Handlers that wait see that their connection is gone.
        await asyncio.sleep(0.01)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_s)
            for product, rows in self.trades.items():
                message: Row = {
                    "type": "heartbeat",
                    "sequence": 90,
                    "last_trade_id": rows[-1]["trade_id"] if rows else 0,
                    "product_id": product,
                    "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                }
                self._tell("heartbeat", product, message)


class _Socket(WebSocketHandler):
    """One WebSocket."""

    def initialize(self, exchange: CoinbaseServer) -> None:
        self._exchange = exchange
        self.channels: dict[str, set[str]] = {"ticker": set(), "matches": set(), "heartbeat": set()}
        self._late: asyncio.TimerHandle | None = None

    @override
    async def prepare(self) -> None:
        fault = self._exchange.faults.get("websocket")
        if fault is not None:
            await _answer(self, fault)

    @override
    async def get(self, *args: str, **kwargs: str) -> None:
        if not self._finished:
            await super().get(*args, **kwargs)

    @override
    def check_origin(self, origin: str) -> bool:
        return True

    @override
    def open(self, *_: str, **__: str) -> None:
        self._exchange.sockets += 1
        self._exchange.open.add(self)
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(SUBSCRIBE_WITHIN_S, self.close, 1008, "no subscription")

    @override
    def on_message(self, message: str | bytes) -> None:
        said = json.loads(message)
        self._exchange.heard.append(said)
        if self._exchange.silent:
            return
        if self._late is not None:
            self._late.cancel()
        products = said["product_ids"]
        for product in products:
            if product not in self._exchange.prices:
                reason = self._exchange.refusal.format(product=product)
                error = {"type": "error", "message": "Failed to subscribe", "reason": reason}
                self.say(json.dumps(error))
                return
        for channel in said["channels"]:
            if said["type"] == "subscribe":
                self.channels[channel].update(products)
            else:
                self.channels[channel].difference_update(products)
        if said["type"] == "subscribe":
            self._tell_last(products)
        channels = [
            {"name": name, "product_ids": list(carried)}
            for name, carried in self.channels.items()
            if carried
        ]
        self.say(json.dumps({"type": "subscriptions", "channels": channels}))

    @override
    def on_close(self) -> None:
        self._exchange.open.discard(self)
        if self._late is not None:
            self._late.cancel()

    def say(self, message: str | bytes) -> None:
        """Send a message."""
        if not self._exchange.silent:
            with suppress(WebSocketClosedError):
                self.write_message(message, binary=isinstance(message, bytes))

    def drop(self) -> None:
        """Hang up without a word."""
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            self.ws_connection.stream.close()

    def _tell_last(self, products: list[str]) -> None:
        for product in products:
            rows = self._exchange.trades[product]
            if rows:
                self.say(json.dumps(self._exchange.ticker(product)))
                self.say(json.dumps({"type": "last_match", **_match(product, rows[-1])}))


class _Rest(RequestHandler):
    """REST requests."""

    def initialize(self, exchange: CoinbaseServer) -> None:
        self._exchange = exchange

    @override
    async def get(self, product: str = "", what: str = "products") -> None:
        self._exchange.asked.append(self.request.uri or "")
        fault = self._exchange.faults.get(what)
        if fault is not None:
            await _answer(self, fault)
        elif what == "products":
            self._say([self._exchange.product(known) for known in self._exchange.prices])
        elif product not in self._exchange.prices:
            self.set_status(404)
            self._say({"message": "NotFound"})
        elif what == "trades":
            self._trades(self._exchange.trades[product])
        elif what == "ticker":
            self._ticker(product)
        else:
            self._candles(self._exchange.trades[product])

    def _say(self, body: object) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(body))

    def _trades(self, rows: list[Row]) -> None:
        limit = min(int(self.get_query_argument("limit", "1000")), MAX_PAGE)
        after = int(self.get_query_argument("after", str(FIRST_TRADE + len(rows))))
        older = rows[: max(after - FIRST_TRADE, 0)]
        page = older[-limit:][::-1]
        if page:
            self.set_header("CB-BEFORE", str(page[0]["trade_id"]))
            self.set_header("CB-AFTER", str(page[-1]["trade_id"]))
        self._say(page)

    def _ticker(self, product: str) -> None:
        last, ticker = self._exchange.trades[product][-1], self._exchange.ticker(product)
        answer = {name: last[name] for name in ("trade_id", "price", "size", "time")}
        answer |= {"bid": ticker["best_bid"], "ask": ticker["best_ask"], "volume": "87.0017"}
        self._say(answer)

    def _candles(self, rows: list[Row]) -> None:
        """Tell candles made of the trades, newest first, one more than asked for."""
        step = int(self.get_query_argument("granularity"))
        start, end = (_seconds(self.get_query_argument(name)) for name in ("start", "end"))
        if (end - start) // step + 1 > 300:
            self.set_status(400)
            self._say({"message": "granularity too small for the requested time range"})
            return
        candles: dict[int, list[float]] = {}
        for row in rows:
            at = _seconds(str(row["time"])) // step * step
            price, size = float(str(row["price"])), float(str(row["size"]))
            if start - step <= at <= end:
                _, low, high, opened, _, volume = candles.get(at, [at, price, price, price, 0, 0])
                low, high = min(low, price), max(high, price)
                candles[at] = [at, low, high, opened, price, volume + size]
        self._say([candles[at] for at in sorted(candles, reverse=True)])


async def _answer(handler: RequestHandler, fault: Fault) -> None:
    await asyncio.sleep(fault.wait_s)
    body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
    handler.set_status(fault.status)
    for name, value in fault.headers.items():
        handler.set_header(name, value)
    if not fault.missing:
        handler.finish(body)
        return
    handler.set_header("Content-Length", str(len(body) + fault.missing))
    handler.write(body)
    with suppress(StreamClosedError):
        await handler.flush()
    if handler.request.connection is not None:
        handler.detach().close()


def _match(product: str, row: Row) -> Row:
    return {
        "trade_id": row["trade_id"],
        "maker_order_id": "27fff20b-af29-4f45-8744-56dd1ef57dc0",
        "taker_order_id": "1da6ce16-c8da-4732-9f71-6049f4c6aaf8",
        "side": row["side"],
        "size": row["size"],
        "price": row["price"],
        "product_id": product,
        "sequence": row["trade_id"],
        "time": row["time"],
    }


def _seconds(time_: str) -> int:
    return int(datetime.fromisoformat(time_).timestamp())
