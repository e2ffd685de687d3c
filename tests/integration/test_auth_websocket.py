"""Tokens against a real feed server: on the WebSocket, over HTTP and by the client."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    websocket_connect,
)

from dashboard.client import FeedAccessError, FeedClient
from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from tests import pem
from tests.harness import PROJECT, FeedProcess, clean_environment, free_port

pytestmark = pytest.mark.integration

GRACE_S = 0.5
TIMEOUT_S = 3.0


def sign(lifetime_s: float = 3600, secret: str = pem.SECRET, **claims: list[str]) -> str:
    signer = TokenSigner(secret_key(secret), lifetime_s=lifetime_s)
    return signer.sign("ann", time.time(), **claims)


@pytest.fixture(scope="module")
def guarded() -> Iterator[FeedProcess]:
    """A feed server that asks for a token, and has little patience."""
    settings = {
        "jwt_secret": pem.SECRET,
        "auth_timeout_ms": str(int(TIMEOUT_S * 1000)),
        "auth_grace_ms": str(int(GRACE_S * 1000)),
        "heartbeat_ms": "500",
    }
    with FeedProcess(settings, token=sign()) as process:
        yield process


class Client:
    """A bare connection that numbers its commands and finds their answers."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self._last = 0

    async def hear(self) -> dict[str, Any] | None:
        async with asyncio.timeout(30):
            text = await self.socket.read_message()
        return None if text is None else json.loads(text)

    async def next(self, kind: str) -> dict[str, Any]:
        while (message := await self.hear()) is not None:
            if message["type"] == kind:
                return message
        raise AssertionError(f"closed: {self.socket.close_code} {self.socket.close_reason}")

    async def ask(self, kind: str, **fields: object) -> dict[str, Any]:
        """Return the answer to a command."""
        self._last += 1
        await self.socket.write_message(json.dumps({"type": kind, "id": self._last, **fields}))
        while (message := await self.hear()) is not None:
            if message.get("id") == self._last:
                return message
        raise AssertionError(f"closed: {self.socket.close_code} {self.socket.close_reason}")

    async def subscribe(self, *symbols: str, channel: str = "quotes") -> dict[str, Any]:
        return await self.ask("subscribe", channel=channel, symbols=list(symbols))

    async def closed(self) -> int | None:
        """Wait for the end, and return its code."""
        while await self.hear() is not None:
            pass
        return self.socket.close_code


@asynccontextmanager
async def connected(feed: FeedProcess, query: str = "") -> AsyncIterator[Client]:
    socket = await websocket_connect(f"ws://127.0.0.1:{feed.port}/ws{query}")
    try:
        yield Client(socket)
    finally:
        socket.close()
        if socket.close_code is None:
            async with asyncio.timeout(30):
                while await socket.read_message() is not None:
                    pass


# ---- coming in -------------------------------------------------------------------------------


async def test_nothing_is_to_be_had_before_a_token_is_shown(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        assert (await client.next("welcome"))["auth"] == "required"
        answer = await client.subscribe("AAPL")
        assert (answer["type"], answer["code"]) == ("error", "auth_required")
        answer = await client.ask("auth", token=sign(lifetime_s=60))
        assert answer["type"] == "authenticated"
        assert 55_000 < answer["expires_ms"] - time.time() * 1000 < 61_000
        assert (await client.subscribe("AAPL"))["symbols"] == ["AAPL"]
        assert (await client.next("quotes"))["rows"][0][0] == "AAPL"


async def test_where_no_token_is_asked_for_the_welcome_says_so(feed: FeedProcess) -> None:
    async with connected(feed) as client:
        assert (await client.next("welcome"))["auth"] == "none"
        assert (await client.ask("auth", token="any"))["type"] == "authenticated"


async def test_a_client_that_shows_no_token_is_closed(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        begun_s = time.monotonic()
        assert await client.closed() == 4001
        assert TIMEOUT_S - 0.1 < time.monotonic() - begun_s < TIMEOUT_S + 3


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (sign(secret=pem.OTHER_SECRET), "auth_failed"),
        (sign(lifetime_s=-60), "auth_expired"),
        ("nonsense", "auth_failed"),
        ("", "auth_failed"),
    ],
)
async def test_a_wrong_token_is_refused_and_a_right_one_then_taken(
    guarded: FeedProcess, token: str, code: str
) -> None:
    async with connected(guarded) as client:
        answer = await client.ask("auth", token=token)
        assert (answer["type"], answer["code"]) == ("error", code)
        assert not token or token not in answer["message"]
        assert (await client.subscribe("AAPL"))["code"] == "auth_required"
        assert (await client.ask("auth", token=sign()))["type"] == "authenticated"


async def test_wrong_tokens_win_no_time(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        begun_s = time.monotonic()
        with suppress(AssertionError, WebSocketClosedError):
            while time.monotonic() < begun_s + TIMEOUT_S + 3:
                await client.ask("auth", token="nonsense")
                await asyncio.sleep(0.05)
        assert client.socket.close_code == 4001


async def test_a_token_in_the_address_is_not_looked_at(guarded: FeedProcess) -> None:
    async with connected(guarded, f"?token={sign()}") as client:
        assert (await client.next("welcome"))["auth"] == "required"
        assert (await client.subscribe("AAPL"))["code"] == "auth_required"
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{guarded.url}/api/quotes", params={"token": sign()})
    assert answer.status_code == 401


# ---- staying in ------------------------------------------------------------------------------


async def test_a_token_that_is_not_renewed_ends_the_connection(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        expires_ms = (await client.ask("auth", token=sign(lifetime_s=3)))["expires_ms"]
        await client.subscribe("AAPL")
        assert await client.closed() == 4003
        assert GRACE_S - 0.1 < time.time() - expires_ms / 1000 < GRACE_S + 3


async def test_a_token_that_is_renewed_keeps_the_connection(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        expires_ms = (await client.ask("auth", token=sign(lifetime_s=3)))["expires_ms"]
        await client.subscribe("AAPL")
        assert (await client.ask("auth", token=sign()))["type"] == "authenticated"
        while time.time() < expires_ms / 1000 + GRACE_S + 1:
            assert await client.hear() is not None
        assert (await client.ask("list"))["subscriptions"][0]["symbols"] == ["AAPL"]


async def test_a_refused_renewal_leaves_the_token_before_it_in_force(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        await client.ask("auth", token=sign())
        await client.subscribe("AAPL")
        assert (await client.ask("auth", token="nonsense"))["code"] == "auth_failed"
        assert (await client.subscribe("IBM"))["symbols"] == ["IBM"]


async def test_a_renewal_that_allows_less_ends_what_it_does_not_allow(
    guarded: FeedProcess,
) -> None:
    async with connected(guarded) as client:
        await client.ask("auth", token=sign())
        await client.subscribe("AAPL", "IBM")
        await client.subscribe("AAPL", channel="trades")
        await client.ask("auth", token=sign(symbols=["IBM"], channels=["quotes"]))
        subscriptions = (await client.ask("list"))["subscriptions"]
        assert [(s["channel"], s["symbols"]) for s in subscriptions] == [("quotes", ["IBM"])]


# ---- what is allowed -------------------------------------------------------------------------


async def test_a_token_allows_its_symbols_and_channels_only(guarded: FeedProcess) -> None:
    async with connected(guarded) as client:
        await client.ask("auth", token=sign(symbols=["A*", "IBM"], channels=["quotes"]))
        answer = await client.subscribe("AAPL", "IBM", "MSFT", "NOPE")
        assert answer["symbols"] == ["AAPL", "IBM"]
        assert answer["failed"] == {"MSFT": "forbidden", "NOPE": "forbidden"}
        answer = await client.subscribe("AAPL", channel="trades")
        assert (answer["type"], answer["code"]) == ("error", "forbidden")
        for _ in range(20):
            rows = (await client.next("quotes"))["rows"]
            assert {row[0] for row in rows} <= {"AAPL", "IBM"}


def get(feed: FeedProcess, path: str, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(feed.url + path, headers=headers)


@pytest.mark.parametrize(
    "path", ["/api/symbols", "/api/status", "/api/quotes", "/api/bars?symbol=AAPL"]
)
def test_over_http_the_same_token_is_asked_for(guarded: FeedProcess, path: str) -> None:
    answer = get(guarded, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth_required")
    wrong = sign(secret=pem.OTHER_SECRET)
    answer = get(guarded, path, wrong)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth_failed")
    assert wrong not in answer.text
    answer = get(guarded, path, sign(lifetime_s=-60))
    assert (answer.status_code, answer.json()["code"]) == (401, "auth_expired")
    assert get(guarded, path, sign()).status_code == 200


def test_over_http_a_token_allows_the_same(guarded: FeedProcess) -> None:
    token = sign(symbols=["IBM"], channels=["quotes"])
    symbols = get(guarded, "/api/symbols", token).json()["symbols"]
    assert [info["symbol"] for info in symbols] == ["IBM"]
    rows = get(guarded, "/api/quotes", token).json()["rows"]
    assert [row[0] for row in rows] == ["IBM"]
    assert get(guarded, "/api/quotes?symbols=AAPL", token).status_code in (403, 404)
    assert get(guarded, "/api/bars?symbol=IBM", token).json()["code"] == "forbidden"


def test_whether_it_lives_is_told_without_a_token(guarded: FeedProcess) -> None:
    assert get(guarded, "/healthz").status_code == 200
    assert get(guarded, "/readyz").status_code == 200


def test_a_browser_may_ask_with_a_token(guarded: FeedProcess) -> None:
    origin = {"Origin": "http://localhost:5006", "Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{guarded.url}/api/quotes", headers=origin)
    assert answer.status_code == 204
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


# ---- the client ------------------------------------------------------------------------------


async def test_the_client_is_let_in_by_its_token(guarded: FeedProcess) -> None:
    async with FeedClient(guarded.url, token=sign()) as client:
        assert len(await client.history("AAPL", limit=5)) == 5
        quotes = [quote async for quote in client.quotes("AAPL", limit=3)]
    assert {quote.symbol for quote in quotes} == {"AAPL"}


async def test_the_client_takes_its_token_from_the_environment(
    guarded: FeedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTEWIRE_TOKEN", sign())
    async with FeedClient(guarded.url) as client:
        assert list(await client.snapshot("IBM")) == ["IBM"]


async def test_a_client_that_is_not_let_in_says_why(
    guarded: FeedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUOTEWIRE_TOKEN", raising=False)
    async with FeedClient(guarded.url) as client:
        with pytest.raises(FeedAccessError, match="QUOTEWIRE_TOKEN"):
            await anext(client.quotes("AAPL"))
        with pytest.raises(FeedAccessError):
            await client.snapshot()
    async with FeedClient(guarded.url, token=sign(secret=pem.OTHER_SECRET)) as client:
        with pytest.raises(FeedAccessError, match="signature"):
            await anext(client.quotes("AAPL"))
        with pytest.raises(FeedAccessError, match="signature"):
            await client.history("AAPL")


async def test_a_stream_of_quotes_outlives_its_tokens(guarded: FeedProcess) -> None:
    given: list[str] = []

    def token() -> str:
        given.append(sign(lifetime_s=3))
        return given[-1]

    async with FeedClient(guarded.url, token=token) as client:
        until_s = time.monotonic() + 3 + GRACE_S + 2
        async with aclosing(client.quotes("AAPL", "IBM")) as quotes:
            async for _ in quotes:
                if time.monotonic() > until_s:
                    break
    assert 3 <= len(given) <= 6


async def test_a_stream_by_a_single_token_ends_with_it(guarded: FeedProcess) -> None:
    async with FeedClient(guarded.url, token=sign(lifetime_s=1)) as client:
        quotes = client.quotes("AAPL")
        async with asyncio.timeout(30):
            with pytest.raises(FeedAccessError):
                _ = [quote async for quote in quotes]


# ---- the start -------------------------------------------------------------------------------


def run_feed(**settings: str) -> subprocess.CompletedProcess[str]:
    """Return how a feed server ended that does not start."""
    return subprocess.run(
        [sys.executable, "-m", "feed_server"],
        cwd=PROJECT,
        env=clean_environment(feed_port=str(free_port()), **settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_feed_that_others_can_reach_does_not_start_without_a_key() -> None:
    ended = run_feed(host="0.0.0.0")
    assert ended.returncode == 2
    assert "QUOTEWIRE_JWT_SECRET" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_secret_that_is_too_short_is_told_and_not_shown() -> None:
    ended = run_feed(jwt_secret="hunter2")
    assert (ended.returncode, "32 bytes" in ended.stderr) == (2, True)
    assert "hunter2" not in ended.stderr + ended.stdout


def test_with_a_key_it_listens_where_it_is_told() -> None:
    settings = {"host": "0.0.0.0", "jwt_secret": pem.SECRET}
    with FeedProcess(settings, token=sign()) as feed:
        if sys.platform == "linux":  # elsewhere loopback is one address
            assert httpx.get(f"http://127.0.0.2:{feed.port}/healthz").is_success


def test_neither_token_nor_secret_is_logged() -> None:
    settings = {"jwt_secret": pem.SECRET, "log_level": "debug"}
    tokens = [sign(), sign(secret=pem.OTHER_SECRET)]
    with FeedProcess(settings, token=sign()) as feed:
        for token in tokens:
            get(feed, "/api/quotes", token)
            get(feed, f"/api/quotes?token={token}")
        asyncio.run(_show(feed, tokens))
        said = feed.said()
    assert said
    for secret in (*tokens, pem.SECRET):
        assert secret not in said


async def _show(feed: FeedProcess, tokens: list[str]) -> None:
    async with connected(feed) as client:
        for token in reversed(tokens):
            await client.ask("auth", token=token)
            await client.ask("auth", token=[token])


async def test_connections_are_limited_by_the_address_that_a_proxy_tells() -> None:
    settings = {
        "jwt_secret": pem.SECRET,
        "trusted_proxies": "127.0.0.1",
        "max_connections_per_address": "2",
    }
    with FeedProcess(settings, token=sign()) as feed:

        async def connect(address: str) -> WebSocketClientConnection:
            url = f"ws://127.0.0.1:{feed.port}/ws"
            return await websocket_connect(HTTPRequest(url, headers={"X-Forwarded-For": address}))

        sockets = [await connect("203.0.113.7"), await connect("203.0.113.7")]
        with pytest.raises(HTTPClientError) as refused:
            await connect("203.0.113.7")
        assert refused.value.code == 503
        assert refused.value.response is not None
        sockets.append(await connect("203.0.113.8"))
        for socket in sockets:
            socket.close()
        for socket in sockets:
            while await socket.read_message() is not None:
                pass
        again = await connect("203.0.113.7")
        again.close()
        while await again.read_message() is not None:
            pass
