import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from feed_server.errors import MalformedError, UnavailableError
from feed_server.market.events import TopOfBook
from feed_server.protocol import Interval, Trade
from feed_server.providers.base import BAR_COLUMNS
from feed_server.providers.coinbase_messages import (
    Heartbeat,
    Refused,
    Request,
    Subscribe,
    Subscribed,
    Unsubscribe,
    decode,
    rest_candles,
    rest_products,
    rest_ticker,
    rest_trades,
)
from feed_server.providers.coinbase_subscription import ANSWER_S, Subscription
from feed_server.providers.coinbase_trades import RESTART_AFTER, Event, Hole, TradeOrder

REAL = Path(__file__).parents[2] / "shared/data/coinbase/frames_2021-04-17.txt"
TIME_MS = 1_618_677_810_244

TICKER = {
    "type": "ticker",
    "sequence": 333938798,
    "product_id": "BAND-GBP",
    "price": "14.7775",
    "open_24h": "14.6647",
    "volume_24h": "94381.28000000",
    "low_24h": "14.3691",
    "high_24h": "16.55",
    "volume_30d": "2295579.57000000",
    "best_bid": "14.7550",
    "best_ask": "14.8060",
    "side": "buy",
    "time": "2021-04-17T16:43:30.244075Z",
    "trade_id": 881613,
    "last_size": "0.04",
}
MATCH = {
    "type": "match",
    "trade_id": 881613,
    "maker_order_id": "27fff20b-af29-4f45-8744-56dd1ef57dc0",
    "taker_order_id": "1da6ce16-c8da-4732-9f71-6049f4c6aaf8",
    "side": "sell",
    "size": "0.04",
    "price": "14.7775",
    "product_id": "BAND-GBP",
    "sequence": 333938798,
    "time": "2021-04-17T16:43:30.244075Z",
}
PRODUCT = {
    "id": "BTC-USD",
    "base_currency": "BTC",
    "quote_currency": "USD",
    "quote_increment": "0.01",
    "base_increment": "0.00000001",
    "display_name": "BTC-USD",
    "status": "online",
    "trading_disabled": False,
}


def said(of: Mapping[str, object], **changed: object) -> bytes:
    return json.dumps({**of, **changed}).encode()


def without(of: Mapping[str, object], name: str) -> bytes:
    return json.dumps({key: value for key, value in of.items() if key != name}).encode()


@pytest.mark.parametrize("kind", ["match", "last_match"])
def test_a_match_is_a_trade(kind: str) -> None:
    trade = decode(said(MATCH, type=kind))
    assert trade == Trade("BAND-GBP", TIME_MS, 14.7775, 0.04, 881613)


def test_a_ticker_is_the_best_prices() -> None:
    assert decode(said(TICKER)) == TopOfBook("BAND-GBP", TIME_MS, 14.755, 14.806)


def test_a_side_of_the_book_may_be_empty() -> None:
    assert decode(without(TICKER, "best_bid")) == TopOfBook("BAND-GBP", TIME_MS, None, 14.806)
    assert decode(said(TICKER, best_ask=None)) == TopOfBook("BAND-GBP", TIME_MS, 14.755, None)


def test_prices_are_passed_on_as_they_are() -> None:
    trade = decode(said(MATCH, price="-1", size="1e308"))
    assert isinstance(trade, Trade)
    assert (trade.price, trade.size) == (-1.0, 1e308)


def test_other_kinds_are_told_apart() -> None:
    beat = {"type": "heartbeat", "sequence": 90, "last_trade_id": 20, "product_id": "BTC-USD"}
    assert decode(said(beat)) == Heartbeat()
    error = {"type": "error", "message": "Failed to subscribe", "reason": "X is no product"}
    assert decode(said(error)) == Refused("Failed to subscribe", "X is no product")
    channels = [{"name": "ticker", "product_ids": ["A"]}, {"name": "matches", "product_ids": ["B"]}]
    subscribed = decode(said({"type": "subscriptions", "channels": channels}))
    assert isinstance(subscribed, Subscribed)
    assert subscribed.products == {"B"}


def test_a_kind_that_came_later_is_left_aside_without_complaint() -> None:
    assert decode(b'{"type":"status","products":[]}') is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>busy</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"type":7}',
        b"[" * 100_000,
        b'{"type":"match"',
        b'{"type":"\xff"}',
        *(without(MATCH, name) for name in ("trade_id", "time", "price", "size", "product_id")),
        *(said(MATCH, price=price) for price in ("", "abc", "NaN", "inf", "1e999", None)),
        said(MATCH, price=float("nan")),
        *(said(MATCH, trade_id=number) for number in (-1, "x", 1.5, 2**53, None)),
        *(said(MATCH, time=when) for when in ("", "yesterday", "2021-04-17T16:43:30", None)),
        said(MATCH, size="nan"),
        said(TICKER, best_bid="nan"),
        said(TICKER, best_ask="cheap"),
        said({"type": "subscriptions", "channels": "all"}),
    ],
)
def test_what_cannot_be_understood_is_told_as_that(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(data)


def test_trades_over_rest_come_oldest_first_and_bad_ones_are_left_out() -> None:
    row = {"time": "2021-04-17T16:43:30.244075Z", "size": "0.5", "price": "10.0", "side": "buy"}
    body = [
        row | {"trade_id": 7},
        row | {"trade_id": 6, "price": "NaN"},
        row | {"trade_id": 5},
        row | {"trade_id": 5},
        row,
        "nonsense",
    ]
    assert rest_trades("BTC-USD", body) == [
        Trade("BTC-USD", TIME_MS, 10.0, 0.5, 5),
        Trade("BTC-USD", TIME_MS, 10.0, 0.5, 7),
    ]
    with pytest.raises(MalformedError):
        rest_trades("BTC-USD", {"message": "busy"})


def test_a_ticker_over_rest_is_a_quote_without_figures_of_24_hours() -> None:
    body = {
        "trade_id": 4729088,
        "price": "333.99",
        "size": "0.193",
        "bid": "333.98",
        "ask": "333.99",
        "volume": "5957.11914015",
        "time": "2021-04-17T16:43:30.244075Z",
    }
    quote = rest_ticker("BTC-USD", body)
    assert (quote.last, quote.size, quote.bid, quote.ask) == (333.99, 0.193, 333.98, 333.99)
    assert (quote.time_ms, quote.session) == (TIME_MS, date(2021, 4, 17))
    assert (quote.volume, quote.open, quote.prev_close) == (None, None, None)
    all_broken: list[object] = [
        body | {"price": "NaN"},
        body | {"bid": "nan"},
        body | {"time": ""},
        [],
        None,
    ]
    for broken in all_broken:
        with pytest.raises(MalformedError):
            rest_ticker("BTC-USD", broken)


def test_candles_become_bars_oldest_first() -> None:
    body = [
        [180, 9, 12, 10, 11, 0.5],
        [120, 1.5, 4.5, 2.5, 3.5, 7],
        [120, 1.5, 4.5, 2.5, 3.5, 7],
        [60, 1, 4, 2, 3, 100],
        [0, 1, 4, 2, 3, 100],
    ]
    bars = rest_candles(body, Interval.MINUTE, 60_000, 180_000)
    assert list(bars.columns) == BAR_COLUMNS
    assert list(bars.index) == list(pd.to_datetime([60, 120], unit="s", utc=True))
    assert bars.to_numpy().tolist() == [[2, 4, 1, 3, 100], [2.5, 4.5, 1.5, 3.5, 7]]


def test_candles_that_cannot_be_bars_are_left_out() -> None:
    body = [
        [60, "low", 4, 2, 3, 100],
        [61, 1, 4, 2, 3, 100],
        [120, None, 4, 2, 3, 100],
        [180, 1, 4, 2],
        [240, 1, "NaN", 2, 3, 100],
        [300, 0, 4, 2, 3, 100],
        [360, -1, 4, 2, 3, 100],
        [420, 1, 1e308, 2, 3, 100],
        [480, 2.5, 4, 2, 3, 100],
        [540, 1, 4, 2, 3, -100],
        {},
    ]
    bars = rest_candles(body, Interval.MINUTE, 0, 600_000)
    assert bars.empty
    assert list(bars.columns) == BAR_COLUMNS
    assert rest_candles([], Interval.MINUTE, 0, 600_000).index.name == "time"
    with pytest.raises(MalformedError):
        rest_candles("<html>", Interval.MINUTE, 0, 600_000)


def test_products_that_are_traded_are_known_with_their_decimals() -> None:
    body = [
        PRODUCT,
        PRODUCT | {"id": "OLD-USD", "status": "delisted"},
        PRODUCT | {"id": "SHIB-USD", "quote_increment": "0.0000000100", "display_name": ""},
        PRODUCT | {"id": "YEN-JPY", "quote_currency": "JPY", "quote_increment": "100"},
        PRODUCT | {"id": "has space"},
        PRODUCT | {"id": "ODD-USD", "quote_increment": "a cent"},
        {"id": "LESS-USD"},
        None,
    ]
    products = rest_products(body)
    assert {symbol: info.decimals for symbol, info in products.items()} == {
        "BTC-USD": 2,
        "SHIB-USD": 8,
        "YEN-JPY": 0,
    }
    assert (products["BTC-USD"].name, products["BTC-USD"].currency) == ("BTC-USD", "USD")
    assert (products["YEN-JPY"].currency, products["SHIB-USD"].name) == ("JPY", "BTC/USD")


# --- order of trades


def trade(number: int, symbol: str = "A") -> Trade:
    return Trade(symbol, number, 1.0, 1.0, number)


def numbers(events: list[Event]) -> list[int | None]:
    return [event.trade_id for event in events if isinstance(event, Trade)]


def take(order: TradeOrder, *given: int) -> list[int | None]:
    return numbers([event for number in given for event in order.take(trade(number))])


def test_the_first_trade_is_told_whatever_its_number_and_none_twice() -> None:
    order = TradeOrder()
    assert take(order, 7, 7, 8, 6, 9) == [7, 8, 9]
    assert order.new_holes() == []


def test_what_comes_behind_a_hole_waits_until_it_is_filled() -> None:
    order = TradeOrder()
    book = TopOfBook("A", 12, 1.0, 2.0)
    take(order, 7)
    assert take(order, 10, 11) == []
    assert order.take(book) == ()
    assert take(order, 12) == []
    (hole,) = order.new_holes()
    assert hole == Hole("A", 7, 10)
    assert order.new_holes() == []
    told = order.fill(hole, [trade(n) for n in (6, 7, 8, 9, 10)])
    assert numbers(told) == [8, 9, 10, 11, 12]
    assert told.index(book) == 4
    assert take(order, 13) == [13]


def test_other_products_do_not_wait_for_a_hole() -> None:
    order = TradeOrder()
    take(order, 1, 5)
    assert list(order.take(trade(3, "B"))) == [trade(3, "B")]


def test_trades_that_nobody_has_stay_missing() -> None:
    order = TradeOrder()
    take(order, 1, 5)
    (hole,) = order.new_holes()
    assert numbers(order.fill(hole, [trade(4)])) == [4, 5]
    assert take(order, 2, 3, 6) == [6]


def test_a_second_hole_behind_the_first_is_found() -> None:
    order = TradeOrder()
    take(order, 1, 3, 6)
    (hole,) = order.new_holes()
    assert numbers(order.fill(hole, [trade(2)])) == [2, 3]
    (second,) = order.new_holes()
    assert second == Hole("A", 3, 6)
    assert numbers(order.fill(second, [trade(4), trade(5)])) == [4, 5, 6]


def test_what_was_held_back_when_a_connection_ends_is_asked_for_again() -> None:
    order = TradeOrder()
    take(order, 1, 5)
    (lost,) = order.new_holes()
    order.give_up()
    assert order.fill(lost, [trade(2)]) == []
    assert take(order, 9) == []
    assert order.new_holes() == [Hole("A", 1, 9)]


def test_an_answer_that_comes_too_late_fills_no_other_hole() -> None:
    order = TradeOrder()
    take(order, 1, 5)
    (late,) = order.new_holes()
    order.drop("A")
    take(order, 9)
    (hole,) = order.new_holes()
    assert order.fill(late, [trade(2)]) == []
    assert numbers(order.fill(hole, [trade(n) for n in range(2, 9)])) == [*range(2, 10)]


def test_one_number_that_is_nonsense_does_not_silence_a_product_for_ever() -> None:
    order = TradeOrder()
    take(order, 7, 10**15)
    (hole,) = order.new_holes()
    assert numbers(order.fill(hole, [])) == [10**15]
    told = take(order, *range(8, 8 + RESTART_AFTER + 5))
    assert told == [*range(8 + RESTART_AFTER - 1, 8 + RESTART_AFTER + 5)]


def test_the_last_trade_may_be_repeated_any_number_of_times() -> None:
    order = TradeOrder()
    assert take(order, *[7] * (RESTART_AFTER + 5)) == [7]


# --- what a connection is asked for


def asks(subscription: Subscription, now_s: float = 0.0) -> tuple[type[Request], set[str]] | None:
    request = subscription.next(now_s)
    return None if request is None else (type(request), set(request.product_ids))


def carries(*products: str) -> Subscribed:
    subscribed = decode(
        said({"type": "subscriptions", "channels": [{"name": "matches", "product_ids": products}]})
    )
    assert isinstance(subscribed, Subscribed)
    return subscribed


def test_what_is_wanted_is_asked_for_once() -> None:
    subscription = Subscription()
    assert asks(subscription) is None
    subscription.want({"A", "B"})
    assert asks(subscription) == (Subscribe, {"A", "B"})
    assert asks(subscription) is None
    subscription.confirm(carries("A", "B"))
    assert asks(subscription) is None


def test_changes_are_followed_one_request_at_a_time() -> None:
    subscription = Subscription()
    subscription.want({"A", "B"})
    asks(subscription)
    assert subscription.want({"B", "C"}) == {"A"}
    assert asks(subscription) is None
    subscription.confirm(carries("A", "B"))
    assert asks(subscription) == (Unsubscribe, {"A"})
    subscription.confirm(carries("B"))
    assert asks(subscription) == (Subscribe, {"C"})


def test_a_product_that_is_refused_by_name_does_not_harm_the_others() -> None:
    subscription = Subscription()
    subscription.want({"A-USD", "XYZ-USD", "YZ-USD"})
    asks(subscription)
    subscription.refuse(Refused("Failed to subscribe", "XYZ-USD is not a valid product"))
    assert asks(subscription) == (Subscribe, {"A-USD", "YZ-USD"})
    assert subscription.wanted == {"A-USD", "YZ-USD"}


def test_a_refusal_without_a_name_is_narrowed_down() -> None:
    subscription = Subscription()
    subscription.want({"A", "B", "C", "BAD"})
    carried: set[str] = set()
    for _ in range(20):
        request = subscription.next(0.0)
        if request is None:
            break
        if "BAD" in request.product_ids:
            subscription.refuse(Refused("Failed to subscribe", "Invalid product ID provided"))
        else:
            carried |= set(request.product_ids)
            subscription.confirm(carries(*carried))
    assert carried == {"A", "B", "C"} == subscription.wanted


def test_a_request_without_an_answer_is_taken_for_refused() -> None:
    subscription = Subscription()
    subscription.want({"A", "B"})
    asks(subscription)
    subscription.confirm(carries())
    assert asks(subscription, ANSWER_S / 2) is None
    assert asks(subscription, ANSWER_S) == (Subscribe, {"A"})


def test_when_all_is_refused_it_says_why() -> None:
    subscription = Subscription()
    subscription.want({"A"})
    asks(subscription)
    subscription.refuse(Refused("Failed to subscribe", "A is not a valid product"))
    with pytest.raises(UnavailableError, match="A is not a valid product"):
        subscription.next(0.0)


def test_a_product_that_is_wanted_anew_is_asked_for_anew() -> None:
    subscription = Subscription()
    subscription.want({"A", "B"})
    asks(subscription)
    subscription.refuse(Refused("Failed to subscribe", "A is not a valid product"))
    subscription.want({"B"})
    subscription.want({"A", "B"})
    assert asks(subscription) == (Subscribe, {"A", "B"})


# --- real frames


@pytest.mark.skipif(not REAL.exists(), reason="the real frames are not on this machine")
def test_real_frames_come_through_exactly() -> None:
    frames = [line.split(": ", 1)[1] for line in REAL.read_text().splitlines()]
    rows = [json.loads(frame) for frame in frames]
    order = TradeOrder()
    told: list[Event] = []
    for frame in frames:
        event = decode(frame.encode())
        assert event is not None
        if isinstance(event, Trade | TopOfBook):
            told += order.take(event)
    assert order.new_holes() == []
    matches = [row for row in rows if row["type"] in ("match", "last_match")]
    assert len(matches) == 64
    assert [(t.symbol, t.trade_id, t.price, t.size) for t in told if isinstance(t, Trade)] == [
        (row["product_id"], row["trade_id"], float(row["price"]), float(row["size"]))
        for row in matches
    ]
    tickers = [row for row in rows if row["type"] == "ticker"]
    assert len(tickers) == 63
    assert [(b.symbol, b.bid, b.ask) for b in told if isinstance(b, TopOfBook)] == [
        (row["product_id"], float(row["best_bid"]), float(row["best_ask"])) for row in tickers
    ]
    times = [pd.Timestamp(row["time"]) for row in rows if row["type"] != "subscriptions"]
    assert [event.time_ms for event in told] == [time.value // 1_000_000 for time in times]
