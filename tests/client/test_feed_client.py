"""The client with a feed that fails on demand, in the same event loop."""

import asyncio
import gc
import logging
import time
import warnings
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from dashboard.client import (
    FeedAccessError,
    FeedClient,
    FeedError,
    FeedLossWarning,
    Quote,
    StateChanged,
    Trouble,
)
from dashboard.client.core.session import Session
from dashboard.client.names import Names
from dashboard.client.streams import Stream
from feed_server.protocol import (
    Bar,
    Bars,
    Error,
    ErrorCode,
    GatewayStatus,
    Interval,
    Shutdown,
    SourceState,
    SourceStatus,
    Status,
    TradeSeries,
    encode,
)
from tests.client.fake_feed import BEGIN_MS, EPOCH, FakeFeed
from tests.client.jumping import run_jumping
from tests.harness import until


@pytest.fixture
async def feed() -> AsyncIterator[FakeFeed]:
    async with FakeFeed() as feed:
        yield feed


def live(client: FeedClient) -> bool:
    return client.state.state == "live"


async def subscribed(feed: FakeFeed, channel: str, *symbols: str) -> None:
    await until(lambda: asyncio.sleep(0, feed.subscribed.get(channel) == set(symbols)))


async def lasts(stream: Stream[Quote], count: int) -> list[tuple[str, float, int]]:
    found = [await anext(stream) for _ in range(count)]
    return [(quote.symbol, quote.last, quote.count) for quote in found]


async def test_a_reader_of_every_quote_gets_each(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        quotes = client.quotes("AAPL", keep="every")
        assert await lasts(quotes, 1) == [("AAPL", 1, 1)]
        feed.quote("AAPL", times=3)
        assert await lasts(quotes, 3) == [("AAPL", 2, 1), ("AAPL", 3, 1), ("AAPL", 4, 1)]


async def test_a_slow_reader_gets_the_latest_with_what_it_stands_for(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        quotes = client.quotes("AAPL", "IBM")
        await lasts(quotes, 2)
        watch = client.quotes("AAPL", keep="every")
        await anext(watch)
        feed.quote("AAPL", times=3)
        feed.quote("IBM")
        feed.quote("AAPL")
        await lasts(watch, 4)
        assert await lasts(quotes, 2) == [("AAPL", 6, 4), ("IBM", 5, 1)]
        assert quotes.lost == 0


async def test_a_reader_that_lets_too_much_wait_is_told_how_much_it_has_lost(
    feed: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.client.arguments.ROOM", 10)
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        watch = client.trades("AAPL")
        reader = asyncio.create_task(watch.__anext__())
        await subscribed(feed, "trades", "AAPL")
        feed.quote("AAPL", times=30)
        feed.trade("AAPL")
        await reader
        with pytest.warns(FeedLossWarning, match="20 items"):
            assert (await anext(quotes)).last == 22
        assert quotes.lost == 20


async def test_a_burst_is_not_lost_on_a_reader_that_keeps_up(
    feed: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.client.arguments.ROOM", 100)
    symbols = [f"S{number}" for number in range(30)]
    async with FeedClient(feed.url) as client, asyncio.timeout(20):
        quotes = client.quotes(*symbols, keep="every")
        for _ in symbols:
            await anext(quotes)
        feed.quote(*symbols, times=200)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            count = 0
            async for _ in quotes:
                count += 1
                if count == 200 * len(symbols):
                    break
        assert quotes.lost == 0


async def test_trades_and_bars_come_in_order(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        trades, bars = client.trades("AAPL"), client.bars("AAPL", "1s", keep="every")
        first_trade = asyncio.create_task(trades.__anext__())
        first_bar = asyncio.create_task(bars.__anext__())
        await subscribed(feed, "trades", "AAPL")
        await subscribed(feed, "bars", "AAPL")
        feed.trade("AAPL", times=2)
        for number, final in enumerate((False, False, True)):
            close = 1.0 + number
            bar = Bar("AAPL", Interval.SECOND, BEGIN_MS, 1, 3, 1, close, close, BEGIN_MS, final)
            feed.offset += 1
            feed.say(Bars(Interval.SECOND, [bar], offsets={"AAPL": feed.offset}))
        assert [(await first_trade).price, (await anext(trades)).price] == [2, 3]
        told = [await first_bar, await anext(bars), await anext(bars)]
        assert [(b.close, b.final) for b in told] == [(1, False), (2, False), (3, True)]


async def test_symbols_can_be_written_as_people_do(feed: FakeFeed) -> None:
    feed.names = {"aapl": "AAPL"}
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        assert (await anext(client.quotes("aapl"))).symbol == "AAPL"
    assert feed.subscribed["quotes"] == {"AAPL"}


async def test_one_unknown_symbol_is_told_once_and_the_others_go_on(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        quotes = client.quotes("AAPL", "NOPE")
        with pytest.raises(FeedError, match="NOPE"):
            await anext(quotes)
        assert (await anext(quotes)).symbol == "AAPL"
        other = client.quotes("IBM")
        assert (await anext(other)).symbol == "IBM"


async def test_an_unknown_symbol_is_told_to_each_who_asks(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        for _ in range(3):
            with pytest.raises(FeedError, match="NOPE"):
                await anext(client.quotes("NOPE"))
        held = client.quotes("NOPE", "IBM")
        with pytest.raises(FeedError, match="NOPE"):
            await anext(held)
        assert (await anext(held)).symbol == "IBM"


async def test_trouble_of_a_source_is_told_and_the_stream_goes_on(
    feed: FakeFeed, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Trouble] = []
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        client.on_trouble(told.append)
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        for _ in range(2):
            feed.say(Error(ErrorCode.SOURCE, "av: credits are spent", symbol="AAPL"))
        feed.quote("AAPL")
        assert await lasts(quotes, 1) == [("AAPL", 2, 1)]
    assert caplog.messages == ["AAPL: av: credits are spent"]
    assert told == [Trouble("AAPL", "source", "av: credits are spent")]


async def test_how_a_symbol_and_its_source_do_can_be_asked(feed: FakeFeed) -> None:
    feed.names = {"aapl": "AAPL"}
    source = SourceStatus("fake", "LIVE", SourceState.LIVE, "all is well", None, 0)
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        assert (client.age("aapl").state, client.sources) == ("unknown", {})
        quotes = client.quotes("aapl")
        await anext(quotes)
        assert client.age("aapl").age_ms is not None
        feed.say(Status([source], GatewayStatus("fake", 1.0)))
        await until(lambda: asyncio.sleep(0, client.sources == {"fake": source}))
        assert client.age("aapl").state == "fresh"
        feed.say(Status([replace(source, state=SourceState.DOWN)], GatewayStatus("fake", 1.0)))
        await until(lambda: asyncio.sleep(0, client.age("aapl").state == "stale"))


async def test_streams_share_a_connection_and_what_nobody_reads_is_unsubscribed(
    feed: FakeFeed,
) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(15):
        one, two = client.quotes("AAPL", "IBM"), client.quotes("AAPL")
        await anext(one)
        await anext(two)
        assert feed.opened == 1
        await one.aclose()
        await subscribed(feed, "quotes", "AAPL")
        async for _ in client.quotes("IBM"):
            break
        await subscribed(feed, "quotes", "AAPL", "IBM")
        await subscribed(feed, "quotes", "AAPL")


async def test_after_a_drop_quotes_go_on_by_polling_and_again_by_the_websocket(
    feed: FakeFeed,
) -> None:
    states: list[StateChanged] = []
    async with FeedClient(feed.url, poll_ms=50) as client, asyncio.timeout(20):
        client.on_state(states.append)
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        feed.takes_sockets = False
        feed.drop()
        feed.quote("AAPL")
        assert (await anext(quotes)).last == 2
        assert client.state.way == "polling"
        feed.takes_sockets = True
        await until(lambda: asyncio.sleep(0.01, live(client)))
        feed.quote("AAPL")
        assert (await anext(quotes)).last == 3
    ways = [(state.state, state.way) for state in states]
    assert ("polling", "polling") in ways
    assert [ways[0], ways[-2]] == [("connecting", "websocket"), ("live", "websocket")]
    assert ways[-1][0] == "closed"


async def test_a_listener_that_has_ended_hears_no_more(feed: FakeFeed) -> None:
    states: list[StateChanged] = []
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        end = client.on_state(states.append)
        await anext(client.quotes("AAPL"))
        heard = len(states)
        assert heard
        end()
        feed.drop()
        await until(lambda: asyncio.sleep(0, client.state.state != "live"))
        await asyncio.sleep(0)
    assert len(states) == heard


async def test_it_measures_and_counts(feed: FakeFeed) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        assert client.stats().counts.received == 0
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        await until(lambda: asyncio.sleep(0, client.stats().facts.round_trip_ms is not None))
        for _ in range(3):
            feed.quote("AAPL")
            await anext(quotes)
        await asyncio.sleep(0)
        stats = client.stats()
    assert (stats.counts.received, stats.counts.gaps, stats.counts.late) == (4, 0, 0)
    assert stats.counts.bytes > 500
    assert stats.facts.received_to_shown.p50_ms is not None


async def test_a_feed_that_talks_nonsense_is_left_and_come_back_to(feed: FakeFeed) -> None:
    async with FeedClient(feed.url, poll_ms=50) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        feed.say({"type": "quotes", "rows": 7})
        await until(lambda: asyncio.sleep(0.01, feed.opened == 2 and live(client)))
        feed.quote("AAPL")
        assert (await anext(quotes)).last == 2


async def test_a_message_with_a_bad_byte_is_left_and_come_back_to(
    feed: FakeFeed, caplog: pytest.LogCaptureFixture
) -> None:
    async with FeedClient(feed.url, poll_ms=50) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        next(iter(feed.sockets)).send(
            b'{"type":"error","code":"source","message":"\xff"}', binary=True
        )
        await until(lambda: asyncio.sleep(0.01, feed.opened == 2 and live(client)))
    assert caplog.messages == []


@pytest.mark.parametrize("body", [b'{"sources":[{"source":"\xff"}]}', b"[" * 100_000])
async def test_a_poll_that_makes_no_sense_has_failed_and_the_next_counts(
    feed: FakeFeed, body: bytes
) -> None:
    async with FeedClient(feed.url, mode="polling", poll_ms=20) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        codes: list[str] = []
        client.on_state(lambda state: codes.append(state.code))
        feed.bodies["/api/status"] = body
        await until(lambda: asyncio.sleep(0.01, "poll_failed" in codes))
        feed.bodies.clear()
        feed.quote("AAPL")
        assert (await anext(quotes)).last == 2


async def test_history_that_makes_no_sense_ends_no_stream(
    feed: FakeFeed, caplog: pytest.LogCaptureFixture
) -> None:
    uneven = TradeSeries("AAPL", EPOCH, 2, [1, 2], [1.0], [1.0], [1])
    feed.bodies["/api/trades"] = encode(uneven)
    async with FeedClient(feed.url, mode="polling", poll_ms=20) as client, asyncio.timeout(20):
        quotes, trades = client.quotes("AAPL", keep="every"), client.trades("AAPL")
        reader = asyncio.create_task(anext(trades))
        await until(lambda: asyncio.sleep(0.01, bool(caplog.messages)))
        assert not reader.done()
        assert (await anext(quotes)).symbol == "AAPL"
        reader.cancel()
    assert "makes no sense" in caplog.messages[0]


async def test_it_comes_back_when_a_server_that_ends_has_said(feed: FakeFeed) -> None:
    async with FeedClient(feed.url, poll_ms=50) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL", keep="every")
        await anext(quotes)
        feed.say(Shutdown(500))
        began_s = asyncio.get_running_loop().time()
        next(iter(feed.sockets)).close(1001, "the server is shutting down")
        await until(lambda: asyncio.sleep(0.01, feed.opened == 2))
        assert 0.4 < asyncio.get_running_loop().time() - began_s < 8


async def test_a_close_for_good_ends_the_streams_and_a_new_one_tries_again(
    feed: FakeFeed,
) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        quotes = client.quotes("AAPL")
        await anext(quotes)
        next(iter(feed.sockets)).close(4010, "access was revoked")
        for _ in range(2):
            with pytest.raises(FeedAccessError, match="revoked"):
                await anext(quotes)
        assert client.state.state == "closed"
        assert (await anext(client.quotes("AAPL"))).symbol == "AAPL"


async def test_a_token_that_cannot_be_had_is_told(feed: FakeFeed) -> None:
    def token() -> str:
        raise OSError("the login server is away")

    async with FeedClient(feed.url, token=token) as client, asyncio.timeout(10):
        with pytest.raises(FeedAccessError, match="login server"):
            await anext(client.quotes("AAPL"))


def test_a_silent_feed_is_stale_then_polled_and_its_return_is_live() -> None:
    async def run() -> list[str]:
        states: list[str] = []
        async with FakeFeed() as feed, FeedClient(feed.url) as client:
            client.on_state(lambda state: states.append(state.state))
            quotes = client.quotes("AAPL")
            await anext(quotes)
            feed.talks = False
            await asyncio.sleep(6)
            feed.talks = True
            await asyncio.sleep(60)
        return states

    states = run_jumping(run())
    assert states[:4] == ["connecting", "live", "stale", "connecting"]
    assert "polling" in states
    assert states[-2:] == ["live", "closed"]


async def test_a_loop_that_was_held_up_does_not_take_the_feed_for_silent(feed: FakeFeed) -> None:
    feed.heartbeat_ms = 300
    states: list[str] = []
    async with FeedClient(feed.url) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL")
        await anext(quotes)
        client.on_state(lambda state: states.append(state.state))
        time.sleep(4)  # noqa: ASYNC251 (a reader that computes)
        await asyncio.sleep(0.2)
        assert states == []


async def test_a_loop_that_is_held_up_again_and_again_reconnects(feed: FakeFeed) -> None:
    async def compute() -> None:
        while True:
            time.sleep(0.3)  # noqa: ASYNC251 (a reader that computes)
            await asyncio.sleep(0)

    async with FeedClient(feed.url) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL")
        await anext(quotes)
        computing = asyncio.create_task(compute())
        feed.drop()
        await until(lambda: asyncio.sleep(0, feed.opened == 2))
        computing.cancel()


async def test_a_failure_of_the_client_ends_its_streams_for_good(
    feed: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def of(_names: Names, _symbols: tuple[str, ...]) -> tuple[str, ...]:
        raise RuntimeError("a mistake")

    async with FeedClient(feed.url) as client, asyncio.timeout(10):
        quotes, watch = client.quotes("AAPL"), client.quotes("AAPL")
        await anext(quotes)
        monkeypatch.setattr(Names, "of", of)
        with pytest.raises(FeedError, match="a mistake"):
            await anext(client.quotes("IBM"))
        monkeypatch.undo()
        feed.quote("AAPL")
        while (await anext(watch)).last == 1:
            pass
        for _ in range(2):
            with pytest.raises(FeedError, match="a mistake"):
                await anext(quotes)


async def test_a_client_can_be_closed_at_any_moment(feed: FakeFeed) -> None:
    for turns in range(40):
        client = FeedClient(feed.url, mode="polling")
        reader = asyncio.create_task(anext(client.quotes("AAPL"), None))
        for _ in range(turns):
            await asyncio.sleep(0)
        await client.aclose()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    gc.collect()  # tells of what was left unawaited


def test_an_end_that_is_cancelled_leaves_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[float] = []

    async def run() -> None:
        async with FakeFeed() as feed:
            client = FeedClient(feed.url)
            await anext(client.quotes("AAPL"))
            end = asyncio.create_task(client.aclose())
            await asyncio.sleep(0)
            monkeypatch.setattr(Session, "tick", lambda _session, now_ms: ticks.append(now_ms))
            end.cancel()
            with pytest.raises(asyncio.CancelledError):
                await end
            await asyncio.sleep(10)
            await client.aclose()

    run_jumping(run())
    assert ticks == []


@pytest.mark.parametrize("max_hz", [-1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused_at_the_call(max_hz: float) -> None:
    with pytest.raises(ValueError, match="max_hz"):
        FeedClient().quotes("AAPL", max_hz=max_hz)


async def test_an_interval_or_a_limit_that_is_none_is_refused_at_the_call() -> None:
    client = FeedClient()
    with pytest.raises(ValueError, match="1s, 5s, 1m"):
        client.bars("AAPL", "2m")
    with pytest.raises(ValueError, match="1s, 5s, 1m"):
        await client.history("AAPL", "2m")
    for streams in (client.quotes, client.trades, client.bars):
        with pytest.raises(ValueError, match="limit -1"):
            streams("AAPL", limit=-1)


async def test_a_client_that_polls_leaves_no_request_open(
    feed: FakeFeed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with FeedClient(feed.url, mode="polling", poll_ms=20) as client:
            quotes = client.quotes("AAPL", keep="every")
            for last in range(1, 5):
                assert (await anext(quotes)).last == last
                feed.quote("AAPL")
    assert feed.opened == 0
    await until(lambda: asyncio.sleep(0, asyncio.all_tasks() == {asyncio.current_task()}))
    assert caplog.records == []
