"""What a gateway answers as files, compared with what it answers as JSON."""

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
import pandas as pd
import pytest

from dashboard.client.blocking import FeedClient
from feed_server.bus.publisher import Publisher
from feed_server.bus.requests import Answer, Done, LoadBars, Loaded, Request
from tests.answering import Answering
from tests.harness import FeedProcess
from tests.market import Market, gateway_of, market

pytestmark = pytest.mark.integration

FORMATS = ["csv", "parquet"]
INDICATORS = "BBANDS(3,2,2),SMA(4)"


async def answer(request: Request, _publisher: Publisher) -> Answer:
    """Answer as a source that has no history."""
    nothing = Loaded([], [], [], [], [], [], since_ms=0)
    return nothing if isinstance(request, LoadBars) else Done()


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        for _ in range(30):
            opened.trade(trades=1 + opened.trade().offset % 3, closes=True)
        yield opened


@pytest.fixture(scope="module")
def feed(here: Market) -> Iterator[FeedProcess]:
    with Answering(here.url, answer), gateway_of(here) as process:
        yield process


def get(feed: FeedProcess, path: str, **query: object) -> httpx.Response:
    params = {name: str(value) for name, value in query.items()}
    answer = httpx.get(f"{feed.url}/api/{path}", params=params, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer


def read(answer: httpx.Response) -> pd.DataFrame:
    file = io.BytesIO(answer.content)
    if answer.headers["Content-Type"].endswith("parquet"):
        read: pd.DataFrame = pd.read_parquet(file)
        return read
    # Of pandas' engines this one's numbers are exact in every version.
    frame = pd.read_csv(file, engine="python")
    for name in frame.columns.intersection(["time", "received"]):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def times(times_ms: list[int]) -> list[pd.Timestamp]:
    return list(pd.to_datetime(times_ms, unit="ms", utc=True))


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_bars_has_what_json_has(feed: FeedProcess, form: str) -> None:
    query: dict[str, Any] = {"symbol": "aapl", "limit": 20, "indicators": INDICATORS}
    told = get(feed, "bars", **query).json()
    file = get(feed, "bars", **query, format=form)
    disposition = file.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="AAPL-1d-TEST.{form}"'
    assert file.headers["Quotewire-Rows"] == "20"
    frame = read(file)
    assert list(frame["time"]) == times(told["start_ms"])
    for name in ("open", "high", "low", "close", "volume", "final"):
        assert frame[name].tolist() == told[name]
    for name, outputs in told["indicators"].items():
        for output, values in outputs.items():
            column = frame[f"{name}.{output}" if len(outputs) > 1 else name]
            assert [None if pd.isna(value) else value for value in column] == values


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_bars_is_what_the_python_client_has(feed: FeedProcess, form: str) -> None:
    frame = read(get(feed, "bars", symbol="AAPL", indicators=INDICATORS, format=form))
    with FeedClient(feed.url) as client:
        history = client.history("AAPL", "1d", indicators=INDICATORS.rsplit(",", 1))
    expected = history.to_pandas()
    frame["time"] = frame["time"].dt.as_unit("ns")
    pd.testing.assert_frame_equal(frame.set_index("time"), expected, check_exact=True)


@pytest.mark.parametrize("form", FORMATS)
def test_more_bars_than_an_answer_has_are_got_in_parts(feed: FeedProcess, form: str) -> None:
    whole = get(feed, "bars", symbol="AAPL").json()
    part = get(feed, "bars", symbol="AAPL", limit=8, format=form)
    parts = [read(part)]
    while "next" in part.links:
        part = httpx.get(urljoin(str(part.url), part.links["next"]["url"]), timeout=20)
        parts.insert(0, read(part))
        assert len(parts) < 20
    assert len(parts) == len(whole["start_ms"]) // 8 + 1
    frame = pd.concat(parts)
    assert list(frame["time"]) == times(whole["start_ms"])
    assert frame["close"].tolist() == whole["close"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_trades_has_what_json_has(feed: FeedProcess, form: str) -> None:
    told = get(feed, "trades", symbol="AAPL", limit=10).json()
    file = get(feed, "trades", symbol="AAPL", limit=10, format=form)
    assert f'"AAPL-trades-TEST.{form}"' in file.headers["Content-Disposition"]
    frame = read(file)
    assert list(frame["time"]) == times(told["time_ms"])
    for column, name in (("price", "price"), ("size", "size"), ("offset", "offsets")):
        assert frame[column].tolist() == told[name]


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_quotes_has_what_the_python_client_has(feed: FeedProcess, form: str) -> None:
    file = get(feed, "quotes", symbols="MSFT,aapl", format=form)
    assert f'"quotes-TEST.{form}"' in file.headers["Content-Disposition"]
    frame = read(file).set_index("symbol")
    with FeedClient(feed.url) as client:
        expected = client.snapshot("MSFT", "AAPL").to_pandas()
    assert list(frame.index) == ["MSFT", "AAPL"]
    for name in ("last", "size", "bid", "ask", "volume", "open", "high", "low", "session"):
        assert frame[name].tolist() == expected[name].tolist()
    assert list(frame["time"]) == list(expected["time"])
    assert len(read(get(feed, "quotes", format=form))) == 3


def test_pages_may_read_what_a_file_is_called(feed: FeedProcess) -> None:
    headers = {"Origin": "http://localhost:5006"}
    url = f"{feed.url}/api/bars?symbol=AAPL&format=csv"
    exposed = httpx.get(url, headers=headers, timeout=20).headers["Access-Control-Expose-Headers"]
    assert {"Content-Disposition", "Link"} <= set(exposed.split(", "))


@pytest.mark.parametrize("path", ["bars", "trades", "quotes"])
def test_another_format_is_refused(feed: FeedProcess, path: str) -> None:
    answer = httpx.get(f"{feed.url}/api/{path}?symbol=AAPL&format=xls", timeout=20)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_parameter"
    assert "json, csv, parquet" in answer.json()["message"]


def test_an_error_is_told_as_json_whatever_the_format(feed: FeedProcess) -> None:
    answer = httpx.get(f"{feed.url}/api/bars?symbol=NOPE&format=parquet", timeout=20)
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_symbol"
    assert "Content-Disposition" not in answer.headers
