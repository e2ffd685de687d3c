"""What one client may not do, and what the others notice of it: nothing."""

import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from feed_server.gateway.listener import SPARE
from feed_server.protocol import Error, ErrorCode, Pong, Quotes, Trades, Welcome
from tests.harness import PATIENCE_S, FeedProcess, wait_for
from tests.market import Market, gateway_of, market
from tests.raw_socket import PING, PONG, TEXT, ClosedError, RawSocket, ask_and_reset, frame

pytestmark = pytest.mark.integration

STALL_S = 3.0
BURST = 100
"""Trades of one update."""


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


@pytest.fixture(scope="module")
def feed(here: Market) -> Iterator[FeedProcess]:
    settings = {"heartbeat_ms": "200", "stall_timeout_ms": str(int(STALL_S * 1000))}
    with gateway_of(here, **settings, max_backlog_bytes="100000") as process:
        yield process


def figure(feed: FeedProcess, name: str) -> float:
    """Return one of the gateway's figures; 0 where it has none yet."""
    text = httpx.get(f"{feed.url}/metrics", timeout=5).text
    found = re.search(rf"^quotewire_{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def status(feed: FeedProcess) -> int:
    """Return how a request for a connection is answered."""
    with RawSocket(feed.port) as client:
        return client.status


# ---- connections -----------------------------------------------------------------------------


def test_connections_beyond_the_limit_are_turned_away_until_one_goes(here: Market) -> None:
    with (
        gateway_of(here, max_connections="2") as feed,
        RawSocket(feed.port) as one,
        RawSocket(feed.port),
        RawSocket(feed.port) as third,
    ):
        assert third.status == 503
        assert b'"code":"too_many_connections"' in third.body
        assert b"takes no more" in third.body
        one.hang_up()
        wait_for("its place is free", lambda: status(feed) == 101)


def test_an_address_has_a_limit_of_its_own(here: Market) -> None:
    settings = {"max_connections_per_address": "1", "trusted_proxies": "127.0.0.1"}
    with gateway_of(here, **settings) as feed:
        ann, bob = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
        with RawSocket(feed.port, ann) as first, RawSocket(feed.port, ann) as second:
            assert (first.status, second.status) == (101, 503)
            assert b"this address has 1 connections" in second.body
            with RawSocket(feed.port, bob) as other:
                assert other.status == 101


def test_streams_of_events_count_as_connections(here: Market) -> None:
    with gateway_of(here, max_connections="1") as feed:
        address = f"{feed.url}/api/stream?symbols=AAPL"
        with httpx.stream("GET", address, timeout=5) as stream:
            assert stream.status_code == 200
            assert status(feed) == 503
        wait_for("its place is free", lambda: status(feed) == 101)


def test_who_hangs_up_at_once_leaves_nothing_behind(feed: FeedProcess) -> None:
    for number in range(200):
        client = RawSocket(feed.port)
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL", "IBM"])
        client.hang_up(reset=number % 2 == 0)
    wait_for("all are forgotten", lambda: figure(feed, "connections") == 0)
    assert figure(feed, "cohorts") == 0


UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
STREAM = "GET /api/stream?symbols=AAPL HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("request_head", [UPGRADE, STREAM])
def test_who_resets_before_the_answer_keeps_no_place(here: Market, request_head: str) -> None:
    with gateway_of(here, max_connections_per_address="5") as feed:
        for _ in range(40):
            ask_and_reset(feed.port, request_head)
        wait_for("all is noticed", lambda: answers(feed))
        with ExitStack() as stack:

            def all_places_are_free() -> bool:
                with ExitStack() as tried:
                    clients = [tried.enter_context(RawSocket(feed.port)) for _ in range(5)]
                    if any(client.status != 101 for client in clients):
                        return False
                    stack.push(tried.pop_all())
                    return True

            wait_for("all places are free", all_places_are_free)
            assert figure(feed, "connections") == 5
        wait_for("all are forgotten", lambda: figure(feed, "connections") == 0)
        assert "Traceback" not in feed.said()
        assert "error" not in feed.said().lower()


def answers(feed: FeedProcess) -> bool:
    try:
        return httpx.get(f"{feed.url}/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False


def is_open(client: socket.socket) -> bool:
    """Tell whether the server has left a connection open, on which it has said nothing."""
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_sockets_that_ask_for_nothing_are_limited_and_closed_in_time(here: Market) -> None:
    settings = {"max_connections_per_address": "5", "idle_timeout_ms": "3000"}
    with gateway_of(here, **settings) as feed, ExitStack() as stack:
        refused = figure(feed, 'errors_total{code="too_many_connections"}')
        address = ("127.0.0.1", feed.port)
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(60)]
        idle[0].sendall(b"GET /healthz HTTP/1.1\r\n")  # and no more of it
        # One that asked for the figures may not have been seen to go yet.
        wait_for("some are closed", lambda: sum(map(is_open, idle)) <= 5 + SPARE)
        if sys.platform == "linux":  # elsewhere loopback is one address
            client = socket.create_connection(address, source_address=("127.0.0.2", 0))
            stack.enter_context(client)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: feed\r\n\r\n")
            client.settimeout(5)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        wait_for("all are closed", lambda: not any(map(is_open, idle)))
        assert status(feed) == 101
        told = figure(feed, 'errors_total{code="too_many_connections"}')
        assert refused + 60 - 5 - SPARE <= told <= refused + 60 - SPARE


def test_a_live_connection_leaves_room_for_requests(here: Market) -> None:
    with gateway_of(here, max_connections_per_address="40") as feed, ExitStack() as stack:
        clients = [stack.enter_context(RawSocket(feed.port)) for _ in range(40)]
        assert {client.status for client in clients} == {101}
        assert httpx.get(f"{feed.url}/api/status", timeout=5).is_success
        time.sleep(0.1)
        clients[0].say(type="ping", id=1)
        clients[0].next(Pong)


# ---- commands --------------------------------------------------------------------------------


def test_more_commands_than_allowed_are_refused_and_later_ones_served(feed: FeedProcess) -> None:
    with RawSocket(feed.port) as client:
        most = client.next(Welcome).max_commands_per_s
        client.send(b"".join(frame(TEXT, b'{"type":"ping","id":1}') for _ in range(4 * most)))
        client.send(frame(TEXT, b'{"type":"ping","id":2}'))
        answers = [client.next(Pong) for _ in range(2 * most)]
        assert len(answers) == 2 * most
        error = client.next(Error)
        assert (error.code, error.id) == (ErrorCode.TOO_MANY_COMMANDS, 1)

        def is_served() -> bool:
            client.say(type="ping", id=3)
            while not isinstance(answer := client.hear(), (Pong, Error)):
                pass
            return isinstance(answer, Pong) and answer.id == 3

        wait_for("it is served again", is_served)


def test_who_goes_on_sending_too_much_is_closed(feed: FeedProcess) -> None:
    many = frame(TEXT, b'{"type":"ping","id":1}') * 100

    def go_on() -> None:
        while True:
            client.send(many)
            for _ in range(100):
                client.next(object)

    with RawSocket(feed.port) as client:
        with pytest.raises(ClosedError) as closed:
            go_on()
        assert closed.value.code == 4029


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_who_sends_too_many_pings_is_closed(feed: FeedProcess, opcode: int) -> None:
    closed = figure(feed, 'closes_total{reason="too_many_commands"}')
    with RawSocket(feed.port) as client:
        client.next(Welcome)
        for _ in range(30):
            client.send(frame(opcode, b"") * 10)
        client.say(type="ping", id=1)
        assert client.next(Error).code == ErrorCode.TOO_MANY_COMMANDS
        with suppress(OSError):
            for _ in range(20):
                client.send(frame(opcode, b"") * 100)
        assert client.until_closed().code in (4029, None)
        wait_for(
            "it is counted",
            lambda: figure(feed, 'closes_total{reason="too_many_commands"}') == closed + 1,
        )


# ---- slow clients ----------------------------------------------------------------------------


class Flood:
    """Trades faster than a socket that is not read can take."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.last = market.trade()

    def go_on(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self.market.live()
            self.last = self.market.trade(trades=BURST)


def read_trades(client: RawSocket, *, after: int, up_to: int) -> None:
    """Read up to a trade; each must be the next one."""
    at = after
    while at < up_to:
        message = client.next(Trades)
        assert False not in message.recovered.values()
        for row in message.rows:
            assert row.offset == at + 1
            at = row.offset


def test_who_stops_reading_is_closed_while_the_others_stay_current(
    feed: FeedProcess, here: Market
) -> None:
    with RawSocket(feed.port, buffer_bytes=4_096) as stuck, RawSocket(feed.port) as reader:
        for client in (stuck, reader):
            client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        at = reader.next(Trades).positions["AAPL"].offset
        flood = Flood(here)
        closed = figure(feed, 'closes_total{reason="stalled"}')

        def is_closed() -> bool:
            nonlocal at
            flood.go_on(0.2)
            read_trades(reader, after=at, up_to=flood.last.offset)
            at = flood.last.offset
            return figure(feed, 'closes_total{reason="stalled"}') > closed

        wait_for("it is closed", is_closed, timeout_s=STALL_S + PATIENCE_S)
        assert stuck.until_closed().code in (4009, None)
        reader.say(type="ping", id=1)
        reader.next(Pong)


@pytest.mark.parametrize("pause_s", [0.3, 0.8])
def test_who_pauses_gets_the_newest_quotes_and_all_trades(
    feed: FeedProcess, here: Market, pause_s: float
) -> None:
    with RawSocket(feed.port, buffer_bytes=4_096) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        at = client.next(Trades).positions["AAPL"].offset
        client.say(type="subscribe", id=2, channel="quotes", symbols=["AAPL"])
        missed = figure(feed, "missed_total")
        flood = Flood(here)
        flood.go_on(pause_s)
        assert figure(feed, "missed_total") > missed
        quote = 0
        while at < flood.last.offset or quote < flood.last.offset:
            match client.hear():
                case Trades() as message:
                    assert False not in message.recovered.values()
                    for row in message.rows:
                        assert row.offset == at + 1
                        at = row.offset
                case Quotes() as message:
                    assert message.rows[0].offset >= quote
                    quote = message.rows[0].offset
        assert at == quote == flood.last.offset
        here.trade()
        read_trades(client, after=at, up_to=at + 1)
