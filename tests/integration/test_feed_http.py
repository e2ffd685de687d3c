import httpx
import msgspec
import pytest

from feed_server.protocol import BarSeries, Quotes, SymbolList, decode_server_message
from tests.harness import FeedProcess

pytestmark = pytest.mark.integration

SAMPLE = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def get(feed: FeedProcess, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{feed.url}{path}", headers=headers, timeout=5)


def test_symbols_say_what_they_are_and_that_they_are_replayed(feed: FeedProcess) -> None:
    symbols = msgspec.json.decode(get(feed, "/api/symbols").content, type=SymbolList).symbols
    assert [info.symbol for info in symbols] == SAMPLE
    assert {(info.source, info.label, info.currency) for info in symbols} == {
        ("replay", "REPLAY", "USD")
    }


def test_quotes_of_all_are_a_whole_snapshot(feed: FeedProcess) -> None:
    message = decode_server_message(get(feed, "/api/quotes").content)
    assert isinstance(message, Quotes)
    assert message.snapshot
    assert {row.symbol for row in message.rows} <= set(SAMPLE)
    assert {row.symbol for row in message.rows} == set(message.details)


def test_quotes_of_some_are_those(feed: FeedProcess) -> None:
    body = get(feed, "/api/quotes?symbols=AAPL,,AAPL%20").json()
    assert [row[0] for row in body["rows"]] == ["AAPL"]


def test_unchanged_answers_are_not_sent_again(feed: FeedProcess) -> None:
    first = get(feed, "/api/symbols")
    again = get(feed, "/api/symbols", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_bars_are_the_real_history(feed: FeedProcess) -> None:
    body = get(feed, "/api/bars?symbol=IBM&interval=1d&limit=2&end=1338422400000").content
    series = msgspec.json.decode(body, type=BarSeries)
    assert series.start_ms == [1338336000000, 1338422400000]
    assert series.open == [194.8, 194.1]
    assert series.final == [True, True]
    assert series.epoch


def test_the_forming_bar_is_the_last(feed: FeedProcess) -> None:
    body = get(feed, "/api/bars?symbol=IBM&limit=5").content
    series = msgspec.json.decode(body, type=BarSeries)
    assert series.final == [True] * 4 + [False]
    assert series.start_ms == sorted(set(series.start_ms))


@pytest.mark.parametrize("path", ["/api/symbols", "/api/bars?symbol=NOPE", "/nothing"])
def test_a_page_of_ours_can_read_what_is_answered_and_what_is_wrong(
    feed: FeedProcess, path: str
) -> None:
    ours, elsewhere = "http://localhost:5006", "https://evil.example"
    assert get(feed, path, Origin=ours).headers["Access-Control-Allow-Origin"] == ours
    assert "Access-Control-Allow-Origin" not in get(feed, path, Origin=elsewhere).headers


@pytest.mark.parametrize(
    ("path", "status", "code", "hint"),
    [
        ("/api/quotes?symbols=AAPL,NOPE", 404, "unknown_symbol", "NOPE"),
        ("/api/bars?symbol=NOPE", 404, "unknown_symbol", "NOPE"),
        ("/api/bars", 400, "bad_parameter", "symbol is missing"),
        ("/api/bars?symbol=IBM&interval=3d", 400, "unknown_interval", "1d"),
        ("/api/bars?symbol=IBM&limit=0", 400, "bad_parameter", "limit"),
        ("/api/bars?symbol=IBM&limit=99999999", 400, "bad_parameter", "10000"),
        ("/api/bars?symbol=IBM&start=-5", 400, "bad_parameter", "start"),
        ("/api/bars?symbol=IBM&end=1e9", 400, "bad_parameter", "end"),
        ("/api/quotes?symbols=%FF", 400, "bad_parameter", "symbols"),
        ("/nothing", 404, "not_found", "/nothing"),
    ],
)
def test_a_bad_request_is_told_why(
    feed: FeedProcess, path: str, status: int, code: str, hint: str
) -> None:
    answer = get(feed, path)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert hint in body["message"]


def test_a_wrong_method_is_an_error_in_json(feed: FeedProcess) -> None:
    answer = httpx.post(f"{feed.url}/api/quotes", content=b"{}")
    assert answer.status_code == 405
    assert "message" in answer.json()


def test_pages_of_this_machine_may_read_and_strangers_may_not(feed: FeedProcess) -> None:
    friend = get(feed, "/api/symbols", Origin="http://localhost:5006")
    assert friend.headers["Access-Control-Allow-Origin"] == "http://localhost:5006"
    stranger = get(feed, "/api/symbols", Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_health_readiness_and_metrics_answer(feed: FeedProcess) -> None:
    assert get(feed, "/healthz").json()["status"] == "ok"
    assert get(feed, "/readyz").json()["ready"] is True
    get(feed, "/api/quotes?symbols=NOPE")
    text = get(feed, "/metrics").text
    assert "quotewire_connections " in text
    assert 'quotewire_errors_total{code="unknown_symbol"}' in text
