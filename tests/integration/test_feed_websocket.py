import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from feed_server.protocol import (
    Authenticated,
    Bars,
    Error,
    ErrorCode,
    Heartbeat,
    Interval,
    Listed,
    Pong,
    Quotes,
    ServerMessage,
    Status,
    Subscribed,
    Trades,
    Unsubscribed,
    Welcome,
    decode_server_message,
)
from tests.harness import FeedProcess

pytestmark = pytest.mark.integration

M = TypeVar("M")


class Client:
    """A bare connection that reads message by message."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: object) -> None:
        await self.socket.write_message(json.dumps(message))

    async def hear(self) -> ServerMessage:
        async with asyncio.timeout(30):
            text = await self.socket.read_message()
        assert text is not None, f"closed: {self.socket.close_code} {self.socket.close_reason}"
        message = decode_server_message(text)
        assert message is not None, f"of a newer protocol: {text!r}"
        return message

    async def next(self, kind: type[M]) -> M:
        while True:
            message = await self.hear()
            if isinstance(message, kind):
                return message


@asynccontextmanager
async def connected(
    feed: FeedProcess, compression: dict[str, int] | None = None
) -> AsyncIterator[Client]:
    socket = await websocket_connect(
        f"ws://127.0.0.1:{feed.port}/ws", compression_options=compression
    )
    try:
        yield Client(socket)
    finally:
        socket.close()
        if socket.close_code is None:
            async with asyncio.timeout(30):
                while await socket.read_message() is not None:
                    pass


async def test_a_connection_begins_with_welcome_and_status(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        welcome = await client.hear()
        assert isinstance(welcome, Welcome)
        assert (welcome.version, welcome.heartbeat_ms, welcome.max_hz) == (1, 2000, 10)
        assert (welcome.auth, welcome.max_symbols, welcome.max_commands_per_s) == ("none", 1000, 50)
        status = await client.hear()
        assert isinstance(status, Status)
        assert [(s.source, s.label, s.state) for s in status.sources] == [
            ("replay", "REPLAY", "live")
        ]


async def test_quotes_come_as_snapshot_then_updates_without_a_gap(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="subscribe", id=7, channel="quotes", symbols=["AAPL"])
        ack = await client.next(Subscribed)
        assert (ack.id, ack.channel, ack.symbols, ack.failed) == (7, "quotes", ["AAPL"], {})
        first = await client.next(Quotes)
        offset = first.rows[0].offset
        assert "AAPL" in first.details
        for _ in range(5):
            (row,) = (await client.next(Quotes)).rows
            assert row.offset == offset + row.count
            offset = row.offset


async def test_known_symbols_are_served_when_others_are_unknown(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="subscribe", id=1, channel="quotes", symbols=["NOPE", "IBM", "IBM"])
        ack = await client.next(Subscribed)
        assert ack.symbols == ["IBM"]
        assert ack.failed == {"NOPE": ErrorCode.UNKNOWN_SYMBOL}
        assert (await client.next(Quotes)).rows[0].symbol == "IBM"


async def test_bars_come_as_snapshot_then_updates(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="subscribe", id=1, channel="bars", symbols=["IBM"], interval="1d")
        snapshot = await client.next(Bars)
        assert list(snapshot.epochs) == ["IBM"]
        before = snapshot.rows[-1]
        for _ in range(3):
            for bar in (await client.next(Bars)).rows:
                assert (bar.start_ms, bar.time_ms) >= (before.start_ms, before.time_ms)
                before = bar


async def test_a_rate_is_kept(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="subscribe", id=1, channel="quotes", symbols=["AAPL"], max_hz=2)
        await client.next(Quotes)
        loop = asyncio.get_running_loop()
        times = []
        for _ in range(4):
            await client.next(Quotes)
            times.append(loop.time())
        assert min(after - before for before, after in pairwise(times[1:])) > 0.4


async def test_unsubscribing_ends_the_updates(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="subscribe", id=1, channel="quotes", symbols=["AAPL", "IBM"])
        await client.next(Quotes)
        await client.say(type="unsubscribe", id=2, channel="quotes", symbols=["AAPL"])
        assert (await client.next(Unsubscribed)).symbols == ["AAPL"]
        for _ in range(5):
            assert [row.symbol for row in (await client.next(Quotes)).rows] == ["IBM"]


async def test_a_client_can_ask_what_it_has(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="list", id=1)
        assert (await client.next(Listed)).subscriptions == []
        asked: list[dict[str, object]] = [
            {"channel": "quotes", "symbols": ["IBM", "AAPL"]},
            {"channel": "quotes", "symbols": ["MSFT"], "max_hz": 2},
            {"channel": "bars", "symbols": ["IBM"], "interval": "1d"},
            {"channel": "trades", "symbols": ["IBM", "NOPE"], "max_hz": 1000},
        ]
        for number, command in enumerate(asked):
            await client.say(type="subscribe", id=number, **command)
        await client.say(type="unsubscribe", id=8, channel="quotes", symbols=["AAPL"])
        await client.say(type="list", id=9)
        listed = await client.next(Listed)
        assert listed.id == 9
        assert sorted(
            (s.channel, s.symbols, s.max_hz, s.interval) for s in listed.subscriptions
        ) == [
            ("bars", ["IBM"], 10, Interval.DAY),
            ("quotes", ["IBM"], 10, None),
            ("quotes", ["MSFT"], 2, None),
            ("trades", ["IBM"], 10, None),
        ]


async def test_subscribing_at_another_rate_replaces_the_first(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        for number, max_hz in enumerate((10, 1)):
            await client.say(
                type="subscribe", id=number, channel="quotes", symbols=["AAPL"], max_hz=max_hz
            )
        await client.say(type="list", id=9)
        (subscription,) = (await client.next(Listed)).subscriptions
        assert subscription.max_hz == 1


async def test_trades_go_on_without_a_gap_when_they_are_asked_for_again(feed: FeedProcess) -> None:
    asked: dict[str, Any] = {"type": "subscribe", "channel": "trades", "symbols": ["AAPL"]}
    async with connected(feed) as client:
        await client.say(**asked, id=1)
        stands = (await client.next(Trades)).positions["AAPL"].offset
        for again, max_hz in enumerate((10, 10, 2, 5, 5), 2):
            await client.say(**asked, id=again, max_hz=max_hz)
            for _ in range(2):
                message = await client.next(Trades)
                assert message.recovered.get("AAPL", True)
                for row in message.rows:
                    assert row.offset > stands
                    stands = row.offset
        await client.say(type="list", id=9)
        (subscription,) = (await client.next(Listed)).subscriptions
        assert subscription.max_hz == 5


async def test_a_token_that_nobody_asked_for_is_no_error(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="auth", id=5, token="anything")
        assert (await client.next(Authenticated)).id == 5


@pytest.mark.parametrize("compression", [None, {}], ids=["plain", "compressed"])
async def test_quotes_arrive_with_and_without_compression(
    feed: FeedProcess, compression: dict[str, int] | None
) -> None:
    async with connected(feed, compression) as client:
        assert client.socket.headers is not None
        extensions = client.socket.headers.get("Sec-WebSocket-Extensions", "")
        agreed = {part.strip() for part in extensions.split(";") if part}
        assert agreed == (
            {"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"}
            if compression is not None
            else set()
        )
        symbols = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
        await client.say(type="subscribe", id=1, channel="quotes", symbols=symbols)
        # Longer than what is compressed at least, and more than one in a row.
        seen: set[str] = set()
        while seen != set(symbols):
            seen |= {row.symbol for row in (await client.next(Quotes)).rows}
        for _ in range(3):
            assert (await client.next(Quotes)).rows


async def test_compression_can_be_switched_off() -> None:
    with FeedProcess({"compression": "false"}) as feed:
        async with connected(feed, {}) as client:
            assert client.socket.headers is not None
            assert "Sec-WebSocket-Extensions" not in client.socket.headers
            await client.next(Status)


async def test_a_ping_is_answered_with_the_servers_clock(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="ping", id=3)
        pong = await client.next(Pong)
        assert pong.id == 3
        assert pong.time_ms > 1_700_000_000_000


async def test_a_quiet_connection_gets_heartbeats() -> None:
    with FeedProcess({"heartbeat_ms": "400"}) as feed:
        async with connected(feed) as client:
            await client.next(Status)
            for _ in range(10):
                assert isinstance(await client.hear(), Heartbeat)


@pytest.mark.parametrize(
    ("text", "code", "request_id"),
    [
        ("{", ErrorCode.BAD_MESSAGE, None),
        ("[]", ErrorCode.BAD_MESSAGE, None),
        ('{"type":"dance","id":4}', ErrorCode.UNKNOWN_COMMAND, 4),
        ('{"type":"subscribe","id":5}', ErrorCode.BAD_MESSAGE, 5),
        ('{"type":"subscribe","id":6,"channel":"bars","symbols":[]}', ErrorCode.BAD_PARAMETER, 6),
        (
            '{"type":"subscribe","id":8,"channel":"quotes","symbols":["AAPL"],"max_hz":1e-9}',
            ErrorCode.BAD_PARAMETER,
            8,
        ),
        (
            '{"type":"subscribe","id":7,"channel":"quotes","symbols":["AAPL"],"interval":"1d"}',
            ErrorCode.BAD_PARAMETER,
            7,
        ),
        ("\x00", ErrorCode.BAD_MESSAGE, None),
        ("[" * 60_000, ErrorCode.BAD_MESSAGE, None),
        ('{"type":"ping","id":1,"x":' + "[" * 60_000, ErrorCode.BAD_MESSAGE, None),
    ],
)
async def test_a_bad_command_gets_an_error_and_the_connection_lives(
    feed: FeedProcess, text: str, code: ErrorCode, request_id: int | None
) -> None:
    async with connected(feed) as client:
        await client.socket.write_message(text)
        error = await client.next(Error)
        assert (error.code, error.id) == (code, request_id)
        await client.say(type="ping", id=1)
        await client.next(Pong)


async def test_unknown_fields_are_ignored(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.say(type="ping", id=1, colour="blue")
        assert (await client.next(Pong)).id == 1


async def test_more_symbols_than_allowed_are_refused() -> None:
    with FeedProcess({"max_symbols": "2"}) as feed:
        async with connected(feed) as client:
            await client.say(type="subscribe", id=1, channel="quotes", symbols=["A", "B", "C"])
            assert (await client.next(Error)).code == ErrorCode.TOO_MANY_SYMBOLS


async def test_a_message_over_the_limit_closes_the_connection(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        await client.socket.write_message(" " * 70_000)
        async with asyncio.timeout(30):
            while await client.socket.read_message() is not None:
                pass
        assert client.socket.close_code == 1009


async def test_a_page_from_elsewhere_is_refused(feed: FeedProcess) -> None:
    request = HTTPRequest(
        f"ws://127.0.0.1:{feed.port}/ws", headers={"Origin": "https://evil.example"}
    )
    with pytest.raises(HTTPClientError, match="403"):
        await websocket_connect(request)


async def test_clients_are_told_when_the_server_goes() -> None:
    with FeedProcess() as feed:
        async with connected(feed) as client:
            await client.next(Status)
            assert feed.process is not None
            feed.process.terminate()
            async with asyncio.timeout(30):
                while await client.socket.read_message() is not None:
                    pass
            assert client.socket.close_code == 1001
            assert client.socket.close_reason == "the server is shutting down"
