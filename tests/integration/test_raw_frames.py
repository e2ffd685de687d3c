"""Frames that no WebSocket client sends, to a real feed server."""

import random
import socket
import subprocess
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from feed_server.protocol import Error, ErrorCode, Pong, Quotes
from tests.harness import FeedProcess, wait_for
from tests.raw_socket import (
    BINARY,
    CLOSE,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    ClosedError,
    RawSocket,
    frame,
)

pytestmark = pytest.mark.integration

ASK = b'{"type":"ping","id":1}'
DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
ALLOWED_CODES = {None, 1000, 1001, 1002, 1003, 1007, 1009}
MOST_GROWN_KB = 40_000


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedProcess]:
    with FeedProcess({"stall_timeout_ms": "1000", "heartbeat_ms": "500"}) as process:
        yield process


def deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


def memory_kb(feed: FeedProcess) -> int:
    assert feed.process is not None
    answer = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(feed.process.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(answer.stdout)


# Frames that break RFC 6455 or our limits: the connection must end.
BROKEN = {
    "reserved opcode": frame(3, ASK),
    "reserved control opcode": frame(11, b""),
    "reserved bit": frame(TEXT, ASK, first=FIN | 0x20),
    "compressed without having agreed": frame(TEXT, deflate(ASK), first=FIN | RSV1),
    "nothing to go on from": frame(0, ASK),
    "a new message inside another": frame(TEXT, ASK, first=0) + frame(TEXT, ASK),
    "long ping": frame(PING, b"x" * 126),
    "fragmented ping": frame(PING, b"x", first=0),
    "longer than allowed": frame(TEXT, b"", length=65_537),
    "far longer than allowed": frame(TEXT, b"", length=2**62),
    "negative length": frame(TEXT, b"", length=2**64 - 1),
    "too long in parts": frame(TEXT, b"x" * 40_000, first=0) + frame(0, b"x" * 40_000),
    "no text": frame(TEXT, b"\xff\xfe"),
    "close with half a code": frame(CLOSE, b"\x03"),
    "close with a reason that is no text": frame(CLOSE, b"\x03\xe8\xff\xfe"),
    "close with a code that cannot be": frame(CLOSE, b"\x00\x00"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_frame_ends_the_connection(feed: FeedProcess, kind: str) -> None:
    with RawSocket(feed.port) as client:
        client.send(BROKEN[kind])
        assert client.until_closed().code in ALLOWED_CODES | {0}


def test_too_long_is_said_with_its_own_code(feed: FeedProcess) -> None:
    with RawSocket(feed.port) as client:
        client.send(frame(TEXT, b"x" * 65_537))
        assert client.until_closed().code == 1009


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, ASK),
        frame(BINARY, ASK),
        frame(TEXT, ASK[:5], first=0) + frame(PING, b"in between") + frame(0, ASK[5:]),
        frame(TEXT, b"", first=0) + frame(0, b"", first=0) * 50 + frame(0, ASK),
        frame(PONG, b"unasked") + frame(TEXT, ASK),
        frame(PING, b"x" * 125) + frame(TEXT, ASK),
    ],
    ids=["text", "binary", "in parts", "in empty parts", "pong", "ping"],
)
def test_unusual_frames_are_taken(feed: FeedProcess, data: bytes) -> None:
    with RawSocket(feed.port) as client:
        client.send(data)
        assert client.next(Pong).id == 1


def test_frames_that_arrive_byte_by_byte_are_taken(feed: FeedProcess) -> None:
    with RawSocket(feed.port) as client:
        for byte in frame(TEXT, ASK):
            client.send(bytes([byte]))
        assert client.next(Pong).id == 1


# ---- compression -----------------------------------------------------------------------------


def test_compressed_frames_are_sent_and_taken_where_that_was_agreed(feed: FeedProcess) -> None:
    with RawSocket(feed.port, DEFLATE) as client:
        agreed = client.answer["sec-websocket-extensions"].replace(" ", "").split(";")
        assert sorted(agreed) == [
            "client_no_context_takeover",
            "permessage-deflate",
            "server_no_context_takeover",
        ]
        for _ in range(3):
            client.send(frame(TEXT, deflate(ASK), first=FIN | RSV1))
            assert client.next(Pong).id == 1
        client.send(frame(TEXT, ASK))
        assert client.next(Pong).id == 1
        symbols = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
        client.say(type="subscribe", id=2, channel="quotes", symbols=symbols)
        first = 0
        while not first & RSV1:
            first, payload = client.read_frame()
        inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\0\0\xff\xff")
        assert inflated.startswith(b'{"type":')
        client.next(Quotes)


@pytest.mark.parametrize(
    "offer", ["permessage-deflate; server_max_window_bits=9", "permessage-deflate; unheard_of"]
)
def test_who_asks_for_what_cannot_be_shared_gets_plain_frames(
    feed: FeedProcess, offer: str
) -> None:
    with RawSocket(feed.port, {"Sec-WebSocket-Extensions": offer}) as client:
        assert "sec-websocket-extensions" not in client.answer
        client.say(type="subscribe", id=2, channel="quotes", symbols=["AAPL", "IBM", "MSFT"])
        client.next(Quotes)


@pytest.mark.parametrize(
    "payload",
    [b"\xff" * 100, deflate(ASK)[:-3], b"", deflate(b"\xff\xfe"), deflate(b" " * 10_000_000)],
    ids=["nonsense", "cut off", "nothing", "no text", "bomb"],
)
def test_what_cannot_be_inflated_harms_only_who_sent_it(feed: FeedProcess, payload: bytes) -> None:
    before_kb = memory_kb(feed)
    with RawSocket(feed.port) as other:
        for _ in range(10):
            with RawSocket(feed.port, DEFLATE) as client:
                client.send(frame(TEXT, payload, first=FIN | RSV1))
                client.send(frame(TEXT, ASK))
                assert outcome(client) in {*ALLOWED_CODES, "answered", ErrorCode.BAD_MESSAGE}
        other.say(type="ping", id=9)
        assert other.next(Pong).id == 9
    assert memory_kb(feed) - before_kb < MOST_GROWN_KB


def outcome(client: RawSocket) -> int | str | None:
    """Return how a command went: what was answered, or the code that it was closed with."""
    try:
        while not isinstance(message := client.hear(), (Pong, Error)):
            pass
    except ClosedError as closed:
        return closed.code
    return "answered" if isinstance(message, Pong) else message.code


# ---- many of them ----------------------------------------------------------------------------


def broken_stream(rng: random.Random) -> bytes:
    """Return some frames, right and wrong, cut and turned over."""
    data = b""
    for _ in range(rng.randrange(1, 6)):
        if rng.random() < 0.3:
            data += BROKEN[rng.choice(list(BROKEN))]
        else:
            data += frame(
                rng.choice([TEXT, TEXT, BINARY, 0, PING, PONG, rng.randrange(16)]),
                rng.choice([ASK, rng.randbytes(rng.randrange(300)), b"[" * 9_000, deflate(ASK)]),
                first=rng.choice([FIN, FIN, FIN, 0, FIN | RSV1, rng.randrange(16) << 4]),
                masked=rng.random() < 0.9,
            )
    kept = bytearray(data)
    for _ in range(rng.randrange(3)):
        kept[rng.randrange(len(kept))] ^= 1 << rng.randrange(8)
    return bytes(kept[: rng.randrange(1, len(kept) + 1)] if rng.random() < 0.2 else kept)


def test_thousands_of_broken_streams_leave_the_feed_as_it_was(feed: FeedProcess) -> None:
    rng = random.Random(3)
    ends: Counter[int | None] = Counter()
    before_kb = memory_kb(feed)
    for number in range(3_000):
        with RawSocket(feed.port, DEFLATE if number % 2 else None) as client:
            client.send(broken_stream(rng))
            client.half_close()
            if number % 3:
                ends[client.until_closed().code] += 1
    assert ends[None] > 100
    assert ends[1009] > 10
    wait_for("all are forgotten", lambda: connections(feed) == 0)
    assert httpx.get(f"{feed.url}/readyz").status_code == 200
    assert memory_kb(feed) - before_kb < MOST_GROWN_KB
    with RawSocket(feed.port) as client:
        client.say(type="ping", id=1)
        client.next(Pong)


def connections(feed: FeedProcess) -> int:
    text = httpx.get(f"{feed.url}/metrics", timeout=5).text
    (line,) = (x for x in text.splitlines() if x.startswith("quotewire_connections "))
    return int(float(line.split()[1]))


def test_who_pings_without_reading_the_pongs_is_closed(feed: FeedProcess) -> None:
    before_kb = memory_kb(feed)
    pings = frame(PING, b"x" * 125) * 1_000

    def go_on() -> None:
        while True:
            client.send(pings)

    with RawSocket(feed.port, buffer_bytes=4_096) as client:
        with pytest.raises(ConnectionError):
            go_on()
        assert memory_kb(feed) - before_kb < MOST_GROWN_KB
    wait_for("it is forgotten", lambda: connections(feed) == 0)


# ---- HTTP ------------------------------------------------------------------------------------


def test_no_request_makes_the_feed_keep_much(feed: FeedProcess) -> None:
    before_kb = memory_kb(feed)
    body = b"x" * 30_000_000
    for _ in range(3):
        try:
            answer = httpx.post(f"{feed.url}/api/quotes", content=body, timeout=10)
        except httpx.TransportError:
            continue
        assert 400 <= answer.status_code < 500
    assert memory_kb(feed) - before_kb < MOST_GROWN_KB / 2


def test_what_a_reader_of_events_sends_is_not_kept(feed: FeedProcess) -> None:
    before_kb = memory_kb(feed)
    with socket.create_connection(("127.0.0.1", feed.port), timeout=2) as stream:
        stream.sendall(b"GET /api/stream?symbols=AAPL HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.recv(12) == b"HTTP/1.1 200"
        with suppress(OSError):
            for _ in range(600):
                stream.sendall(b"x" * 100_000)
        assert memory_kb(feed) - before_kb < MOST_GROWN_KB
