"""The client's clock."""

import time

import pytest

from dashboard.client.timing import Clock


async def test_time_that_was_slept_through_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    real, ahead_s = time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: real() + ahead_s)
    clock = Clock()
    before_ms = clock.now_ms
    ahead_s = 3600
    assert clock.now_ms - before_ms == pytest.approx(3_600_000, abs=1000)
    assert clock.loop_s(clock.now_ms) == pytest.approx(clock.loop_s(before_ms) + 3600, abs=1)


async def test_it_is_never_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    clock = Clock()
    before_ms = clock.now_ms
    monkeypatch.setattr(time, "time", lambda: real() - 600)
    assert before_ms <= clock.now_ms < before_ms + 1000
