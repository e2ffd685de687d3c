"""One connection: it leaves nothing behind, whatever becomes of it."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Iterator

import pytest
from tornado.websocket import WebSocketProtocol13

from dashboard.client import websocket_link
from dashboard.client.websocket_link import LinkError, WebSocketLink
from tests.client.fake_feed import FakeFeed
from tests.client.raw_server import raw_server
from tests.harness import free_port, until


@pytest.fixture
async def feed() -> AsyncIterator[FakeFeed]:
    async with FakeFeed() as feed:
        yield feed


@pytest.fixture
def mute_listener() -> Iterator[socket.socket]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


class Ends:
    """What a link has told."""

    def __init__(self) -> None:
        self.texts: list[str | bytes] = []
        self.ends: list[tuple[int | None, str]] = []

    def link(self, port: int) -> WebSocketLink:
        return WebSocketLink(f"ws://127.0.0.1:{port}/ws", self.heard, self.closed)

    def heard(self, text: str | bytes) -> Awaitable[None] | None:
        self.texts.append(text)
        return None

    def closed(self, code: int | None, reason: str) -> None:
        self.ends.append((code, reason))


def sockets() -> int:
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return sum(os.path.exists(link) and "socket:" in os.readlink(link) for link in links)


async def nothing_is_left(before: int) -> None:
    async def is_gone() -> bool:
        gc.collect()
        return sockets() == before and asyncio.all_tasks() == {asyncio.current_task()}

    await until(is_gone)


async def test_messages_are_handed_over_as_they_come(feed: FakeFeed) -> None:
    ends = Ends()
    link = ends.link(feed.port)
    await link.connect()
    await until(lambda: asyncio.sleep(0, len(ends.texts) >= 3))
    assert '"type":"welcome"' in str(ends.texts[0])
    assert link.bytes_in == sum(map(len, ends.texts))
    link.send(b'{"type":"ping","id":3}')
    await until(lambda: asyncio.sleep(0, '"type":"pong"' in str(ends.texts[-1])))
    await link.close()
    assert ends.ends == []


async def test_a_link_that_is_closed_leaves_nothing_open(feed: FakeFeed) -> None:
    before = sockets()
    link = Ends().link(feed.port)
    await link.connect()
    await link.close()
    await link.close()
    await until(lambda: asyncio.sleep(0, not feed.sockets))
    await nothing_is_left(before)


async def test_the_end_is_told_once(feed: FakeFeed) -> None:
    ends = Ends()
    link = ends.link(feed.port)
    await link.connect()
    await until(lambda: asyncio.sleep(0, bool(feed.sockets)))
    next(iter(feed.sockets)).close(4010, "access was revoked")
    await until(lambda: asyncio.sleep(0, bool(ends.ends)))
    link.send(b"{}")
    await link.close()
    assert ends.ends == [(4010, "access was revoked")]


async def test_a_link_that_was_hung_up_has_no_code(feed: FakeFeed) -> None:
    before = sockets()
    ends = Ends()
    link = ends.link(feed.port)
    await link.connect()
    await until(lambda: asyncio.sleep(0, bool(feed.sockets)))
    feed.drop()
    await until(lambda: asyncio.sleep(0, bool(ends.ends)))
    assert ends.ends == [(None, "the connection broke")]
    await link.close()
    await nothing_is_left(before)


async def test_a_refused_link_says_so(feed: FakeFeed) -> None:
    before = sockets()
    with pytest.raises(LinkError, match="refused"):
        await Ends().link(free_port()).connect()
    feed.takes_sockets = False
    with pytest.raises(LinkError, match="503"):
        await Ends().link(feed.port).connect()
    await nothing_is_left(before)


async def test_a_server_that_does_not_answer_is_given_up(
    mute_listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_link, "CONNECT_TIMEOUT_S", 0.2)
    before = sockets()
    with pytest.raises(LinkError):
        await Ends().link(mute_listener.getsockname()[1]).connect()
    await nothing_is_left(before)


@pytest.mark.parametrize("turns", [*range(12), 100])
async def test_a_connect_that_is_cancelled_leaves_nothing_open(
    mute_listener: socket.socket, turns: int
) -> None:
    before = sockets()
    work = asyncio.create_task(Ends().link(mute_listener.getsockname()[1]).connect())
    for _ in range(turns):
        await asyncio.sleep(0.001 if turns > 20 else 0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await nothing_is_left(before)


@pytest.mark.parametrize("turns", [*range(0, 40, 3)])
async def test_a_connect_that_is_cancelled_while_it_succeeds_leaves_nothing_open(
    feed: FakeFeed, turns: int
) -> None:
    before = sockets()
    link = Ends().link(feed.port)
    work = asyncio.create_task(link.connect())
    for _ in range(turns):
        await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await link.close()
    await until(lambda: asyncio.sleep(0, not feed.sockets))
    await nothing_is_left(before)


async def test_a_server_that_does_not_say_goodbye_is_not_waited_for_long() -> None:
    async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = request.split(b"Sec-Websocket-Key: ")[1].split(b"\r\n")[0].decode()
        accept = WebSocketProtocol13.compute_accept_value(key)
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
        )
        await reader.read()

    async with raw_server(shake_hands) as port:
        link = Ends().link(port)
        await link.connect()
        began_s = time.monotonic()
        await link.close()
        assert 0.5 < time.monotonic() - began_s < 10


async def test_reading_stops_while_the_owner_is_behind(feed: FakeFeed) -> None:
    release = asyncio.Event()
    texts: list[str | bytes] = []

    def slow(text: str | bytes) -> Awaitable[None] | None:
        texts.append(text)
        return wait()

    async def wait() -> None:
        await release.wait()

    link = WebSocketLink(f"ws://127.0.0.1:{feed.port}/ws", slow, lambda *_: None)
    await link.connect()
    await until(lambda: asyncio.sleep(0, bool(texts)))
    feed.quote("A", times=20)
    await asyncio.sleep(0.1)
    assert len(texts) == 1
    release.set()
    await until(lambda: asyncio.sleep(0, len(texts) > 20))
    await link.close()


async def test_a_message_that_is_too_large_ends_the_link(
    feed: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_link, "MAX_MESSAGE_BYTES", 1000)
    ends = Ends()
    link = ends.link(feed.port)
    await link.connect()
    feed.say(feed.quotes(f"S{number}" for number in range(100)))
    await until(lambda: asyncio.sleep(0, bool(ends.ends)))
    await link.close()
