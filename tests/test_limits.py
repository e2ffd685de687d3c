"""What a stranger may do, counted; no clock but the one passed in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.gateway.limits import CommandRate, ConnectionCount, client_address
from feed_server.gateway.requests import RequestError
from feed_server.protocol import ErrorCode

RATES = st.integers(1, 100)
PAUSES = st.lists(st.floats(0, 3), max_size=200)


def times(pauses: list[float]) -> list[float]:
    return [sum(pauses[: i + 1]) for i in range(len(pauses))]


def test_twice_the_rate_may_come_at_once_and_then_the_rate() -> None:
    rate = CommandRate(5)
    assert [rate.take(100.0) for _ in range(11)] == [True] * 10 + [False]
    assert [rate.take(101.0) for _ in range(6)] == [True] * 5 + [False]
    assert not rate.take(101.19)
    assert rate.take(101.21)


def test_a_long_silence_saves_no_more_than_a_burst() -> None:
    rate = CommandRate(1)
    assert [rate.take(0.0) for _ in range(3)] == [True, True, False]
    assert [rate.take(1e9) for _ in range(3)] == [True, True, False]


@given(RATES, PAUSES)
def test_no_span_of_time_takes_more_than_its_rate_and_a_burst(
    per_s: int, pauses: list[float]
) -> None:
    rate = CommandRate(per_s)
    taken = [now_s for now_s in times(pauses) if rate.take(now_s)]
    for i, first_s in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= per_s * (taken[j] - first_s) + 2 * per_s + 1e-6


@given(RATES, PAUSES)
def test_who_keeps_to_the_rate_is_never_refused(per_s: int, pauses: list[float]) -> None:
    rate = CommandRate(per_s)
    assert all(rate.take(now_s) for now_s in times([p + 1.001 / per_s for p in pauses]))


def test_an_address_may_be_without_a_limit_of_its_own() -> None:
    count = ConnectionCount(most=3, most_per_address=1, unlimited={"10.0.0.1"})
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        count.admit(address)
    for address in ("10.0.0.1", "10.0.0.3"):
        with pytest.raises(RequestError, match="takes no more"):
            count.admit(address)


def test_connections_are_counted_by_address() -> None:
    count = ConnectionCount(most=10, most_per_address=2)
    count.admit("10.0.0.1")
    count.admit("10.0.0.1")
    with pytest.raises(RequestError, match="this address has 2 connections open") as caught:
        count.admit("10.0.0.1")
    assert caught.value.code is ErrorCode.TOO_MANY_CONNECTIONS
    count.admit("10.0.0.2")
    count.leave("10.0.0.1")
    count.admit("10.0.0.1")
    assert len(count) == 3


def test_connections_are_counted_in_all() -> None:
    count = ConnectionCount(most=2, most_per_address=2)
    count.admit("10.0.0.1")
    count.admit("10.0.0.2")
    with pytest.raises(RequestError, match="this gateway has 2 connections"):
        count.admit("10.0.0.3")
    count.leave("10.0.0.1")
    count.admit("10.0.0.3")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=60))
def test_what_is_open_is_what_was_admitted_and_has_not_left(steps: list[tuple[bool, str]]) -> None:
    count = ConnectionCount(most=5, most_per_address=3)
    open_: list[str] = []
    for comes, address in steps:
        if comes:
            free = len(open_) < 5 and open_.count(address) < 3
            try:
                count.admit(address)
                assert free
                open_.append(address)
            except RequestError:
                assert not free
        elif address in open_:
            open_.remove(address)
            count.leave(address)
        assert len(count) == len(open_)


PROXIES = frozenset({"10.0.0.1", "10.0.0.2"})


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", " 203.0.113.7:5555 ", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:5555", "2001:db8::7"),
        ("10.0.0.1", "2001:0db8::0007", "2001:db8::7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.7, nonsense", "10.0.0.1"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("203.0.113.9", None, "203.0.113.9"),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(
    peer: str, forwarded_for: str | None, address: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


@given(st.text(max_size=50))
def test_who_is_no_trusted_proxy_can_say_nothing_of_its_address(forwarded_for: str) -> None:
    assert client_address("203.0.113.9", forwarded_for, PROXIES) == "203.0.113.9"


@given(st.text(max_size=50))
def test_what_a_client_makes_up_is_left_of_what_the_proxy_saw(made_up: str) -> None:
    assert client_address("10.0.0.1", f"{made_up},203.0.113.7", PROXIES) == "203.0.113.7"
