"""A relay's link, with a feed that fails on demand, in the same event loop."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dashboard.client.credentials import Credentials
from dashboard.client.http_api import HttpApi
from dashboard.relay.link import Link
from dashboard.relay.messages import Asked
from dashboard.relay.outbox import Outbox
from tests.client.fake_feed import FakeFeed
from tests.harness import until


@pytest.fixture
async def feed() -> AsyncIterator[FakeFeed]:
    async with FakeFeed() as feed:
        yield feed


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
    got: list[dict[str, object]] = []

    def take(message: object) -> None:
        assert isinstance(message, dict)
        got.extend(message.get("answers", []))

    link = Link(Outbox("p"), feed.url, Credentials(None), take)
    link.receive(Asked("p", 1, "status"))
    await until(lambda: asyncio.sleep(0, bool(got)), timeout_s=5)
    assert [(answer["id"], answer["message"]) for answer in got] == [
        (1, "the feed's answer is not a text")
    ]
    link.close()
    await asyncio.wait([link.task], timeout=5)
