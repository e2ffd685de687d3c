"""What the feed refuses is told to those who asked for it, in the feed's words."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dashboard.client import FeedClient, FeedError
from feed_server.protocol import Bar, Bars, Error, ErrorCode, Interval, Subscribe
from tests.client.fake_feed import FakeFeed, Socket
from tests.harness import until

WORDS = "indicators: there is no FOO"


@pytest.fixture
async def feed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeFeed]:
    """A feed that knows nothing of FOO."""
    subscribe = Socket._subscribe

    def judge(socket: Socket, asked: Subscribe) -> None:
        if any(name.startswith("FOO") for name in asked.indicators):
            socket.say(Error(ErrorCode.BAD_PARAMETER, WORDS, asked.id))
        else:
            subscribe(socket, asked)

    monkeypatch.setattr(Socket, "_subscribe", judge)
    async with FakeFeed() as feed:
        yield feed


async def test_a_refusal_has_the_feeds_words_and_code(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        with pytest.raises(FeedError) as refused:
            await anext(client.bars("AAPL", "1m", indicators=["FOO(3)"]))
    assert str(refused.value) == f"AAPL: {WORDS}"
    assert refused.value.code is ErrorCode.BAD_PARAMETER


async def test_an_indicator_that_is_refused_ends_no_other_stream(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(30):

        async def subscribed() -> bool:
            return "AAPL" in feed.subscribed.get("bars", ())

        good = client.bars("AAPL", "1m")
        waiting = asyncio.ensure_future(anext(good))
        await until(subscribed)
        with pytest.raises(FeedError, match="FOO"):
            await anext(client.bars("AAPL", "1m", indicators=["FOO(3)"]))
        feed.subscribed.clear()
        feed.drop()
        await until(subscribed)
        row = Bar("AAPL", Interval.MINUTE, 60_000, 1.0, 2.0, 0.5, 1.5, 10.0, feed.offset + 1, False)
        feed.say(Bars(Interval.MINUTE, [row]))
        assert (await waiting).close == 1.5
