"""How the browser's connection shows its token, to a feed that is played, in Chromium."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute

from dashboard.browser import import_map

pytestmark = pytest.mark.browser

OPEN = """
async (token) => {
  const {acquire} = await import("quotewire/registry.js");
  const connection = acquire("http://feed.test", token);
  if (!window.connection) connection.subscribeQuotes(["AAPL"], () => {});
  window.connection = connection;
}
"""
STATE = "window.connection.state"


class PlayedFeed:
    """A feed that asks for a token, and keeps what it was told.

    Attributes:
        good: The token that it takes.
        said: The commands of all connections, in order, without their numbers; pings left out.
        asked: For each HTTP request its path and its header, if it has one.
        opened: How many WebSockets were opened.
        addresses: All addresses that were asked for.
    """

    def __init__(self, page: Page, *, auth: str = "required") -> None:
        self.good = "good"
        self.said: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.addresses: list[str] = []
        self.opened = 0
        self._auth = auth
        self._socket: WebSocketRoute | None = None
        page.route_web_socket("ws://feed.test/ws", self._open)
        page.route("http://feed.test/**", self._answer)

    def close(self, code: int, reason: str) -> None:
        assert self._socket is not None
        self._socket.close(code=code, reason=reason)

    def _open(self, socket: WebSocketRoute) -> None:
        self.opened += 1
        self.addresses.append(socket.url)
        self._socket = socket
        socket.on_message(lambda text: self._take(socket, json.loads(text)))
        limits = {"max_hz": 10, "max_symbols": 100, "max_message_bytes": 60_000}
        self._send(
            socket, type="welcome", time_ms=0, heartbeat_ms=60_000, auth=self._auth, **limits
        )

    def _take(self, socket: WebSocketRoute, command: dict[str, Any]) -> None:
        if command["type"] == "ping":
            return
        number = command.pop("id")
        self.said.append(command)
        if command["type"] != "auth":
            return
        if command["token"] == self.good:
            self._send(socket, type="authenticated", id=number, expires_ms=0)
        else:
            error = {"code": "auth_failed", "message": "the signature is wrong"}
            self._send(socket, type="error", id=number, **error)

    def _send(self, socket: WebSocketRoute, **message: object) -> None:
        socket.send(json.dumps(message))

    def _answer(self, route: Route) -> None:
        header = route.request.headers.get("authorization")
        self.addresses.append(route.request.url)
        path = route.request.url.removeprefix("http://feed.test").split("?")[0]
        self.asked.append((path, header))
        if self._auth == "required" and header != f"Bearer {self.good}":
            body: dict[str, object] = {"code": "auth_failed", "message": "the signature is wrong"}
            status = 401
        else:
            body, status = {"symbols": [{"symbol": "AAPL"}]}, 200
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        route.fulfill(status=status, headers=headers, body=json.dumps(body))


Play = Callable[..., tuple[Page, PlayedFeed]]


@pytest.fixture
def play(browser: Browser) -> Iterator[Play]:
    """Opens a page of its own with a played feed; nothing the page logs may hold a token."""
    pages: list[Page] = []
    logged: list[str] = []

    def play(**options: Any) -> tuple[Page, PlayedFeed]:
        page = browser.new_page()
        pages.append(page)
        page.on("console", lambda message: logged.append(message.text))
        page.set_content(f'<script type="importmap">{json.dumps(import_map())}</script>')
        return page, PlayedFeed(page, **options)

    yield play
    for page in pages:
        page.close()
    assert not [text for text in logged if "good" in text or "Bearer" in text]


def wait_state(page: Page, state: str) -> dict[str, Any]:
    """Return the connection's state once it is that one."""
    page.wait_for_function(f"{STATE}.state === {state!r}", timeout=30_000)
    told: dict[str, Any] = page.evaluate(STATE)
    return told


def hears(page: Page, feed: PlayedFeed, *said: dict[str, Any]) -> None:
    """Wait until the feed was told just this last."""
    for _ in range(1500):
        if feed.said[-len(said) :] == list(said):
            return
        page.wait_for_timeout(20)  # what the page says is heard meanwhile
    assert feed.said[-len(said) :] == list(said)


def token(value: str) -> dict[str, str]:
    return {"type": "auth", "token": value}


SUBSCRIBE = {"type": "subscribe", "channel": "quotes", "symbols": ["AAPL"]}


def test_the_token_is_shown_before_anything_else(play: Play) -> None:
    page, feed = play()
    page.evaluate(OPEN, "good")
    wait_state(page, "live")
    hears(page, feed, token("good"), SUBSCRIBE)
    assert len(feed.said) == 2
    assert {header for _, header in feed.asked} == {"Bearer good"}
    assert not [address for address in feed.addresses if "good" in address]


def test_a_feed_that_asks_for_none_is_shown_none_on_the_socket(play: Play) -> None:
    page, feed = play(auth="none")
    page.evaluate(OPEN, "")
    wait_state(page, "live")
    hears(page, feed, SUBSCRIBE)
    assert len(feed.said) == 1
    assert {header for _, header in feed.asked} == {None}


def test_a_new_token_is_shown_on_the_open_connection(play: Play) -> None:
    page, feed = play()
    page.evaluate(OPEN, "good")
    wait_state(page, "live")
    feed.good = "better"
    page.evaluate(OPEN, "better")
    page.evaluate(OPEN, "better")  # as each element of the page does
    hears(page, feed, token("good"), SUBSCRIBE, token("better"))
    assert len(feed.said) == 3
    assert feed.opened == 1


def test_a_new_token_that_is_refused_leaves_the_connection_open(play: Play) -> None:
    page, feed = play()
    page.evaluate(OPEN, "good")
    wait_state(page, "live")
    page.evaluate(OPEN, "bad")
    hears(page, feed, token("bad"))
    assert wait_state(page, "live")["code"] == "welcomed"


@pytest.mark.parametrize(("value", "code"), [("", "auth_required"), ("bad", "auth_failed")])
def test_a_page_that_is_not_let_in_says_why_and_does_not_hammer(
    play: Play, value: str, code: str
) -> None:
    page, feed = play()
    page.evaluate(OPEN, value)
    told = wait_state(page, "closed")
    assert told["code"] == code
    assert told["reason"] in (
        "the signature is wrong",
        "the feed asks for a token, and there is none",
    )
    page.wait_for_timeout(2500)
    assert feed.opened == 1
    assert len(feed.asked) == 1, "the symbols, once"
    page.evaluate(OPEN, "good")
    wait_state(page, "live")
    hears(page, feed, token("good"), SUBSCRIBE)
    page.wait_for_function("window.connection.symbols !== null")


@pytest.mark.parametrize(
    ("number", "code"), [(4001, "auth_required"), (4003, "auth_expired"), (4010, "revoked")]
)
def test_a_connection_that_is_closed_for_want_of_a_token_says_so(
    play: Play, number: int, code: str
) -> None:
    page, feed = play()
    page.evaluate(OPEN, "good")
    wait_state(page, "live")
    feed.close(number, "the token expired and was not refreshed")
    told = wait_state(page, "closed")
    assert (told["code"], told["reason"]) == (code, "the token expired and was not refreshed")
    page.wait_for_timeout(1500)
    assert feed.opened == 1
    feed.good = "better"
    page.evaluate(OPEN, "better")
    wait_state(page, "live")
    assert feed.opened == 2


def test_polling_shows_the_token_too_and_says_when_it_is_not_let_in(play: Play) -> None:
    page, feed = play()
    page.evaluate("""async () =>
      (await import("quotewire/settings.js"))
      .settings.choose({mode: "polling"})""")
    page.evaluate(OPEN, "bad")
    told = wait_state(page, "closed")
    assert (told["code"], told["reason"]) == ("auth_failed", "the signature is wrong")
    asked = len(feed.asked)
    page.wait_for_timeout(2500)
    assert len(feed.asked) == asked
    assert {header for _, header in feed.asked} == {"Bearer bad"}
    assert feed.opened == 0


def test_neither_debugging_nor_the_log_shows_the_token(play: Play) -> None:
    page, _ = play()
    page.evaluate(OPEN, "good")
    wait_state(page, "live")
    facts = page.evaluate("JSON.stringify(window.__quotewire.connection)")
    assert "live" in facts
    assert "good" not in facts
