"""The truth: what the feed said, heard on a connection with nothing in between."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Self

import httpx
import msgspec

from feed_server.protocol import (
    Bars,
    Error,
    Heartbeat,
    Quotes,
    ServerMessage,
    Subscribed,
    Trades,
    TradeSeries,
)
from tests.faults.record import BarKey, QuoteKey, TradeKey
from tests.harness import wait_for
from tests.raw_socket import RawSocket


class Ledger:
    """Hears all trades and final bars of some symbols, in a thread of its own.

    Args:
        port: Of the feed itself.
        symbols: Which.
        intervals: Of the bars.

    Attributes:
        trades: By symbol, in order.
        bars: Final ones by symbol and interval, in order, from the first on that began after a
            trade: one before may have trades that the feed did not hear, and history has.
    """

    def __init__(self, port: int, symbols: Sequence[str], intervals: Sequence[str]) -> None:
        self.trades: dict[str, list[TradeKey]] = defaultdict(list)
        self.bars: dict[tuple[str, str], list[BarKey]] = defaultdict(list)
        self._url = f"http://127.0.0.1:{port}"
        self._symbols = list(symbols)
        self._pending = 1 + len(intervals)
        self._error: Exception | None = None
        self._stop = threading.Event()
        self._socket = RawSocket(port)
        self._socket.say(type="subscribe", id=1, channel="trades", symbols=self._symbols)
        for number, interval in enumerate(intervals, 2):
            self._socket.say(
                type="subscribe",
                id=number,
                channel="bars",
                symbols=self._symbols,
                interval=interval,
            )
        self._thread = threading.Thread(target=self._listen, name="ledger")

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for("the ledger has subscribed", lambda: self._error or self._pending == 0)
        return self

    def __exit__(self, *_: object) -> None:
        # A heartbeat lets it see this.
        self._stop.set()
        self._thread.join(20)
        self._socket.hang_up()

    def quotes(self) -> dict[str, QuoteKey]:
        """Return the last value of each symbol, as the feed has it now."""
        body = self._get("/api/quotes", symbols=",".join(self._symbols))
        message = msgspec.json.decode(body, type=Quotes)
        return {
            row.symbol: (message.event_ms + row.event_delta_ms, row.last, row.volume)
            for row in message.rows
        }

    def check(self) -> None:
        """Check it against what the feed tells over HTTP, and that nothing went wrong.

        Raises:
            AssertionError: It is not the truth.
        """
        assert self._error is None, self._error
        for symbol in self._symbols:
            body = self._get("/api/trades", symbol=symbol, limit="1000")
            series = msgspec.json.decode(body, type=TradeSeries)
            columns = (series.offsets, series.time_ms, series.price, series.size)
            told = list(zip(*columns, strict=True))
            heard = self.trades[symbol][-len(told) :]
            assert heard == told[-len(heard) :], f"{symbol}: the ledger differs from /api/trades"

    def _get(self, path: str, **parameters: str) -> bytes:
        answer = httpx.get(self._url + path, params=parameters, timeout=10)
        answer.raise_for_status()
        return answer.content

    def _listen(self) -> None:
        try:
            while not self._stop.is_set():
                self._take(self._socket.hear())
        # Whatever it is, `check` tells it.
        except Exception as error:  # noqa: BLE001
            self._error = error

    def _take(self, message: ServerMessage) -> None:
        match message:
            case Trades():
                self._take_trades(message)
            case Bars():
                self._take_bars(message)
            case Subscribed():
                assert not message.failed, message.failed
                self._pending -= 1
            case Heartbeat(frames=frames):
                assert frames == self._socket.frames - 1, "the ledger has missed frames"
            case Error():
                raise AssertionError(message)

    def _take_trades(self, message: Trades) -> None:
        assert False not in message.recovered.values(), "the ledger did not keep up"
        for row in message.rows:
            key = (row.offset, message.event_ms + row.event_delta_ms, row.price, row.size)
            self.trades[row.symbol].append(key)

    def _take_bars(self, message: Bars) -> None:
        assert False not in message.recovered.values(), "the ledger did not keep up"
        for bar in message.rows:
            trades = self.trades[bar.symbol]
            if bar.final and trades and bar.start_ms > trades[0][1]:
                key = (bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume)
                self.bars[bar.symbol, bar.interval].append(key)
