import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.ingest.circuit import MOST_S, OPENS_AFTER, Circuit


def test_a_source_that_works_may_be_tried_at_any_time() -> None:
    circuit = Circuit()
    assert circuit.may_try(0.0)
    assert not circuit.is_open


def test_each_failure_in_a_row_doubles_the_wait() -> None:
    circuit = Circuit(jitter=lambda: 1.0)
    waits = []
    for _ in range(5):
        circuit.fail(100.0)
        waits.append(circuit.next_try_s - 100.0)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_it_opens_after_some_failures_and_a_success_closes_it() -> None:
    circuit = Circuit()
    for _ in range(OPENS_AFTER - 1):
        circuit.fail(0.0)
    assert not circuit.is_open
    circuit.fail(0.0)
    assert circuit.is_open
    assert not circuit.may_try(0.1)
    circuit.succeed()
    assert (circuit.is_open, circuit.failures, circuit.may_try(0.0)) == (False, 0, True)


def test_the_vendors_hint_counts_and_is_never_undercut() -> None:
    circuit = Circuit(jitter=lambda: 0.0)
    circuit.fail(50.0, hint_s=37.0)
    assert circuit.next_try_s == 87.0
    circuit.fail(51.0)
    assert circuit.next_try_s == 87.0


def test_a_hint_of_hours_is_not_made_much_longer() -> None:
    circuit = Circuit(jitter=lambda: 1.0)
    circuit.fail(0.0, hint_s=50_000.0)
    assert 50_000.0 < circuit.next_try_s <= 50_060.0


def test_a_refused_key_opens_it_at_once() -> None:
    circuit = Circuit()
    circuit.fail(0.0, 300.0)
    circuit.open()
    assert circuit.is_open


@given(st.integers(1, 200), st.floats(0, 1))
def test_no_wait_is_longer_than_the_longest_or_shorter_than_half_a_second(
    failures: int, drawn: float
) -> None:
    circuit = Circuit(jitter=lambda: drawn)
    for _ in range(failures):
        circuit.fail(0.0)
    assert 0.5 <= circuit.next_try_s <= MOST_S


def test_processes_that_failed_together_do_not_try_together() -> None:
    waits = set()
    for _ in range(20):
        circuit = Circuit()
        circuit.fail(0.0)
        waits.add(circuit.next_try_s)
    assert len(waits) > 10
    assert pytest.approx(0.75, abs=0.25) == min(waits)
