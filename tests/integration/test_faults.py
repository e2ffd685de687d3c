"""The fault proxy does what it says, between real clients and a real feed."""

import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator

import httpx
import msgspec
import pytest

from feed_server.protocol import (
    Heartbeat,
    Quotes,
    Subscribed,
    Welcome,
    decode_server_message,
)
from tests.faults.proxy import FaultProxy
from tests.faults.weather import NO_PUSH, Fault, Kind
from tests.harness import FeedProcess, wait_for
from tests.raw_socket import RSV1, ClosedError, RawSocket

pytestmark = pytest.mark.integration

HEARTBEAT_S = 0.3
SILENT_S = 3 * HEARTBEAT_S


@pytest.fixture(scope="module")
def quick_feed() -> Iterator[FeedProcess]:
    with FeedProcess({"heartbeat_ms": str(int(HEARTBEAT_S * 1000))}) as process:
        yield process


@pytest.fixture
def proxy(quick_feed: FeedProcess) -> Iterator[FaultProxy]:
    with FaultProxy(quick_feed.port, seed=1) as started:
        yield started


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[RawSocket]:
    with RawSocket(proxy.port) as connected:
        connected.next(Heartbeat)
        yield connected


def silence_s(client: RawSocket) -> float:
    """Return how long it takes until something comes."""
    began_s = time.monotonic()
    client.hear()
    return time.monotonic() - began_s


def known(client: RawSocket) -> bool | None:
    """Tell whether the next frame is what a client may be sent; see RFC 6455, section 5.2."""
    first, payload = client.read_frame()
    if first not in (0x81, 0xC1):
        return None
    if first & RSV1:
        payload = zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload)
    return decode_server_message(payload) is not None


def get(proxy: FaultProxy, timeout_s: float = 5.0) -> httpx.Response:
    return httpx.get(f"{proxy.url}/api/quotes?symbols=AAPL", timeout=timeout_s)


def test_without_faults_all_passes_and_is_noted(proxy: FaultProxy, client: RawSocket) -> None:
    client.say(type="subscribe", id=1, channel="quotes", symbols=["AAPL"])
    assert client.next(Subscribed).symbols == ["AAPL"]
    assert client.next(Quotes).rows
    assert client.next(Heartbeat).frames == client.frames - 1
    with httpx.Client(base_url=proxy.url) as http:
        assert all(http.get("/api/quotes?symbols=AAPL").json()["rows"] for _ in range(2))
    assert proxy.requests == {"ws": 1, "/api/quotes": 2}
    wait_for("all is noted", lambda: len(proxy.deliveries) >= client.frames + 2)
    assert sum(delivery.what == "/api/quotes" for delivery in proxy.deliveries) == 2


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.CUT, Kind.RESET, Kind.GHOST, *sorted(NO_PUSH)])
def test_old_connections_end(proxy: FaultProxy, client: RawSocket, kind: Kind) -> None:
    with proxy.under(Fault(kind)):
        assert client.until_closed().code is None


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.GHOST, Kind.HALF_OPEN, Kind.LATE, Kind.CUT])
def test_new_connections_are_fine(proxy: FaultProxy, kind: Kind) -> None:
    with proxy.under(Fault(kind)), RawSocket(proxy.port) as client:
        client.next(Heartbeat)
        assert get(proxy).is_success


def test_a_closed_port_refuses_and_opens_again(proxy: FaultProxy, client: RawSocket) -> None:
    with proxy.under(Fault(Kind.REFUSE)):
        assert client.until_closed().code is None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    assert get(proxy).is_success


@pytest.mark.parametrize("kind", [Kind.STALL, Kind.MUTE, Kind.LATE])
def test_what_was_held_up_comes_afterwards(
    proxy: FaultProxy, client: RawSocket, kind: Kind
) -> None:
    seconds = SILENT_S
    proxy.begin(Fault(kind, seconds))
    frames = client.frames
    # What was on its way already comes at once.
    assert silence_s(client) + silence_s(client) > seconds - 2 * HEARTBEAT_S
    assert client.next(Heartbeat).frames == client.frames - 1 > frames


@pytest.mark.parametrize("kind", [Kind.STALL, Kind.MUTE, Kind.DEAF])
def test_requests_are_not_answered_meanwhile(proxy: FaultProxy, kind: Kind) -> None:
    with proxy.under(Fault(kind)), pytest.raises(httpx.ReadTimeout):
        get(proxy, timeout_s=0.5)
    assert get(proxy).is_success


def test_the_server_side_is_gone_and_the_client_is_not_told(
    proxy: FaultProxy, client: RawSocket
) -> None:
    began_s = time.monotonic()
    proxy.begin(Fault(Kind.HALF_OPEN, SILENT_S))
    client.say(type="ping", id=1)
    assert client.until_closed().code is None
    assert time.monotonic() - began_s > SILENT_S - 0.1


def test_slow_and_late_bytes_arrive_whole(proxy: FaultProxy, client: RawSocket) -> None:
    with proxy.under(Fault(Kind.SLOW, amount=400)), proxy.under(Fault(Kind.LAG, amount=0.2)):
        began_s = time.monotonic()
        answer = get(proxy)
        assert time.monotonic() - began_s > 0.7
        assert answer.json()["rows"]
        assert client.next(Heartbeat).frames == client.frames - 1


def is_told(read: Callable[[], object]) -> bool:
    """Tell whether what was read is what a feed says."""
    try:
        return read() is not None
    except (httpx.TransportError, msgspec.DecodeError, zlib.error, struct.error, ClosedError):
        return False


def test_broken_answers_can_be_seen(proxy: FaultProxy) -> None:
    with proxy.under(Fault(Kind.CORRUPT)):
        told = [is_told(lambda: decode_server_message(get(proxy).content)) for _ in range(40)]
    assert 3 < told.count(False) < 37


def test_broken_frames_can_be_seen(quick_feed: FeedProcess) -> None:
    with FaultProxy(quick_feed.port) as proxy, RawSocket(proxy.port) as client:
        proxy.begin(Fault(Kind.CORRUPT))
        assert wait_for("a frame is broken", lambda: not is_told(lambda: known(client)))
        assert len(proxy.deliveries) < 20


@pytest.mark.parametrize("kind", [Kind.BAD_GATEWAY, Kind.NO_HTTP])
def test_http_alone_is_blocked(proxy: FaultProxy, client: RawSocket, kind: Kind) -> None:
    with proxy.under(Fault(kind)):
        for _ in range(5):
            try:
                assert get(proxy).content[:8] != b'{"type":'
            except httpx.TransportError:
                assert kind is Kind.NO_HTTP
        client.next(Heartbeat)
    assert get(proxy).json()["type"] == "quotes"


def test_websockets_alone_are_refused(proxy: FaultProxy) -> None:
    with proxy.under(Fault(Kind.NO_WEBSOCKET)):
        with RawSocket(proxy.port) as client:
            assert client.status != 101
        assert get(proxy).is_success
    with RawSocket(proxy.port) as client:
        client.next(Welcome)


def test_who_lags_behind_tells_every_other_time_what_was(
    quick_feed: FeedProcess, proxy: FaultProxy
) -> None:
    def time_ms(url: str, since: str = "") -> int:
        answer = httpx.get(f"{url}/api/quotes?symbols=AAPL{since}", timeout=5)
        quotes = decode_server_message(answer.content)
        assert isinstance(quotes, Quotes)
        return quotes.event_ms + quotes.rows[0].event_delta_ms

    first_ms = time_ms(proxy.url)
    wait_for("another quote", lambda: time_ms(quick_feed.url) > first_ms)
    with proxy.under(Fault(Kind.BEHIND)):
        assert time_ms(proxy.url, "&since=0") == first_ms
        assert time_ms(proxy.url) > first_ms
        assert time_ms(proxy.url) == first_ms
