"""Both clients go through all that networks do, side by side, and tell nothing that is not so."""

from collections.abc import Sequence
from functools import partial

import pytest
from playwright.sync_api import Browser

from tests.faults.browser_client import BrowserClient
from tests.faults.python_client import PythonClient
from tests.faults.run import Outcome, StartClient, run
from tests.faults.weather import BEGIN_S, Fault, Kind, Planned, plan

pytestmark = pytest.mark.browser

SECONDS = 60.0
SEED = 4

AWAY_S = 8.0
FEW_ENTRIES = 20
"""Of a symbol with ten trades a second: the feed's log does not reach back so far."""


def outcomes(
    browser: Browser, plans: Sequence[Sequence[Planned]], seconds: float, log_entries: int
) -> list[Outcome]:
    """Let each client go through its faults."""
    idle = browser.new_page()
    starts: tuple[StartClient, ...] = (PythonClient, partial(BrowserClient, browser))
    try:
        return run(
            list(zip(starts, plans, strict=True)),
            seconds=seconds,
            log_entries=log_entries,
            # Playwright only hears its pages while it is waited for.
            wait=lambda wait_s: idle.wait_for_timeout(wait_s * 1000),
        )
    finally:
        idle.close()


@pytest.mark.timeout(240)
def test_a_minute_of_faults_loses_doubles_and_moves_nothing(browser: Browser) -> None:
    plans = [plan(SEED, SECONDS), plan(SEED + 1, SECONDS)]
    python, page = outcomes(browser, plans, SECONDS, 2000)
    print(python, page, sep="\n")
    assert python.violations == []
    assert page.violations == []


@pytest.mark.timeout(240)
def test_what_the_feed_has_no_more_is_told_as_lost(browser: Browser) -> None:
    away = [Planned(BEGIN_S, Fault(Kind.REFUSE, AWAY_S))]
    python, page = outcomes(browser, [away, away], 30.0, FEW_ENTRIES)
    print(python, page, sep="\n")
    assert python.violations == []
    assert page.violations == []
    for outcome in (python, page):
        assert {loss.channel for loss in outcome.record.losses} == {"trades"}
