"""A relay's link, with a feed that fails on demand, in the same event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dashboard.client.credentials import Credentials
from dashboard.client.http_api import HttpApi
from dashboard.relay.link import CHANGEABLE, GETTABLE, MAX_QUERY_CHARACTERS, MAX_TEXT_BYTES, Link
from dashboard.relay.messages import Asked, Got, Said
from dashboard.relay.outbox import Outbox
from feed_server.protocol import MAX_SETTINGS_BODY_BYTES
from tests.client.fake_feed import FakeFeed
from tests.harness import until

Answer = dict[str, Any]
LONE = "\ud83d"
"""Half of an emoji, as a page can send it."""


@pytest.fixture
async def feed() -> AsyncIterator[FakeFeed]:
    async with FakeFeed() as feed:
        yield feed


class LinkedPage:
    """A page that asks over a link.

    Args:
        feed: Where the link leads.
        source: The page's token, or what gives it.
    """

    def __init__(self, feed: FakeFeed, source: str | Callable[[], str] | None) -> None:
        self._answers: list[Answer] = []
        self._asked = 0
        self.link = Link(Outbox("p", every_ms=0), feed.url, Credentials(source), self._take)

    def _take(self, batch: object) -> None:
        assert isinstance(batch, dict)
        self._answers += batch.get("answers", [])
        self.link.receive(Got("p", batch["number"]))

    async def ask(self, path: str, query: dict[str, str] | None = None, **others: str) -> Answer:
        """Return what is answered, without the number that it has."""
        self._asked += 1
        self.link.receive(Asked("p", self._asked, path, query or {}, **others))
        await until(lambda: asyncio.sleep(0, bool(self._answers)))
        answer = self._answers.pop()
        assert answer.pop("id") == self._asked
        return answer


@asynccontextmanager
async def linked(
    feed: FakeFeed, source: str | Callable[[], str] | None = None
) -> AsyncIterator[LinkedPage]:
    page = LinkedPage(feed, source)
    try:
        yield page
    finally:
        page.link.close()
        await asyncio.wait([page.link.task], timeout=5)


async def test_a_link_that_is_closed_twice_is_cleaned_up(
    feed: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[HttpApi] = []
    cleaning = asyncio.Event()

    async def aclose(http: HttpApi) -> None:
        cleaning.set()
        await asyncio.sleep(0.05)
        closed.append(http)
        await http._http.aclose()

    monkeypatch.setattr(HttpApi, "aclose", aclose)
    link = Link(Outbox("p"), feed.url, Credentials(None), lambda _message: None)
    await until(lambda: asyncio.sleep(0, bool(feed.sockets)))
    link.close()
    async with asyncio.timeout(5):
        await cleaning.wait()
    link.close()
    await asyncio.wait([link.task], timeout=5)
    assert len(closed) == 1


async def test_a_request_whose_answer_is_no_text_is_answered(feed: FakeFeed) -> None:
    feed.bodies["/api/status"] = b"\xff\xfe"
    async with linked(feed) as page:
        assert await page.ask("status") == {"message": "the feed's answer is not a text"}


def test_so_much_may_be_asked_for_and_no_more() -> None:
    live = {"symbols", "search", "status", "quotes", "bars", "trades", "indicators"}
    assert live | {"alerts", "settings", "gateways", "subscriptions"} == GETTABLE
    assert {("POST", "alerts"), ("DELETE", "alerts"), ("PUT", "settings")} == CHANGEABLE


@pytest.mark.parametrize("path", sorted(GETTABLE))
async def test_what_may_be_had_is_asked_for(feed: FakeFeed, path: str) -> None:
    feed.bodies[f"/api/{path}"] = b"{}"
    async with linked(feed) as page:
        assert await page.ask(path) == {"body": "{}"}
    assert feed.asked == [f"/api/{path}"]


@pytest.mark.parametrize(("method", "path"), sorted(CHANGEABLE))
async def test_a_change_goes_to_the_feed_with_the_page_s_own_token(
    feed: FakeFeed, method: str, path: str
) -> None:
    feed.bodies[f"/api/{path}"] = b'{"so":"it is"}'
    async with linked(feed, "ann") as page:
        text = "" if method == "DELETE" else '{"name":"\u00e4"}'
        answer = await page.ask(path, {"id": "7"}, method=method, text=text)
    assert answer == {"body": '{"so":"it is"}'}
    assert feed.changes == [(method, f"/api/{path}?id=7", text.encode(), "Bearer ann")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "settings"),
        ("POST", "settings"),
        ("PUT", "alerts"),
        ("PATCH", "settings"),
        ("put", "settings"),
        ("get", "status"),
        ("", "status"),
        ("POST", "quotes"),
        ("PUT", "Settings"),
        ("PUT", "settings/"),
        ("PUT", "../settings"),
        ("GET", "stream"),
        ("GET", "settings?x"),
        ("GET", ""),
    ],
)
async def test_nothing_else_goes_to_the_feed(feed: FakeFeed, method: str, path: str) -> None:
    async with linked(feed, "ann") as page:
        answer = await page.ask(path, method=method, text="{}")
    assert answer["code"] == "not_found"
    assert (feed.asked, feed.changes) == ([], [])


async def test_a_change_is_asked_for_again_with_a_new_token_when_one_is_refused(
    feed: FakeFeed,
) -> None:
    feed.token, tokens = "new", iter(["old", "new", "newer"])
    async with linked(feed, lambda: next(tokens)) as page:
        assert await page.ask("settings", method="PUT", text="{}") == {"body": ""}
        shown = [(body, token) for _, _, body, token in feed.changes]
        assert shown == [(b"{}", "Bearer old"), (b"{}", "Bearer new")]
        feed.token = "none that there is"
        answer = await page.ask("settings", method="PUT", text="{}")
        assert answer["code"] == "auth_expired"


async def test_a_change_without_an_answer_is_answered_with_nothing(feed: FakeFeed) -> None:
    async with linked(feed, "ann") as page:
        assert await page.ask("alerts", {"id": "7"}, method="DELETE") == {"body": ""}


async def test_a_change_may_be_as_long_as_the_feed_takes_it(feed: FakeFeed) -> None:
    assert MAX_TEXT_BYTES == MAX_SETTINGS_BODY_BYTES
    async with linked(feed) as page:
        for text, code in (
            ("x" * MAX_TEXT_BYTES, None),
            ("x" * (MAX_TEXT_BYTES + 1), "too_large"),
            ("\u00e4" * (MAX_TEXT_BYTES // 2 + 1), "too_large"),
        ):
            assert (await page.ask("settings", method="PUT", text=text)).get("code") == code
        assert len(feed.changes) == 1
        answer = await page.ask("search", {"q": "x" * (MAX_QUERY_CHARACTERS + 1)})
        assert answer == {"code": "bad_parameter", "message": "too long"}
        answer = await page.ask("search", {"q": "x", "token": "y"})
        assert answer == {"code": "bad_parameter", "message": "unknown: token"}


@pytest.mark.parametrize(
    ("path", "query", "others"),
    [
        ("search", {"q": LONE}, {}),
        ("search", {LONE: "q"}, {}),
        (LONE, {}, {}),
        ("settings", {}, {"method": LONE}),
        ("settings", {}, {"method": "PUT", "text": LONE}),
    ],
    ids=["query", "name", "path", "method", "text"],
)
async def test_what_is_no_text_is_answered_too(
    feed: FakeFeed, path: str, query: dict[str, str], others: dict[str, str]
) -> None:
    async with linked(feed) as page:
        assert (await page.ask(path, query, **others))["code"] == "bad_parameter"
        assert "body" in await page.ask("status")


async def test_a_command_that_is_no_text_harms_no_other(feed: FakeFeed) -> None:
    async with linked(feed) as page:
        named = '{"type":"subscribe","id":%d,"channel":"quotes","symbols":["%s"]}'
        page.link.receive(Said("p", 1, named % (1, LONE)))
        page.link.receive(Said("p", 2, named % (2, "AAPL")))
        await until(lambda: asyncio.sleep(0, "AAPL" in feed.subscribed.get("quotes", ())))
