import pytest

from feed_server.gateway.governor import BUSY, IDLE, MIN_RATE, WINDOW_S, RateGovernor


def run(governor: RateGovernor, share: float, now_s: float, seconds: int = 1) -> list[float]:
    """Let flushes take a share of the time; return the rate after each change."""
    rates = []
    for _ in range(seconds * 100):
        now_s += WINDOW_S / 100
        if governor.flushed(share * WINDOW_S / 100, now_s):
            rates.append(governor.rate)
    return rates


def test_the_rate_is_kept_while_there_is_time() -> None:
    governor = RateGovernor()
    assert run(governor, BUSY - 0.05, 100.0, seconds=10) == []
    assert governor.rate == 1


def test_the_rate_drops_once_a_window_while_flushing_takes_too_much_time() -> None:
    governor = RateGovernor()
    rates = run(governor, BUSY + 0.1, 100.0, seconds=5)
    assert 4 <= len(rates) <= 5
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.4


def test_the_rate_has_a_floor() -> None:
    governor = RateGovernor()
    run(governor, 1.0, 100.0, seconds=50)
    assert governor.rate == MIN_RATE


def test_the_rate_rises_to_what_was_asked_for_when_there_is_time_again() -> None:
    governor = RateGovernor()
    run(governor, 1.0, 100.0, seconds=50)
    rates = run(governor, IDLE - 0.1, 200.0, seconds=50)
    assert rates == sorted(rates)
    assert governor.rate == 1


def test_between_busy_and_idle_nothing_changes() -> None:
    governor = RateGovernor()
    run(governor, 1.0, 100.0, seconds=3)
    before = governor.rate
    assert run(governor, (BUSY + IDLE) / 2, 103.0, seconds=10) == []
    assert governor.rate == before


def test_one_long_flush_after_a_quiet_time_is_no_overload() -> None:
    governor = RateGovernor()
    governor.flushed(0.001, 100.0)
    assert not governor.flushed(0.3, 160.0)


@pytest.mark.parametrize("took_s", [1.0, 30.0])
def test_a_flush_longer_than_the_window_is_an_overload(took_s: float) -> None:
    assert RateGovernor().flushed(took_s, 100.0)


def test_flushes_that_begin_late_are_an_overload_where_they_take_much_of_the_time() -> None:
    for share, slows in ((IDLE + 0.1, True), (IDLE - 0.3, False)):
        governor = RateGovernor()
        now_s = 100.0
        for _ in range(300):
            now_s += WINDOW_S / 100
            governor.flushed(share * WINDOW_S / 100, now_s, late_s=0.5)
        assert (governor.rate < 1) == slows
