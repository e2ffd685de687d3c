from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from feed_server.gateway.interest import Interest


def test_a_symbol_is_kept_as_long_as_somebody_watches() -> None:
    interest = Interest(10)
    interest.watch(["AAPL", "IBM"])
    interest.watch(["AAPL"])
    interest.unwatch(["AAPL"], 0)
    interest.expire(1_000)
    assert interest.counts == {"AAPL": 1, "IBM": 1}


def test_what_nobody_watches_lingers_and_is_let_go() -> None:
    interest = Interest(10)
    interest.watch(["AAPL"])
    interest.unwatch(["AAPL"], 5)
    interest.expire(14.9)
    assert interest.counts == {"AAPL": 0}
    interest.expire(15)
    assert interest.kept == set()


def test_who_comes_back_in_time_finds_it_and_keeps_it() -> None:
    interest = Interest(10)
    interest.watch(["AAPL"])
    interest.unwatch(["AAPL"], 0)
    interest.watch(["AAPL"])
    interest.expire(1_000)
    assert interest.counts == {"AAPL": 1}


def test_what_is_polled_is_kept_from_poll_to_poll() -> None:
    interest = Interest(10)
    interest.touch(["AAPL"], 0)
    interest.touch(["AAPL"], 8)
    interest.expire(12)
    assert interest.counts == {"AAPL": 0}
    interest.expire(18)
    assert interest.kept == set()


def test_without_lingering_a_symbol_goes_with_its_last_watcher() -> None:
    interest = Interest(0)
    interest.watch(["AAPL"])
    interest.unwatch(["AAPL"], 3)
    interest.expire(3)
    assert interest.kept == set()


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.booleans()), max_size=50))
def test_counts_are_those_of_who_came_and_has_not_gone(steps: list[tuple[str, bool]]) -> None:
    interest, there = Interest(1), Counter[str]()
    for now_s, (symbol, comes) in enumerate(steps):
        if comes:
            interest.watch([symbol])
            there[symbol] += 1
        elif there[symbol]:
            interest.unwatch([symbol], now_s)
            there[symbol] -= 1
        assert {s: n for s, n in interest.counts.items() if n} == +there
    interest.expire(len(steps) + 1)
    assert interest.counts == +there
