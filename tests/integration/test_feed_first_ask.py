"""What the first who ask for a symbol are told: the present, and what of it is missing."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from feed_server.bus.leases import Seen
from feed_server.bus.publisher import Publisher
from feed_server.bus.requests import Answer, Done, LoadBars, Loaded, Request
from feed_server.bus.update import SymbolUpdate
from feed_server.protocol import Bar, Interval
from tests.answering import Answering
from tests.harness import FeedProcess, wait_for
from tests.market import Market, gateway_of, market
from tests.updates import update

pytestmark = pytest.mark.integration

HOUR_MS = Interval.HOUR.ms
EVER = 1_000_000
"""Of a change of what is wanted that comes after all that a test makes."""


async def no_history(request: Request, _publisher: Publisher) -> Answer:
    nothing = Loaded([], [], [], [], [], [], since_ms=0)
    return nothing if isinstance(request, LoadBars) else Done()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def bars(feed: FeedProcess, symbol: str, interval: Interval, **query: object) -> dict[str, Any]:
    params = {"symbol": symbol, "interval": interval.value, **query}
    told = httpx.get(
        f"{feed.url}/api/bars", params={k: str(v) for k, v in params.items()}, timeout=20
    )
    body: dict[str, Any] = told.raise_for_status().json()
    return body


# ---- a live source that tells only of what is asked for --------------------------------------


@pytest.fixture(scope="module")
def live() -> Iterator[FeedProcess]:
    settings = {"provider": "simulated", "simulated_symbols": "20", "simulated_hz": "20"}
    with FeedProcess(settings) as process:
        yield process


@pytest.fixture
def fresh(live: FeedProcess) -> str:
    """A symbol that nobody has asked for; the harness asks for the first."""
    told = httpx.get(f"{live.url}/api/symbols").json()["symbols"]
    wanted = httpx.get(f"{live.url}/api/subscriptions").json()
    symbols: list[str] = [one["symbol"] for one in told[1:]]
    return next(symbol for symbol in symbols if symbol not in wanted)


def test_the_first_quote_is_as_new_as_the_question(live: FeedProcess, fresh: str) -> None:
    asked_ms = now_ms()
    told = httpx.get(f"{live.url}/api/quotes", params={"symbols": fresh}).json()
    assert told["received_ms"] + told["rows"][0][7] >= asked_ms


@pytest.mark.parametrize("interval", [Interval.MINUTE, Interval.HOUR, Interval.DAY])
def test_the_first_history_ends_with_the_bar_that_forms(
    live: FeedProcess, fresh: str, interval: Interval
) -> None:
    asked_ms = now_ms()
    told = bars(live, fresh, interval, limit=3, indicators="SMA(20),RSI(14)")
    assert not told["final"][-1]
    assert told["time_ms"] >= asked_ms - 5_000, "trades come 20 times a second"
    assert told.get("note") is None
    for name in ("SMA(20)", "RSI(14)"):
        assert None not in told["indicators"][name]["real"]
    # What it says later is of the same bar, or of the next.
    again = bars(live, fresh, interval, limit=3)
    assert again["start_ms"][-1] in (told["start_ms"][-1], told["start_ms"][-1] + interval.ms)


def hour_and_minutes(feed: FeedProcess, symbol: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the hour that forms and its minutes, of one moment: nothing changed between."""
    while True:
        hour = bars(feed, symbol, Interval.HOUR, limit=1)
        minutes = bars(feed, symbol, Interval.MINUTE, start=hour["start_ms"][-1], limit=60)
        if hour == bars(feed, symbol, Interval.HOUR, limit=1):
            return hour, minutes


def test_the_hour_that_forms_has_what_was_traded_before_anybody_asked() -> None:
    settings = {"provider": "simulated", "simulated_symbols": "20", "simulated_hz": "5"}
    with FeedProcess(settings) as process:
        told = httpx.get(f"{process.url}/api/symbols").json()["symbols"]
        for one in reversed(told):
            began_ms = now_ms()
            bars(process, one["symbol"], Interval.HOUR, limit=1)
            hour, minutes = hour_and_minutes(process, one["symbol"])
            # Of a minute that has ended the source tells more than was heard of it.
            if began_ms // Interval.MINUTE.ms == now_ms() // Interval.MINUTE.ms:
                break
    assert hour["open"] == minutes["open"][:1]
    assert hour["high"] == [max(minutes["high"])]
    assert hour["low"] == [min(minutes["low"])]
    assert hour["close"] == minutes["close"][-1:]
    assert hour["volume"] == [pytest.approx(sum(minutes["volume"]))]


# ---- a source of which a test tells the trades -----------------------------------------------


@pytest.fixture
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


@pytest.fixture
def feed(here: Market) -> Iterator[FeedProcess]:
    """A gateway whose source says at once that it has seen what is wanted."""
    with Answering(here.url, no_history), gateway_of(here) as process:
        cursor = httpx.get(f"{process.url}/api/quotes").json()["cursor"]
        here.see(Seen("test", {cursor.rpartition(":")[0]: EVER}))
        yield process


def stands(here: Market, symbol: str, at_ms: int, *, traded: bool, lacks_ms: int = 0) -> None:
    """Publish a symbol's price at a time; with the hour's bar where it has ``traded`` since."""
    day = at_ms // Interval.DAY.ms
    told = update(symbol, 7, time_ms=at_ms, day=day)
    hour = Bar(symbol, Interval.HOUR, at_ms - at_ms % HOUR_MS, 7, 7, 7, 7, 1, at_ms, final=False)
    bars = [*told.bars, hour] if traded else told.bars
    here.publish(SymbolUpdate(told.quote, bars, lacks_ms=lacks_ms))


def test_a_bar_that_does_not_come_is_told_to_be_missing(here: Market, feed: FeedProcess) -> None:
    stands(here, "IBM", now_ms(), traded=False)
    for _ in range(2):
        told = bars(feed, "IBM", Interval.HOUR, limit=2)
        assert told["start_ms"] == []
        assert "the bar that forms is missing" in told["note"]
    stands(here, "IBM", now_ms(), traded=True)
    wait_for("the bar is there", lambda: bars(feed, "IBM", Interval.HOUR)["start_ms"])
    assert bars(feed, "IBM", Interval.HOUR).get("note") is None


def test_a_bar_that_lacks_what_was_before_it_was_followed_is_told_to(
    here: Market, feed: FeedProcess
) -> None:
    at_ms = now_ms()
    stands(here, "IBM", at_ms, traded=True, lacks_ms=at_ms)
    wait_for("the bar is there", lambda: bars(feed, "IBM", Interval.HOUR)["start_ms"])
    assert "the bar that forms may lack" in bars(feed, "IBM", Interval.HOUR)["note"]
    stands(here, "IBM", at_ms + 1, traded=True)
    wait_for("it is whole", lambda: "note" not in bars(feed, "IBM", Interval.HOUR))


def test_nothing_is_said_of_the_present_where_it_was_not_asked_for(
    here: Market, feed: FeedProcess
) -> None:
    at_ms = now_ms()
    stands(here, "IBM", at_ms, traded=False)
    told = bars(feed, "IBM", Interval.HOUR, end=at_ms - at_ms % HOUR_MS - 1)
    assert told.get("note") is None


def test_nothing_is_missing_where_the_market_is_closed(here: Market, feed: FeedProcess) -> None:
    stands(here, "IBM", now_ms() - 2 * HOUR_MS, traded=False)
    assert bars(feed, "IBM", Interval.HOUR).get("note") is None
