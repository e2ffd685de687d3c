import asyncio

import pandas as pd
import pytest

from dashboard.client import FeedClient, FeedError, FeedUnavailableError
from tests.harness import FeedProcess, free_port

pytestmark = pytest.mark.integration


async def test_history_is_a_frame_of_real_bars(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        frame = await client.history("AAPL", limit=1000)
    assert list(frame.columns) == ["open", "high", "low", "close", "volume", "final"]
    assert len(frame) == 1000
    assert frame.index.is_monotonic_increasing
    assert str(frame.index.dtype).endswith("UTC]")
    bar = frame.loc[pd.Timestamp("2012-05-31", tz="UTC")]
    assert (bar["open"], bar["close"], bar["volume"]) == (580.74, 577.73, 17559800)


async def test_quotes_stream_and_each_is_newer(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        quotes = [quote async for quote in client.quotes("AAPL", "IBM", limit=10)]
    for symbol in ("AAPL", "IBM"):
        times = [quote.time_ms for quote in quotes if quote.symbol == symbol]
        assert times == sorted(times)
        assert times


async def test_a_snapshot_is_the_last_values(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        assert list(await client.snapshot("IBM")) == ["IBM"]
        assert len(await client.symbols()) == 5


async def test_an_unknown_symbol_is_told(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        with pytest.raises(FeedError, match="NOPE"):
            await client.history("NOPE")
        with pytest.raises(FeedError, match="NOPE"):
            await anext(client.quotes("NOPE"))


async def test_no_feed_is_told_with_what_to_do() -> None:
    async with FeedClient(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(FeedUnavailableError, match="make run"):
            await client.history("AAPL")
        with pytest.raises(FeedUnavailableError, match="make run"):
            await anext(client.quotes("AAPL"))


async def test_quotes_go_on_after_the_feed_was_killed_and_started_again() -> None:
    with FeedProcess() as feed:
        async with FeedClient(feed.url) as client:
            quotes = client.quotes("AAPL")
            before = await anext(quotes)
            await asyncio.to_thread(feed.kill)
            await asyncio.to_thread(feed.start)
            async with asyncio.timeout(30):
                after = await anext(quotes)
                while after.received_ms < before.received_ms + 1000:
                    after = await anext(quotes)
            await quotes.aclose()
    assert after.symbol == "AAPL"


async def test_a_reader_that_leaves_its_quotes_leaves_no_task_behind(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        quotes = client.quotes("AAPL")
        await anext(quotes)
        await quotes.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
