"""What those get who ask again and again: only what has changed, and what is current."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import msgspec
import pytest

from feed_server.bus.publisher import Publisher
from feed_server.bus.requests import Answer, Done, Failed, Refresh, Request
from feed_server.bus.update import SymbolUpdate
from feed_server.protocol import ErrorCode, SymbolInfo
from tests.answering import Answering
from tests.harness import FeedProcess, wait_for
from tests.market import SYMBOLS, Market, gateway_of, market
from tests.raw_socket import RawSocket
from tests.updates import update

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


@pytest.fixture(scope="module")
def feed(here: Market) -> Iterator[FeedProcess]:
    with gateway_of(here, linger_ms="300") as process:
        yield process


@pytest.fixture(scope="module")
def lasting(here: Market) -> Iterator[FeedProcess]:
    """A gateway that keeps what was polled."""
    with gateway_of(here, linger_ms="60000") as process:
        yield process


def quotes(feed: FeedProcess, **query: str) -> tuple[dict[str, int], str]:
    """Return offsets by symbol, and the cursor."""
    answer = httpx.get(f"{feed.url}/api/quotes", params=query, timeout=5)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body.get("details", {})) == {row[0] for row in body["rows"]}
    return {row[0]: row[8] for row in body["rows"]}, body["cursor"]


def test_who_asks_again_gets_only_what_has_changed(lasting: FeedProcess, here: Market) -> None:
    everything, cursor = quotes(lasting)
    assert list(everything) == SYMBOLS
    assert quotes(lasting, since=cursor) == ({}, cursor)
    after = here.trade("IBM")
    wait_for("the change is there", lambda: quotes(lasting, since=cursor)[0])
    changed, later = quotes(lasting, since=cursor)
    assert changed == {"IBM": after.offset}
    assert quotes(lasting, since=later)[0] == {}
    assert quotes(lasting, symbols="AAPL", since=cursor)[0] == {}


@pytest.mark.parametrize(
    "cursor",
    [
        *("gateway-00000000:5", "5", "", ":", "nonsense"),
        *("{server}:", "{server}:-1", "{server}:x", "{server}:٣x", "{server}:" + "9" * 5_000),
    ],
)
def test_a_foreign_cursor_gives_everything(lasting: FeedProcess, cursor: str) -> None:
    server = quotes(lasting)[1].rpartition(":")[0]
    given = cursor.format(server=server) if "{" in cursor else cursor
    got = quotes(lasting, since=given)[0]
    assert list(got) == SYMBOLS


def test_what_nobody_wants_any_more_vanishes_and_is_told_anew_when_it_is_wanted_again() -> None:
    with market() as here, gateway_of(here, linger_ms="200") as feed:
        wait_for("nothing is wanted", lambda: not wanted(feed))
        with RawSocket(feed.port) as client:
            client.say(type="subscribe", id=1, channel="trades", symbols=["IBM"])
            wait_for("it is wanted", lambda: wanted(feed) == {"IBM": 1})
            assert "quotewire_watched_symbols 1.0" in figures(feed)
        _, cursor = quotes(feed, symbols="MSFT")
        wait_for("all is let go of", lambda: not wanted(feed))
        assert "quotewire_watched_symbols 0.0" in figures(feed)
        after = here.trade("MSFT")
        assert quotes(feed, symbols="MSFT", since=cursor)[0] == {"MSFT": after.offset}


def figures(feed: FeedProcess) -> str:
    return httpx.get(f"{feed.url}/metrics", timeout=5).text


def wanted(feed: FeedProcess) -> dict[str, int]:
    answer = httpx.get(f"{feed.url}/api/subscriptions", timeout=5)
    assert answer.status_code == 200
    counts: dict[str, int] = answer.json()
    return counts


def is_wanted(feed: FeedProcess, symbol: str) -> bool:
    return symbol in wanted(feed)


def test_how_many_want_a_symbol_is_told_and_vanishes_with_them(
    feed: FeedProcess, lasting: FeedProcess
) -> None:
    before = wanted(feed).get("AAPL", 0)
    with RawSocket(feed.port) as ann, RawSocket(lasting.port) as bob:
        for client in (ann, bob):
            client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        wait_for("both gateways want it", lambda: wanted(feed).get("AAPL", 0) == before + 2)
    wait_for("nobody wants it", lambda: wanted(feed).get("AAPL", 0) == before)


def test_trades_are_the_newest_of_a_run_without_a_gap(feed: FeedProcess, here: Market) -> None:
    here.trade("MSFT", trades=2, missing=4)
    at = here.trade("MSFT", trades=3)
    body = httpx.get(f"{feed.url}/api/trades?symbol=MSFT", timeout=5).json()
    assert (body["epoch"], body["offset"]) == (at.epoch, at.offset)
    assert len(body["price"]) == len(body["size"]) == len(body["time_ms"]) == 5
    assert body["price"] == sorted(body["price"])
    newest = httpx.get(f"{feed.url}/api/trades?symbol=MSFT&limit=2", timeout=5).json()
    assert newest["price"] == body["price"][-2:]
    assert newest["offset"] == at.offset


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "bad_parameter"),
        ("symbol=NOPE", 404, "unknown_symbol"),
        ("symbol=AAPL&limit=0", 400, "bad_parameter"),
        ("symbol=AAPL&limit=" + "9" * 5_000, 400, "bad_parameter"),
    ],
)
def test_a_wrong_request_for_trades_is_told_why(
    feed: FeedProcess, query: str, status: int, code: str
) -> None:
    answer = httpx.get(f"{feed.url}/api/trades?{query}", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_history_over_http_can_be_gone_on_from_on_the_websocket(
    feed: FeedProcess, here: Market
) -> None:
    body = httpx.get(f"{feed.url}/api/bars?symbol=AAPL", timeout=5).json()
    after = here.trade("AAPL", closes=True)
    assert (body["epoch"], body["offset"]) == (after.epoch, after.offset - 1)


def test_history_that_is_polled_keeps_its_symbol_current() -> None:
    with market() as here, gateway_of(here, linger_ms="60000") as feed:
        for path, symbol in (("trades", "IBM"), ("bars", "MSFT")):
            assert not is_wanted(feed, symbol)
            httpx.get(f"{feed.url}/api/{path}?symbol={symbol}", timeout=5).raise_for_status()
            wait_for("the source hears of it", partial(is_wanted, feed, symbol))


POLLED = ["DAY", "HOUR", "NONE", "OTHER", "QUIET"]
"""Symbols of which quotes come only when their source is asked."""


def received_now(symbol: str) -> SymbolUpdate:
    """Return an update that has just been received."""
    made = update(symbol, 5)
    now_ms = time.time_ns() // 1_000_000
    return msgspec.structs.replace(
        made, quote=msgspec.structs.replace(made.quote, time_ms=now_ms, received_ms=now_ms)
    )


async def poll(request: Request, publisher: Publisher) -> Answer:
    """Answer as an ingest does, one of whose sources is polled."""
    assert isinstance(request, Refresh)
    if {"DAY", "NONE"} & set(request.symbols):
        return Failed(ErrorCode.SOURCE, "25 requests a day are spent", 60_000)
    if "HOUR" in request.symbols:
        await asyncio.sleep(0.3)
        await publisher.publish([received_now("HOUR")])
    return Done()


@pytest.fixture(scope="module")
def sources(here: Market) -> Iterator[Answering]:
    with Answering(here.url, poll) as answering:
        asyncio.run_coroutine_threadsafe(declare(answering), answering.loop).result(10)
        yield answering


async def declare(sources: Answering) -> None:
    """Declare what is polled; all but one have an old quote, and each a source of its own."""
    infos = [SymbolInfo(s, s, "USD", 2, f"of {s}", "TEST") for s in POLLED]
    await sources.publisher.add_symbols(infos)
    await sources.publisher.publish([update(s, 1) for s in POLLED if s != "NONE"])


def polled(feed: FeedProcess, **query: str) -> dict[str, object]:
    answer = httpx.get(f"{feed.url}/api/quotes", params=query, timeout=20)
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def last(body: dict[str, object]) -> dict[str, float]:
    rows = body["rows"]
    assert isinstance(rows, list)
    return {row[0]: row[1] for row in rows}


def asked(sources: Answering, symbol: str) -> int:
    return sum(symbol in request.symbols for request in sources.of(Refresh))


def test_a_quote_that_is_too_old_is_fetched_once_for_all_who_ask(
    lasting: FeedProcess, sources: Answering
) -> None:
    with ThreadPoolExecutor(5) as pool:
        bodies = list(pool.map(lambda symbols: polled(lasting, symbols=symbols), ["hour"] * 5))
    assert [last(body) for body in bodies] == [{"HOUR": 5}] * 5
    assert all("failed" not in body for body in bodies)
    assert asked(sources, "HOUR") == 1


def test_a_quote_that_is_fresh_enough_is_not_fetched(
    lasting: FeedProcess, sources: Answering
) -> None:
    polled(lasting, symbols="HOUR")
    before = asked(sources, "HOUR")
    polled(lasting, symbols="HOUR", max_age_ms="60000")
    assert asked(sources, "HOUR") == before
    polled(lasting, symbols="HOUR", max_age_ms="0")
    assert asked(sources, "HOUR") == before + 1


def test_a_quiet_symbol_is_current_when_its_source_says_so(
    lasting: FeedProcess, sources: Answering
) -> None:
    for _ in range(3):
        body = polled(lasting, symbols="QUIET")
        assert last(body) == {"QUIET": 1}
        assert "failed" not in body
    assert asked(sources, "QUIET") == 1


def test_nothing_is_fetched_where_nothing_is_named(
    lasting: FeedProcess, sources: Answering
) -> None:
    polled(lasting)
    assert asked(sources, "OTHER") == 0


def test_the_last_value_is_told_where_no_newer_can_be_had_and_the_source_is_left_alone(
    lasting: FeedProcess, sources: Answering
) -> None:
    for _ in range(3):
        body = polled(lasting, symbols="DAY,HOUR,NONE")
        assert last(body) == {"DAY": 1, "HOUR": 5}
        spent = "25 requests a day are spent"
        assert body["failed"] == {"DAY": spent, "NONE": spent}
    assert asked(sources, "DAY") == 1


def test_an_unchanged_answer_is_not_sent_again_though_it_tells_of_a_failure(
    lasting: FeedProcess, sources: Answering
) -> None:
    url = f"{lasting.url}/api/quotes"
    cursor = str(polled(lasting, symbols="DAY")["cursor"])
    query = {"symbols": "DAY", "since": cursor}
    first = httpx.get(url, params=query, timeout=20)
    assert (first.json()["rows"], list(first.json()["failed"])) == ([], ["DAY"])
    same = {"If-None-Match": first.headers["ETag"]}
    assert httpx.get(url, params=query, headers=same, timeout=20).status_code == 304


def test_a_single_symbol_without_any_quote_is_an_error(
    lasting: FeedProcess, sources: Answering
) -> None:
    answer = httpx.get(f"{lasting.url}/api/quotes?symbols=NONE", timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (502, "source")
    assert "25 requests a day are spent" in answer.json()["message"]


@pytest.mark.parametrize("age", ["-1", "1000000001", "x", "1.5"])
def test_an_age_that_is_none_is_refused(lasting: FeedProcess, age: str) -> None:
    answer = httpx.get(f"{lasting.url}/api/quotes?max_age_ms={age}", timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert "max_age_ms" in answer.json()["message"]
