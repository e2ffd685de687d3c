import asyncio
import json
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import structlog

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
from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.protocol import Interval, Trade
from feed_server.providers import twelvedata
from feed_server.providers.base import Rate, Watchlist
from feed_server.providers.twelvedata import TwelveDataProvider
from tests.harness import free_port, until
from tests.vendors.http_faults import Answer
from tests.vendors.twelvedata_server import KEY, PAYWALL, TwelveDataServer

MINUTE_MS = 60_000
DEADLINE_S = 45.0


@pytest.fixture
def server() -> Iterator[TwelveDataServer]:
    with TwelveDataServer() as running:
        yield running


@asynccontextmanager
async def provider_of(
    server: TwelveDataServer, *, key: str = KEY, now: str = "2026-01-02 15:00:20"
) -> AsyncIterator[TwelveDataProvider]:
    now_s = datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()
    made = TwelveDataProvider(
        key, (), server.url, server.websocket_url, 8, 800, clock=lambda: now_s
    )
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture
async def vendor(server: TwelveDataServer) -> AsyncIterator[TwelveDataProvider]:
    async with provider_of(server) as made:
        yield made


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


async def test_what_it_can_and_may_is_its_plan() -> None:
    rest = TwelveDataProvider(KEY, ("SPY",), "http://127.0.0.1:1", "", 5, 100)
    assert not rest.capabilities.streams
    assert rest.capabilities.batch == 5
    assert rest.capabilities.rates == (Rate(5, 60), Rate(100, 86_400))
    assert [info.symbol for info in await rest.symbols()] == ["SPY"]
    await rest.aclose()


async def test_the_symbols_of_its_own_choice_cost_nothing(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    infos = {info.symbol: info for info in await vendor.symbols()}
    assert {"AAPL", "SPY", "EUR/USD", "BTC/USD"} < infos.keys()
    assert (infos["AAPL"].name, infos["AAPL"].currency) == ("Apple Inc.", "USD")
    assert server.requests == []


async def test_quotes_of_several_symbols_are_one_request(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    for symbol, price in {"AAPL": 284.15, "EUR/USD": 1.08, "RY:TSX": 170.0}.items():
        server.set_quote(symbol, price, at_s=1_767_366_000)
    server.set_quote("MSFT", 310.0, close=None)
    server.set_quote("SPY", 600.0, volume=None, open=..., high="n/a")
    server.errors["PMEH"] = (404, PAYWALL)
    symbols = ["AAPL", "EUR/USD", "RY:TSX", "MSFT", "SPY", "PMEH", "NOPE"]
    read = await vendor.quotes(symbols)
    assert list(read) == symbols
    prices = {s: q.last for s, q in read.items() if isinstance(q, SessionSnapshot)}
    assert prices == {"AAPL": 284.15, "EUR/USD": 1.08, "RY:TSX": 170.0, "SPY": 600.0}
    kinds = {s: type(q) for s, q in read.items() if isinstance(q, ProviderError)}
    assert kinds == {"MSFT": MalformedError, "PMEH": NotOfferedError, "NOPE": UnknownSymbolError}
    spy = read["SPY"]
    assert isinstance(spy, SessionSnapshot)
    assert (spy.volume, spy.open, spy.high, spy.low) == (None, None, None, 588.0)
    asked = server.requests[0]
    assert (asked.path, asked.query) == (
        "/quote",
        {"symbol": ",".join(symbols), "timezone": "UTC"},
    )
    assert asked.headers["authorization"] == f"apikey {KEY}"
    assert len(server.requests) == 1


async def test_a_quote_of_one_symbol_or_why_there_is_none(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    server.set_quote("AAPL", 284.15, at_s=1_767_366_000)
    answer = (await vendor.quotes(["AAPL"]))["AAPL"]
    assert isinstance(answer, SessionSnapshot)
    assert (answer.last, answer.time_ms) == (284.15, 1_767_366_000_000)
    assert type((await vendor.quotes(["NOPE"]))["NOPE"]) is UnknownSymbolError
    assert await vendor.quotes([]) == {}
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [200, 429])
async def test_used_up_credits_come_back_with_the_next_minute(status: int) -> None:
    with TwelveDataServer(per_minute=2) as server:
        server.throttle_status = status
        async with provider_of(server) as vendor:
            with pytest.raises(RateLimitedError, match="run out of API credits") as caught:
                await vendor.quotes(["AAPL", "MSFT", "SPY"])
    assert caught.value.retry_after_s == 41


async def test_used_up_credits_of_the_day_come_back_with_the_next_day() -> None:
    with TwelveDataServer(per_day=2) as server:
        async with provider_of(server, now="2026-01-02 23:00:00") as vendor:
            with pytest.raises(RateLimitedError, match="for the day") as caught:
                await vendor.quotes(["AAPL", "MSFT", "SPY"])
    assert caught.value.retry_after_s == 3601


async def test_the_vendor_s_own_hint_is_preferred(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    for body in ({"code": 429, "message": "slow", "status": "error"}, "<h1>Slow down"):
        server.fault = Answer(status=429, headers={"Retry-After": "7"}, body=body)
        with pytest.raises(RateLimitedError) as caught:
            await vendor.quotes(["AAPL"])
        assert caught.value.retry_after_s == 7
    server.fault = Answer(status=429, body="<h1>Slow down")
    with pytest.raises(RateLimitedError) as caught:
        await vendor.quotes(["AAPL"])
    assert caught.value.retry_after_s == 41


async def test_a_wrong_key_is_unauthorized(server: TwelveDataServer) -> None:
    async with provider_of(server, key="wr0ng") as vendor:
        with pytest.raises(UnauthorizedError, match="incorrect"):
            await vendor.quotes(["AAPL"])
        with pytest.raises(UnauthorizedError):
            await vendor.history("AAPL", Interval.DAY, 0, ms("2026-01-01"))
        with pytest.raises(UnauthorizedError):
            await vendor.search("AAPL")
        with pytest.raises(UnauthorizedError):
            await anext(vendor.stream(Watchlist(["AAPL"]), {}))


@pytest.mark.parametrize("key", ["", "two words", "line\n"])
def test_a_key_that_is_none_is_a_wrong_setting(key: str) -> None:
    with pytest.raises(ConfigurationError, match="key"):
        TwelveDataProvider(key, (), "http://127.0.0.1:1", "", 8, 800)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Answer(body="<html>Maintenance</html>"), MalformedError),
        (Answer(body='{"symbol": "AAPL", "close": "28'), MalformedError),
        (Answer(body="[]"), MalformedError),
        (Answer(body="null"), MalformedError),
        (Answer(body='{"AAPL": ', missing=100), UnavailableError),
        (Answer(status=502, body="<html>Bad Gateway"), UnavailableError),
        (Answer(body={"code": 500, "message": "ours", "status": "error"}), UnavailableError),
        (Answer(drop=True), UnavailableError),
        (Answer(drop=True, reset=True), UnavailableError),
    ],
)
async def test_a_fault_is_one_of_our_errors(
    server: TwelveDataServer, vendor: TwelveDataProvider, fault: Answer, kind: type[ProviderError]
) -> None:
    server.fault = fault
    for call in (
        vendor.quotes(["AAPL", "MSFT"]),
        vendor.history("AAPL", Interval.DAY, 0, ms("2026-01-01")),
        vendor.search("AAPL"),
    ):
        with pytest.raises(kind) as caught:
            await call
        assert type(caught.value) is kind


async def test_bars_come_oldest_first_within_the_range(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    rows = [(f"2026-01-02 14:{minute:02}:00", 1.0, 3.0, 0.5, 2.0) for minute in range(60)]
    server.set_bars("AAPL", "1min", [*rows, ("2026-01-02 15:00:00", 9.0, 9.0, 9.0, 9.0)])
    frame = await vendor.history(
        "AAPL", Interval.MINUTE, ms("2026-01-02 14:57"), ms("2026-01-02 18:00")
    )
    assert [time.minute for time in frame.index] == [57, 58, 59]
    assert str(frame.index.dtype) == "datetime64[ms, UTC]" or "UTC" in str(frame.index.dtype)
    assert frame.iloc[0].to_dict() == {"open": 1, "high": 3, "low": 0.5, "close": 2, "volume": 10}
    exact = await vendor.history(
        "AAPL", Interval.MINUTE, ms("2026-01-02 14:10"), ms("2026-01-02 14:20")
    )
    assert [time.minute for time in exact.index] == list(range(10, 20))


async def test_no_bars_are_an_empty_frame(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    server.set_bars("AAPL", "1day", [("2026-01-02", 1.0, 1.0, 1.0, 1.0)])
    none = await vendor.history("AAPL", Interval.DAY, ms("2020-01-01"), ms("2021-01-01"))
    assert list(none.columns) == ["open", "high", "low", "close", "volume"]
    assert none.empty
    assert len(server.requests) == 1
    future = await vendor.history("AAPL", Interval.DAY, ms("2030-01-01"), ms("2031-01-01"))
    assert future.empty
    assert len(server.requests) == 1
    with pytest.raises(UnknownSymbolError):
        await vendor.history("NOPE", Interval.DAY, ms("2020-01-01"), ms("2021-01-01"))


async def test_a_search_finds_the_symbol_itself_first(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    assert [info.symbol for info in await vendor.search("aapl")] == ["AAPL", "AAPL:NEO", "AAPLW"]
    royal = (await vendor.search("RY:TSX"))[0]
    assert (royal.symbol, royal.currency, royal.zone) == ("RY:TSX", "CAD", "America/Toronto")
    assert (await vendor.search("EUR/USD"))[0].decimals == 5
    assert await vendor.search("nothing like it") == []
    assert await vendor.search(" ") == []


class Listener:
    """Takes what a stream yields, in a task of its own."""

    def __init__(self, stream: AsyncGenerator[Sequence[MarketEvent]]) -> None:
        self.events: list[MarketEvent] = []
        self._stream = stream
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async with aclosing(self._stream) as stream:
            async for events in stream:
                self.events += events

    async def has(self, count: int) -> list[MarketEvent]:
        async def enough() -> bool:
            if self._task.done():
                self._task.result()
            return len(self.events) >= count

        await until(enough, timeout_s=DEADLINE_S)
        return self.events

    async def error(self) -> BaseException:
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(ProviderError) as caught:
                await self._task
        return caught.value

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def listening(vendor: TwelveDataProvider, watchlist: Watchlist) -> AsyncIterator[Listener]:
    listener = Listener(vendor.stream(watchlist, {}))
    try:
        yield listener
    finally:
        await listener.close()


async def subscribed(server: TwelveDataServer, *symbols: str) -> None:
    async def are() -> bool:
        return server.subscribed == set(symbols)

    await until(are, timeout_s=DEADLINE_S)


async def test_prices_are_streamed_as_trades(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    async with listening(vendor, Watchlist(["AAPL", "EUR/USD", "RY:TSX"])) as listener:
        await subscribed(server, "AAPL", "EUR/USD", "RY:TSX")
        at_s = 1_767_366_000
        server.send_price("AAPL", 284.1, timestamp=at_s, day_volume=1000)
        server.send_price("AAPL", 284.2, timestamp=at_s + 1, day_volume=1250)
        server.send_price("EUR/USD", 1.08, timestamp=at_s, bid=1.07, ask=1.09)
        server.send_price("RY:TSX", 170, timestamp=at_s, currency="CAD")
        assert await listener.has(5) == [
            Trade("AAPL", at_s * 1000, 284.1, 0, None, "USD"),
            Trade("AAPL", at_s * 1000 + 1000, 284.2, 250, None, "USD"),
            TopOfBook("EUR/USD", at_s * 1000, 1.07, 1.09),
            Trade("EUR/USD", at_s * 1000, 1.08, 0, None, "USD"),
            Trade("RY:TSX", at_s * 1000, 170, 0, None, "CAD"),
        ]
    await subscribed(server)


async def test_the_stream_says_something_when_it_is_confirmed(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    async with (
        asyncio.timeout(DEADLINE_S),
        aclosing(vendor.stream(Watchlist(["AAPL"]), {})) as stream,
    ):
        assert await anext(stream) == []


async def test_the_stream_follows_its_watchlist(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    watchlist = Watchlist(["AAPL", "MSFT"])
    async with listening(vendor, watchlist) as listener:
        await subscribed(server, "AAPL", "MSFT")
        watchlist.set(["MSFT", "SPY"])
        await subscribed(server, "MSFT", "SPY")
        server.send_price("SPY", 600.0)
        await listener.has(1)
        watchlist.set([])
        await subscribed(server)
        assert server.heard == [
            {"action": "subscribe", "params": {"symbols": "AAPL,MSFT"}},
            {"action": "unsubscribe", "params": {"symbols": "AAPL"}},
            {"action": "subscribe", "params": {"symbols": "SPY"}},
            {"action": "unsubscribe", "params": {"symbols": "MSFT,SPY"}},
        ]


async def test_a_refused_symbol_does_not_stop_the_others(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    server.refused["PMEH"] = f"not with your plan, {KEY}"
    with structlog.testing.capture_logs() as logs:
        async with listening(vendor, Watchlist(["AAPL", "PMEH"])) as listener:
            await subscribed(server, "AAPL")
            server.send_price("AAPL", 284.1)
            await listener.has(1)

            async def is_logged() -> bool:
                return bool(logs)

            await until(is_logged, timeout_s=DEADLINE_S)
    assert [(entry["symbol"], entry["reason"]) for entry in logs] == [
        ("PMEH", "not with your plan, ***")
    ]


async def test_a_stream_that_carries_nothing_fails(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    server.refused["PMEH"] = PAYWALL
    async with listening(vendor, Watchlist(["PMEH"])) as listener:
        assert type(await listener.error()) is NotOfferedError


async def test_heartbeats_are_sent_and_answered(
    server: TwelveDataServer, vendor: TwelveDataProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twelvedata, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(twelvedata, "LOOK_S", 0.05)
    monkeypatch.setattr(twelvedata, "SILENCE_S", 1.0)
    async with listening(vendor, Watchlist(["AAPL"])) as listener:

        async def many() -> bool:
            return server.heard.count({"action": "heartbeat"}) >= 8

        await until(many, timeout_s=DEADLINE_S)
        server.send_price("AAPL", 284.1)
        await listener.has(1)


async def test_silence_with_the_socket_open_fails(
    server: TwelveDataServer, vendor: TwelveDataProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twelvedata, "SILENCE_S", 0.5)
    server.is_silent = True
    async with listening(vendor, Watchlist(["AAPL"])) as listener:
        error = await listener.error()
        assert type(error) is UnavailableError
        assert "silent" in str(error)


async def test_a_subscription_that_is_not_answered_fails(
    server: TwelveDataServer, vendor: TwelveDataProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twelvedata, "CONFIRM_S", 0.2)
    monkeypatch.setattr(twelvedata, "LOOK_S", 0.05)
    server.is_silent = True
    async with listening(vendor, Watchlist(["AAPL"])) as listener:
        error = await listener.error()
        assert type(error) is UnavailableError
        assert "has not answered" in str(error)


async def test_a_dropped_socket_fails_and_the_next_stream_goes_on(
    server: TwelveDataServer, vendor: TwelveDataProvider
) -> None:
    watchlist = Watchlist(["AAPL"])
    async with listening(vendor, watchlist) as listener:
        await subscribed(server, "AAPL")
        server.send_price("AAPL", 284.1)
        await listener.has(1)
        server.drop_sockets()
        assert type(await listener.error()) is UnavailableError
    await subscribed(server)
    async with listening(vendor, watchlist) as listener:
        await subscribed(server, "AAPL")
        server.send_price("AAPL", 284.2)
        await listener.has(1)


@pytest.mark.parametrize("raw", ["<html>", "[1]", b"\x00\xff"])
async def test_garbage_on_the_socket_fails(
    server: TwelveDataServer, vendor: TwelveDataProvider, raw: str | bytes
) -> None:
    async with listening(vendor, Watchlist(["AAPL"])) as listener:
        await subscribed(server, "AAPL")
        server.send_raw(raw)
        assert type(await listener.error()) is MalformedError


async def test_nobody_listening_is_unavailable() -> None:
    port = free_port()
    gone = TwelveDataProvider(KEY, (), f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", 8, 800)
    with pytest.raises(UnavailableError):
        await gone.quotes(["AAPL"])
    with pytest.raises(UnavailableError):
        await anext(gone.stream(Watchlist(["AAPL"]), {}))
    await gone.aclose()


ECHO = f"the key {KEY} is {quote(KEY, safe='')} or {quote(KEY)}"


def texts(error: BaseException) -> list[str]:
    return [str(error), repr(error), *traceback.format_exception(error)]


def require_no_key(said: list[str]) -> None:
    everything = "\n".join(said).casefold()
    for form in (KEY, quote(KEY), quote(KEY, safe="")):
        assert form.casefold() not in everything


async def test_the_key_is_in_no_text_about_requests(
    server: TwelveDataServer, vendor: TwelveDataProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [repr(vendor), repr(vendor.capabilities), repr(vars(vendor)["_http"])]
    faults = [
        Answer(body=ECHO),
        Answer(status=500, body=ECHO),
        Answer(status=302, headers={"Location": f"/?apikey={KEY}"}),
        Answer(drop=True),
    ]
    for status in (200, 400, 403, 429):
        for code in (400, 401, 403, 404, 429, 500):
            told = {"code": code, "message": ECHO, "status": "error"}
            faults.append(Answer(status=status, body=told))
    for fault in faults:
        server.fault = fault
        for call in (vendor.quotes(["A", "B"]), vendor.history("A", Interval.DAY, 0, 1)):
            with pytest.raises(ProviderError) as caught:
                await call
            said += texts(caught.value)
        said.append(repr(await asyncio.gather(vendor.quotes(["A"]), return_exceptions=True)))
    assert "HTTP Request: GET" in caplog.text
    require_no_key([*said, caplog.text])


async def test_the_key_is_in_no_text_about_the_stream(
    server: TwelveDataServer, vendor: TwelveDataProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    server.refused |= {"A": ECHO, "B": ECHO}
    with structlog.testing.capture_logs() as logs:
        for raw in (ECHO, json.dumps({"status": "error", "message": ECHO}), None):
            async with listening(vendor, Watchlist(["A", "C"])) as listener:
                await subscribed(server, "C")
                if raw is None:
                    server.drop_sockets()
                else:
                    server.send_raw(raw)
                said += texts(await listener.error())
            await subscribed(server)
        async with listening(vendor, Watchlist(["B"])) as listener:
            said += texts(await listener.error())
        server.is_shut = True
        async with listening(vendor, Watchlist(["B"])) as listener:
            said += texts(await listener.error())
    assert {entry["symbol"] for entry in logs} == {"B"}
    require_no_key([*said, repr(logs), caplog.text])
