"""What the feed refuses is told to those who asked for it, in the feed's words."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dashboard.client import FeedClient, FeedError
from feed_server.protocol import Error, ErrorCode, Subscribe
from tests.client.fake_feed import FakeFeed, Socket

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
