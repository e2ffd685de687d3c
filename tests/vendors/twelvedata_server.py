"""A real server that speaks as Twelve Data does: REST, credits and WebSocket."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Self

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from tests.vendors.http_faults import Answer, Asked, FaultServer

KEY = "td+k3y/with=odd"
UNKNOWN = (
    "**symbol** or **figi** parameter is missing or invalid. Please provide a valid symbol "
    "according to API documentation: https://twelvedata.com/docs#reference-data"
)
PAYWALL = (
    "This symbol is available starting with Grow plan. Consider upgrading now at "
    "https://twelvedata.com/pricing"
)
NO_DATA = "No data is available on the specified dates. Try setting different start/end dates."
BAD_KEY = (
    "**apikey** parameter is incorrect or not specified. You can get your free API key instantly "
    "following this link: https://twelvedata.com/pricing."
)
MINUTE = "You have run out of API credits for the current minute. {} API credits were used, with "
DAY = "You have run out of API credits for the day. {} API credits were used, with "
LIMIT = "the current limit being {}."

US = {"exchange_timezone": "America/New_York", "country": "United States", "currency": "USD"}
SHARE = {"instrument_type": "Common Stock"}
CATALOG: tuple[dict[str, str], ...] = (
    {"symbol": "AAPL", "instrument_name": "Apple Inc. CDR", "exchange": "NEO", "mic_code": "NEOE"}
    | SHARE
    | {"exchange_timezone": "America/Toronto", "country": "Canada", "currency": "CAD"},
    {"symbol": "AAPL", "instrument_name": "Apple Inc.", "exchange": "NASDAQ", "mic_code": "XNGS"}
    | SHARE
    | US,
    {"symbol": "AAPLW", "instrument_name": "Weekly AAPL", "exchange": "CBOE", "mic_code": "BATS"}
    | SHARE
    | US,
    {"symbol": "BRK.B", "instrument_name": "Berkshire", "exchange": "NYSE", "mic_code": "XNYS"}
    | SHARE
    | US,
    {"symbol": "RY", "instrument_name": "Royal Bank", "exchange": "NYSE", "mic_code": "XNYS"}
    | SHARE
    | US,
    {"symbol": "RY", "instrument_name": "Royal Bank", "exchange": "TSX", "mic_code": "XTSE"}
    | SHARE
    | {"exchange_timezone": "America/Toronto", "country": "Canada", "currency": "CAD"},
    {
        "symbol": "EUR/USD",
        "instrument_name": "Euro / US Dollar",
        "exchange": "PHYSICAL CURRENCY",
        "mic_code": "COMMON",
        "exchange_timezone": "",
        "instrument_type": "Physical Currency",
        "country": "",
        "currency": "",
    },
)


def error(code: int, message: str) -> dict[str, object]:
    """Return an error as the vendor writes it."""
    return {"code": code, "message": message, "status": "error"}


class TwelveDataServer:
    """The vendor, in threads of its own. All may be changed while it runs.

    Args:
        key: What it lets in.
        per_minute: Credits in each minute of the clock.
        per_day: Credits altogether.

    Attributes:
        url: Of the REST interface.
        websocket_url: Of the WebSocket.
        errors: By symbol the code and message that it is answered with.
        refused: By symbol why the WebSocket does not carry it.
        fault: What every request is answered with, where it is set.
        throttle_status: HTTP status of the error that credits are used up: 200 or 429.
        is_silent: Whether the WebSocket says nothing at all.
        is_shut: Whether no WebSocket is opened; it is rude enough to say the key then.
        heard: What was said on the WebSocket.
    """

    def __init__(self, *, key: str = KEY, per_minute: int = 1_000, per_day: int = 100_000) -> None:
        self.errors: dict[str, tuple[int, str]] = {}
        self.refused: dict[str, str] = {}
        self.fault: Answer | None = None
        self.throttle_status = 429
        self.is_silent = False
        self.is_shut = False
        self.heard: list[dict[str, object]] = []
        self._key = key
        self._limits = (per_minute, per_day)
        self._spent: dict[int, int] = {}
        self._quotes: dict[str, dict[str, object]] = {}
        self._bars: dict[tuple[str, str], list[dict[str, object]]] = {}
        self._lock = threading.Lock()
        self._rest = FaultServer()
        self._sockets = _Sockets(self)
        self._stack = ExitStack()
        for path, answer in {
            "/quote": self._quote,
            "/time_series": self._time_series,
            "/symbol_search": self._symbol_search,
        }.items():
            self._rest.answers[path] = self._guarded(answer)
        self.url = self._rest.url
        self.websocket_url = f"ws://127.0.0.1:{self._sockets.port}/v1/quotes/price"

    def __enter__(self) -> Self:
        self._stack.enter_context(self._rest)
        self._stack.enter_context(self._sockets)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def requests(self) -> list[Asked]:
        """What was asked by REST, with times, in order."""
        return self._rest.requests

    @property
    def connections(self) -> int:
        """How many WebSockets are open."""
        return len(self._sockets.open)

    @property
    def subscribed(self) -> set[str]:
        """What the open WebSockets carry."""
        return {symbol for socket in list(self._sockets.open) for symbol in set(socket.symbols)}

    def set_quote(
        self, symbol: str, price: float, *, at_s: float | None = None, **fields: object
    ) -> None:
        """Answer with this price from now on.

        Args:
            symbol: As it is asked for.
            price: The last.
            at_s: When that was, in epoch seconds; without it now.
            fields: Others that shall differ, `None` for null, `...` for missing ones.
        """
        at = int(time.time() if at_s is None else at_s)
        base, _, exchange = symbol.partition(":")
        entry: dict[str, object] = {
            "symbol": base,
            "name": f"{base} Inc.",
            "exchange": exchange or "NASDAQ",
            "mic_code": "XNGS",
            "currency": "USD",
            "datetime": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d"),
            "timestamp": at - at % 86_400,
            "last_quote_at": at,
            "open": f"{price * 0.99:.5f}",
            "high": f"{price * 1.02:.5f}",
            "low": f"{price * 0.98:.5f}",
            "close": f"{price:.5f}",
            "volume": "30965652",
            "previous_close": f"{price * 0.995:.5f}",
            "change": f"{price * 0.005:.5f}",
            "percent_change": "0.50251",
            "average_volume": "44251475",
            "is_market_open": True,
            "fifty_two_week": {"low": "1.00000", "high": "999.00000"},
        }
        if "/" in symbol:
            for name in ("currency", "volume", "average_volume", "mic_code"):
                del entry[name]
        entry |= fields
        self._quotes[symbol] = {k: v for k, v in entry.items() if v is not ...}

    def set_bars(
        self, symbol: str, interval: str, rows: Sequence[tuple[str, float, float, float, float]]
    ) -> None:
        """Answer with these bars, oldest first: datetime in UTC, open, high, low, close."""
        names = ("datetime", "open", "high", "low", "close")
        self._bars[symbol, interval] = [
            dict(zip(names, map(str, row), strict=True), volume="10") for row in rows
        ]

    def set_rows(self, symbol: str, interval: str, rows: list[dict[str, object]]) -> None:
        """Answer with these values, oldest first, whatever they are."""
        self._bars[symbol, interval] = rows

    def send_price(self, symbol: str, price: float | None, **fields: object) -> None:
        """Tell a price to those who have subscribed."""
        base, _, exchange = symbol.partition(":")
        told: dict[str, object] = {
            "event": "price",
            "symbol": base,
            "currency": "USD",
            "exchange": exchange or "NASDAQ",
            "type": "Common Stock",
            "timestamp": int(time.time()),
            "price": price,
        }
        if "/" in symbol:
            del told["currency"]
            told |= {"currency_base": "Base", "currency_quote": "Quote"}
        told |= fields
        message = json.dumps({k: v for k, v in told.items() if v is not ...})
        self._sockets.send(message, lambda socket: symbol in socket.symbols)

    def send_raw(self, message: str | bytes) -> None:
        """Say anything on every WebSocket."""
        self._sockets.send(message, lambda _: True)

    def drop_sockets(self) -> None:
        """Hang up every WebSocket without a word."""
        self._sockets.drop()

    def check_key(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Tell whether a request is let in."""
        return self._key in (
            query.get("apikey"),
            headers.get("authorization", "").removeprefix("apikey "),
        )

    def _guarded(self, answer: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
        def guard(asked: Asked) -> Answer:
            if self.fault is not None:
                return self.fault
            if not self.check_key(asked.query, asked.headers):
                return Answer(status=401, body=error(401, BAD_KEY))
            used, left, refused = self._spend(asked)
            headers = {"api-credits-used": str(used), "api-credits-left": str(left)}
            if refused is not None:
                return Answer(status=self.throttle_status, headers=headers, body=refused)
            return Answer(headers=headers, body=answer(asked).body)

        return guard

    def _spend(self, asked: Asked) -> tuple[int, int, dict[str, object] | None]:
        cost = len(asked.query.get("symbol", "").split(","))
        per_minute, per_day = self._limits
        with self._lock:
            minute = int(time.time() // 60)
            used = self._spent[minute] = self._spent.get(minute, 0) + cost
            total = sum(self._spent.values())
        refused = None
        if total > per_day:
            refused = error(429, DAY.format(total) + LIMIT.format(per_day))
        elif used > per_minute:
            refused = error(429, MINUTE.format(used) + LIMIT.format(per_minute))
        return used, max(0, per_minute - used), refused

    def _quote(self, asked: Asked) -> Answer:
        symbols = asked.query.get("symbol", "").split(",")
        entries = {symbol: self._entry(symbol) for symbol in symbols}
        return Answer(body=entries if len(symbols) > 1 else entries[symbols[0]])

    def _entry(self, symbol: str) -> dict[str, object]:
        if symbol in self.errors:
            return error(*self.errors[symbol])
        return self._quotes.get(symbol) or error(404, UNKNOWN)

    def _time_series(self, asked: Asked) -> Answer:
        symbol, interval = asked.query["symbol"], asked.query["interval"]
        if symbol in self.errors:
            return Answer(body=error(*self.errors[symbol]))
        if (symbol, interval) not in self._bars:
            return Answer(body=error(404, UNKNOWN))
        start, end = asked.query.get("start_date", ""), asked.query.get("end_date", "9")
        rows = self._bars[symbol, interval]
        rows = [row for row in rows if start <= str(row.get("datetime")) <= end]
        if not rows:
            return Answer(body=error(400, NO_DATA))
        meta = {
            "symbol": symbol,
            "interval": interval,
            "currency": "USD",
            "exchange_timezone": "America/New_York",
            "exchange": "NASDAQ",
            "mic_code": "XNGS",
            "type": "Common Stock",
        }
        newest = rows[::-1][: int(asked.query.get("outputsize", "30"))]
        return Answer(body={"meta": meta, "values": newest, "status": "ok"})

    def _symbol_search(self, asked: Asked) -> Answer:
        text = asked.query["symbol"].casefold()
        found = [
            hit
            for hit in CATALOG
            if text in hit["symbol"].casefold() or text in hit["instrument_name"].casefold()
        ]
        return Answer(body={"data": found, "status": "ok"})


class _Sockets:
    """The WebSocket half, in an event loop and thread of its own."""

    def __init__(self, vendor: TwelveDataServer) -> None:
        self.vendor = vendor
        self.open: set[_Socket] = set()
        self._bound = bind_sockets(0, "127.0.0.1")
        self.port: int = self._bound[0].getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def send(self, message: str | bytes, to: "Callable[[_Socket], bool]") -> None:
        """Say something to some of the connections, from any thread."""
        self._loop.call_soon_threadsafe(self._send, message, to)

    def drop(self) -> None:
        """Hang up, from any thread."""
        self._loop.call_soon_threadsafe(self._drop)

    def _send(self, message: str | bytes, to: "Callable[[_Socket], bool]") -> None:
        for socket in list(self.open):
            if to(socket):
                socket.say(message)

    def _drop(self) -> None:
        for socket in list(self.open):
            if socket.ws_connection is not None and socket.ws_connection.stream is not None:
                socket.ws_connection.stream.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        routes = [("/v1/quotes/price", _Socket, {"sockets": self})]
        # Silent, for it would log the addresses with their keys.
        server = HTTPServer(Application(routes, log_function=lambda _: None))
        server.add_sockets(self._bound)
        await self._stop.wait()
        server.stop()
        self._drop()
        await server.close_all_connections()


class _Socket(WebSocketHandler):
    def initialize(self, sockets: _Sockets) -> None:
        self.symbols: set[str] = set()
        self._sockets = sockets
        self._vendor = sockets.vendor

    def prepare(self) -> None:
        key = self.get_argument("apikey", "")
        if self._vendor.is_shut:
            self.set_status(503, f"no {key}")
            self.finish(f"no {key}")
        elif not self._vendor.check_key({"apikey": key}, {}):
            self.set_status(401)
            self.finish(error(401, BAD_KEY))

    def open(self, *_: str, **__: str) -> None:
        self._sockets.open.add(self)

    def on_close(self) -> None:
        self._sockets.open.discard(self)

    def say(self, message: str | bytes) -> None:
        try:
            self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            self._sockets.open.discard(self)

    def on_message(self, message: str | bytes) -> None:
        told = json.loads(message)
        self._vendor.heard.append(told)
        if self._vendor.is_silent:
            return
        names = [name for name in told.get("params", {}).get("symbols", "").split(",") if name]
        if told["action"] == "heartbeat":
            self.say(json.dumps({"event": "heartbeat", "status": "ok"}))
        elif told["action"] == "subscribe":
            self._subscribe(names)
        elif told["action"] == "unsubscribe":
            self.symbols -= set(names)
            answer = {"event": "unsubscribe-status", "status": "ok", "fails": []}
            self.say(json.dumps(answer | {"success": [_place(name) for name in names]}))

    def _subscribe(self, names: list[str]) -> None:
        refused = [name for name in names if name in self._vendor.refused]
        taken = [name for name in names if name not in refused]
        self.symbols |= set(taken)
        fails = [_place(name) | {"message": self._vendor.refused[name]} for name in refused]
        told = {
            "event": "subscribe-status",
            "status": "warning" if fails and taken else "error" if fails else "ok",
            "success": [_place(name) for name in taken],
            "fails": fails,
        }
        self.say(json.dumps(told))


def _place(name: str) -> dict[str, str]:
    base, _, exchange = name.partition(":")
    return {"symbol": base, "exchange": exchange or "NASDAQ", "type": "Common Stock"}
