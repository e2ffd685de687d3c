"""When alerts fire: pure rules."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.alerts import REST_MS, AlertBoard, Arming, Firing, is_met, reading, turns
from feed_server.protocol import Alert, Condition

PRICES = st.lists(st.floats(0.01, 1e9), max_size=30)


def alert(
    level: float = 100.0,
    condition: Condition = Condition.PRICE_ABOVE,
    *,
    symbol: str = "AAPL",
    name: str = "a",
    repeat: bool = False,
    armed: bool = True,
) -> Alert:
    return Alert(
        id=name,
        symbol=symbol,
        condition=condition,
        level=level,
        repeat=repeat,
        note="",
        created_ms=1,
        armed=armed,
    )


def board_of(*alerts: Alert, subject: str = "ann") -> AlertBoard:
    board = AlertBoard()
    board.replace(subject, alerts)
    return board


def told(
    board: AlertBoard,
    prices: list[float],
    *,
    prev_close: float | None = None,
    now_ms: int = 0,
    step_ms: int = 0,
) -> list[float]:
    """Return the prices that fire alerts, where each price comes by itself."""
    fired = []
    for price in prices:
        for watch in board.of("AAPL"):
            for turn in list(turns(watch, [price], prev_close, now_ms)):
                board.take(turn, now_ms)
                if isinstance(turn, Firing):
                    fired.append(turn.price)
        now_ms += step_ms
    return fired


def test_it_fires_at_the_crossing_and_once() -> None:
    assert told(board_of(alert()), [98, 99, 101, 102, 99, 103]) == [101]


def test_to_reach_the_level_is_to_cross_it() -> None:
    assert told(board_of(alert()), [99.99, 100]) == [100]


def test_below_is_on_the_way_down() -> None:
    assert told(board_of(alert(condition=Condition.PRICE_BELOW)), [102, 101, 99, 98]) == [99]


def test_one_that_was_beyond_when_it_was_set_waits_for_the_way_back() -> None:
    assert told(board_of(alert(armed=False)), [101, 102, 99, 98, 103]) == [103]


def test_one_that_stays_fires_at_each_crossing() -> None:
    board = board_of(alert(repeat=True))
    assert told(board, [99, 101, 102, 99, 105], step_ms=REST_MS) == [101, 105]


def test_one_that_stays_rests_while_prices_dither_at_its_level() -> None:
    board = board_of(alert(repeat=True))
    dither = [99.9, 100.1] * 1_000
    assert len(told(board, dither, step_ms=REST_MS // 100)) == 20


def test_the_change_is_since_the_session_before_closed() -> None:
    board = board_of(alert(5.0, Condition.CHANGE_ABOVE))
    assert told(board, [200, 209.9, 210.1], prev_close=200.0) == [210.1]
    board = board_of(alert(-5.0, Condition.CHANGE_BELOW))
    assert told(board, [200, 190.1, 189.9], prev_close=200.0) == [189.9]


@pytest.mark.parametrize("prev_close", [None, 0.0, -1.0])
def test_without_a_close_before_there_is_no_change(prev_close: float | None) -> None:
    assert told(board_of(alert(5.0, Condition.CHANGE_ABOVE)), [1, 1e9], prev_close=prev_close) == []


def test_within_one_update_each_price_counts() -> None:
    (watch,) = board_of(alert(armed=False)).of("AAPL")
    found = list(turns(watch, [101, 99, 104, 98], None, 0))
    assert found == [Arming(watch), Firing(watch, 104, 104)]
    assert watch.armed is False, "until it has happened in Redis"


@given(prices=PRICES, level=st.floats(0.01, 1e9), condition=st.sampled_from(list(Condition)[:2]))
def test_it_fires_where_the_first_price_beyond_comes_after_one_that_is_not(
    prices: list[float], level: float, condition: Condition
) -> None:
    met = [is_met(condition, level, price) for price in prices]
    first = met.index(False) if False in met else len(met)
    expected = [
        price for price, is_beyond in list(zip(prices, met, strict=True))[first:] if is_beyond
    ]
    assert told(board_of(alert(level, condition, armed=False)), prices) == expected[:1]


@given(prices=PRICES, level=st.floats(0.01, 1e9), cuts=st.sets(st.integers(0, 30)))
def test_how_prices_are_bundled_makes_no_difference(
    prices: list[float], level: float, cuts: set[int]
) -> None:
    board = board_of(alert(level, armed=False))
    fired, bundle = [], []
    for number, price in enumerate(prices):
        bundle.append(price)
        if number in cuts or number == len(prices) - 1:
            for watch in board.of("AAPL"):
                for turn in list(turns(watch, bundle, None, 0)):
                    board.take(turn, 0)
                    fired += [turn.price] if isinstance(turn, Firing) else []
            bundle = []
    assert fired == told(board_of(alert(level, armed=False)), prices)


@given(prices=PRICES, steps=st.integers(0, 2 * REST_MS), level=st.floats(0.01, 1e9))
def test_between_two_firings_the_price_was_back_and_a_while_has_passed(
    prices: list[float], steps: int, level: float
) -> None:
    board, at_ms, back, fired_ms = board_of(alert(level, repeat=True)), 0, True, -math.inf
    for price in prices:
        at_ms += steps
        fired = told(board, [price], now_ms=at_ms)
        if fired:
            assert back
            assert at_ms - fired_ms >= REST_MS
            back, fired_ms = False, at_ms
        back |= price < level


def test_a_reading_is_in_percent() -> None:
    assert reading(Condition.CHANGE_BELOW, 97.5, 100) == pytest.approx(-2.5)
    assert reading(Condition.PRICE_BELOW, 97.5, None) == 97.5


def test_a_board_counts_by_symbol_and_forgets_what_is_gone() -> None:
    board = board_of(alert(name="a"), alert(name="b"), alert(name="c", symbol="IBM"))
    board.replace("bob", [alert(name="a")])
    assert board.counts() == {"AAPL": 3, "IBM": 1}
    assert board.subjects == {"ann", "bob"}
    assert board.replace("ann", [alert(name="b"), alert(name="d", symbol="GOOG")]) == {"GOOG"}
    assert board.counts() == {"AAPL": 2, "GOOG": 1}
    board.replace("bob", [])
    assert board.counts() == {"AAPL": 1, "GOOG": 1}
    assert board.subjects == {"ann"}
    assert board.of("IBM") == ()


def test_what_is_read_anew_rests_as_before() -> None:
    board = board_of(alert(repeat=True))
    assert told(board, [99, 101]) == [101]
    board.replace("ann", [alert(repeat=True, armed=False)])
    assert told(board, [99, 101], now_ms=REST_MS // 2) == []
    assert told(board, [99, 101], now_ms=REST_MS) == [101]


def test_one_that_was_set_anew_while_it_fired_is_not_forgotten() -> None:
    board = board_of(alert())
    (watch,) = board.of("AAPL")
    board.replace("ann", [alert(armed=False)])
    board.take(Firing(watch, 101, 101), 0)
    assert told(board, [99, 102]) == [102]
