import math

import pytest

from feed_server.providers.replay_clock import ReplayClock

HOUR_MS = 3_600_000


def test_the_first_trade_is_due_at_once() -> None:
    assert ReplayClock(780, started_s=50.0).due_s(1_000_000) == 50.0


@pytest.mark.parametrize(("speed", "real_s"), [(1, 7200.0), (720, 10.0), (10_000, 0.72)])
def test_market_time_passes_at_the_speed(speed: float, real_s: float) -> None:
    clock = ReplayClock(speed, started_s=50.0)
    clock.due_s(0)
    assert clock.due_s(2 * HOUR_MS) == pytest.approx(50.0 + real_s)


def test_three_hours_without_a_trade_are_still_an_open_market() -> None:
    clock = ReplayClock(3600, started_s=0.0)
    clock.due_s(0)
    assert clock.due_s(3 * HOUR_MS) == pytest.approx(3.0)


@pytest.mark.parametrize("gap_ms", [3 * HOUR_MS + 1, 17 * HOUR_MS, 1000 * HOUR_MS])
def test_a_closed_market_takes_one_second(gap_ms: int) -> None:
    clock = ReplayClock(3600, started_s=0.0)
    clock.due_s(0)
    clock.due_s(HOUR_MS)
    assert clock.due_s(HOUR_MS + gap_ms) == pytest.approx(2.0)
    assert clock.due_s(2 * HOUR_MS + gap_ms) == pytest.approx(3.0)


def test_a_closed_market_never_takes_longer_than_the_speed_makes_it() -> None:
    clock = ReplayClock(36_000_000, started_s=0.0)
    clock.due_s(0)
    assert clock.due_s(10 * HOUR_MS) == pytest.approx(0.001)


def test_at_infinite_speed_everything_is_due_at_once() -> None:
    clock = ReplayClock(math.inf, started_s=50.0)
    assert {clock.due_s(hours * HOUR_MS) for hours in (0, 1, 2, 30, 3000)} == {50.0}


def test_ten_thousand_sessions_do_not_drift() -> None:
    clock = ReplayClock(780, started_s=1e6)
    session_ms, night_ms = 23_400_000, 63_000_000
    for day in range(10_000):
        open_ms = day * (session_ms + night_ms)
        opened_s, *_ = [clock.due_s(open_ms + session_ms * part // 3) for part in range(4)]
    assert opened_s == pytest.approx(1e6 + 9_999 * 31.0, abs=1e-4)
