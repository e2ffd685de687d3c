"""Whole feed processes on vendors that speak as the real ones do, with their faults."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote as percent

import httpx
import pytest

from feed_server.protocol import Subscribed, Trades
from tests.harness import FeedProcess, wait_for
from tests.raw_socket import RawSocket
from tests.vendors.alphavantage_server import AlphaVantageServer
from tests.vendors.coinbase_server import CoinbaseServer
from tests.vendors.http_faults import Answer, Asked
from tests.vendors.twelvedata_server import KEY, LIMIT, MINUTE, PAYWALL, TwelveDataServer, error

pytestmark = pytest.mark.integration

AV_KEY = "AV-KEY/1+2"
MINUTE_MS = 60_000
DAY_S = 86_400
TWELVE = [f"T{number:02}" for number in range(12)]


def get(feed: FeedProcess, path: str, **params: object) -> httpx.Response:
    query = {name: str(value) for name, value in params.items()}
    return httpx.get(f"{feed.url}{path}", params=query, timeout=20)


def quotes(feed: FeedProcess, symbols: str, **params: object) -> dict[str, Any]:
    answer = get(feed, "/api/quotes", symbols=symbols, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def last(feed: FeedProcess, symbol: str) -> float | None:
    """Return the last price that the feed has, without having it fetched."""
    rows = quotes(feed, symbol, max_age_ms=10**9)["rows"]
    return rows[0][1] if rows else None


def fetched(feed: FeedProcess, symbol: str) -> float | None:
    """Return the last price, fetched anew."""
    answer = get(feed, "/api/quotes", symbols=symbol, max_age_ms=0)
    rows = answer.json()["rows"] if answer.is_success else []
    return rows[0][1] if rows else None


def source(feed: FeedProcess, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        (s for s in get(feed, "/api/status").json()["sources"] if s["source"] == name), {}
    )
    return found


def refused(feed: FeedProcess, name: str, reason: str) -> int:
    count: int = source(feed, name).get("refused", {}).get(reason, 0)
    return count


def is_counted(feed: FeedProcess, reason: str, count: int) -> bool:
    return refused(feed, "coinbase", reason) >= count


def info(feed: FeedProcess, symbol: str) -> dict[str, Any]:
    infos = get(feed, "/api/symbols").json()["symbols"]
    found: dict[str, Any] = next((i for i in infos if i["symbol"] == symbol), {})
    return found


def check_no_key(feed: FeedProcess, *keys: str) -> None:
    """Check that keys are told nowhere where a person or a program could read them."""
    told = [feed.said(), *(get(feed, path).text for path in ("/metrics", "/api/status", "/readyz"))]
    for key in keys:
        for spelling in (key, percent(key, safe=""), percent(key)):
            assert not any(spelling in text for text in told), spelling


# ---- Coinbase: trades as they happen ------------------------------------------------------------


@pytest.fixture(scope="module")
def exchange() -> Iterator[CoinbaseServer]:
    with CoinbaseServer(heartbeat_s=0.5) as server:
        now_ms = time.time_ns() // 1_000_000
        for minutes in range(10, 0, -1):
            at_ms = now_ms - minutes * MINUTE_MS
            server.trade("ETH-USD", 3000.0 - minutes, 1.0, time_ms=at_ms)
            server.trade("ETH-USD", 3000.0 + minutes, 1.0, time_ms=at_ms + 1)
        yield server


@pytest.fixture(scope="module")
def coinbase(exchange: CoinbaseServer) -> Iterator[FeedProcess]:
    settings = {
        "provider": "coinbase",
        "symbols": "BTC-USD,ETH-USD",
        "coinbase_url": exchange.url,
        "coinbase_websocket_url": exchange.websocket_url,
        "bars_grace_ms": "200",
    }
    with FeedProcess(settings) as process:
        wait_for("it streams", lambda: source(process, "coinbase")["message"] == "streaming")
        yield process


def heard(client: RawSocket, symbol: str, up_to: float) -> list[float]:
    """Return the prices of a symbol's trades up to one; that before them may come first."""
    prices: list[float] = []
    while up_to not in prices:
        prices += [row.price for row in client.next(Trades).rows if row.symbol == symbol]
    return prices


@contextmanager
def listening(feed: FeedProcess, symbol: str) -> Iterator[RawSocket]:
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=[symbol])
        client.next(Subscribed)
        client.next(Trades)
        yield client


def test_trades_reach_clients_and_make_bars(
    coinbase: FeedProcess, exchange: CoinbaseServer
) -> None:
    prices = [50_001.0 + number for number in range(20)]
    with listening(coinbase, "BTC-USD") as client:
        wait_for("it is streamed", lambda: "BTC-USD" in exchange.subscribed)
        for price in prices:
            exchange.trade("BTC-USD", price, 0.5)
        told = heard(client, "BTC-USD", prices[-1])
        assert told[-len(prices) :] == prices
        assert len(told) <= len(prices) + 1
    assert last(coinbase, "BTC-USD") == prices[-1]
    row = quotes(coinbase, "BTC-USD")["rows"][0]
    assert (row[3], row[4]) == (-1, 1), "bid and ask, in cents from the last price"

    def seconds() -> dict[str, Any]:
        body: dict[str, Any] = get(coinbase, "/api/bars", symbol="BTC-USD", interval="1s").json()
        return body if body["final"] and all(body["final"]) else {}

    bars = wait_for("the bars are closed", seconds)
    # The first second may have begun with what was traded before.
    assert bars["close"][-1] == prices[-1]
    assert sum(bars["volume"][-2:]) >= 10.0


def test_bars_join_the_vendors_candles_and_live_ones(
    coinbase: FeedProcess, exchange: CoinbaseServer
) -> None:
    get(coinbase, "/api/quotes", symbols="ETH-USD")
    wait_for("it is streamed", lambda: "ETH-USD" in exchange.subscribed)
    exchange.trade("ETH-USD", 3_100.0, 2.0)
    wait_for("it has come", lambda: last(coinbase, "ETH-USD") == 3_100.0)
    body = get(coinbase, "/api/bars", symbol="ETH-USD", interval="1m", limit=20).json()
    starts = body["start_ms"]
    # A minute without a trade has no bar, and the test may have come to this one after some.
    assert starts == exchange.minutes("ETH-USD")
    assert len(starts) >= 10
    assert not body["final"][-1]
    assert body["close"][-1] == 3_100.0
    assert all(body["final"][:-1])
    assert body["close"][-5:-1] != body["open"][-5:-1]
    assert "note" not in body


def test_a_product_that_is_not_listed_is_found_and_served(
    coinbase: FeedProcess, exchange: CoinbaseServer
) -> None:
    assert not info(coinbase, "SOL-USD")
    wait_for("it has a quote", lambda: last(coinbase, "sol/usd") == 150.0)
    assert info(coinbase, "SOL-USD")["source"] == "coinbase"
    wait_for("it is streamed", lambda: "SOL-USD" in exchange.subscribed)
    exchange.trade("SOL-USD", 151.0, 1.0)
    wait_for("it goes on", lambda: last(coinbase, "SOL-USD") == 151.0)
    answer = get(coinbase, "/api/quotes", symbols="NOPE-USD")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
    assert "NOPE-USD" in answer.json()["message"]


def test_what_cannot_be_true_is_refused_and_counted(
    coinbase: FeedProcess, exchange: CoinbaseServer
) -> None:
    wait_for("it has a quote", lambda: last(coinbase, "DOGE-USD") == 0.15)
    wait_for("it is streamed", lambda: "DOGE-USD" in exchange.subscribed)
    for price in (-1.0, 0.0, 1e13):
        exchange.trade("DOGE-USD", price, 1.0)
    exchange.trade("DOGE-USD", 0.16, 1.0, time_ms=time.time_ns() // 1_000_000 + 600_000)
    exchange.trade("DOGE-USD", 1_500.0, 1.0)
    crossed = exchange.ticker("DOGE-USD") | {"best_bid": "0.2", "best_ask": "0.1"}
    exchange.say(crossed)
    with listening(coinbase, "DOGE-USD") as client:
        exchange.trade("DOGE-USD", 0.151, 3.0)
        assert set(heard(client, "DOGE-USD", 0.151)) <= {0.15, 0.151}
    for reason, count in {"bad_price": 3, "future": 1, "outlier": 1, "crossed": 1}.items():
        wait_for(reason, partial(is_counted, coinbase, reason, count))
    for interval in ("1s", "1m"):
        body = get(coinbase, "/api/bars", symbol="DOGE-USD", interval=interval).json()
        told = body["open"] + body["high"] + body["low"] + body["close"]
        assert all(0.1 < price < 0.2 for price in told[-4:])
    row = quotes(coinbase, "DOGE-USD")["rows"][0]
    assert row[3] < row[4], "bid and ask"


def test_trades_of_a_lost_connection_are_made_up_for(
    coinbase: FeedProcess, exchange: CoinbaseServer
) -> None:
    with listening(coinbase, "BTC-USD") as client:
        exchange.trade("BTC-USD", 51_000.0, 1.0)
        heard(client, "BTC-USD", 51_000.0)
        exchange.drop()
        for number in range(1, 6):
            exchange.trade("BTC-USD", 51_000.0 + number, 1.0, lost=True)
        wait_for("it streams again", lambda: "BTC-USD" in exchange.subscribed)
        exchange.trade("BTC-USD", 51_006.0, 1.0)
        assert heard(client, "BTC-USD", 51_006.0) == [51_000.0 + number for number in range(1, 7)]


def test_a_stream_that_says_nothing_begins_again_and_is_polled_meanwhile(
    coinbase: FeedProcess, exchange: CoinbaseServer
) -> None:
    wait_for("it streams", lambda: source(coinbase, "coinbase")["message"] == "streaming")
    sockets, exchange.silent = exchange.sockets, True
    try:
        wait_for("the connection is given up", lambda: exchange.sockets > sockets)
        exchange.trade("BTC-USD", 52_000.0, 1.0)
        wait_for("it is polled", lambda: last(coinbase, "BTC-USD") == 52_000.0)
    finally:
        exchange.silent = False
    wait_for("it streams again", lambda: source(coinbase, "coinbase")["message"] == "streaming")


# ---- Twelve Data: asked within its limits -------------------------------------------------------


def twelve_data(server: TwelveDataServer, symbols: str, **settings: str) -> FeedProcess:
    return FeedProcess(
        {
            "provider": "twelvedata",
            "symbols": symbols,
            "twelvedata_key": KEY,
            "twelvedata_url": server.url,
            "twelvedata_websocket_url": "none",
            "log_level": "debug",
            **settings,
        }
    )


@pytest.fixture(scope="module")
def vendor() -> Iterator[TwelveDataServer]:
    with TwelveDataServer() as server:
        for number, symbol in enumerate(["AAPL", "MSFT", "BRK.B", "EUR/USD", "RY:TSX"]):
            server.set_quote(symbol, 100.0 + number)
        yield server


@pytest.fixture(scope="module")
def polled(vendor: TwelveDataServer) -> Iterator[FeedProcess]:
    """A feed that asks as often as it likes."""
    with twelve_data(vendor, "AAPL,MSFT", twelvedata_per_minute="1000") as process:
        yield process
        check_no_key(process, KEY)


def asked(server: TwelveDataServer, symbol: str) -> int:
    """Return how often a symbol's quote was asked for."""
    of_quotes = [r for r in server.requests if r.path == "/quote"]
    return sum(symbol in request.query["symbol"].split(",") for request in of_quotes)


def test_a_symbol_asked_for_by_http_is_found_fetched_and_published(
    polled: FeedProcess, vendor: TwelveDataServer
) -> None:
    for typed, symbol, price in [("brk.b", "BRK.B", 102.0), ("eur/usd", "EUR/USD", 103.0)]:
        assert not info(polled, symbol)
        body = quotes(polled, typed)
        assert [row[:2] for row in body["rows"]] == [[symbol, price]], body
        assert info(polled, symbol)["source"] == "twelvedata"
        with RawSocket(polled.port) as client:
            client.say(type="subscribe", id=1, channel="quotes", symbols=[symbol])
            assert client.next(Subscribed).symbols == [symbol]
    answer = get(polled, "/api/quotes", symbols="NOPE")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
    assert "no source knows 'NOPE'" in answer.json()["message"]


def test_all_who_ask_for_a_quote_at_once_share_one_request(
    polled: FeedProcess, vendor: TwelveDataServer
) -> None:
    slow = {"symbol": "MSFT", "close": "222.0", "last_quote_at": int(time.time())}
    before = asked(vendor, "MSFT")
    vendor.fault = Answer(wait_s=0.5, body=slow)
    with ThreadPoolExecutor(12) as pool:
        prices = list(pool.map(lambda _: fetched(polled, "MSFT"), range(12)))
    vendor.fault = None
    assert set(prices) == {222.0}
    assert asked(vendor, "MSFT") == before + 1


SPENT = error(429, MINUTE.format(9) + LIMIT.format(8))
FAULTS = {
    "throttle": (Answer(body=SPENT, headers={"Retry-After": "2"}), "run out of API credits"),
    "own error": (Answer(status=500, body=error(500, "we are sorry")), "we are sorry"),
    "html": (Answer(body=f"<html>{KEY}</html>"), "twelvedata"),
    "5xx html": (Answer(status=503, body=f"<html>{KEY}</html>"), "503"),
    "dropped": (Answer(drop=True), "twelvedata"),
    "truncated": (Answer(body='{"AAPL', missing=100), "twelvedata"),
    "nonsense": (Answer(body=[KEY]), "twelvedata"),
}


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_the_next_try_and_passes_by_itself(
    polled: FeedProcess, vendor: TwelveDataServer, fault: Answer, said: str
) -> None:
    def fails() -> dict[str, Any]:
        fetched(polled, "MSFT")
        status = source(polled, "twelvedata")
        return status if status.get("failures") and status["message"] != "polling" else {}

    price = 300.0 + len(vendor.requests)
    vendor.set_quote("MSFT", price)
    vendor.fault = fault
    try:
        told = wait_for("it is told", fails)
        assert said in told["message"]
        assert told["next_try_ms"] > told["updated_ms"] - 1_000
    finally:
        vendor.fault = None
    wait_for("it recovers", lambda: source(polled, "twelvedata")["message"] == "polling")
    wait_for("it is current", lambda: fetched(polled, "MSFT") == price)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"close": "0"}, "bad_price"),
        ({"close": "-5"}, "bad_price"),
        ({"close": "1e308"}, "bad_price"),
        ({"close": "NaN"}, "MalformedError"),
        ({"currency": "CAD"}, "currency"),
        ({"last_quote_at": int(time.time()) + DAY_S}, "future"),
    ],
    ids=["zero", "negative", "huge", "nan", "currency", "tomorrow"],
)
def test_a_quote_that_cannot_be_true_is_counted_and_not_told(
    polled: FeedProcess, vendor: TwelveDataServer, bad: dict[str, Any], reason: str
) -> None:
    vendor.set_quote("AAPL", 100.0)
    wait_for("it is good", lambda: fetched(polled, "AAPL") == 100.0)
    before = refused(polled, "twelvedata", reason)
    vendor.set_quote("AAPL", 101.0, **bad)

    def is_refused() -> bool:
        assert fetched(polled, "AAPL") == 100.0
        return refused(polled, "twelvedata", reason) > before

    wait_for("it is refused", is_refused)
    vendor.set_quote("AAPL", 102.0)
    wait_for("it goes on", lambda: fetched(polled, "AAPL") == 102.0)


def test_a_symbol_behind_a_paywall_is_told_and_the_others_go_on(
    polled: FeedProcess, vendor: TwelveDataServer
) -> None:
    vendor.errors["RY:TSX"] = (403, PAYWALL)
    answer = get(polled, "/api/quotes", symbols="ry:tsx")
    assert answer.status_code == 502, answer.text
    assert "Grow plan" in answer.json()["message"]
    vendor.set_quote("MSFT", 500.0)
    wait_for("others go on", lambda: fetched(polled, "MSFT") == 500.0)


def most_credits(requests: Sequence[Asked], stretch_s: float) -> int:
    """Return the most credits that came to a vendor in any stretch of its own clock."""
    spent = [(r.time_s, len(r.query["symbol"].split(","))) for r in requests]
    return max(sum(n for t, n in spent if 0 <= t - from_s < stretch_s) for from_s, _ in spent)


def credits_spent(server: TwelveDataServer) -> list[str]:
    """Return for what a vendor's credits were spent, one after another."""
    return [symbol for r in server.requests for symbol in r.query["symbol"].split(",")]


def test_no_more_credits_are_spent_than_a_minute_has() -> None:
    names = ",".join(TWELVE)
    with TwelveDataServer(per_minute=8) as vendor:
        for symbol in TWELVE:
            vendor.set_quote(symbol, 50.0)
        with twelve_data(vendor, names) as feed:
            first_ms = 1_000 * (vendor.requests[0].time_s + time.time() - time.monotonic())

            def have_come() -> bool:
                rows = quotes(feed, names, max_age_ms=10**9)["rows"]
                spent = credits_spent(vendor)
                return len(spent) >= 8 and {row[0] for row in rows} == set(spent)

            def are_all_refused() -> bool:
                return len(quotes(feed, names, max_age_ms=0).get("failed", [])) == len(TWELVE)

            def waits_until_they_are_free() -> bool:
                status = source(feed, "twelvedata")
                is_spent: bool = status["budgets"][0]["left"] == 0
                return is_spent and (status["next_try_ms"] or 0) > first_ms + 50_000

            wait_for("what is paid for has come", have_come)
            wait_for("no more can be had", are_all_refused)
            # Told now and then: what was true a moment ago may be told still.
            wait_for("it waits until the first is free", waits_until_they_are_free)
            answer = get(feed, "/api/quotes", symbols="AAPL")
            assert (answer.status_code, answer.json()["code"]) == (502, "source")
            check_no_key(feed, KEY)
        # A second less, for requests do not all take as long to come.
        assert most_credits(vendor.requests, 59.0) == 8
        # At first only one was wanted: the harness waits for its quote.
        others = [symbol for symbol in credits_spent(vendor) if symbol != TWELVE[0]][:11]
        assert len(set(others)) == len(others), "none twice while others wait"


# ---- Failing over ------------------------------------------------------------------------------


def test_symbols_fail_over_to_the_next_vendor_and_return() -> None:
    with TwelveDataServer() as first, AlphaVantageServer(AV_KEY) as second:
        # The second tells no time but the day's close: after it, it has no news of the first's now.
        first.set_quote("IBM", 200.0, at_s=time.time() - DAY_S)
        second.set_quote("IBM", "201.00", time.strftime("%Y-%m-%d"))
        settings = {
            "provider": "twelvedata,alphavantage",
            "alphavantage_key": AV_KEY,
            "alphavantage_url": second.url,
        }
        with twelve_data(first, "IBM", **settings) as feed:
            assert fetched(feed, "IBM") == 200.0
            assert (info(feed, "IBM")["source"], info(feed, "IBM")["label"]) == ("twelvedata", "")
            assert not second.requests, "who is not needed is not asked"
            first.fault = Answer(status=500, body=f"<html>{KEY}</html>")

            def moved(to: str) -> Callable[[], bool]:
                def has_moved() -> bool:
                    fetched(feed, "IBM")
                    return bool(info(feed, "IBM")["source"] == to)

                return has_moved

            wait_for("it comes from the second", moved("alphavantage"))
            assert last(feed, "IBM") == 201.0
            assert info(feed, "IBM")["label"]
            assert source(feed, "twelvedata")["state"] == "down"
            first.set_quote("IBM", 202.0)
            first.fault = None
            wait_for("it comes from the first again", moved("twelvedata"))

            def is_new() -> bool:
                first.set_quote("IBM", 202.0)
                return fetched(feed, "IBM") == 202.0

            wait_for("so does its price", is_new)
            assert info(feed, "IBM")["label"] == ""
            check_no_key(feed, KEY, AV_KEY)


# ---- Streaming, where the vendor streams some --------------------------------------------------


def test_what_a_stream_refuses_is_polled_while_it_flows() -> None:
    with TwelveDataServer() as vendor:
        vendor.refused["MSFT"] = "not in your plan"
        for symbol in ("AAPL", "MSFT"):
            vendor.set_quote(symbol, 100.0)
        settings = {
            "twelvedata_websocket_url": vendor.websocket_url,
            "twelvedata_per_minute": "1000",
        }
        with twelve_data(vendor, "AAPL,MSFT", **settings) as feed:
            quotes(feed, "AAPL,MSFT")
            wait_for("it streams", lambda: source(feed, "twelvedata")["message"] == "streaming")
            wait_for("one is carried", lambda: vendor.subscribed == {"AAPL"})
            before = asked(vendor, "AAPL")

            def streamed() -> bool:
                vendor.send_price("AAPL", 105.0)
                return last(feed, "AAPL") == 105.0

            wait_for("it is streamed", streamed)
            vendor.set_quote("MSFT", 106.0)
            wait_for("the other can be fetched", lambda: fetched(feed, "MSFT") == 106.0)
            assert asked(vendor, "AAPL") == before
            vendor.drop_sockets()
            wait_for("it streams again", lambda: vendor.subscribed == {"AAPL"})
            check_no_key(feed, KEY)
