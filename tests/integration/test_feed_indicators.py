"""Indicators with the bars, live and in history, from a market that the test moves."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
import talib

from feed_server.bus.publisher import Publisher
from feed_server.bus.requests import Answer, Done, LoadBars, Loaded, Request
from feed_server.gateway.arrow import ARROW
from feed_server.market.indicator_spec import catalogue
from feed_server.protocol import Bars, Error, ErrorCode, Listed, Subscribed, Unsubscribed
from tests.answering import Answering
from tests.harness import FeedProcess
from tests.market import Market, gateway_of, market
from tests.raw_socket import RawSocket
from tests.updates import DAY_MS

pytestmark = pytest.mark.integration

SMA, MACD, OBV = "SMA(3)", "MACD(3,6,2)", "OBV"
ASKED = ["obv", "sma(timeperiod=3)", "macd(3,6,2)"]
CANONICAL = [MACD, OBV, SMA]
BARS: dict[str, Any] = {"channel": "bars", "interval": "1d", "symbols": ["AAPL"]}


async def no_history(request: Request, _publisher: Publisher) -> Answer:
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
    with Answering(here.url, no_history), gateway_of(here) as process:
        yield process


class Chart:
    """What a client knows of AAPL's daily bars: the newest state of each."""

    def __init__(self, client: RawSocket, **command: object) -> None:
        self.close: dict[int, float] = {}
        self.volume: dict[int, float] = {}
        self.final: set[int] = set()
        self.values: dict[str, dict[int, list[float | None]]] = {}
        self.recovered: list[bool] = []
        self.at: tuple[str, int] = ("", 0)
        self._client = client
        client.say(
            type="subscribe", id=1, channel="bars", interval="1d", symbols=["AAPL"], **command
        )
        self.subscribed = client.next(Subscribed)

    def read(self) -> Bars:
        message = self._client.next(Bars)
        epoch = message.epochs.get("AAPL", self.at[0])
        self.at = epoch, message.offsets.get("AAPL", self.at[1])
        self.recovered += message.recovered.values()
        for place, bar in enumerate(message.rows):
            day = bar.start_ms // DAY_MS
            self.close[day], self.volume[day] = bar.close, bar.volume
            self.final |= {day} if bar.final else set()
            for text, rows in message.indicators.items():
                assert len(rows) == len(message.rows)
                self.values.setdefault(text, {})[day] = rows[place]
        return message

    def read_up_to(self, offset: int) -> None:
        """Read until an update has come, and the values at its last bar."""
        while self.at[1] < offset or self.values[SMA][max(self.close)] == [None]:
            self.read()


def series_of(feed: FeedProcess, **query: object) -> dict[str, Any]:
    params = {"symbol": "AAPL", "interval": "1d"} | {k: str(v) for k, v in query.items()}
    told = httpx.get(f"{feed.url}/api/bars", params=params, timeout=20)
    assert told.status_code == 200, told.text
    body: dict[str, Any] = told.json()
    return body


def expected(feed: FeedProcess) -> dict[str, list[list[float]]]:
    """Return what TA-Lib gives over all bars there are: by indicator one list for each bar."""
    told = series_of(feed)
    close, volume = (np.array(told[name], dtype=float) for name in ("close", "volume"))
    whole = {
        SMA: np.array([talib.SMA(close, 3)]),
        MACD: np.array(talib.MACD(close, 3, 6, 2)),
        OBV: np.array([talib.OBV(close, volume)]),
    }
    return {text: table.T.tolist() for text, table in whole.items()}


def assert_values(chart: Chart, feed: FeedProcess) -> None:
    """Check what a client has of each bar, but for bars that it was told before they were final."""
    first = int(series_of(feed)["start_ms"][0]) // DAY_MS
    for text, rows in expected(feed).items():
        for day, values in chart.values[text].items():
            assert values == pytest.approx(rows[day - first], rel=1e-9, abs=1e-9), (text, day)


def test_values_come_with_the_bars_and_are_those_of_talib(feed: FeedProcess, here: Market) -> None:
    with RawSocket(feed.port) as client:
        chart = Chart(client, indicators=ASKED)
        assert chart.subscribed.indicators == CANONICAL
        chart.read_up_to(here.trade().offset)
        assert_values(chart, feed)
        for _ in range(5):
            at = here.trade(trades=3, closes=True)
            chart.read_up_to(at.offset)
            assert_values(chart, feed)
        assert len(chart.final) == 5


def test_who_comes_back_gets_the_values_of_the_bars_that_it_missed(
    feed: FeedProcess, here: Market
) -> None:
    with RawSocket(feed.port) as client:
        chart = Chart(client, indicators=ASKED)
        chart.read_up_to(here.trade().offset)
        at = chart.at
    for _ in range(4):
        last = here.trade(trades=2, closes=True)
    with RawSocket(feed.port) as client:
        chart = Chart(client, indicators=ASKED, since={"AAPL": at})
        chart.read_up_to(last.offset)
        assert chart.recovered == [True]
        assert len(chart.final) == 4
        assert_values(chart, feed)


def test_a_gateway_that_has_just_started_gives_the_values_of_missed_bars_too(
    feed: FeedProcess, here: Market
) -> None:
    with RawSocket(feed.port) as client:
        chart = Chart(client, indicators=ASKED)
        chart.read_up_to(here.trade().offset)
        at = chart.at
    last = here.trade(trades=2, closes=True)
    with gateway_of(here) as other, RawSocket(other.port) as client:
        chart = Chart(client, indicators=ASKED, since={"AAPL": at})
        first = chart.read()
        assert first.recovered == {"AAPL": True}
        assert [None] not in first.indicators[SMA], "it waits for the history, so nothing lacks"
        chart.read_up_to(last.offset)
        assert len(chart.final) == 1
        assert_values(chart, other)


def test_history_has_the_values_that_are_sent(feed: FeedProcess, here: Market) -> None:
    with RawSocket(feed.port) as client:
        chart = Chart(client, indicators=ASKED)
        chart.read_up_to(here.trade(trades=2).offset)
        told = series_of(feed, limit=7, indicators="SMA(3),macd(3,6,2), OBV")
        assert len(told["start_ms"]) == 7
        assert list(told["indicators"][MACD]) == ["macd", "macdsignal", "macdhist"]
        for text, rows in expected(feed).items():
            columns = list(told["indicators"][text].values())
            assert pytest.approx(np.array(rows[-7:]), rel=1e-9, abs=1e-9) == np.array(columns).T
        day = told["start_ms"][-1] // DAY_MS
        assert chart.values[SMA][day] == [told["indicators"][SMA]["real"][-1]]


def test_history_without_values_has_nulls(feed: FeedProcess) -> None:
    told = series_of(feed, indicators="SMA(3)")
    assert told["indicators"]["SMA(3)"]["real"][:2] == [None, None]
    assert "indicators" not in series_of(feed)


def test_arrow_has_a_column_for_each_output(feed: FeedProcess) -> None:
    told = httpx.get(
        f"{feed.url}/api/bars",
        params={"symbol": "AAPL", "indicators": "BBANDS(5),SMA(3)", "limit": "4"},
        headers={"Accept": ARROW},
    )
    table = pa.ipc.open_stream(told.content).read_all()
    assert table.column_names[-4:] == [
        *(f"BBANDS(5,2,2,0).{name}band" for name in ("upper", "middle", "lower")),
        "SMA(3).real",
    ]
    body = series_of(feed, indicators="SMA(3)", limit=4)
    assert table["SMA(3).real"].to_pylist() == body["indicators"]["SMA(3)"]["real"]


def test_other_indicators_take_the_place_of_those_before(feed: FeedProcess, here: Market) -> None:
    with RawSocket(feed.port) as client:
        chart = Chart(client, indicators=["SMA(3)"])
        chart.read_up_to(here.trade().offset)
        client.say(type="subscribe", id=2, **BARS, indicators=["EMA(4)"])
        assert client.next(Subscribed).indicators == ["EMA(4)"]
        message = chart.read()
        assert list(message.indicators) == ["EMA(4)"]
        while chart.values["EMA(4)"][max(chart.close)] == [None]:
            chart.read()
        client.say(type="list", id=3)
        (listed,) = client.next(Listed).subscriptions
        assert (listed.symbols, listed.indicators) == (["AAPL"], ["EMA(4)"])
        client.say(type="unsubscribe", id=4, **BARS)
        assert client.next(Unsubscribed).symbols == ["AAPL"]
        client.say(type="subscribe", id=5, **BARS)
        assert client.next(Subscribed).indicators == []
        assert chart.read().indicators == {}


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ({"indicators": ["SMAX(3)"]}, ["did you mean SMA", "Momentum Indicators: ", "RSI"]),
        ({"indicators": ["SMA(0)"]}, ["timeperiod of SMA", "from 1 to 2000, not '0'"]),
        ({"indicators": [f"SMA({n})" for n in range(2, 30)]}, ["28 indicators", "20 allowed"]),
        (
            {"channel": "quotes", "interval": None, "indicators": ["SMA"]},
            ["only channel 'bars' has indicators"],
        ),
    ],
)
def test_what_is_wrong_with_an_indicator_is_told(
    feed: FeedProcess, command: dict[str, Any], parts: list[str]
) -> None:
    with RawSocket(feed.port) as client:
        client.say(**{"type": "subscribe", "id": 9, **BARS, **command})
        error = client.next(Error)
        assert (error.code, error.id) == (ErrorCode.BAD_PARAMETER, 9)
        for part in parts:
            assert part in error.message


def test_http_tells_what_is_wrong_with_an_indicator(feed: FeedProcess) -> None:
    told = httpx.get(f"{feed.url}/api/bars", params={"symbol": "AAPL", "indicators": "RSI(1)"})
    assert told.status_code == 400
    assert told.json()["code"] == "bad_parameter"
    assert "timeperiod of RSI must be a whole number from 2 to 2000" in told.json()["message"]


def test_an_answer_that_would_be_very_long_is_refused(feed: FeedProcess) -> None:
    bands = ",".join(f"BBANDS({period})" for period in range(2, 22))
    params = {"symbol": "AAPL", "interval": "1d", "indicators": bands}
    told = httpx.get(f"{feed.url}/api/bars", params={**params, "limit": 10_000})
    assert told.status_code == 400
    assert "ask for 3333 bars at most" in told.json()["message"]
    assert httpx.get(f"{feed.url}/api/bars", params={**params, "limit": 3_333}).status_code == 200


def test_all_indicators_are_listed(feed: FeedProcess) -> None:
    told = httpx.get(f"{feed.url}/api/indicators").json()["indicators"]
    assert [one["name"] for one in told] == [info.name for info in catalogue()]
    (sma,) = (one for one in told if one["name"] == "SMA")
    assert sma["parameters"][0]["name"] == "timeperiod"
    assert sma["overlay"] == ["real"]


def test_events_have_the_values_too(feed: FeedProcess, here: Market) -> None:
    query = {
        "channel": "bars",
        "interval": "1d",
        "symbols": "AAPL",
        "indicators": "SMA(3),MACD(3,6,2)",
    }
    with httpx.stream("GET", f"{feed.url}/api/stream", params=query, timeout=20) as stream:
        for line in stream.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if message.get("type") == "bars" and None not in message["indicators"][SMA][-1]:
                break
    assert list(message["indicators"]) == [MACD, SMA]
    assert message["indicators"][SMA][-1] == pytest.approx(expected(feed)[SMA][-1])
