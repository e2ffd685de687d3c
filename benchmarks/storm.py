"""A feed that tells what was encoded beforehand, as fast as it is taken: ``storm PORT CHANNEL N``.

It speaks as much of the protocol as a client needs to begin; whoever subscribes gets a snapshot
and then N frames of 50 rows. Each connection gets the same.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence

from tornado.web import Application
from tornado.websocket import WebSocketHandler

from benchmarks.crowd import framed
from feed_server.protocol import (
    Bar,
    Bars,
    Interval,
    Pong,
    Position,
    QuoteDetails,
    QuoteRow,
    Quotes,
    Subscribed,
    TradeRow,
    Trades,
    Welcome,
    encode,
)

ROWS = 50
SYMBOLS = [f"S{number:02}" for number in range(ROWS)]
EPOCH = "e1"
BEGIN_MS = 1_700_000_000_000
CHUNK_FRAMES = 100
HEARTBEAT_MS = 60_000
"""Longer than a run takes, so that nothing but data is sent."""
WELCOME = Welcome(1, "storm", BEGIN_MS, HEARTBEAT_MS, 1e6, 1_000, 10**6, 1_000, "none")


def quotes(number: int, symbols: Sequence[str] = SYMBOLS) -> Quotes:
    """Return a frame in which each symbol has changed once; the first is the snapshot."""
    details = QuoteDetails(100.0, 101.0, 99.0, 100.0, "2023-11-14", EPOCH, 2)
    return Quotes(
        BEGIN_MS + number,
        BEGIN_MS + number,
        [
            QuoteRow(symbol, _price(number), 100.0, -1, 1, float(number), 0, 0, number + 1, 1)
            for symbol in symbols
        ],
        details={} if number else dict.fromkeys(symbols, details),
        snapshot=not number,
    )


def trades(number: int) -> Trades:
    """Return a frame with a trade of each symbol; the first tells where they begin."""
    if number == 0:
        start = Position(EPOCH, 0)
        return Trades(BEGIN_MS, BEGIN_MS, [], positions=dict.fromkeys(SYMBOLS, start))
    rows = [TradeRow(symbol, _price(number), 100.0, 0, 0, number) for symbol in SYMBOLS]
    return Trades(BEGIN_MS + number, BEGIN_MS + number, rows)


def bars(number: int) -> Bars:
    """Return a frame with bars of one symbol that became final; the first is the snapshot."""
    symbol = SYMBOLS[0]
    first = (number - 1) * ROWS
    if number == 0:
        return Bars(Interval.SECOND, [], epochs={symbol: EPOCH}, snapshot=True, offsets={symbol: 0})
    rows = [_bar(symbol, first + place) for place in range(ROWS)]
    return Bars(Interval.SECOND, rows, offsets={symbol: number})


FRAMES: Mapping[str, Callable[[int], Quotes | Trades | Bars]] = {
    "quotes": quotes,
    "trades": trades,
    "bars": bars,
}


def _price(number: int) -> float:
    return 100 + number % 100 / 100


def _bar(symbol: str, number: int) -> Bar:
    start_ms, price = BEGIN_MS + number * 1_000, _price(number)
    high, low = price + 0.05, price - 0.05
    return Bar(
        symbol, Interval.SECOND, start_ms, price, high, low, price, 100.0, start_ms + 900, True
    )


class Storm(WebSocketHandler):
    """One connection."""

    def initialize(self, channel: str, chunks: list[bytes]) -> None:
        """Take what it will tell."""
        self._channel = channel
        self._chunks = chunks

    def open(self, *_: str, **__: str) -> None:
        """Welcome it."""
        self._say(WELCOME)

    async def on_message(self, message: str | bytes) -> None:
        """Answer, and begin after the first subscription."""
        said = json.loads(message)
        match said["type"]:
            case "ping":
                self._say(Pong(said["id"], BEGIN_MS))
            case "subscribe":
                interval = Interval.SECOND if self._channel == "bars" else None
                symbols = said["symbols"]
                self._say(
                    Subscribed(said["id"], said["channel"], symbols, {}, 1e6, interval=interval)
                )
                await self._tell_all()

    def _say(self, message: Welcome | Pong | Subscribed) -> None:
        self.write_message(encode(message))

    async def _tell_all(self) -> None:
        assert self.ws_connection is not None
        stream = self.ws_connection.stream
        assert stream is not None
        for chunk in self._chunks:
            await stream.write(chunk)


async def serve(port: int, channel: str, count: int) -> None:
    """Serve until cancelled."""
    frames = [framed(encode(FRAMES[channel](number))) for number in range(count + 1)]
    chunks = [
        b"".join(frames[start : start + CHUNK_FRAMES])
        for start in range(0, len(frames), CHUNK_FRAMES)
    ]
    routes = [("/ws", Storm, {"channel": channel, "chunks": chunks})]
    Application(routes, log_function=lambda _: None).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
