"""Gateways that are told to go, or to let someone go."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from dashboard.tokens import TokenSigner
from feed_server.bus.control import Disconnect, Drain
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.keys import secret_key
from feed_server.protocol import Authenticated, Pong, Shutdown, Trades, Welcome
from tests import pem
from tests.harness import PROJECT, FeedProcess, clean_environment, free_port, wait_for
from tests.market import Market, gateway_of, market
from tests.raw_socket import ClosedError, RawSocket
from tests.servers import ValkeyServer

pytestmark = pytest.mark.integration

SPREAD_MS = 4_000
CLIENTS = 8


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


def closes_of(clients: list[RawSocket]) -> list[ClosedError]:
    return [client.until_closed() for client in clients]


def shutdowns_of(clients: list[RawSocket]) -> list[int]:
    return [client.next(Shutdown).reconnect_ms for client in clients]


def test_a_gateway_that_is_drained_sends_all_away_and_takes_no_more(here: Market) -> None:
    with gateway_of(here, shutdown_spread_ms=str(SPREAD_MS)) as feed, ExitStack() as stack:
        clients = [stack.enter_context(RawSocket(feed.port)) for _ in range(CLIENTS)]
        (name,) = {client.next(Welcome).server for client in clients}
        assert httpx.get(f"{feed.url}/readyz").status_code == 200
        here.control(Drain("another gateway"))
        here.control(Drain(name))
        delays_ms = shutdowns_of(clients)
        assert {closed.code for closed in closes_of(clients)} == {1001}
        # Each has its own part of the time, so that they do not come back at once.
        parts = sorted(delay_ms * CLIENTS // SPREAD_MS for delay_ms in delays_ms)
        assert parts == list(range(CLIENTS))
        ready = httpx.get(f"{feed.url}/readyz")
        assert ready.status_code == 503
        assert "it is being drained" in ready.json()["reasons"]
        with RawSocket(feed.port) as late:
            assert late.status == 503
            assert b'"code":"not_ready"' in late.body
        assert httpx.get(f"{feed.url}/healthz").status_code == 200


def test_a_gateway_that_ends_says_goodbye_first(here: Market) -> None:
    with gateway_of(here) as feed, ExitStack() as stack:
        clients = [stack.enter_context(RawSocket(feed.port)) for _ in range(2)]
        for client in clients:
            client.next(Welcome)
        assert feed.process is not None
        feed.process.terminate()
        assert max(shutdowns_of(clients)) <= 5_000
        assert [(c.code, c.reason) for c in closes_of(clients)] == [
            (1001, "the server is shutting down")
        ] * 2


def test_who_is_let_go_of_is_closed_and_the_others_stay(here: Market) -> None:
    signer = TokenSigner(secret_key(pem.SECRET), lifetime_s=600)
    tokens = {who: signer.sign(who, time.time()) for who in ("ann", "bob")}
    feed = gateway_of(here, jwt_secret=pem.SECRET, token=tokens["ann"])
    with feed, RawSocket(feed.port) as ann, RawSocket(feed.port) as bob:
        for client, who in ((ann, "ann"), (bob, "bob")):
            assert client.next(Welcome).auth == "required"
            client.say(type="auth", id=1, token=tokens[who])
            client.next(Authenticated)
        here.control(Disconnect("ann"))
        closed = ann.until_closed()
        assert (closed.code, closed.reason) == (4010, "access was revoked")
        bob.say(type="ping", id=2)
        assert bob.next(Pong).id == 2
        # Tornado hands on what comes until the other side has closed, too.
        ann.say(type="auth", id=3, token=tokens["ann"])
        ann.say(type="subscribe", id=4, channel="trades", symbols=["MSFT"])
        with pytest.raises(TimeoutError):
            wait_for("she is served", lambda: wanted_of(feed, tokens["bob"]), timeout_s=1)


def wanted_of(feed: FeedProcess, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{feed.url}/api/subscriptions", headers=headers, timeout=5)
    counts: dict[str, int] = answer.raise_for_status().json()
    return counts.get("MSFT", 0)


def test_nonsense_on_the_bus_harms_nobody(here: Market) -> None:
    with gateway_of(here) as feed, RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        client.next(Trades)
        here.shout(b"\xff{")
        here.shout(b'{"type":"dance"}')
        here.shout(b"")
        here.trade()
        client.next(Trades)
        wait_for("it is ready", lambda: httpx.get(f"{feed.url}/readyz").status_code == 200)


def test_readiness_tells_how_many_symbols_are_behind_and_where_redis_is_not(
    tmp_path: Path,
) -> None:
    with ValkeyServer(tmp_path) as valkey, Market(valkey.url) as here:
        here.trade()
        with gateway_of(here, linger_ms="200") as feed, RawSocket(feed.port) as client:

            def readiness() -> dict[str, Any]:
                told: dict[str, Any] = httpx.get(f"{feed.url}/readyz", timeout=10).json()
                return told

            assert readiness()["symbols_behind"] == 0
            valkey.freeze()
            client.say(type="subscribe", id=1, channel="trades", symbols=["IBM", "MSFT"])
            wait_for("they are behind", lambda: readiness()["symbols_behind"] == 2)
            told = readiness()
            assert told["ready"] is False
            assert str(valkey.port) not in str(told)
            assert "127.0.0.1" not in str(told)
            valkey.thaw()
            here.live()
            wait_for("they are current", lambda: readiness()["symbols_behind"] == 0)


def tell(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "feed_server", *arguments],
        cwd=PROJECT,
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_an_operator_can_drain_a_gateway(here: Market) -> None:
    with gateway_of(here) as feed, gateway_of(here) as other, RawSocket(feed.port) as client:
        told = tell("drain", client.next(Welcome).server, redis_url=here.url)
        assert (told.returncode, told.stdout) == (0, "gateways that heard it: 2\n"), told.stderr
        assert client.until_closed().code == 1001
        assert httpx.get(f"{feed.url}/readyz").status_code == 503
        with RawSocket(other.port) as stays:
            assert stays.status == 101


def test_an_operator_can_disconnect_a_subject_and_never_all_without_one(here: Market) -> None:
    signer = TokenSigner(secret_key(pem.SECRET), lifetime_s=600)
    feed = gateway_of(here, jwt_secret=pem.SECRET, token=signer.sign("ann", time.time()))
    with feed, RawSocket(feed.port) as ann, RawSocket(feed.port) as nobody:
        ann.say(type="auth", id=1, token=signer.sign("ann", time.time()))
        ann.next(Authenticated)
        claims = {"sub": "", "exp": time.time() + 600}
        nobody.say(type="auth", id=1, token=jwt.encode(claims, pem.SECRET, "HS256"))
        nobody.next(Authenticated)
        here.control(Disconnect(""))
        assert tell("disconnect", "ann", redis_url=here.url).returncode == 0
        assert ann.until_closed().code == 4010
        nobody.say(type="ping", id=2)
        nobody.next(Pong)


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["drain", "gateway-1"], 2, "QUOTEWIRE_REDIS_URL"),
        (["drain"], 2, "GATEWAY"),
        (["disconnect", ""], 2, "must not be empty"),
        (["dance"], 2, "invalid choice"),
    ],
)
def test_what_an_operator_gets_wrong_is_told(arguments: list[str], code: int, hint: str) -> None:
    told = tell(*arguments)
    assert told.returncode == code
    assert hint in told.stderr
    assert "Traceback" not in told.stderr


def test_an_operator_is_told_that_nobody_heard_it(valkey: EmbeddedValkey) -> None:
    told = tell("drain", "gateway-1", redis_url=valkey.url)
    assert (told.returncode, told.stdout) == (1, "")
    assert "no gateway heard it" in told.stderr
    told = tell("drain", "gateway-1", redis_url=f"redis://me:secret@127.0.0.1:{free_port()}/0")
    assert told.returncode == 1
    assert "publishing a control message" in told.stderr
    assert "secret" not in told.stderr
    assert "Traceback" not in told.stderr
