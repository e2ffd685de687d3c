"""Bars as far back as the source goes, over HTTP, from a gateway and sources that a test plays."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import httpx
import msgspec
import pandas as pd
import pyarrow as pa
import pytest

from feed_server.bus.connection import connect
from feed_server.bus.publisher import Beginning, Publisher
from feed_server.bus.requests import Answer, Done, Failed, LoadBars, Loaded, Request
from feed_server.gateway.arrow import ARROW, prefers_arrow
from feed_server.protocol import BarSeries, ErrorCode, SymbolInfo
from tests.answering import Answering
from tests.harness import PROJECT, FeedProcess
from tests.market import Market, gateway_of, market
from tests.updates import DAY_MS, bar, update

pytestmark = pytest.mark.integration

HISTORY = list(range(100, 300))
"""The days of which the source has bars."""
A_CALL = 60
"""Bars at most in one answer of the source."""
SINCE = 298
"""Ours are whole from here on."""
BUSY, NEVER, LOST, WINDOW = "BUSY", "NEVER", "LOST", "WINDOW"
"""Symbols whose history cannot be had: not now, not at all, not in its older part; and one of which
an answer covers a stretch of time, not a number of bars."""
UNTRADED = {*range(100, 250), *range(270, 281)}
"""Days without a bar of the latter."""
SYMBOLS = ["KO", "PEP", "GE", BUSY, NEVER, LOST, WINDOW]


async def answer(request: Request, publisher: Publisher) -> Answer:
    """Answer as an ingest does whose source has history."""
    if not isinstance(request, LoadBars):
        return Done()
    if request.symbol == BUSY:
        return Failed(ErrorCode.SOURCE, "8 credits a minute are spent", 30_000)
    if request.symbol == NEVER:
        return Failed(ErrorCode.SOURCE, "it has no history")
    if request.symbol == LOST and request.end_ms < 280 * DAY_MS:
        return Failed(ErrorCode.SOURCE, "the vendor is away", 1_000)
    await asyncio.sleep(0.1)
    days = [day for day in HISTORY if request.start_ms <= day * DAY_MS < request.end_ms]
    newest = days[-A_CALL:]
    prices = [day + 0.5 for day in newest]
    starts_ms = [day * DAY_MS for day in newest]
    since_ms = request.start_ms if newest == days else starts_ms[0]
    if request.symbol == WINDOW:
        since_ms = max(request.start_ms, request.end_ms - 5 * DAY_MS)
        starts_ms = [ms for ms in starts_ms if ms >= since_ms and ms // DAY_MS not in UNTRADED]
        prices = prices[: len(starts_ms)]
    return Loaded(starts_ms, prices, prices, prices, prices, prices, since_ms)


async def begin(url: str) -> None:
    """Publish bars of days 296 to 300 of all symbols, the last of them open."""
    redis = connect(url)
    publisher = Publisher(redis)
    await publisher.add_symbols([SymbolInfo(s, s, "USD", 2, "test", "TEST") for s in SYMBOLS])
    for symbol in SYMBOLS:
        final = [bar(symbol, day, day=day, final=True) for day in range(296, 300)]
        # A session of which all is seen begins no more than 14 hours before its date.
        since_ms = SINCE * DAY_MS - 14 * 3_600_000
        await publisher.begin_epochs([Beginning(symbol, "e1", final, since_ms)])
        await publisher.publish([update(symbol, 300, day=300)])
    await redis.aclose()


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        asyncio.run(begin(opened.url))
        yield opened


@pytest.fixture(scope="module")
def sources(here: Market) -> Iterator[Answering]:
    with Answering(here.url, answer) as answering:
        yield answering


@pytest.fixture(scope="module")
def feed(here: Market, sources: Answering) -> Iterator[FeedProcess]:
    with gateway_of(here) as process:
        yield process


def bars(feed: FeedProcess, symbol: str, **query: int) -> BarSeries:
    params = {"symbol": symbol, **{name: str(value) for name, value in query.items()}}
    told = httpx.get(f"{feed.url}/api/bars", params=params, timeout=20)
    assert told.status_code == 200, told.text
    return msgspec.json.decode(told.content, type=BarSeries)


def days(series: BarSeries) -> list[int]:
    return [start_ms // DAY_MS for start_ms in series.start_ms]


def test_a_vendors_history_ours_and_the_open_bar_are_one_series(feed: FeedProcess) -> None:
    series = bars(feed, "KO", limit=10)
    assert days(series) == list(range(291, 301))
    assert series.final == [True] * 9 + [False]
    # Of days 296 and 297 ours may lack trades: they are the vendor's, whose prices end in .5.
    assert series.close == [*(day + 0.5 for day in range(291, 298)), 298.0, 299.0, 300.0]
    assert (series.epoch, series.more, series.note) == ("e1", True, None)


def test_history_pages_back_to_the_very_first_bar(feed: FeedProcess) -> None:
    got: list[int] = []
    page = bars(feed, "PEP", limit=70)
    while page.more:
        got = days(page) + got
        page = bars(feed, "PEP", limit=70, end=page.start_ms[0] - 1)
        assert page.note is None
    assert days(page) + got == [*HISTORY, 300]


def test_what_is_known_is_not_asked_for_again(feed: FeedProcess, sources: Answering) -> None:
    whole = bars(feed, "GE", limit=1000)
    assert days(whole) == [*HISTORY, 300]
    asked = len(sources.of(LoadBars))
    assert bars(feed, "GE", limit=1000) == whole
    some = bars(feed, "GE", limit=1000, start=150 * DAY_MS, end=160 * DAY_MS)
    assert days(some) == list(range(150, 161))
    assert not some.more
    assert days(bars(feed, "GE", limit=3, end=160 * DAY_MS)) == [158, 159, 160]
    assert len(sources.of(LoadBars)) == asked


def test_history_goes_on_before_a_gap_and_ends_where_nothing_comes_for_long(
    feed: FeedProcess, sources: Answering
) -> None:
    series = bars(feed, WINDOW, limit=1000)
    assert days(series) == [*range(250, 270), *range(281, 301)]
    assert (series.more, series.note) == (False, None)
    asked = len(sources.of(LoadBars))
    assert bars(feed, WINDOW, limit=1000) == series
    assert len(sources.of(LoadBars)) == asked


def test_no_source_is_asked_for_what_the_feed_has_itself(
    feed: FeedProcess, sources: Answering
) -> None:
    asked = len(sources.of(LoadBars))
    assert days(bars(feed, LOST, limit=3)) == [298, 299, 300]
    assert days(bars(feed, LOST, limit=500, start=298 * DAY_MS)) == [298, 299, 300]
    assert len(sources.of(LoadBars)) == asked


def test_those_who_ask_at_once_share_what_is_asked_of_the_source() -> None:
    with market() as here:
        asyncio.run(begin(here.url))
        with Answering(here.url, answer) as sources, gateway_of(here) as feed:
            with ThreadPoolExecutor(5) as pool:
                told = list(pool.map(lambda limit: bars(feed, "KO", limit=limit), [40] * 5))
            assert len({tuple(series.start_ms) for series in told}) == 1
            assert len(sources.of(LoadBars)) == 1


@pytest.mark.parametrize(
    ("symbol", "told", "more"),
    [(BUSY, "8 credits a minute are spent; ask again in 30 s", True), (NEVER, "no history", False)],
)
def test_what_there_is_is_told_where_history_cannot_be_had(
    feed: FeedProcess, sources: Answering, symbol: str, told: str, more: bool
) -> None:
    series = bars(feed, symbol)
    assert days(series) == list(range(296, 301))
    assert series.note is not None
    assert told in series.note
    assert series.more == more
    asked = len(sources.of(LoadBars))
    assert bars(feed, symbol) == series
    assert len(sources.of(LoadBars)) == asked


def test_what_was_told_before_a_source_failed_is_told(feed: FeedProcess) -> None:
    series = bars(feed, LOST, limit=150)
    assert days(series) == [*range(238, 301)]
    assert series.more
    assert series.note is not None


def test_without_sources_the_feeds_own_bars_are_told() -> None:
    with market() as here, gateway_of(here) as feed:
        series = bars(feed, "AAPL")
        assert len(series.start_ms) == 1
        assert series.final == [False]
        assert bars(feed, "AAPL", start=0, end=0).note is None


def arrow(feed: FeedProcess, accept: str = ARROW, **query: str) -> httpx.Response:
    params = {"symbol": "KO", "limit": "10", **query}
    return httpx.get(
        f"{feed.url}/api/bars", params=params, headers={"Accept": accept}, timeout=20
    ).raise_for_status()


def test_bars_are_told_as_arrow_to_who_asks_for_it(feed: FeedProcess) -> None:
    told = arrow(feed)
    assert told.headers["Content-Type"] == ARROW
    assert "Accept" in told.headers["Vary"]
    with pa.ipc.open_stream(told.content) as reader:
        table = reader.read_all()
    as_json = bars(feed, "KO", limit=10)
    assert table.schema.field("start_ms").type == pa.timestamp("ms", "UTC")
    assert {table.schema.field(name).type for name in ("open", "volume")} == {pa.float64()}
    assert table.schema.metadata[b"symbol"] == b"KO"
    assert table.schema.metadata[b"interval"] == b"1d"
    assert table.schema.metadata[b"offset"] == str(as_json.offset).encode()
    assert table.schema.metadata[b"more"] == b"true"
    assert b"note" not in table.schema.metadata
    frame = table.to_pandas().set_index("start_ms")
    assert (frame.index == pd.to_datetime(as_json.start_ms, unit="ms", utc=True)).all()
    assert frame["close"].tolist() == as_json.close
    assert frame["final"].tolist() == as_json.final


def test_an_unchanged_answer_in_arrow_is_not_sent_again(feed: FeedProcess) -> None:
    first = arrow(feed)
    same = {"Accept": ARROW, "If-None-Match": first.headers["ETag"]}
    params = {"symbol": "KO", "limit": "10"}
    again = httpx.get(f"{feed.url}/api/bars", params=params, headers=same, timeout=20)
    assert again.status_code == 304
    as_json = {"If-None-Match": first.headers["ETag"]}
    other = httpx.get(f"{feed.url}/api/bars", params=params, headers=as_json, timeout=20)
    assert other.status_code == 200
    assert other.headers["Content-Type"].startswith("application/json")


def test_arrow_says_why_bars_are_missing(feed: FeedProcess) -> None:
    with pa.ipc.open_stream(arrow(feed, symbol=NEVER).content) as reader:
        assert b"it has no history" in reader.schema.metadata[b"note"]


def test_a_file_says_why_bars_are_missing(feed: FeedProcess) -> None:
    params = {"symbol": NEVER, "format": "csv"}
    told = httpx.get(f"{feed.url}/api/bars", params=params, timeout=20).raise_for_status()
    assert "it has no history" in unquote(told.headers["Quotewire-Note"])


@pytest.mark.parametrize(
    ("accept", "is_arrow"),
    [
        ("", False),
        ("*/*", False),
        ("application/*", False),
        ("text/html", False),
        ("application/json", False),
        (ARROW, True),
        (ARROW.upper(), True),
        (f"{ARROW}, */*", True),
        (f"{ARROW};q=0.9, */*;q=0.8", True),
        (f"{ARROW};q=0.5, application/json", False),
        (f"application/json;q=0.5, {ARROW};q=0.6", True),
        (f"{ARROW}, application/json", False),
        (f"{ARROW};q=0", False),
        (f"{ARROW};q=x", False),
        (f"{ARROW};q=nan, text/html", False),
        (f"{ARROW}; q=0.2, text/*;q=0.9", True),
    ],
)
def test_arrow_is_for_who_names_it_and_likes_json_no_better(accept: str, is_arrow: bool) -> None:
    assert prefers_arrow(accept) == is_arrow


def test_arrow_is_not_loaded_before_it_is_asked_for() -> None:
    code = "import sys, feed_server.gateway.server; print('pyarrow' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"
