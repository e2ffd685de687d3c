"""When alerts fire: pure rules."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.alert_board import AlertBoard
from feed_server.alerts import REST_MS, Arming, Firing, Standing, Tick, Turn, is_met, reading
from feed_server.protocol import Alert, Condition

PRICES = st.lists(st.floats(0.01, 1e9), max_size=30)
US, OTHER = "us", "other"


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
    board = AlertBoard(US)
    board.replace(subject, [(one, Standing(one.armed)) for one in alerts])
    return board


def turns_of(
    board: AlertBoard,
    prices: Sequence[float],
    *,
    times: Sequence[int] = (),
    epoch: str = "e",
    prev_close: float | None = None,
    now_ms: int = 0,
) -> Sequence[Turn]:
    """Return what one update of trades does."""
    times = times or [0] * len(prices)
    trades = [Tick(*one, epoch) for one in zip(times, prices, strict=True)]
    last = max(trades, key=lambda tick: tick.time_ms)
    last = [tick for tick in trades if tick.time_ms == last.time_ms][-1]
    return board.evaluate("AAPL", trades, last, prev_close, now_ms)


def fired_in(turns: Sequence[Turn]) -> list[float]:
    return [turn.tick.price for turn in turns if isinstance(turn, Firing)]


def told(
    board: AlertBoard,
    prices: Sequence[float],
    *,
    prev_close: float | None = None,
    now_ms: int = 0,
    step_ms: int = 0,
) -> list[float]:
    """Return the prices that fire alerts, where each price comes by itself."""
    fired = []
    for price in prices:
        fired += fired_in(turns_of(board, [price], prev_close=prev_close, now_ms=now_ms))
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
    turns = turns_of(board_of(alert(armed=False)), [101, 99, 104, 98], times=[1, 2, 3, 4])
    assert [type(turn) for turn in turns] == [Arming, Firing]
    assert turns[1].tick == Tick(3, 104, "e")


def test_a_trade_that_comes_late_was_never_the_last_price() -> None:
    board = board_of(alert(110), alert(95, Condition.PRICE_BELOW, name="b"))
    assert not turns_of(board, [100, 120, 90], times=[5, 3, 4]), "late within one update"
    assert not turns_of(board, [120, 101], times=[4, 6]), "late after one"
    assert fired_in(turns_of(board, [111], times=[6])) == [111], "at the same time is not late"


def test_a_last_price_counts_whatever_its_source_says_of_its_time() -> None:
    board = board_of(alert())
    turns_of(board, [99], times=[9])
    (turn,) = board.evaluate("AAPL", (), Tick(5, 101, "e"), None, 0)
    assert turn.tick == Tick(9, 101, "e")


def test_what_another_has_evaluated_counts_once() -> None:
    board = AlertBoard(US)
    fired = Standing(False, rests_until_ms=REST_MS, epoch="e", time_ms=3, writer=OTHER)
    board.replace("ann", [(alert(repeat=True), fired)])
    assert not turns_of(board, [99, 101], times=[2, 3], now_ms=2 * REST_MS)
    assert fired_in(turns_of(board, [99, 102], times=[4, 5], now_ms=2 * REST_MS)) == [102]


def test_what_another_has_armed_does_not_fire_of_an_earlier_price() -> None:
    board = AlertBoard(US)
    armed = Standing(True, epoch="e", time_ms=2, writer=OTHER)
    board.replace("ann", [(alert(), armed)])
    assert not turns_of(board, [101, 99], times=[1, 2])
    assert fired_in(turns_of(board, [103], times=[3])) == [103]


@pytest.mark.parametrize(("epoch", "writer"), [("other run", OTHER), ("e", US)])
def test_times_of_another_run_or_of_our_own_say_nothing(epoch: str, writer: str) -> None:
    board = AlertBoard(US)
    armed = Standing(True, epoch=epoch, time_ms=1_000, writer=writer)
    board.replace("ann", [(alert(), armed)])
    assert fired_in(turns_of(board, [101], times=[1])) == [101]


def test_one_that_was_back_while_it_rested_is_armed_when_that_is_over() -> None:
    board = board_of(alert(repeat=True))
    assert told(board, [99, 101, 98]) == [101]
    assert told(board, [105], now_ms=REST_MS) == [105]


def test_one_that_is_beyond_when_its_rest_is_over_waits_for_the_way_back() -> None:
    board = board_of(alert(repeat=True))
    assert told(board, [99, 101, 98, 102]) == [101]
    assert told(board, [105, 99, 106], now_ms=REST_MS) == [106]


def test_a_price_of_before_it_was_set_arms_none() -> None:
    board = board_of(alert(900))
    told(board, [99])
    board.replace("bob", [(alert(armed=False), Standing())])
    assert told(board, [105, 99, 106]) == [106]


@given(
    prices=st.lists(st.floats(1, 10), max_size=40),
    alerts=st.lists(
        st.tuples(st.floats(1, 10), st.sampled_from(list(Condition)[:2]), st.booleans()),
        max_size=8,
    ),
)
def test_many_together_fire_as_each_alone(
    prices: list[float], alerts: list[tuple[float, Condition, bool]]
) -> None:
    every = [
        alert(level, condition, armed=armed, name=str(n), repeat=n % 2 == 0)
        for n, (level, condition, armed) in enumerate(alerts)
    ]
    step_ms = REST_MS // 3
    alone = [price for one in every for price in told(board_of(one), prices, step_ms=step_ms)]
    assert sorted(told(board_of(*every), prices, step_ms=step_ms)) == sorted(alone)


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
    fired, bundle = list[float](), list[float]()
    for number, price in enumerate(prices):
        bundle.append(price)
        if number in cuts or number == len(prices) - 1:
            fired += fired_in(turns_of(board, bundle))
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
    def plain(*alerts: Alert) -> list[tuple[Alert, Standing]]:
        return [(one, Standing(True)) for one in alerts]

    board = board_of(alert(name="a"), alert(name="b"), alert(name="c", symbol="IBM"))
    board.replace("bob", plain(alert(name="a")))
    assert board.counts() == {"AAPL": 3, "IBM": 1}
    assert board.subjects == {"ann", "bob"}
    new = plain(alert(name="b"), alert(name="d", symbol="GOOG"))
    assert board.replace("ann", new) == {"GOOG"}
    assert board.counts() == {"AAPL": 2, "GOOG": 1}
    assert board.of("IBM") is None
    assert told(board, [99, 101]) == [101, 101]
    assert board.counts() == {"GOOG": 1}
    assert board.subjects == {"ann"}
    board.replace("ann", [])
    assert board.counts() == {}
    assert not board.subjects
    assert not list(board.symbols)


def test_what_is_read_anew_rests_as_before() -> None:
    board = board_of(alert(repeat=True))
    assert told(board, [99, 101]) == [101]
    rests = Standing(False, rests_until_ms=REST_MS, epoch="e", time_ms=0, writer=US)
    board.replace("ann", [(alert(repeat=True), rests)])
    assert told(board, [101, 99, 101], now_ms=REST_MS // 2) == []
    assert told(board, [99, 101], now_ms=REST_MS) == [101]
