import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnknownSymbolError,
)
from feed_server.protocol import Interval
from feed_server.providers.alphavantage import parts
from feed_server.providers.alphavantage_messages import (
    Body,
    read_bars,
    read_matches,
    read_quote,
    refusal,
)
from tests.vendors import alphavantage_server as said

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "alpha_vantage"
NEW_YORK = ZoneInfo("America/New_York")


def new_york_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=NEW_YORK).timestamp() * 1000)  # type: ignore[arg-type,misc]


NOW_MS = new_york_ms(2018, 10, 8, 12)


def refused(body: Body, symbol: str | None = "IBM", now_ms: int = NOW_MS) -> ProviderError | None:
    return refusal(body, symbol, now_ms, lambda text: text.replace("K3Y", "***"))


def quote_body(day: str = "2018-10-05", title: str = "Global Quote", **changes: object) -> Body:
    quote = {
        "01. symbol": "MSFT",
        "02. open": "112.6300",
        "05. price": "112.1300",
        "06. volume": "29062853",
        "07. latest trading day": day,
        "08. previous close": "112.7900",
    }
    names = {"symbol": "01. symbol", "price": "05. price", "open": "02. open"}
    return {title: {**quote, **{names[field]: value for field, value in changes.items()}}}


def bars_body(rows: dict[str, object], zone: str = "US/Eastern", title: str = "(1min)") -> Body:
    return {"Meta Data": {"6. Time Zone": zone}, f"Time Series {title}": rows}


def row(
    open_: object = "1", high: object = "2", low: object = "0.5", close: object = "1.5"
) -> Body:
    prices = {"1. open": open_, "2. high": high, "3. low": low, "4. close": close}
    return {**prices, "5. volume": "10"}


def starts(bars: pd.DataFrame) -> list[str]:
    return [time.isoformat() for time in bars.index]


@pytest.mark.parametrize("name", ["Note", "Information"])
@pytest.mark.parametrize(
    ("text", "retry_after_s"),
    [
        (said.PER_SECOND, 2),
        (said.BURST, 2),
        (said.PER_MINUTE, 60),
        (said.PER_MINUTE_PREMIUM, 60),
        (said.PER_DAY, 12 * 3600),
    ],
)
def test_a_throttle_says_when_to_ask_again(name: str, text: str, retry_after_s: float) -> None:
    error = refused({name: text})
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == retry_after_s


def test_the_day_of_requests_ends_at_midnight_in_new_york_also_when_it_has_25_hours() -> None:
    error = refused({"Information": said.PER_DAY}, now_ms=new_york_ms(2018, 11, 4, 0, 0, 1))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == 25 * 3600 - 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"Information": said.PREMIUM}, NotOfferedError),
        ({"Information": said.PREMIUM_FULL}, NotOfferedError),
        ({"Information": "Realtime data are for premium members."}, NotOfferedError),
        ({"Error Message": said.BAD_KEY}, UnauthorizedError),
        ({"Information": said.BAD_KEY}, UnauthorizedError),
        ({"Information": said.DEMO_KEY}, UnauthorizedError),
        ({"Error Message": said.BAD_CALL}, UnknownSymbolError),
        ({"Information": "We are closed for the holidays."}, MalformedError),
    ],
)
def test_other_refusals_are_told_apart_by_their_wording(
    body: Body, kind: type[ProviderError]
) -> None:
    assert type(refused(body)) is kind


def test_a_bad_call_without_a_symbol_is_our_mistake() -> None:
    assert type(refused({"Error Message": said.BAD_CALL}, symbol=None)) is MalformedError


def test_an_answer_that_refuses_nothing_is_none() -> None:
    assert refused(quote_body()) is None


@pytest.mark.parametrize("name", ["Note", "Information", "Error Message"])
def test_a_key_that_a_refusal_quotes_is_hidden(name: str) -> None:
    error = refused({name: said.PER_DAY.format(key="K3Y")})
    assert error is not None
    assert "K3Y" not in str(error)
    assert "25 requests per" in str(error)


def test_a_quote_is_of_the_close_of_its_day() -> None:
    snapshot = read_quote(quote_body(), "MSFT", NOW_MS)
    assert snapshot.time_ms == new_york_ms(2018, 10, 5, 16)
    assert (snapshot.symbol, snapshot.last, snapshot.volume) == ("MSFT", 112.13, 29062853)
    assert (snapshot.open, snapshot.high, snapshot.prev_close) == (112.63, None, 112.79)
    assert str(snapshot.session) == "2018-10-05"


def test_a_quote_of_a_day_that_still_trades_is_of_now() -> None:
    assert read_quote(quote_body("2018-10-08"), "MSFT", NOW_MS).time_ms == NOW_MS


def test_a_quote_that_says_it_is_delayed_is_so_much_older() -> None:
    body = quote_body("2018-10-08", "Global Quote - DATA DELAYED BY 15 MINUTES")
    assert read_quote(body, "MSFT", NOW_MS).time_ms == NOW_MS - 15 * 60_000
    evening_ms = new_york_ms(2018, 10, 8, 20)
    assert read_quote(body, "MSFT", evening_ms).time_ms == new_york_ms(2018, 10, 8, 16)


def test_an_empty_quote_is_an_unknown_symbol() -> None:
    with pytest.raises(UnknownSymbolError, match="does not know NOPE"):
        read_quote({"Global Quote": {}}, "NOPE", NOW_MS)


def test_a_quote_may_spell_the_symbol_in_the_vendors_way() -> None:
    assert read_quote(quote_body(symbol="BRK-B"), "BRK.B", NOW_MS).symbol == "BRK.B"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Global Quote": []},
        {"Global Quote": "MSFT"},
        quote_body(symbol="AAPL"),
        quote_body(price=None),
        quote_body(price="-"),
        quote_body("soon"),
    ],
)
def test_a_quote_that_cannot_be_understood_is_malformed(body: Body) -> None:
    with pytest.raises(MalformedError, match="Alpha Vantage"):
        read_quote(body, "MSFT", NOW_MS)


@pytest.mark.parametrize("nothing", [None, "None", "", "-", "n/a"])
def test_what_a_quote_does_not_tell_is_none(nothing: object) -> None:
    assert read_quote(quote_body(open=nothing), "MSFT", NOW_MS).open is None


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2018-01-05 09:30:00", "2018-01-05T14:30:00+00:00"),
        ("2018-07-05 09:30:00", "2018-07-05T13:30:00+00:00"),
        ("2018-03-11 03:30:00", "2018-03-11T07:30:00+00:00"),
        ("2017-11-05 01:30:00", "2017-11-05T05:30:00+00:00"),  # there are two: the first
        ("2018-03-11 02:30:00", "2018-03-11T07:00:00+00:00"),  # there is none
    ],
)
def test_bars_times_are_of_the_zone_that_the_answer_names(local: str, utc: str) -> None:
    bars = read_bars(bars_body({local: row()}), Interval.MINUTE, NOW_MS)
    assert starts(bars) == [utc]


def test_bars_are_oldest_first_and_only_those_that_have_ended() -> None:
    rows: dict[str, object] = {
        "2018-10-08 12:00:00": row(),
        "2018-10-08 11:59:00": row(),
        "2018-10-08 11:58:00": row("1", "3", "1", "3"),
    }
    bars = read_bars(bars_body(rows), Interval.MINUTE, NOW_MS)
    assert starts(bars) == ["2018-10-08T15:58:00+00:00", "2018-10-08T15:59:00+00:00"]
    assert bars["close"].tolist() == [3.0, 1.5]
    assert starts(read_bars(bars_body(rows), Interval.MINUTE, NOW_MS - 1)) == starts(bars)[:1]


def test_a_daily_bar_begins_at_0_utc_of_its_date_and_ends_with_it() -> None:
    body = bars_body({"2018-10-08": row(), "2018-10-05": row()}, title="(Daily)")
    assert starts(read_bars(body, Interval.DAY, NOW_MS)) == ["2018-10-05T00:00:00+00:00"]
    midnight_ms = new_york_ms(2018, 10, 9)
    assert len(read_bars(body, Interval.DAY, midnight_ms - 1)) == 1
    assert len(read_bars(body, Interval.DAY, midnight_ms)) == 2


@pytest.mark.parametrize(
    "bad",
    [
        row(open_=None),
        row(close="None"),
        row(low="NaN"),
        row(high="1e400"),
        row(low="0"),
        row(low="-1"),
        row(high="1.2"),
        row(low="1.2"),
        {},
        "1.5",
        None,
    ],
)
def test_a_bar_that_cannot_be_true_is_left_out(bad: object) -> None:
    rows = {"2018-10-05 10:01:00": bad, "2018-10-05 10:00:00": row(), "soon": row()}
    assert len(read_bars(bars_body(rows), Interval.MINUTE, NOW_MS)) == 1
    with pytest.raises(MalformedError, match="none can be understood"):
        read_bars(bars_body({"2018-10-05 10:01:00": bad}), Interval.MINUTE, NOW_MS)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Meta Data": {"6. Time Zone": "US/Eastern"}},
        {"Time Series (1min)": {}},
        bars_body({}, zone="UTC+01"),
        bars_body({}, zone="../../etc/passwd"),
        {"Meta Data": {}, "Time Series (1min)": {}},
    ],
)
def test_bars_without_their_frame_are_malformed(body: Body) -> None:
    with pytest.raises(MalformedError):
        read_bars(body, Interval.MINUTE, NOW_MS)


def test_no_bars_are_no_bars() -> None:
    assert read_bars(bars_body({}), Interval.MINUTE, NOW_MS).empty


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
ROWS = st.dictionaries(
    st.sampled_from(["1. open", "2. high", "3. low", "4. close", "5. volume", "05. price"]), VALUES
)
TIMES = st.dates().map(str) | st.datetimes().map(str) | st.text(max_size=20)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "Global Quote": VALUES | ROWS,
        "Meta Data": st.just({"6. Time Zone": "US/Eastern"}) | VALUES,
        "Time Series (1min)": st.dictionaries(TIMES, ROWS | VALUES) | VALUES,
        "bestMatches": st.lists(ROWS | VALUES) | VALUES,
        "Information": VALUES,
        "Note": VALUES,
    },
)


@given(BODIES)
def test_whatever_is_answered_is_understood_or_a_provider_error(body: Body) -> None:
    assert isinstance(refused(body), ProviderError | None)
    for read in (
        lambda: read_quote(body, "MSFT", NOW_MS),
        lambda: read_bars(body, Interval.MINUTE, NOW_MS),
        lambda: read_bars(body, Interval.DAY, NOW_MS),
        lambda: read_matches(body),
    ):
        with suppress(ProviderError):
            read()


def test_a_search_that_finds_nothing_is_empty_and_one_without_an_answer_malformed() -> None:
    assert read_matches({"bestMatches": []}) == []
    assert read_matches({"bestMatches": ["?", {}, {"2. name": "Nameless"}]}) == []
    with pytest.raises(MalformedError):
        read_matches({})


@pytest.mark.skipif(not REAL.is_dir(), reason="no recorded replies beside this project")
class TestRealReplies:
    def test_quote(self) -> None:
        body = json.loads((REAL / "global_quote.json").read_text())
        snapshot = read_quote(body, "MSFT", NOW_MS)
        assert (snapshot.last, snapshot.low, snapshot.prev_close) == (112.13, 110.64, 112.79)
        assert snapshot.time_ms == new_york_ms(2018, 10, 5, 16)

    def test_intraday_bars(self) -> None:
        body = json.loads((REAL / "time_series_intraday.json").read_text())
        bars = read_bars(body, Interval.MINUTE, NOW_MS)
        assert len(bars) == len(body["Time Series (1min)"]) == 100
        assert starts(bars)[0] == "2017-12-18T18:17:00+00:00"
        assert starts(bars)[-1] == "2017-12-18T19:56:00+00:00"
        assert bars.iloc[-1].tolist() == [86.49, 86.5, 86.475, 86.5, 10494]


class TestParts:
    DAY_MS = 86_400_000

    def asked(self, start_days: float, end_days: float = 0, of: Interval = Interval.HOUR) -> object:
        start, end = (NOW_MS - int(days * self.DAY_MS) for days in (start_days, end_days))
        return [part.get("month", part["outputsize"]) for part in parts(start, end, NOW_MS, of)]

    def test_the_last_hundred_bars_are_asked_for_shortly(self) -> None:
        assert self.asked(4) == ["compact"]
        assert self.asked(0.06, of=Interval.MINUTE) == ["compact"]

    def test_the_last_month_is_one_request(self) -> None:
        assert self.asked(29) == ["full"]
        assert self.asked(1, of=Interval.MINUTE) == ["full"]

    def test_older_bars_are_asked_for_by_month_the_newest_first(self) -> None:
        assert self.asked(70) == ["full", "2018-09", "2018-08", "2018-07"]
        assert self.asked(70, 60) == ["2018-08", "2018-07"]

    def test_it_does_not_ask_beyond_the_first_month_of_all(self) -> None:
        start_ms = datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1000
        end_ms = datetime(2000, 2, 10, tzinfo=UTC).timestamp() * 1000
        asked = [part["month"] for part in parts(int(start_ms), int(end_ms), NOW_MS, Interval.HOUR)]
        assert asked == ["2000-02", "2000-01"]
