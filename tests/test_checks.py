import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feed_server.market.checks import (
    MAX_PRICE,
    MAX_SIZE,
    MAX_TIME_MS,
    MIN_PRICE,
    MIN_TIME_MS,
    REMEMBERED_IDS,
    Checks,
    Reason,
)
from feed_server.market.events import SessionSnapshot, TopOfBook
from feed_server.protocol import Trade

NOW = 1_700_000_000_000
AHEAD_MS = 5_000
DAY_MS = 86_400_000


def checks(currency: str = "USD", max_ahead_ms: int | None = AHEAD_MS) -> Checks:
    made = Checks(currency, max_ahead_ms)
    made.clock(NOW)
    return made


def trade(price: float = 10, size: float = 1, **other: Any) -> Trade:
    return replace(Trade("BAC", NOW, price, size), **other)


def snapshot(last: float = 10, **other: Any) -> SessionSnapshot:
    return replace(SessionSnapshot(symbol="BAC", time_ms=NOW, last=last), **other)


def top(bid: float | None, ask: float | None, time_ms: int = NOW) -> TopOfBook:
    return TopOfBook("BAC", time_ms, bid, ask)


BAD_PRICES = [math.nan, math.inf, -math.inf, 0, -1, 1e308, 1.1e12, 0.9e-12, 10**400]


@pytest.mark.parametrize("price", BAD_PRICES)
def test_what_can_be_no_price_is_refused(price: float) -> None:
    assert checks().trade(trade(price)) is Reason.BAD_PRICE
    assert checks().snapshot(snapshot(price)) == (None, Reason.BAD_PRICE)
    assert checks().top(top(price, 11)) == (top(None, 11), Reason.BAD_PRICE)


@pytest.mark.parametrize("size", [math.nan, math.inf, -1, 2.0**53, 10**400])
def test_what_can_be_no_size_is_refused(size: float) -> None:
    assert checks().trade(trade(size=size)) is Reason.BAD_SIZE
    assert checks().snapshot(snapshot(size=size)) == (snapshot(size=0.0), Reason.BAD_SIZE)


@pytest.mark.parametrize("time_ms", [0, -1, MIN_TIME_MS - 1, MAX_TIME_MS + 1, 10**400, -(10**400)])
def test_what_can_be_no_time_is_refused(time_ms: int) -> None:
    for made in (checks(), checks(max_ahead_ms=None)):
        assert made.trade(trade(time_ms=time_ms)) is Reason.BAD_TIME
        assert made.top(top(1, 2, time_ms)) == (None, Reason.BAD_TIME)
        assert made.snapshot(snapshot(time_ms=time_ms)) == (None, Reason.BAD_TIME)


def test_what_is_ahead_of_our_clock_is_refused_where_the_market_has_the_same() -> None:
    late = NOW + AHEAD_MS + 1
    assert checks().trade(trade(time_ms=late)) is Reason.FUTURE
    assert checks().top(top(1, 2, late)) == (None, Reason.FUTURE)
    assert checks().snapshot(snapshot(time_ms=late)) == (None, Reason.FUTURE)
    assert checks().trade(trade(time_ms=late - 1)) is None
    assert checks(max_ahead_ms=None).trade(trade(time_ms=late)) is None


def test_our_clock_that_is_set_back_is_told_once_and_not_followed() -> None:
    made = checks()
    assert made.clock(NOW - 3_600_000) is Reason.CLOCK_STEP
    assert made.now_ms == NOW
    assert made.clock(NOW - 3_599_000) is None
    assert made.now_ms == NOW
    assert made.trade(trade(time_ms=NOW)) is None


def test_a_price_far_from_the_last_is_believed_when_two_more_confirm_it() -> None:
    made = checks()
    assert made.trade(trade(10)) is None
    told = [made.trade(trade(price)) for price in (101, 102, 99, 100)]
    assert told == [Reason.OUTLIER, Reason.OUTLIER, None, None]


def test_far_prices_that_are_far_from_each_other_confirm_nothing() -> None:
    made = checks()
    made.trade(trade(10))
    told = [made.trade(trade(price)) for price in (101, 150, 0.5, 101, 10, 102, 103)]
    assert told == [*[Reason.OUTLIER] * 4, None, Reason.OUTLIER, Reason.OUTLIER]


@pytest.mark.parametrize("price", [1.0, 100.0])
def test_a_price_ten_times_as_high_or_low_is_not_far(price: float) -> None:
    made = checks()
    made.trade(trade(10))
    assert made.trade(trade(price)) is None


def test_the_first_price_is_held_against_what_history_tells() -> None:
    made = checks()
    made.seed(math.nan)
    made.seed(10)
    assert made.trade(trade(1_000)) is Reason.OUTLIER


def test_a_trade_that_has_come_is_a_duplicate_but_a_lower_number_may_be_late() -> None:
    made = checks()
    told = [made.trade(trade(trade_id=number)) for number in (7, 9, 7, 8, 8, 9)]
    duplicate = Reason.DUPLICATE
    assert told == [None, None, duplicate, None, duplicate, duplicate]


def test_so_many_trades_at_least_are_remembered() -> None:
    made = checks()
    for number in range(10 * REMEMBERED_IDS):
        assert made.trade(trade(trade_id=number)) is None
    for number in range(9 * REMEMBERED_IDS, 10 * REMEMBERED_IDS):
        assert made.trade(trade(trade_id=number)) is Reason.DUPLICATE


def test_trades_without_a_number_are_no_duplicates() -> None:
    made = checks()
    assert [made.trade(trade()), made.trade(trade())] == [None, None]


@pytest.mark.parametrize("currency", ["EUR", "usd", ""])
def test_what_is_in_another_currency_is_refused(currency: str) -> None:
    assert checks().trade(trade(currency=currency)) is Reason.CURRENCY
    assert checks().snapshot(snapshot(currency=currency)) == (None, Reason.CURRENCY)


def test_where_a_currency_is_not_told_or_not_known_it_is_not_wrong() -> None:
    assert checks("USD").trade(trade(currency="USD")) is None
    assert checks("USD").trade(trade(currency=None)) is None
    assert checks("").trade(trade(currency="EUR")) is None


def test_a_crossed_book_is_dropped_and_a_locked_one_is_fine() -> None:
    assert checks().top(top(10.01, 10)) == (top(None, None), Reason.CROSSED)
    assert checks().top(top(10, 10)) == (top(10, 10), None)
    assert checks().top(top(None, 10)) == (top(None, 10), None)


def test_best_prices_older_than_the_last_are_refused() -> None:
    made = checks()
    made.top(top(1, 2, NOW))
    assert made.top(top(1, 2, NOW - 1)) == (None, Reason.OUT_OF_ORDER)
    assert made.top(top(1, 2, NOW))[1] is None


def test_a_snapshot_older_than_the_last_price_is_refused() -> None:
    made = checks()
    made.trade(trade(time_ms=NOW))
    made.trade(trade(time_ms=NOW - 500))
    assert made.snapshot(snapshot(time_ms=NOW - 1)) == (None, Reason.OUT_OF_ORDER)
    assert made.snapshot(snapshot(time_ms=NOW)) == (snapshot(time_ms=NOW), None)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("open", math.nan, Reason.BAD_PRICE),
        ("high", 1e308, Reason.BAD_PRICE),
        ("low", 0, Reason.BAD_PRICE),
        ("prev_close", -1, Reason.BAD_PRICE),
        ("open", 101, Reason.OUTLIER),
        ("low", 0.9, Reason.OUTLIER),
        ("volume", -1, Reason.BAD_SIZE),
        ("volume", math.nan, Reason.BAD_SIZE),
        ("session", date(1, 1, 1), Reason.BAD_TIME),
        ("session", date(9999, 12, 31), Reason.BAD_TIME),
    ],
)
def test_a_field_of_a_snapshot_that_cannot_be_true_is_dropped(
    field: str, value: Any, reason: Reason
) -> None:
    good = snapshot(open=10, high=11, low=9, prev_close=10, volume=5, session=date(2023, 11, 14))
    told = replace(good, **{field: value})
    assert checks().snapshot(told) == (replace(good, **{field: None}), reason)


def test_a_high_below_the_low_tells_neither() -> None:
    told = snapshot(high=9, low=11, open=10)
    assert checks().snapshot(told) == (snapshot(open=10), Reason.BAD_PRICE)


def test_a_previous_close_may_be_far_away_as_after_a_split() -> None:
    assert checks().snapshot(snapshot(10, prev_close=200))[1] is None


# -- whatever comes -----------------------------------------------------------------------------

times = st.one_of(st.integers(), st.integers(NOW - DAY_MS, NOW + DAY_MS))
huge = st.one_of(st.floats(), st.integers(), st.just(10**400), st.floats(9, 11))
perhaps = st.none() | huge
anything = st.one_of(
    st.builds(
        Trade,
        st.just("BAC"),
        times,
        huge,
        huge,
        st.none() | st.integers(),
        st.none() | st.sampled_from(["USD", "EUR", ""]),
    ),
    st.builds(TopOfBook, st.just("BAC"), times, perhaps, perhaps),
    st.builds(
        SessionSnapshot,
        symbol=st.just("BAC"),
        time_ms=times,
        last=huge,
        size=huge,
        bid=perhaps,
        ask=perhaps,
        volume=perhaps,
        open=perhaps,
        high=perhaps,
        low=perhaps,
        prev_close=perhaps,
        session=st.none() | st.dates(),
        currency=st.none() | st.sampled_from(["USD", "EUR"]),
    ),
)


def is_plausible(price: float | None) -> bool:
    return price is None or MIN_PRICE <= price <= MAX_PRICE


@given(st.lists(st.tuples(anything, st.integers(NOW - DAY_MS, NOW + DAY_MS))))
def test_whatever_comes_nothing_implausible_is_accepted(
    events: list[tuple[Trade | TopOfBook | SessionSnapshot, int]],
) -> None:
    made = checks()
    for event, now_ms in events:
        made.clock(now_ms)
        if isinstance(event, Trade):
            accepted: Any = event if made.trade(event) is None else None
        elif isinstance(event, TopOfBook):
            accepted, _ = made.top(event)
        else:
            accepted, _ = made.snapshot(event)
        if accepted is None:
            continue
        assert MIN_TIME_MS <= accepted.time_ms <= made.now_ms + AHEAD_MS
        names = {"price", "last", "open", "high", "low", "prev_close"}
        if isinstance(event, TopOfBook):
            names = {"bid", "ask"}
        assert all(is_plausible(getattr(accepted, name, None)) for name in names)
        for name in ("size", "volume"):
            assert 0 <= (getattr(accepted, name, None) or 0) < MAX_SIZE
