import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, WebSocketProtocol13
from typing_extensions import override

from feed_server.errors import (
    MalformedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from feed_server.providers import vendor_socket
from feed_server.providers.vendor_socket import open_socket
from tests.harness import free_port, until

pytestmark = pytest.mark.integration

KEY = "very-secret-key"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Peer(WebSocketHandler):
    """Says what it is told, and remembers what it hears."""

    peers: "list[Peer]"

    def initialize(self, peers: "list[Peer]") -> None:
        self.heard: list[str | bytes] = []
        self.gone = False
        peers.append(self)

    @override
    def on_message(self, message: str | bytes) -> None:
        self.heard.append(message)

    @override
    def on_close(self) -> None:
        self.gone = True


@pytest.fixture
def peers() -> list[Peer]:
    return []


@pytest.fixture
async def url(peers: list[Peer]) -> AsyncIterator[str]:
    server = HTTPServer(Application([("/", Peer, {"peers": peers})]))
    (bound,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([bound])
    yield f"ws://127.0.0.1:{bound.getsockname()[1]}/?apikey={KEY}"
    server.stop()
    for peer in peers:
        peer.close()
    await server.close_all_connections()


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A server that does with each connection what it is told."""
    writers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/?apikey={KEY}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def failure(url: str, timeout_s: float = 2.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        async with open_socket(
            "Vendor", url, silence_s=1, secrets=[KEY], connect_timeout_s=timeout_s
        ):
            raise AssertionError("it is open")
    assert KEY not in repr(caught.value)
    assert caught.value.__context__ is None
    return caught.value


async def test_messages_go_both_ways(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=5) as socket:
        await socket.send({"action": "subscribe"})
        (peer,) = peers
        for text in ("one", "zwölf", "three"):
            peer.write_message(text)
        assert await socket.receive() == b"one"
        assert await socket.receive() == "zwölf".encode()
        peer.write_message("four")
        assert await socket.receive() == b"three"
        assert await socket.receive() == b"four"
    assert peer.heard == ['{"action":"subscribe"}']
    await until(lambda: settled(peer.gone))
    assert peer.close_code == 1000


async def settled(value: bool) -> bool:
    return value


async def test_what_has_come_is_taken_at_once_up_to_a_limit(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=5) as socket:
        assert socket.received(10) == []
        for number in range(5):
            peers[0].write_message(str(number))
        assert await socket.receive() == b"0"

        got: list[bytes] = []

        async def all_here() -> bool:
            got.extend(socket.received(3))
            return len(got) == 4

        await until(all_here)
        assert got == [b"1", b"2", b"3", b"4"]


async def test_a_close_tells_its_code_and_reason_but_no_key(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=5, secrets=[KEY]) as socket:
        await peers[0].write_message("last words")
        peers[0].close(1008, f"{KEY} has no plan")
        assert await socket.receive() == b"last words"
        with pytest.raises(UnavailableError, match=r"closed its WebSocket with 1008: \*\*\* has"):
            await socket.receive()
        with pytest.raises(UnavailableError):
            await socket.send({})


async def test_a_hang_up_is_noticed_at_once(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=30) as socket:
        connection = peers[0].ws_connection
        assert connection is not None
        assert connection.stream is not None
        connection.stream.close()
        async with asyncio.timeout(30):
            with pytest.raises(UnavailableError, match="without a word"):
                await socket.receive()


async def test_silence_with_the_socket_open_is_noticed(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=0.5) as socket:
        for _ in range(3):
            await asyncio.sleep(0.2)
            peers[0].write_message("beat")
            assert await socket.receive() == b"beat"
        began_s = time.monotonic()
        with pytest.raises(UnavailableError, match=r"open but silent for 0\.5 s"):
            await socket.receive()
        assert 0.05 < time.monotonic() - began_s < 10


async def test_who_looks_late_still_gets_what_has_come(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=0.2) as socket:
        await peers[0].write_message("early")
        time.sleep(0.5)  # noqa: ASYNC251 (our own slowness is no silence of the vendor's)
        assert await socket.receive() == b"early"


async def test_a_binary_message_is_malformed(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=5) as socket:
        peers[0].write_message(b"\x00", binary=True)
        with pytest.raises(MalformedError, match="binary"):
            await socket.receive()


async def test_a_message_that_is_too_long_is_malformed(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=5) as socket:
        peers[0].write_message("x" * (vendor_socket.MAX_MESSAGE_BYTES + 1))
        with pytest.raises(MalformedError, match="4,000,001 bytes"):
            await socket.receive()


async def test_more_than_memory_should_hold_ends_the_connection(
    url: str, peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor_socket, "MAX_WAITING_BYTES", 100)
    async with open_socket("Vendor", url, silence_s=5) as socket:
        for _ in range(20):
            peers[0].write_message("x" * 10)
        await until(lambda: settled(peers[0].gone))
        for _ in range(10):
            assert await socket.receive() == b"x" * 10
        with pytest.raises(UnavailableError, match="more than can be taken"):
            await socket.receive()


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (b"", UnavailableError, "closed"),
        (b"nonsense\r\n\r\n", UnavailableError, "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", UnavailableError, "Non-websocket"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            UnavailableError,
            "302",
        ),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", UnauthorizedError, "401"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", UnauthorizedError, "403"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", UnavailableError, "503"),
        (f"HTTP/1.1 400 {KEY}\r\nContent-Length: 0\r\n\r\n".encode(), UnavailableError, r"\*\*\*"),
    ],
)
async def test_what_is_answered_instead_of_a_websocket_is_told(
    answer: bytes, kind: type[ProviderError], text: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with serving(serve) as url:
        error = await failure(url)
    assert type(error) is kind
    assert str(error).startswith("Vendor's WebSocket cannot be opened: ")
    with pytest.raises(kind, match=text):
        raise error


async def test_a_limit_tells_when_to_come_back() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(serve) as url:
        error = await failure(url)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == 7


async def test_who_does_not_answer_is_given_up() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(serve) as url:
        began_s = time.monotonic()
        assert isinstance(await failure(url, timeout_s=0.3), UnavailableError)
        assert time.monotonic() - began_s < 8


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws://[::bad/", "", "ws://name.invalid/"])
async def test_an_address_that_leads_nowhere_is_unavailable(url: str) -> None:
    assert isinstance(await failure(url), UnavailableError)


async def test_a_port_that_nobody_listens_on_is_unavailable() -> None:
    assert isinstance(await failure(f"ws://127.0.0.1:{free_port()}/"), UnavailableError)


async def test_closing_does_not_wait_for_a_peer_that_is_gone() -> None:
    opened = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(handshake(request))
        opened.set()
        await asyncio.sleep(60)

    async with serving(serve) as url:
        async with open_socket("Vendor", url, silence_s=30):
            await opened.wait()
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 3  # Tornado alone would wait for five seconds


def handshake(request: bytes) -> bytes:
    """Return the answer that makes a request a WebSocket's."""
    lines = (line.partition(b": ") for line in request.split(b"\r\n"))
    key = next(value for name, _, value in lines if name.lower() == b"sec-websocket-key")
    accept = WebSocketProtocol13.compute_accept_value(key)
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ).encode()


async def test_a_send_that_nobody_takes_fails() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(handshake(await reader.readuntil(b"\r\n\r\n")))
        await asyncio.sleep(60)

    async with serving(serve) as url, open_socket("Vendor", url, silence_s=0.3) as socket:
        with pytest.raises(UnavailableError, match="took nothing"):
            await socket.send("x" * 30_000_000)


async def test_receiving_that_is_cancelled_loses_nothing(url: str, peers: list[Peer]) -> None:
    async with open_socket("Vendor", url, silence_s=5) as socket:
        for _ in range(3):
            waiting = asyncio.create_task(socket.receive())
            await asyncio.sleep(0)
            peers[0].write_message("kept")
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
            assert await socket.receive() == b"kept"


async def test_opening_that_is_cancelled_leaves_no_socket_behind() -> None:
    asked, go_on, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await go_on.wait()
        writer.write(handshake(request))
        await reader.read()
        gone.set()

    async def open_it(url: str) -> None:
        async with open_socket("Vendor", url, silence_s=5):
            raise AssertionError("it is open")

    async with serving(serve) as url:
        opening = asyncio.create_task(open_it(url))
        await asked.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        go_on.set()
        async with asyncio.timeout(30):
            await gone.wait()
    await asyncio.sleep(0)
    gc.collect()


async def test_an_error_inside_closes_the_socket(url: str, peers: list[Peer]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_socket("Vendor", url, silence_s=5):
            raise ZeroDivisionError
    await until(lambda: settled(peers[0].gone))
