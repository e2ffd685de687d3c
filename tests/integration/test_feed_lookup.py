"""Symbols as people write them, and those that only a source knows."""

import time
from collections.abc import Iterator
from functools import partial

import httpx
import jwt
import pytest

from feed_server.bus.publisher import Publisher
from feed_server.bus.requests import Answer, Done, Failed, Found, Refresh, Request, Resolve, Search
from feed_server.gateway.lookup import PATIENCE_S
from feed_server.protocol import ErrorCode, Pong, Quotes, Subscribed, SymbolInfo, Unsubscribed
from tests import pem
from tests.answering import Answering
from tests.harness import FeedProcess
from tests.market import Market, MarketGateway, gateway_of, market
from tests.raw_socket import RawSocket
from tests.updates import update

pytestmark = pytest.mark.integration

KNOWN = {
    symbol: SymbolInfo(symbol, name, "USD", 2, "test", "TEST")
    for symbol, name in {
        "BRK.B": "Berkshire Hathaway B",
        "EUR/USD": "Euro",
        "BTC-USD": "Bitcoin",
        "KO": "Coca-Cola",
        "VOD": "Vodafone",
    }.items()
}
"""What the source knows, though it is not declared."""


async def answer(request: Request, publisher: Publisher) -> Answer:
    """Answer as an ingest does whose source has an open list."""
    match request:
        case Resolve(symbol="SPENT"):
            return Failed(ErrorCode.SOURCE, "8 credits a minute are spent", 30_000)
        case Resolve(symbol=symbol) if symbol in KNOWN:
            await publisher.add_symbols([KNOWN[symbol]])
            await publisher.publish([update(symbol, 7)])
            return Found([KNOWN[symbol]])
        case Resolve():
            return Failed(ErrorCode.UNKNOWN_SYMBOL, "no source knows it")
        case Search(text="spent"):
            return Failed(ErrorCode.SOURCE, "8 credits a minute are spent", 30_000)
        case Search(text=text):
            return Found([info for info in KNOWN.values() if text.lower() in info.name.lower()])
    assert isinstance(request, Refresh)
    return Done()


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


@pytest.fixture(scope="module")
def sources(here: Market) -> Iterator[Answering]:
    with Answering(here.url, answer) as answering:
        yield answering


@pytest.fixture(scope="module")
def feed(here: Market, sources: Answering) -> Iterator[FeedProcess]:
    with gateway_of(here) as process:
        yield process


def get(feed: FeedProcess, path: str, **query: str) -> httpx.Response:
    return httpx.get(f"{feed.url}{path}", params=query, timeout=20)


def resolved(sources: Answering) -> list[str]:
    return [request.symbol for request in sources.of(Resolve)]


@pytest.mark.parametrize("text", ["aapl", "AAPL", " aapl ", "Aapl"])
def test_a_symbol_is_answered_as_the_feed_names_it(feed: FeedProcess, text: str) -> None:
    assert get(feed, "/api/bars", symbol=text).json()["symbol"] == "AAPL"
    assert get(feed, "/api/trades", symbol=text).json()["symbol"] == "AAPL"
    rows = get(feed, "/api/quotes", symbols=f"{text},AAPL").json()["rows"]
    assert [row[0] for row in rows] == ["AAPL"]


def test_a_symbol_that_is_not_declared_is_found_by_a_source(
    feed: FeedProcess, sources: Answering
) -> None:
    found = get(feed, "/api/quotes", symbols="brk-b")
    assert found.status_code == 404, "it is asked for as BRK-B, which this source does not know"
    found = get(feed, "/api/quotes", symbols="brk.b")
    assert [row[0] for row in found.json()["rows"]] == ["BRK.B"]
    listed = {info["symbol"] for info in get(feed, "/api/symbols").json()["symbols"]}
    assert "BRK.B" in listed
    again = get(feed, "/api/quotes", symbols="BRK-B")
    assert [row[0] for row in again.json()["rows"]] == ["BRK.B"]
    assert resolved(sources).count("BRK.B") == 1


def test_what_no_source_knows_is_told_with_what_may_be_meant_and_not_asked_for_again(
    feed: FeedProcess, sources: Answering
) -> None:
    for _ in range(3):
        answer = get(feed, "/api/bars", symbol="aapk")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
        told = answer.json()["message"]
        for part in ("'aapk'", "perhaps AAPL", "/api/search?q=", "no source knows it"):
            assert part in told
    assert resolved(sources).count("AAPK") == 1


def test_what_cannot_be_a_symbol_is_asked_of_nobody(feed: FeedProcess, sources: Answering) -> None:
    asked = len(sources.asked)
    answer = get(feed, "/api/bars", symbol="what is this?")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
    assert "letters A-Z" in answer.json()["message"]
    assert len(sources.asked) == asked


def test_a_source_that_cannot_look_is_told_of(feed: FeedProcess) -> None:
    answer = get(feed, "/api/quotes", symbols="SPENT")
    assert (answer.status_code, answer.json()["code"]) == (502, "source")
    assert "8 credits a minute are spent" in answer.json()["message"]


def test_a_subscription_names_symbols_as_the_feed_does_and_failures_as_they_were_asked(
    feed: FeedProcess, here: Market
) -> None:
    with RawSocket(feed.port) as client:
        symbols = ["eur/usd", "msft", "MSFT", "nope", "spent"]
        client.say(type="subscribe", id=1, channel="quotes", symbols=symbols)
        client.say(type="ping", id=2)
        subscribed = client.next(Subscribed)
        assert subscribed.symbols == ["EUR/USD", "MSFT"]
        assert subscribed.failed == {
            "nope": ErrorCode.UNKNOWN_SYMBOL,
            "spent": ErrorCode.SOURCE,
        }
        assert client.next(Pong).id == 2
        heard: set[str] = set()
        here.trade("MSFT")
        while heard != {"EUR/USD", "MSFT"}:
            heard |= {row.symbol for row in client.next(Quotes).rows}
        client.say(type="unsubscribe", id=3, channel="quotes", symbols=["Eur/Usd", "nope"])
        assert client.next(Unsubscribed).symbols == ["EUR/USD", "nope"]


def test_who_stands_at_a_symbol_is_known_by_any_spelling(feed: FeedProcess, here: Market) -> None:
    at = here.trade("IBM")
    with RawSocket(feed.port) as client:
        here.trade("IBM")
        since = {"ibm": [at.epoch, at.offset]}
        client.say(type="subscribe", id=1, channel="trades", symbols=["ibm"], since=since)
        assert client.next(Subscribed).symbols == ["IBM"]


def test_answers_come_in_order_while_a_source_is_asked(
    feed: FeedProcess, sources: Answering
) -> None:
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="quotes", symbols=["vod"])
        client.say(type="ping", id=2)
        client.say(type="subscribe", id=3, channel="quotes", symbols=["AAPL"])
        answers: list[int] = []
        while len(answers) < 3:
            if isinstance(message := client.hear(), Subscribed | Pong):
                answers.append(message.id)
        assert answers == [1, 2, 3]
    assert resolved(sources).count("VOD") == 1


def test_of_many_unknown_symbols_only_some_are_asked_for(
    feed: FeedProcess, sources: Answering
) -> None:
    asked = len(resolved(sources))
    texts = [f"none{number}" for number in range(200)]
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="quotes", symbols=texts)
        failed = client.next(Subscribed).failed
    assert failed == dict.fromkeys(texts, ErrorCode.UNKNOWN_SYMBOL)
    assert len(resolved(sources)) == asked + 20


def test_an_event_stream_finds_symbols_too(feed: FeedProcess) -> None:
    query = {"symbols": "btc-usd,nope"}
    with httpx.stream("GET", f"{feed.url}/api/stream", params=query, timeout=20) as events:
        for line in events.iter_lines():
            if '"subscribed"' in line:
                assert '"symbols":["BTC-USD"],"failed":{"nope":"unknown_symbol"}' in line
                break


def test_a_search_finds_what_is_declared_and_what_a_source_knows(feed: FeedProcess) -> None:
    body = get(feed, "/api/search", q="co").json()
    assert {info["symbol"] for info in body["symbols"]} == {"BTC-USD", "KO"}
    declared = get(feed, "/api/search", q="aap").json()
    assert [info["symbol"] for info in declared["symbols"]] == ["AAPL"]
    assert "note" not in declared


def test_a_search_says_that_sources_could_not_be_asked(feed: FeedProcess) -> None:
    body = get(feed, "/api/search", q="spent").json()
    assert body == {"symbols": [], "note": "8 credits a minute are spent"}


@pytest.mark.parametrize("text", ["", "x" * 65])
def test_a_search_for_nothing_or_a_book_is_refused(feed: FeedProcess, text: str) -> None:
    answer = get(feed, "/api/search", q=text)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert "1 to 64" in answer.json()["message"]


def test_without_sources_all_there_is_are_the_declared_symbols() -> None:
    with market() as here, gateway_of(here) as feed:
        began_s = time.monotonic()
        answer = get(feed, "/api/bars", symbol="KO")
        bars_s = time.monotonic() - began_s
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
        assert "no source is there" in answer.json()["message"]
        began_s = time.monotonic()
        body = get(feed, "/api/search", q="AAPL").json()
        search_s = time.monotonic() - began_s
        assert [info["symbol"] for info in body["symbols"]] == ["AAPL"]
        assert "no source is there" in body["note"]
        with RawSocket(feed.port) as client:
            began_s = time.monotonic()
            client.say(type="subscribe", id=1, channel="quotes", symbols=["KO"])
            assert client.next(Subscribed).failed == {"KO": ErrorCode.UNKNOWN_SYMBOL}
        took_s = (bars_s, search_s, time.monotonic() - began_s)
        assert max(took_s) < PATIENCE_S, "it is known at once that nobody answers"


class GuardedGateway(MarketGateway):
    """A gateway that asks for tokens."""

    def is_ready(self) -> bool:
        self._market.live()
        try:
            answer = httpx.get(f"{self.url}/api/symbols", headers=BEARER, timeout=2)
        except httpx.TransportError:
            return False
        return answer.is_success


BEARER = {
    "Authorization": "Bearer "
    + jwt.encode(
        {"sub": "ann", "exp": time.time() + 86_400, "symbols": ["AAPL", "BTC-*"]},
        pem.SECRET,
        "HS256",
    )
}


def test_nobody_is_asked_for_what_a_token_does_not_allow() -> None:
    with (
        market() as here,
        Answering(here.url, answer) as sources,
        GuardedGateway(here, {"jwt_secret": pem.SECRET}) as feed,
    ):
        ask = partial(httpx.get, headers=BEARER, timeout=20)
        for text in ("KO", "ko", "IBM", "nothing"):
            refused = ask(f"{feed.url}/api/trades?symbol={text}")
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), text
            assert "AAPL" not in refused.json()["message"]
        assert resolved(sources) == []
        assert ask(f"{feed.url}/api/trades?symbol=btc-usd").json()["symbol"] == "BTC-USD"
        found = ask(f"{feed.url}/api/search?q=o").json()
        assert [info["symbol"] for info in found["symbols"]] == ["BTC-USD"]
        missing = ask(f"{feed.url}/api/trades?symbol=btc-eur").json()
        assert "IBM" not in missing["message"]
