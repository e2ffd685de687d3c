import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pandas as pd
import pytest

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
from feed_server.providers import coinbase, coinbase_subscription
from feed_server.providers.base import BAR_COLUMNS, Watchlist
from feed_server.providers.coinbase import CoinbaseProvider
from tests.harness import until
from tests.vendors.coinbase_server import FIRST_TRADE, CoinbaseServer, Fault

pytestmark = pytest.mark.integration

REAL = Path(__file__).parents[3] / "shared/data/coinbase/frames_2021-04-17.txt"
MINUTE_MS = 60_000


@pytest.fixture
def exchange() -> Iterator[CoinbaseServer]:
    with CoinbaseServer(heartbeat_s=0.1) as server:
        yield server


@pytest.fixture
async def provider(exchange: CoinbaseServer) -> AsyncIterator[CoinbaseProvider]:
    made = CoinbaseProvider((), exchange.url, exchange.websocket_url, silence_s=1.5)
    yield made
    await made.aclose()


class Listener:
    """Follows a provider's stream, and keeps what it tells."""

    def __init__(self, provider: CoinbaseProvider, *symbols: str) -> None:
        self.watchlist = Watchlist(symbols)
        self.events: list[MarketEvent] = []
        self.largest = 0
        self._provider = provider

    async def listen(self) -> None:
        """Listen until the stream fails."""
        async with aclosing(self._provider.stream(self.watchlist, {})) as batches:
            async for events in batches:
                assert events
                self.largest = max(self.largest, len(events))
                self.events += events

    def trades(self, symbol: str) -> list[int]:
        """Return the numbers of a product's trades, in the order of their coming."""
        return [
            event.trade_id - FIRST_TRADE
            for event in self.events
            if isinstance(event, Trade) and event.symbol == symbol and event.trade_id is not None
        ]

    async def hears(self, symbol: str, *numbers: int) -> None:
        """Wait until a product's trades are these."""

        async def heard() -> bool:
            return self.trades(symbol) == list(numbers)

        try:
            await until(heard)
        except TimeoutError:
            pytest.fail(f"{symbol}: {self.trades(symbol)} instead of {list(numbers)}")


@asynccontextmanager
async def listening(provider: CoinbaseProvider, *symbols: str) -> AsyncIterator[Listener]:
    listener = Listener(provider, *symbols)
    task = asyncio.create_task(listener.listen())
    try:
        yield listener
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def fails(listener: Listener) -> ProviderError:
    """Return what a stream fails with."""
    with pytest.raises(ProviderError) as caught:
        async with asyncio.timeout(30):
            await listener.listen()
    return caught.value


async def subscribed(exchange: CoinbaseServer, *symbols: str) -> None:
    async def is_subscribed() -> bool:
        return exchange.subscribed == set(symbols)

    await until(is_subscribed)


def requests(exchange: CoinbaseServer, what: str) -> list[str]:
    return [asked for asked in exchange.asked if f"/{what}" in asked]


# --- the stream


async def test_trades_and_books_come_as_they_happen(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        exchange.trade("BTC-USD", 50123.45, 0.25, time_ms=1_700_000_000_123)
        exchange.trade("ETH-USD", 3000.0, 1.0)
        await listener.hears("BTC-USD", 0, 1)

        async def book_came() -> bool:
            return isinstance(listener.events[-1], TopOfBook)

        await until(book_came)
        trade, book = listener.events[-2:]
    assert trade == Trade("BTC-USD", 1_700_000_000_123, 50123.45, 0.25, FIRST_TRADE + 1)
    assert book == TopOfBook("BTC-USD", 1_700_000_000_123, 50123.44, 50123.46)
    assert listener.trades("ETH-USD") == []


async def test_changes_of_the_watchlist_are_followed_on_the_same_socket(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider, "BTC-USD") as listener:
        await subscribed(exchange, "BTC-USD")
        listener.watchlist.set({"BTC-USD", "ETH-USD"})
        await subscribed(exchange, "BTC-USD", "ETH-USD")
        listener.watchlist.set({"ETH-USD"})
        await subscribed(exchange, "ETH-USD")
        exchange.trade("BTC-USD", 1.0, 1.0)
        exchange.trade("ETH-USD", 1.0, 1.0)
        await listener.hears("ETH-USD", 0, 1)
        assert listener.trades("BTC-USD") == [0]
    assert exchange.sockets == 1


async def test_nothing_is_opened_while_nothing_is_wanted(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider) as listener:
        await asyncio.sleep(0.1)
        assert exchange.sockets == 0
        listener.watchlist.set({"BTC-USD"})
        await listener.hears("BTC-USD", 0)
        listener.watchlist.set(())

        async def closed() -> bool:
            return not exchange.open

        await until(closed)
        listener.watchlist.set({"BTC-USD"})
        await subscribed(exchange, "BTC-USD")
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", 0, 1)


async def test_the_socket_is_closed_with_the_stream(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider, "BTC-USD"):
        await subscribed(exchange, "BTC-USD")
    await subscribed(exchange)


async def test_a_product_without_trades_yet_is_carried() -> None:
    with CoinbaseServer(heartbeat_s=0.1, history=False) as exchange:
        young = CoinbaseProvider((), exchange.url, exchange.websocket_url, silence_s=1)
        async with listening(young, "SOL-USD") as listener:
            await subscribed(exchange, "SOL-USD")
            exchange.trade("SOL-USD", 1.0, 1.0)
            await listener.hears("SOL-USD", 0)
        await young.aclose()


async def test_many_messages_are_told_together(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        for _ in range(2_000):
            exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", *range(2_001))
    assert 1 < listener.largest <= 500


# --- trades that are lost


async def test_trades_lost_on_the_way_are_told_in_order(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider, "BTC-USD", "ETH-USD") as listener:
        await listener.hears("BTC-USD", 0)
        exchange.trade("BTC-USD", 1.0, 1.0, lost=True)
        exchange.trade("BTC-USD", 2.0, 1.0, lost=True)
        exchange.trade("BTC-USD", 3.0, 1.0)
        exchange.trade("BTC-USD", 4.0, 1.0)
        await listener.hears("BTC-USD", 0, 1, 2, 3, 4)
    prices = [e.price for e in listener.events if isinstance(e, Trade) and e.symbol == "BTC-USD"]
    assert prices == [50_000.0, 1.0, 2.0, 3.0, 4.0]
    (asked,) = requests(exchange, "trades")
    assert asked == f"/products/BTC-USD/trades?after={FIRST_TRADE + 3}&limit=3"


async def test_other_products_go_on_while_lost_trades_are_fetched(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    exchange.faults["trades"] = Fault(body=[], wait_s=60.0)
    async with listening(provider, "BTC-USD", "ETH-USD") as listener:
        await listener.hears("BTC-USD", 0)
        exchange.trade("BTC-USD", 1.0, 1.0, lost=True)
        exchange.trade("BTC-USD", 1.0, 1.0)
        exchange.trade("ETH-USD", 1.0, 1.0)
        await listener.hears("ETH-USD", 0, 1)
        assert listener.trades("BTC-USD") == [0]


async def test_trades_of_the_time_without_a_connection_are_told(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    first = Listener(provider, "BTC-USD")
    failing = asyncio.create_task(fails(first))
    await first.hears("BTC-USD", 0)
    exchange.drop()
    assert isinstance(await failing, UnavailableError)
    exchange.trade("BTC-USD", 1.0, 1.0)
    exchange.trade("BTC-USD", 1.0, 1.0)
    async with listening(provider, "BTC-USD") as second:
        await second.hears("BTC-USD", 1, 2)
        exchange.trade("BTC-USD", 1.0, 1.0)
        await second.hears("BTC-USD", 1, 2, 3)


async def test_a_repeated_trade_is_not_told_twice(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    for _ in range(3):
        listener = Listener(provider, "BTC-USD")
        failing = asyncio.create_task(fails(listener))
        await subscribed(exchange, "BTC-USD")
        exchange.drop()
        await failing
    async with listening(provider, "BTC-USD") as last:
        await subscribed(exchange, "BTC-USD")
        exchange.trade("BTC-USD", 1.0, 1.0)
        await last.hears("BTC-USD", 1)


async def test_a_connection_that_ends_while_trades_are_fetched_loses_none(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    exchange.faults["trades"] = Fault(body=[], wait_s=60.0)
    first = Listener(provider, "BTC-USD")
    failing = asyncio.create_task(fails(first))
    await first.hears("BTC-USD", 0)
    exchange.trade("BTC-USD", 1.0, 1.0, lost=True)
    exchange.trade("BTC-USD", 1.0, 1.0)

    async def asked() -> bool:
        return bool(requests(exchange, "trades"))

    await until(asked)
    exchange.drop()
    await failing
    exchange.faults.clear()
    async with listening(provider, "BTC-USD") as second:
        await second.hears("BTC-USD", 1, 2)


async def test_many_lost_trades_come_page_by_page(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        for _ in range(2_500):
            exchange.trade("BTC-USD", 1.0, 1.0, lost=True)
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", *range(2_502))
    assert len(requests(exchange, "trades")) == 3


async def test_more_lost_trades_than_pages_stay_a_gap(
    exchange: CoinbaseServer, provider: CoinbaseProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coinbase, "MAX_PAGES", 2)
    monkeypatch.setattr(coinbase, "MAX_TRADES", 10)
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        for _ in range(50):
            exchange.trade("BTC-USD", 1.0, 1.0, lost=True)
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", 0, *range(31, 52))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, headers={"Retry-After": "3"}, body={"message": "slow down"}),
        Fault(status=503, body="<html>busy</html>"),
        Fault(status=200, body="<html>busy</html>"),
        Fault(status=200, body={"message": "odd"}),
        Fault(status=400, body={"message": "odd"}),
        Fault(status=200, body=[{"trade_id": "x"}]),
        Fault(status=200, body='[{"trade_id":', missing=100),
        Fault(status=200, body=[], wait_s=60.0),
    ],
    ids=["429", "503", "html", "object", "400", "rows", "truncated", "slow"],
)
async def test_lost_trades_that_cannot_be_had_do_not_stop_the_stream(
    exchange: CoinbaseServer,
    provider: CoinbaseProvider,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coinbase, "FIND_S", 0.5)
    exchange.faults["trades"] = fault
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        exchange.trade("BTC-USD", 1.0, 1.0, lost=True)
        exchange.trade("BTC-USD", 1.0, 1.0)
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", 0, 2, 3)


# --- faults of the socket


async def test_silence_with_the_socket_open_ends_the_stream(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    listener = Listener(provider, "BTC-USD")
    failing = asyncio.create_task(fails(listener))
    await listener.hears("BTC-USD", 0)
    await asyncio.sleep(2)
    assert not failing.done()
    exchange.silent = True
    error = await failing
    assert isinstance(error, UnavailableError)
    assert "silent" in str(error)


async def test_a_close_is_told_with_its_reason(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    listener = Listener(provider, "BTC-USD")
    failing = asyncio.create_task(fails(listener))
    await listener.hears("BTC-USD", 0)
    exchange.close(1001, "maintenance")
    error = await failing
    assert isinstance(error, UnavailableError)
    assert "1001: maintenance" in str(error)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers={"Retry-After": "3"}), RateLimitedError),
        (Fault(status=403), UnauthorizedError),
        (Fault(status=503, body="<html>busy</html>"), UnavailableError),
        (Fault(status=200, body="<html>hello</html>"), UnavailableError),
    ],
    ids=["429", "403", "503", "html"],
)
async def test_a_refused_socket_is_told(
    exchange: CoinbaseServer,
    provider: CoinbaseProvider,
    fault: Fault,
    kind: type[ProviderError],
) -> None:
    exchange.faults["websocket"] = fault
    assert type(await fails(Listener(provider, "BTC-USD"))) is kind


async def test_garbage_is_left_aside_and_counted(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    garbage = ["", "<html>", "{", '{"type":"match"}', '{"type":"ticker","price":"NaN"}', "[1]"]
    match = {"type": "match", "product_id": "BTC-USD", "trade_id": 1, "time": "now", "price": "x"}
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        for text in garbage:
            exchange.say(text)
        exchange.say(match | {"size": None})
        exchange.say({"type": "news", "text": "a kind of message that is not known yet"})
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", 0, 1)
    assert provider.malformed == len(garbage) + 1


async def test_a_product_that_is_not_asked_for_is_left_aside(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    match = {"type": "match", "trade_id": FIRST_TRADE, "price": "1", "size": "1"}
    async with listening(provider, "BTC-USD") as listener:
        await listener.hears("BTC-USD", 0)
        exchange.say(match | {"product_id": "ETH-USD", "time": "2021-04-17T16:43:30.244075Z"})
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", 0, 1)
    assert listener.trades("ETH-USD") == []
    assert provider.malformed == 0


async def test_a_binary_message_ends_the_stream(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    listener = Listener(provider, "BTC-USD")
    failing = asyncio.create_task(fails(listener))
    await listener.hears("BTC-USD", 0)
    exchange.say(b"\x00\x01")
    assert isinstance(await failing, MalformedError)


# --- products that are refused


@pytest.mark.parametrize(
    "reason", ["{product} is not a valid product", "Invalid product ID provided"]
)
async def test_a_product_that_is_not_known_does_not_harm_the_others(
    exchange: CoinbaseServer, provider: CoinbaseProvider, reason: str
) -> None:
    exchange.refusal = reason
    async with listening(provider, "BTC-USD", "NONE-USD", "ETH-USD") as listener:
        await subscribed(exchange, "BTC-USD", "ETH-USD")
        exchange.trade("BTC-USD", 1.0, 1.0)
        await listener.hears("BTC-USD", 0, 1)
        await listener.hears("ETH-USD", 0)
        listener.watchlist.set({"BTC-USD", "NONE-USD", "SOL-USD"})
        await subscribed(exchange, "BTC-USD", "SOL-USD")
    assert exchange.sockets == 1


async def test_when_no_product_is_known_the_stream_says_so(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    error = await fails(Listener(provider, "NONE-USD"))
    assert isinstance(error, UnavailableError)
    assert "NONE-USD is not a valid product" in str(error)


async def test_a_subscription_that_is_not_answered_does_not_hang(
    exchange: CoinbaseServer, provider: CoinbaseProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coinbase_subscription, "ANSWER_S", 0.2)
    exchange.silent = True
    assert isinstance(await fails(Listener(provider, "BTC-USD")), UnavailableError)


# --- REST


async def test_symbols_are_those_that_are_traded_in_the_order_of_choice(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    infos = await provider.symbols()
    assert [info.symbol for info in infos] == [
        "BTC-USD",
        "ETH-USD",
        "SOL-USD",
        "DOGE-USD",
        "ETH-BTC",
    ]
    assert [(info.currency, info.decimals) for info in infos][-2:] == [("USD", 5), ("BTC", 5)]
    assert {(info.source, info.label, info.zone) for info in infos} == {("coinbase", "", "UTC")}


async def test_symbols_of_ones_own_choice(exchange: CoinbaseServer) -> None:
    chosen = CoinbaseProvider(
        ["ETH-BTC", "NONE-USD", "BTC-USD"], exchange.url, exchange.websocket_url
    )
    assert [info.symbol for info in await chosen.symbols()] == ["ETH-BTC", "BTC-USD"]
    await chosen.aclose()


async def test_products_are_asked_for_once(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    found: Sequence[object] = await asyncio.gather(
        provider.search("BTC-USD"), provider.search("btc"), provider.symbols()
    )
    assert all(found)
    assert requests(exchange, "products") == ["/products"]


async def test_search_finds_by_a_part_the_exact_one_first(provider: CoinbaseProvider) -> None:
    async def found(text: str) -> list[str]:
        return [info.symbol for info in await provider.search(text)]

    assert await found("btc") == ["BTC-USD", "ETH-BTC"]
    assert (await found("eth-btc"))[0] == "ETH-BTC"
    assert await found("NONE-USD") == []


async def test_a_quote_is_asked_for_over_rest(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    exchange.trade("BTC-USD", 50_123.45, 0.25, time_ms=1_700_000_000_123)
    quotes = await provider.quotes(["BTC-USD", "NONE-USD"])
    quote = quotes["BTC-USD"]
    assert isinstance(quote, SessionSnapshot)
    assert (quote.last, quote.size, quote.time_ms) == (50_123.45, 0.25, 1_700_000_000_123)
    assert (quote.bid, quote.ask, quote.volume) == (50_123.44, 50_123.46, None)
    assert isinstance(quotes["NONE-USD"], UnknownSymbolError)


async def test_history_is_bars_that_have_ended_oldest_first(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    now_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    start_ms = now_ms - 10 * MINUTE_MS
    for minute in (0, 1, 2, 5, 10):
        at_ms = start_ms + minute * MINUTE_MS
        for offset_ms, price in ((1, 10.0), (2, 12.0), (3, 9.0), (4, 11.0)):
            exchange.trade("ETH-USD", price + minute, 0.5, time_ms=at_ms + offset_ms)
    bars = await provider.history(
        "ETH-USD", Interval.MINUTE, start_ms + MINUTE_MS, now_ms + MINUTE_MS
    )
    assert list(bars.columns) == BAR_COLUMNS
    begins = [start_ms + minute * MINUTE_MS for minute in (1, 2, 5)]
    assert list(bars.index) == list(pd.to_datetime(begins, unit="ms", utc=True))
    assert bars.loc[bars.index[0]].tolist() == [11.0, 13.0, 10.0, 12.0, 2.0]


async def test_of_a_long_range_the_newest_bars_are_asked_for_in_one_request(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    end_ms = 1_700_000_040_000
    await provider.history("BTC-USD", Interval.MINUTE, 0, end_ms)
    (asked,) = requests(exchange, "candles")
    assert "start=2023-11-14T17%3A14%3A00Z&end=2023-11-14T22%3A13%3A00Z" in asked
    assert "granularity=60" in asked


async def test_a_range_without_bars_is_empty_and_asks_nobody(
    exchange: CoinbaseServer, provider: CoinbaseProvider
) -> None:
    now_ms = time.time_ns() // 1_000_000
    for start_ms, end_ms in (
        (now_ms, now_ms + 10 * MINUTE_MS),
        (1_000, 1_000),
        (60_001, 119_999),
    ):
        bars = await provider.history("BTC-USD", Interval.MINUTE, start_ms, end_ms)
        assert bars.empty
        assert list(bars.columns) == BAR_COLUMNS
    assert requests(exchange, "candles") == []


async def test_what_is_not_offered_or_not_known_is_told(provider: CoinbaseProvider) -> None:
    with pytest.raises(NotOfferedError, match="1m, 5m, 15m, 1h, 1d"):
        await provider.history("BTC-USD", Interval.SECOND, 0, MINUTE_MS)
    with pytest.raises(UnknownSymbolError, match="NONE-USD"):
        await provider.history("NONE-USD", Interval.MINUTE, 0, MINUTE_MS)
    with pytest.raises(UnknownSymbolError):
        await provider.history("../x?", Interval.MINUTE, 0, MINUTE_MS)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers={"Retry-After": "3"}, body={"message": "x"}), RateLimitedError),
        (Fault(status=500, body={"message": "Internal server error"}), UnavailableError),
        (Fault(status=400, body={"message": "odd"}), UnavailableError),
        (Fault(body="<html>busy</html>"), MalformedError),
        (Fault(body={"message": "odd"}), MalformedError),
        (Fault(body='[{"id":', missing=10), UnavailableError),
    ],
    ids=["429", "500", "400", "html", "object", "truncated"],
)
async def test_faults_of_rest_are_told(
    exchange: CoinbaseServer,
    provider: CoinbaseProvider,
    fault: Fault,
    kind: type[ProviderError],
) -> None:
    for what in ("products", "candles", "ticker"):
        exchange.faults[what] = fault
    with pytest.raises(kind):
        await provider.symbols()
    with pytest.raises(kind):
        await provider.history("BTC-USD", Interval.MINUTE, 0, MINUTE_MS)
    if kind is MalformedError:
        assert isinstance((await provider.quotes(["BTC-USD"]))["BTC-USD"], kind)
    else:
        with pytest.raises(kind):
            await provider.quotes(["BTC-USD"])
    exchange.faults.clear()
    assert await provider.symbols()


async def test_an_exchange_that_cannot_be_reached_is_unavailable(exchange: CoinbaseServer) -> None:
    away = CoinbaseProvider((), "http://127.0.0.1:1", "ws://127.0.0.1:1")
    with pytest.raises(UnavailableError):
        await away.symbols()
    assert isinstance(await fails(Listener(away, "BTC-USD")), UnavailableError)
    await away.aclose()


# --- real frames


@pytest.mark.skipif(not REAL.exists(), reason="the real frames are not on this machine")
async def test_real_frames_come_through_a_real_socket() -> None:
    frames = [line.split(": ", 1)[1] for line in REAL.read_text().splitlines()]
    rows = [json.loads(frame) for frame in frames if '"subscriptions"' not in frame]
    products = {row["product_id"] for row in rows}
    prices = dict.fromkeys(products, ("1.0", "0.01"))
    with CoinbaseServer(prices, heartbeat_s=0.1, history=False) as exchange:
        provider = CoinbaseProvider((), exchange.url, exchange.websocket_url, silence_s=5)
        async with listening(provider, *products) as listener:
            await subscribed(exchange, *products)
            for row in rows:
                exchange.say(row)

            async def all_here() -> bool:
                return len(listener.events) == len(rows)

            await until(all_here)
        await provider.aclose()
    assert [
        (event.symbol, event.price if isinstance(event, Trade) else event.bid)
        for event in listener.events
        if not isinstance(event, SessionSnapshot)
    ] == [(row["product_id"], float(row.get("best_bid", row["price"]))) for row in rows]
