import json
import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
    UnknownSymbolError,
)
from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.protocol import Interval, Trade
from feed_server.providers.twelvedata_bars import HISTORY_BARS, Series
from feed_server.providers.twelvedata_messages import (
    blame,
    credits_back_s,
    error_of,
    instruments,
    listed,
    number,
    quotes,
    refusal,
    snapshot,
)
from feed_server.providers.twelvedata_prices import Prices, address
from tests.vendors.twelvedata_server import BAD_KEY, CATALOG, NO_DATA, PAYWALL, UNKNOWN

REAL = {
    "symbol": "AAPL",
    "name": "Apple Inc.",
    "exchange": "NASDAQ",
    "datetime": "2025-12-03",
    "open": "286.20001",
    "high": "288.61",
    "low": "283.54001",
    "close": "284.14999",
    "volume": "30965652",
    "previous_close": "286.19000",
    "change": "-2.040009",
    "percent_change": "-0.71281615",
    "average_volume": "44251475",
    "is_market_open": False,
}
MINUTE_LIMIT = (
    "You have run out of API credits for the current minute. 9 API credits were used, with the "
    "current limit being 8."
)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def explain(code: int, message: str) -> ProviderError:
    return refusal(code, message, message, 1.0)


def test_a_real_quote_is_read() -> None:
    assert snapshot("AAPL", REAL) == SessionSnapshot(
        symbol="AAPL",
        time_ms=ms("2025-12-03 12:00"),
        last=284.14999,
        volume=30965652,
        open=286.20001,
        high=288.61,
        low=283.54001,
        prev_close=286.19,
        session=date(2025, 12, 3),
    )


@pytest.mark.parametrize(
    ("fields", "time", "session"),
    [
        ({"last_quote_at": 1789761540, "timestamp": 1789738200}, 1789761540000, "2025-12-03"),
        ({"last_quote_at": None, "timestamp": "1789738200"}, 1789738200000, "2025-12-03"),
        ({"last_quote_at": -1, "timestamp": True}, ms("2025-12-03 12:00"), "2025-12-03"),
        ({"datetime": "2025-12-03 15:59:00"}, ms("2025-12-03 15:59"), None),
        ({"datetime": None, "timestamp": 1789738200}, 1789738200000, None),
    ],
)
def test_the_time_of_the_last_price_is_preferred(
    fields: dict[str, object], time: int, session: str | None
) -> None:
    read = snapshot("AAPL", REAL | fields)
    assert read.time_ms == time
    assert read.session == (session and date.fromisoformat(session))


def test_what_is_null_missing_or_garbage_is_unknown() -> None:
    entry = REAL | {"volume": None, "open": "", "high": "n/a", "low": [], "previous_close": "NaN"}
    read = snapshot("AAPL", entry)
    assert [read.volume, read.open, read.high, read.low, read.prev_close] == [None] * 5
    assert read.last == 284.14999


@pytest.mark.parametrize(
    "fields",
    [
        {"close": None},
        {"close": "NaN"},
        {"close": "1e999"},
        {"close": True},
        {"close": {}},
        {"datetime": "yesterday"},
        {"datetime": None},
        {"symbol": "MSFT"},
    ],
)
def test_a_quote_without_price_or_time_or_of_another_is_malformed(
    fields: dict[str, object],
) -> None:
    with pytest.raises(MalformedError):
        snapshot("AAPL", REAL | fields)


def test_prices_beyond_reason_are_passed_on_to_be_counted() -> None:
    assert snapshot("AAPL", REAL | {"close": "-3.5"}).last == -3.5
    assert snapshot("AAPL", REAL | {"close": 1e308}).last == 1e308


def test_a_pair_is_priced_in_its_second_currency() -> None:
    assert snapshot("EUR/USD", REAL | {"symbol": "EUR/USD"}).currency == "USD"
    assert snapshot("AAPL", REAL | {"currency": "CAD"}).currency == "CAD"
    assert snapshot("RY:TSX", REAL | {"symbol": "RY"}).currency is None


@given(
    st.dictionaries(st.sampled_from([*REAL, "timestamp", "last_quote_at"]), st.from_type(object))
)
def test_no_field_makes_it_crash(fields: dict[str, object]) -> None:
    try:
        read = snapshot("AAPL", REAL | fields)
    except MalformedError:
        return
    assert math.isfinite(read.last)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("AAPL"), inner),
    )
)
def test_no_answer_makes_it_crash(body: object) -> None:
    error_of(body, 200)
    try:
        quotes(["AAPL", "MSFT"], body, explain)
        instruments("AAPL", body)
    except ProviderError:
        pass


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("12.50", 12.5),
        (" 7 ", 7.0),
        (3, 3.0),
        ("1e3", 1000.0),
        ("1_000", None),
        ("1.2.3", None),
        ("inf", None),
        ("", None),
        (None, None),
        (False, None),
        (float("nan"), None),
        (10**400, None),
    ],
)
def test_numbers_come_as_text_or_number(value: object, read: float | None) -> None:
    assert number(value) == read


def test_one_symbol_may_fail_inside_a_batch() -> None:
    body = {
        "AAPL": REAL,
        "NOPE": {"code": 404, "message": UNKNOWN, "status": "error"},
        "PMEH": {"code": 404, "message": PAYWALL, "status": "error"},
        "MSFT": REAL | {"symbol": "MSFT", "close": None},
        "SPY": None,
    }
    read = quotes(["AAPL", "NOPE", "PMEH", "MSFT", "SPY", "GONE"], body, explain)
    kinds = [type(read[s]) for s in ("AAPL", "NOPE", "PMEH", "MSFT", "SPY", "GONE")]
    assert kinds == [
        SessionSnapshot,
        UnknownSymbolError,
        NotOfferedError,
        MalformedError,
        MalformedError,
        MalformedError,
    ]


def test_one_symbol_alone_comes_without_its_name() -> None:
    assert isinstance(quotes(["AAPL"], REAL, explain)["AAPL"], SessionSnapshot)
    assert isinstance(quotes(["AAPL"], {"AAPL": REAL}, explain)["AAPL"], SessionSnapshot)
    assert isinstance(quotes(["AAPL"], {}, explain)["AAPL"], MalformedError)


def test_a_batch_that_fails_as_a_whole_inside_is_raised() -> None:
    limited = {"code": 429, "message": MINUTE_LIMIT, "status": "error"}
    with pytest.raises(RateLimitedError):
        quotes(["A", "B"], {"A": limited, "B": limited}, explain)
    read = quotes(["A", "AAPL"], {"A": limited, "AAPL": REAL}, explain)
    assert isinstance(read["A"], RateLimitedError)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (429, MINUTE_LIMIT, RateLimitedError),
        (429, MINUTE_LIMIT + " Consider upgrading your plan.", RateLimitedError),
        (401, BAD_KEY, UnauthorizedError),
        (403, "**apikey** parameter is incorrect", UnauthorizedError),
        (403, "/x is available exclusively with pro or ultra plans", NotOfferedError),
        (403, "forbidden", NotOfferedError),
        (404, PAYWALL, NotOfferedError),
        (400, "**symbol** X is not available with your plan", NotOfferedError),
        (404, UNKNOWN, UnknownSymbolError),
        (400, "**symbol** not found: VTSAX. Please specify it correctly", UnknownSymbolError),
        (400, NO_DATA, NotOfferedError),
        (400, "**interval** is invalid", MalformedError),
        (500, "Internal Server Error", UnavailableError),
        (503, "upgrading our servers", UnavailableError),
        (0, "?", MalformedError),
    ],
)
def test_an_error_is_told_by_its_code_and_text(
    code: int, message: str, kind: type[ProviderError]
) -> None:
    assert type(refusal(code, message, "shown", 1.0)) is kind
    assert str(refusal(code, message, "shown", 1.0)) == f"twelvedata: {code}: shown"


def test_an_error_is_known_with_any_status() -> None:
    body = {"code": 429, "message": "m", "status": "error"}
    assert error_of(body, 200) == (429, "m")
    assert error_of(body, 429) == (429, "m")
    assert error_of({"code": "404", "message": None}, 200) == (404, "no message")
    assert error_of({"status": "error"}, 400) == (400, "no message")
    assert error_of({}, 414) == (414, "no message")
    assert error_of([], 400) == (400, "[]")
    assert error_of(REAL, 200) is None
    assert error_of({"values": [], "status": "ok"}, 200) is None


def test_credits_come_back_with_the_next_minute_or_day() -> None:
    at_s = datetime(2026, 1, 2, 22, 30, 45, tzinfo=UTC).timestamp()
    assert credits_back_s(MINUTE_LIMIT, at_s) == 15 + 1
    assert credits_back_s("You have run out of API credits for the day.", at_s) == 5_355 + 1


def test_a_single_symbol_is_to_blame_for_its_error() -> None:
    unknown = refusal(404, UNKNOWN, UNKNOWN, 1.0)
    assert blame(["NOPE"], unknown) == {"NOPE": unknown}


def test_of_several_the_named_one_is_to_blame() -> None:
    text = "**symbol** not found: VT. Please specify it correctly"
    read = blame(["VTI", "VT", "RY:VT"], refusal(400, text, text, 1.0))
    assert [type(read[s]) for s in ("VTI", "VT", "RY:VT")] == [
        UnavailableError,
        UnknownSymbolError,
        UnavailableError,
    ]


def test_where_none_is_named_nobody_is_blamed() -> None:
    with pytest.raises(UnavailableError, match="asked for A, B"):
        blame(["A", "B"], refusal(404, UNKNOWN, UNKNOWN, 1.0))
    with pytest.raises(UnauthorizedError):
        blame(["A"], refusal(401, BAD_KEY, BAD_KEY, 1.0))


def test_the_home_listing_of_what_was_searched_comes_first() -> None:
    found = instruments("aapl", {"data": list(CATALOG[:3])})
    assert [info.symbol for info in found] == ["AAPL", "AAPL:NEO", "AAPLW"]
    assert (found[0].name, found[0].currency, found[0].zone) == (
        "Apple Inc.",
        "USD",
        "America/New_York",
    )
    assert (found[1].currency, found[1].zone) == ("CAD", "America/Toronto")


@pytest.mark.parametrize("text", ["RY:TSX", "ry:xtse", "RY:NYSE", "RY"])
def test_a_listing_that_is_named_comes_first_under_that_name(text: str) -> None:
    found = instruments(text, {"data": list(CATALOG[4:6])})
    assert found[0].symbol == text.upper()


def test_a_pair_has_more_decimals_and_no_zone_of_its_own() -> None:
    euro = instruments("eur/usd", {"data": [CATALOG[6]]})[0]
    assert (euro.symbol, euro.currency, euro.decimals, euro.zone) == ("EUR/USD", "USD", 5, "UTC")
    assert listed("USD/JPY").decimals == 3
    assert listed("BTC/USD").decimals == 2
    assert (listed("RY:TSX").currency, listed("RY:TSX").zone) == ("CAD", "America/Toronto")


def test_what_cannot_be_a_symbol_is_not_found() -> None:
    hits = [
        {"symbol": None},
        {"symbol": "two words", "country": "United States"},
        {
            "symbol": "X",
            "exchange": "Far Away",
            "mic_code": "XFAR",
            "exchange_timezone": "No/Where",
        },
        {"symbol": "X", "exchange": "Far Away", "mic_code": None},
        "X",
    ]
    found = instruments("X", {"data": hits})
    assert [(info.symbol, info.zone) for info in found] == [("X:XFAR", "America/New_York")]
    with pytest.raises(MalformedError):
        instruments("X", {"data": None})


NOW = "2021-08-26 16:30"


def series(interval: Interval, start: str, end: str, now: str = NOW) -> Series:
    return Series("AAPL", interval, ms(start), ms(end), ms(now))


def row(when: str, *prices: object, volume: object = "1") -> dict[str, object]:
    names = ("open", "high", "low", "close")
    return {"datetime": when, "volume": volume} | dict(zip(names, prices, strict=True))


def body(*rows: dict[str, object]) -> dict[str, object]:
    return {"meta": {"exchange_timezone": "America/New_York"}, "values": list(rows)}


def test_bars_come_oldest_first_and_only_those_that_ended() -> None:
    real = row("2021-08-26 15:59:00", "148.372", "148.405", "148.365", "148.390", volume="2206")
    answer = body(
        row("2021-08-26 16:30:00", "9", "9", "9", "9"),
        row("2021-08-26 16:29:30", "9", "9", "9", "9"),
        row("2021-08-26 16:29:00", "1", "2", "1", "2"),
        real,
        row("2021-08-26 15:58:00", "3", "3", "3", "3"),
    )
    frame = series(Interval.MINUTE, "2021-08-26 15:59", "2021-08-26 17:00").frame(answer)
    assert [str(time) for time in frame.index] == [
        "2021-08-26 15:59:00+00:00",
        "2021-08-26 16:29:00+00:00",
    ]
    assert frame.iloc[0].tolist() == [148.372, 148.405, 148.365, 148.39, 2206]
    assert frame.index.name == "time"


def test_a_day_has_ended_when_the_exchange_says_so() -> None:
    answer = body(
        row("2021-08-26", "1", "1", "1", "1"),
        row("2021-08-25", "1", "1", "1", "1", volume=None),
        row("2021-08-24", "1", "1", "1", "1"),
    )
    for now, last in [
        ("2021-08-26 16:30", "2021-08-25"),
        ("2021-08-27 03:59", "2021-08-25"),
        ("2021-08-27 04:00", "2021-08-26"),
    ]:
        frame = series(Interval.DAY, "2021-08-25", "2021-09-01", now).frame(answer)
        assert str(frame.index[0]) == "2021-08-25 00:00:00+00:00"
        assert str(frame.index[-1])[:10] == last
        assert frame["volume"].iloc[0] == 0


def test_hours_are_made_of_half_hours() -> None:
    answer = body(
        row("2021-08-26 16:00:00", "7", "7", "7", "7"),
        row("2021-08-26 15:30:00", "5", "6", "2", "3", volume="20"),
        row("2021-08-26 15:00:00", "4", "5", "3", "4", volume="10"),
        row("2021-08-26 13:30:00", "1", "2", "1", "2", volume="5"),
    )
    frame = series(Interval.HOUR, "2021-08-26 13:00", "2021-08-27").frame(answer)
    assert [time.hour for time in frame.index] == [13, 15]
    assert frame.iloc[0].tolist() == [1, 2, 1, 2, 5]
    assert frame.iloc[1].tolist() == [4, 6, 2, 3, 30]
    asked = series(Interval.HOUR, "2021-08-26 13:00", "2021-08-26 15:00").params()
    assert (asked["interval"], asked["end_date"]) == ("30min", "2021-08-26 16:00:00")


def test_hours_that_begin_with_no_half_hour_are_not_offered() -> None:
    answer = body(row("2021-08-26 03:45:00", "1", "1", "1", "1"))
    with pytest.raises(NotOfferedError):
        series(Interval.HOUR, "2021-08-26", "2021-08-27").frame(answer)


def rows_before(end: str, count: int, every_ms: int) -> list[dict[str, object]]:
    times = [datetime.fromtimestamp((ms(end) - n * every_ms) / 1000, UTC) for n in range(count)]
    return [row(f"{time:%Y-%m-%d %H:%M:%S}", *"1111") for time in times]


@pytest.mark.parametrize("newest", ["2021-08-26 01:00", "2021-08-26 00:30", "2021-08-25 23:30"])
def test_of_an_answer_that_was_cut_every_hour_is_whole(newest: str) -> None:
    wide = series(Interval.HOUR, "2000-01-01", "2021-08-26")
    frame = wide.frame(body(*rows_before(newest, wide.rows, 1_800_000)))
    assert len(frame) == HISTORY_BARS
    assert (frame["volume"] == 2).all()
    assert str(frame.index[-1]) == "2021-08-25 23:00:00+00:00"


def test_the_newest_are_kept_where_there_are_too_many() -> None:
    wide = series(Interval.MINUTE, "2000-01-01", "2021-08-26")
    frame = wide.frame(body(*rows_before("2021-08-26", wide.rows, 60_000)))
    assert len(frame) == HISTORY_BARS
    assert str(frame.index[-1]) == "2021-08-25 23:59:00+00:00"


def test_rows_that_are_no_bars_are_gaps() -> None:
    bad = [
        row("2021-08-26 12:00:00", None, "1", "1", "1"),
        row("2021-08-26 12:01:00", "1", "1", "2", "1"),
        row("2021-08-26 12:02:00", "0", "1", "0", "1"),
        row("2021-08-26 12:03:00", "1", "NaN", "1", "1"),
        row("noon", "1", "1", "1", "1"),
        {},
    ]
    wanted = series(Interval.MINUTE, "2021-08-26", "2021-08-27")
    assert len(wanted.frame(body(*bad, row("2021-08-26 12:04:00", *"1111")))) == 1
    assert wanted.frame(body()).empty
    answers: list[object] = [body(*bad), {"values": None}, [], None]
    for answer in answers:
        with pytest.raises(MalformedError):
            wanted.frame(answer)


@pytest.mark.parametrize(
    ("interval", "written", "start", "end"),
    [
        (Interval.MINUTE, "1min", "2021-08-20 10:00:00", "2021-08-21 10:00:00"),
        (Interval.FIVE_MINUTES, "5min", "2021-08-20 10:00:00", "2021-08-21 10:00:00"),
        (Interval.QUARTER_HOUR, "15min", "2021-08-20 10:00:00", "2021-08-21 10:00:00"),
        (Interval.DAY, "1day", "2021-08-20", "2021-08-22"),
    ],
)
def test_a_range_is_asked_for_in_utc(
    interval: Interval, written: str, start: str, end: str
) -> None:
    params = series(interval, "2021-08-20 10:00", "2021-08-21 10:00").params()
    assert params == {
        "symbol": "AAPL",
        "interval": written,
        "start_date": start,
        "end_date": end,
        "outputsize": HISTORY_BARS + 8,
        "timezone": "UTC",
    }


def test_a_range_without_bounds_is_cut_to_what_can_be() -> None:
    params = Series("A", Interval.MINUTE, -(2**60), 2**60, ms(NOW)).params()
    assert str(params["end_date"]) == "2021-08-27 16:30:00"
    assert str(params["start_date"]) < "1900"


def told(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def price(symbol: str = "AAPL", **fields: object) -> bytes:
    base = {"event": "price", "symbol": symbol, "exchange": "NASDAQ", "timestamp": 1592249566}
    return json.dumps(base | {"price": 342.0157, "currency": "USD"} | fields).encode()


def prices(*symbols: str) -> Prices:
    made = Prices(lambda text: text.replace("KEY", "***"))
    made.want(symbols)
    return made


def trades(events: list[MarketEvent]) -> list[Trade]:
    return [event for event in events if isinstance(event, Trade)]


def test_a_real_price_is_a_trade() -> None:
    message = (
        b'{"event":"price","symbol":"AAPL","currency":"USD","exchange":"NASDAQ",'
        b'"type":"Common Stock","timestamp":1592249566,"price":342.0157,"day_volume":27631112}'
    )
    assert prices("AAPL").take(message) == [
        Trade("AAPL", 1592249566000, 342.0157, 0.0, None, "USD")
    ]


def test_the_size_is_what_the_day_volume_has_grown_by() -> None:
    aapl = prices("AAPL", "MSFT")
    volumes = [100, 130, 130, None, 150, 20, 25]
    events = [e for v in volumes for e in aapl.take(price(day_volume=v))]
    assert [trade.size for trade in trades(events)] == [0, 30, 0, 0, 20, 0, 5]
    assert trades(aapl.take(price("MSFT", day_volume=7)))[0].size == 0


def test_best_prices_come_before_the_trade() -> None:
    events = prices("EUR/USD").take(price("EUR/USD", bid=1.1, ask=1.2, currency=None, exchange=""))
    assert events == [
        TopOfBook("EUR/USD", 1592249566000, 1.1, 1.2),
        Trade("EUR/USD", 1592249566000, 342.0157, 0.0, None, "USD"),
    ]


def test_a_price_is_known_by_its_exchange() -> None:
    both = prices("RY", "RY:TSX")
    symbols = [
        event.symbol
        for exchange in ("NYSE", "TSX")
        for event in both.take(price("RY", exchange=exchange))
    ]
    assert symbols == ["RY", "RY:TSX"]
    assert prices("RY:TSX").take(price("RY", exchange="NYSE")) == []


def test_what_is_not_wanted_any_more_is_not_told() -> None:
    two = prices("AAPL", "MSFT")
    assert two.want(["MSFT", "SPY", "A"]) == [
        {"action": "unsubscribe", "params": {"symbols": "AAPL"}},
        {"action": "subscribe", "params": {"symbols": "A,SPY"}},
    ]
    assert two.want(["MSFT", "SPY", "A"]) == []
    assert two.take(price("AAPL")) == []


def test_a_price_that_is_none_is_passed_on_and_one_without_time_counted() -> None:
    aapl = prices("AAPL")
    assert math.isnan(trades(aapl.take(price(price=None)))[0].price)
    assert aapl.take(price(timestamp=None)) == []
    assert aapl.unread == 1


def test_refused_symbols_are_left_out() -> None:
    feed = prices("AAPL", "RY:TSX", "NOPE")
    assert feed.pending == {"AAPL", "RY:TSX", "NOPE"}
    status = told(
        event="subscribe-status",
        status="warning",
        success=[{"symbol": "AAPL", "exchange": "NASDAQ"}],
        fails=[{"symbol": "RY", "message": "KEY has no such plan"}, "NOPE"],
    )
    assert feed.take(status) == []
    assert feed.confirmed == {"AAPL"}
    assert feed.refused == {"RY:TSX": "*** has no such plan", "NOPE": "no reason told"}
    assert not feed.pending
    feed.require_some()
    feed.want(["NOPE"])
    with pytest.raises(NotOfferedError, match="carries none of the symbols: NOPE"):
        feed.require_some()


def test_what_is_never_confirmed_is_left_out_where_others_are() -> None:
    feed = prices("AAPL", "MSFT")
    with pytest.raises(UnavailableError, match="not answered"):
        feed.give_up()
    feed.take(told(event="subscribe-status", status="ok", success=["AAPL"], fails=None))
    feed.give_up()
    assert set(feed.refused) == {"MSFT"}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            told(event="subscribe-status", status="error", messages=["bad apikey"]),
            UnauthorizedError,
        ),
        (told(event="subscribe-status", status="error", message="no KEY"), UnavailableError),
        (told(status="error", message="not available with your plan"), NotOfferedError),
        (b"<html>", MalformedError),
        (b"[1]", MalformedError),
        (b"\xff", MalformedError),
    ],
)
def test_an_error_of_the_connection_is_raised(message: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(kind) as caught:
        prices("AAPL").take(message)
    assert "KEY" not in str(caught.value)


@given(
    st.sampled_from(["price", "subscribe-status", "heartbeat"]),
    st.dictionaries(
        st.sampled_from(
            ["symbol", "timestamp", "price", "day_volume", "bid", "ask", "success", "fails"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("AAPL"),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.just("symbol"), inner, max_size=1)
            ),
            max_leaves=5,
        ),
    ),
)
def test_no_message_makes_it_crash(event: str, fields: dict[str, object]) -> None:
    prices("AAPL").take(json.dumps({"symbol": "AAPL", "event": event} | fields).encode())


def test_a_key_in_an_address_is_escaped() -> None:
    assert address("wss://x/price", "a+b/=") == "wss://x/price?apikey=a%2Bb%2F%3D"
    assert address("wss://x/?v=1", "k") == "wss://x/?v=1&apikey=k"
