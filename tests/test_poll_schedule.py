from hypothesis import given
from hypothesis import strategies as st

from feed_server.ingest.poll_schedule import PollSchedule

FORTY = [f"S{number:02}" for number in range(40)]


def schedule(symbols: list[str], poll_s: float = 15.0) -> PollSchedule:
    made = PollSchedule(poll_s, jitter=lambda: 0.5)
    made.want(symbols)
    return made


def ask(plan: PollSchedule, now_s: float, most: int) -> list[str]:
    symbols = plan.next(now_s, most)
    plan.asked(symbols, now_s)
    return symbols


def test_what_is_new_is_asked_for_at_once() -> None:
    plan = schedule(["A"])
    assert ask(plan, 0.0, 8) == ["A"]
    plan.want(["A", "B"])
    assert plan.next(0.1, 8) == ["B"]


def test_a_symbol_is_not_asked_for_again_before_its_time() -> None:
    plan = schedule(["A"])
    ask(plan, 0.0, 8)
    assert plan.next(14.9, 8) == []
    assert plan.due_s() == 15.0
    assert plan.next(15.0, 8) == ["A"]


def test_eight_a_minute_refresh_forty_symbols_in_turn() -> None:
    plan = schedule(FORTY)
    asked = [symbol for minute in range(10) for symbol in ask(plan, 60.0 * minute, 8)]
    assert sorted(asked[:40]) == FORTY
    assert asked[40:] == asked[:40]


def test_the_freshest_is_asked_for_least() -> None:
    plan = schedule(FORTY)
    for minute in range(5):
        ask(plan, 60.0 * minute, 8)
    newest = plan.next(1e9, 40)[-8:]
    assert newest == FORTY[-8:]


def test_somebody_who_waits_comes_first_once() -> None:
    plan = schedule(FORTY)
    for minute in range(5):
        ask(plan, 60.0 * minute, 8)
    plan.urge("S39")
    assert ask(plan, 241.0, 2) == ["S39", "S00"]
    assert "S39" not in plan.next(300.0, 8)


def test_a_symbol_that_is_wanted_no_more_is_not_asked_for() -> None:
    plan = schedule(["A", "B"])
    plan.want(["B"])
    assert plan.next(0.0, 8) == ["B"]
    plan.urge("A")
    plan.asked(["A"], 0.0)
    plan.postpone("A", 5.0)
    assert plan.symbols == {"B"}


def test_one_that_cannot_be_served_waits() -> None:
    plan = schedule(["A", "B"])
    ask(plan, 0.0, 8)
    plan.postpone("A", 600.0)
    assert plan.next(599.0, 8) == ["B"]
    assert plan.next(600.0, 8) == ["A", "B"]


def test_a_quicker_pace_holds_for_what_waits_already() -> None:
    plan = schedule(["A"], poll_s=300.0)
    ask(plan, 0.0, 8)
    plan.pace(15.0)
    assert plan.next(15.0, 8) == ["A"]


def test_some_may_have_a_pace_of_their_own() -> None:
    plan = schedule(["A", "B"], poll_s=300.0)
    ask(plan, 0.0, 8)
    plan.pace(300.0, {"B": 15.0})
    assert plan.next(14.0, 8) == []
    assert ask(plan, 15.0, 8) == ["B"]
    assert ask(plan, 30.0, 8) == ["B"]
    plan.pace(300.0)
    assert ask(plan, 45.0, 8) == ["B"]
    assert ask(plan, 299.0, 8) == []


def test_those_that_were_not_answered_are_asked_again_behind_the_others() -> None:
    plan = schedule(["A", "B", "C"], poll_s=300.0)
    assert ask(plan, 0.0, 2) == ["A", "B"]
    plan.failed(["A", "B"], 0.5)
    assert ask(plan, 1.0, 2) == ["C", "A"]
    assert ask(plan, 2.0, 2) == ["B"]


@given(st.integers(1, 60), st.integers(1, 20), st.lists(st.floats(0.01, 30), min_size=1))
def test_nobody_starves(symbols: int, most: int, steps: list[float]) -> None:
    plan = schedule([f"S{n}" for n in range(symbols)], poll_s=0.0)
    last = dict.fromkeys(plan.symbols, 0)
    now_s = 0.0
    for turn, step in enumerate((steps * 200)[:200], 1):
        now_s += step
        last.update(dict.fromkeys(ask(plan, now_s, most), turn))
    rounds = -(-symbols // most)
    assert min(last.values()) >= 200 - rounds
