"""The ``alphavantage`` provider against a real server that speaks as the vendor does."""

import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from feed_server.errors import (
    ConfigurationError,
    MalformedError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
    UnknownSymbolError,
)
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import Interval
from feed_server.providers.alphavantage import AlphaVantageProvider
from feed_server.providers.base import Rate
from tests.provider_conformance import Example, conforms
from tests.vendors import alphavantage_server as said
from tests.vendors.alphavantage_server import AlphaVantageServer, Row
from tests.vendors.http_faults import Answer

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2018, 10, 8, 12, tzinfo=NEW_YORK)
NOW_MS = int(NOW.timestamp() * 1000)
DAY_MS = 86_400_000
NAMES = {
    Interval.MINUTE: "1min",
    Interval.FIVE_MINUTES: "5min",
    Interval.QUARTER_HOUR: "15min",
    Interval.HOUR: "60min",
}


@pytest.fixture
def server() -> Iterator[AlphaVantageServer]:
    with AlphaVantageServer() as vendor:
        vendor.set_quote("MSFT")
        vendor.set_matches(("MSF.DEX", "Microsoft", "EUR"), ("MSFT", "Microsoft", "USD"))
        vendor.set_bars("MSFT", "Daily", days(300))
        for interval, name in NAMES.items():
            vendor.set_bars("MSFT", name, steps(interval, 80))
        yield vendor


@asynccontextmanager
async def opened(
    server: AlphaVantageServer, key: str | None = None, *, per_day: int = 25
) -> AsyncIterator[AlphaVantageProvider]:
    provider = AlphaVantageProvider(
        server.key if key is None else key,
        ["MSFT", "TSCO.LON"],
        server.url,
        5,
        per_day,
        now_ms=lambda: NOW_MS,
    )
    try:
        yield provider
    finally:
        await provider.aclose()


@pytest.fixture
async def provider(server: AlphaVantageServer) -> AsyncIterator[AlphaVantageProvider]:
    async with opened(server) as made:
        yield made


def days(count: int) -> list[Row]:
    """Weekdays, the last of which is today."""
    dates = [NOW.date() - timedelta(days=back) for back in range(count * 7 // 5 + 3)]
    weekdays = [day for day in reversed(dates) if day.weekday() < 5][-count:]
    return [(str(day), n + 1.0, n + 2.0, n + 0.5, n + 1.5, 100.0) for n, day in enumerate(weekdays)]


def steps(interval: Interval, days_back: int) -> list[Row]:
    """One bar an hour at most, at noon and after, of each day; the last has not ended."""
    last = NOW.replace(tzinfo=None)
    times = [
        last - timedelta(days=back, milliseconds=n * interval.ms)
        for back in range(days_back)
        for n in range(5)
    ]
    return [(str(time), 1.0, 2.0, 0.5, 1.5, float(n)) for n, time in enumerate(sorted(times))]


def ago_ms(days_ago: float) -> int:
    return NOW_MS - int(days_ago * DAY_MS)


async def quote(provider: AlphaVantageProvider, symbol: str = "MSFT") -> object:
    return (await provider.quotes([symbol]))[symbol]


async def test_it_keeps_what_a_provider_promises(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.premium = True
    example = Example(
        symbol="MSFT",
        unknown="NOPE",
        now_ms=NOW_MS,
        history={interval: (ago_ms(20), NOW_MS) for interval in (*NAMES, Interval.DAY)},
        query="microsoft",
    )
    await conforms(provider, example)


async def test_it_tells_what_the_plan_allows(provider: AlphaVantageProvider) -> None:
    able = provider.capabilities
    assert able.rates == (Rate(1, 1), Rate(5, 60), Rate(25, 86_400))
    assert (able.polls, able.streams, able.open_list, able.batch) == (True, False, True, 1)
    assert provider.label == "END OF DAY"


@pytest.mark.parametrize(("per_day", "poll_s"), [(25, 13_824), (1, 43_200), (100_000, 300)])
async def test_quotes_of_the_listed_symbols_take_half_of_the_days_requests(
    server: AlphaVantageServer, per_day: int, poll_s: float
) -> None:
    async with opened(server, per_day=per_day) as provider:
        assert provider.capabilities.poll_s == pytest.approx(poll_s)


async def test_listed_symbols_have_the_currency_of_their_exchange(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    infos = await provider.symbols()
    listed = [(info.symbol, info.currency, info.label) for info in infos]
    assert listed == [("MSFT", "USD", "END OF DAY"), ("TSCO.LON", "GBX", "END OF DAY")]
    assert server.requests == [], "a request of the day's few is not spent on it"


async def test_a_quote_is_the_last_close(provider: AlphaVantageProvider) -> None:
    found = await quote(provider)
    assert isinstance(found, SessionSnapshot)
    assert (found.last, found.prev_close) == (112.13, 112.79)
    close = datetime(2018, 10, 5, 16, tzinfo=NEW_YORK)
    assert found.time_ms == close.timestamp() * 1000


async def test_one_bad_symbol_does_not_harm_the_others(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.set_quote("ODD", price="n/a")
    found = await provider.quotes(["NOPE", "ODD", "MSFT"])
    kinds = [type(found[symbol]) for symbol in ("NOPE", "ODD", "MSFT")]
    assert kinds == [UnknownSymbolError, MalformedError, SessionSnapshot]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"Note": said.PER_MINUTE}, RateLimitedError),
        ({"Information": said.PER_SECOND}, RateLimitedError),
        ({"Information": said.PER_DAY.format(key="AV-KEY/1+2")}, RateLimitedError),
        ({"Error Message": said.BAD_KEY}, UnauthorizedError),
        ({"Information": "Something new."}, MalformedError),
    ],
)
async def test_what_is_refused_to_all_symbols_is_raised(
    server: AlphaVantageServer,
    provider: AlphaVantageProvider,
    body: dict[str, object],
    kind: type[ProviderError],
) -> None:
    server.refuse = body
    with pytest.raises(kind):
        await quote(provider)
    with pytest.raises(kind):
        await provider.history("MSFT", Interval.DAY, ago_ms(9), NOW_MS)
    with pytest.raises(kind):
        await provider.search("MSFT")


async def test_the_wrong_key_is_unauthorized(server: AlphaVantageServer) -> None:
    async with opened(server, "another") as provider:
        with pytest.raises(UnauthorizedError, match="refuses the key"):
            await quote(provider)


FAULTS = [
    (Answer(body="<html>Just a moment...</html>"), MalformedError),
    (Answer(body=b'{"Global Quote": {"05. pri'), MalformedError),
    (Answer(body=b"[]"), MalformedError),
    (Answer(body=b"\xff\xfe"), MalformedError),
    (Answer(body=b'{"Global Quote": {}}', missing=20), UnavailableError),
    (Answer(drop=True), UnavailableError),
    (Answer(drop=True, reset=True), UnavailableError),
    (Answer(status=503, body="<html>Service Unavailable</html>"), UnavailableError),
    (Answer(status=429, headers={"Retry-After": "7"}, body="slow down"), RateLimitedError),
    (Answer(status=403, body="Forbidden"), UnauthorizedError),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
async def test_a_faulty_answer_is_a_provider_error(
    server: AlphaVantageServer,
    provider: AlphaVantageProvider,
    fault: Answer,
    kind: type[ProviderError],
) -> None:
    server.faulty = fault
    with pytest.raises(kind):
        await quote(provider)
    server.faulty = None
    assert isinstance(await quote(provider), SessionSnapshot)


@pytest.mark.parametrize(
    "fault",
    [
        *(fault for fault, _ in FAULTS),
        Answer(status=500, body="at /query?apikey=AV-KEY/1+2, or AV-KEY%2F1%2B2"),
        Answer(body="<a href='/query?apikey=AV-KEY%2F1%2B2'>AV-KEY/1+2</a>"),
        Answer(status=302, headers={"Location": "/login?apikey=AV-KEY%2F1%2B2"}),
        Answer(body={"Information": said.PER_DAY.format(key="AV-KEY/1+2")}),
        Answer(body={"Information": "What is AV-KEY/1+2?"}),
        Answer(body={"Error Message": "Bad call with AV-KEY/1+2"}),
        Answer(body={"AV-KEY/1+2": {}}),
        Answer(body={"Global Quote": {"01. symbol": "AV-KEY/1+2"}}),
        Answer(body={"Meta Data": {"6. Time Zone": "AV-KEY/1+2"}, "Time Series": {}}),
    ],
)
async def test_the_key_is_in_no_error_traceback_log_or_repr(
    server: AlphaVantageServer,
    provider: AlphaVantageProvider,
    fault: Answer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faulty = fault
    told = [repr(provider), repr(vars(provider).get("_http"))]
    for asking in (
        provider.quotes(["MSFT"]),
        provider.history("MSFT", Interval.DAY, ago_ms(9), NOW_MS),
        provider.history("MSFT", Interval.HOUR, ago_ms(9), NOW_MS),
        provider.search("MSFT"),
    ):
        try:
            told.append(repr(await asking))
        except ProviderError as error:
            told += [repr(error), *traceback.format_exception(error)]
    assert server.requests[0].query["apikey"] == "AV-KEY/1+2", "it was sent"
    assert caplog.records, "something was logged"
    for text in (*told, caplog.text):
        assert "AV-KEY" not in text


async def test_a_server_that_is_not_there_is_unavailable_and_the_key_stays_hidden() -> None:
    provider = AlphaVantageProvider("AV-KEY/1+2", [], "http://127.0.0.1:1", 5, 25)
    with pytest.raises(UnavailableError) as refused:
        await provider.quotes(["MSFT"])
    await provider.aclose()
    assert "AV-KEY" not in "".join(traceback.format_exception(refused.value))


def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError):
        AlphaVantageProvider("key", [], "www.alphavantage.co", 5, 25)


async def test_the_newest_days_are_asked_for_shortly(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    bars = await provider.history("MSFT", Interval.DAY, ago_ms(130), NOW_MS)
    assert [asked["outputsize"] for asked in server.asked] == ["compact"]
    assert str(bars.index[-1]) == "2018-10-05 00:00:00+00:00", "today has not ended"
    assert len(bars) == 91


async def test_a_premium_key_gets_all_days(server: AlphaVantageServer) -> None:
    server.premium = True
    async with opened(server, per_day=100_000) as provider:
        bars = await provider.history("MSFT", Interval.DAY, 0, NOW_MS)
    assert len(bars) == 299
    assert [asked["outputsize"] for asked in server.asked] == ["full"]


@pytest.mark.parametrize(
    ("per_day", "sizes"),
    [(25, ["compact", "compact"]), (26, ["full", "compact", "compact"])],
)
async def test_a_key_that_is_refused_all_days_gets_the_newest(
    server: AlphaVantageServer, per_day: int, sizes: list[str]
) -> None:
    async with opened(server, per_day=per_day) as provider:
        assert len(await provider.history("MSFT", Interval.DAY, 0, NOW_MS)) == 99
        assert len(await provider.history("MSFT", Interval.DAY, 0, NOW_MS)) == 99
        assert [asked["outputsize"] for asked in server.asked] == sizes
        with pytest.raises(NotOfferedError, match="premium plan"):
            await provider.history("MSFT", Interval.DAY, 0, ago_ms(200))


async def test_a_share_that_is_younger_than_a_hundred_days_has_no_older_ones(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.set_bars("NEW", "Daily", days(50))
    assert len(await provider.history("NEW", Interval.DAY, 0, NOW_MS)) == 49
    assert (await provider.history("NEW", Interval.DAY, 0, ago_ms(200))).empty


async def test_intraday_bars_are_not_offered_to_a_free_key(provider: AlphaVantageProvider) -> None:
    with pytest.raises(NotOfferedError, match="premium endpoint"):
        await provider.history("MSFT", Interval.MINUTE, ago_ms(1), NOW_MS)


@pytest.mark.parametrize("interval", list(NAMES))
async def test_older_intraday_bars_are_put_together_by_month(
    server: AlphaVantageServer, provider: AlphaVantageProvider, interval: Interval
) -> None:
    server.premium = True
    bars = await provider.history("MSFT", interval, ago_ms(70), NOW_MS)
    months = [asked.get("month", "") for asked in server.asked]
    assert months == ["", "2018-09", "2018-08", "2018-07"]
    assert all(asked["adjusted"] == "false" for asked in server.asked)
    whole = [
        pd.Timestamp(time, tz="US/Eastern").tz_convert("UTC")
        for time, *_ in steps(interval, 80)
        if ago_ms(70) <= datetime.fromisoformat(time).replace(tzinfo=NEW_YORK).timestamp() * 1000
    ]
    assert bars.index.tolist() == whole[:-1]


async def test_of_more_bars_than_it_may_return_it_gives_the_newest(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.premium = True
    minutes = [NOW.replace(tzinfo=None) - timedelta(minutes=n) for n in range(3000, 0, -1)]
    server.set_bars("MSFT", "1min", [(str(time), 1, 2, 0.5, 1.5, 9) for time in minutes])
    bars = await provider.history("MSFT", Interval.MINUTE, 0, NOW_MS)
    assert len(bars) == provider.capabilities.history_bars == 2000
    assert bars.index[-1].timestamp() * 1000 == NOW_MS - 60_000
    assert len(server.requests) == 1, "older months are not asked for"


async def test_bars_that_two_answers_tell_count_once(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.premium = True
    hours = [NOW.replace(tzinfo=None) - timedelta(hours=n) for n in range(120 * 24, 0, -1)]
    server.set_bars("MSFT", "60min", [(str(time), 1, 2, 0.5, 1.5, 9) for time in hours])
    # Fewer would mean that there are no older ones.
    assert len(await provider.history("MSFT", Interval.HOUR, 0, NOW_MS)) == 2000


async def test_it_stops_asking_at_the_first_month_without_bars(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.premium = True
    assert len(await provider.history("MSFT", Interval.HOUR, 0, NOW_MS)) == 80 * 5 - 1
    assert [asked.get("month") for asked in server.asked][-2:] == ["2018-07", "2018-06"]
    assert (await provider.history("MSFT", Interval.HOUR, 0, ago_ms(300))).empty


async def test_an_unknown_symbol_has_no_history(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    server.premium = True
    for interval in (Interval.DAY, Interval.MINUTE):
        with pytest.raises(UnknownSymbolError, match="NOPE"):
            await provider.history("NOPE", interval, ago_ms(3), NOW_MS)


async def test_a_range_that_is_empty_or_still_to_come_is_not_asked_for(
    server: AlphaVantageServer, provider: AlphaVantageProvider
) -> None:
    for interval in (Interval.DAY, Interval.MINUTE):
        for start_ms, end_ms in ((NOW_MS, NOW_MS), (NOW_MS + DAY_MS, 2**53), (-(2**53), 0)):
            assert (await provider.history("MSFT", interval, start_ms, end_ms)).empty
    assert server.requests == []


async def test_a_search_finds_the_symbol_itself_first(provider: AlphaVantageProvider) -> None:
    found = await provider.search(" msft")
    assert [(info.symbol, info.currency) for info in found] == [("MSFT", "USD"), ("MSF.DEX", "EUR")]
