"""The clock that a page goes by, in Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

TELL = """
async (moments) => {
  const {forwardClock} = await import("quotewire/clock.js");
  let moment = [];
  const now = forwardClock(() => moment[0], () => moment[1]);
  return moments.map((next) => {
    moment = next;
    return now();
  });
}
"""

SET_BACK = """
async () => {
  const {browser} = await import("quotewire/environment.js");
  const {now} = Date;
  const before = browser.now();
  Date.now = () => now() - 600_000;
  const after = browser.now();
  Date.now = now;
  return [Math.abs(before - now()) < 1000, after >= before];
}
"""


def test_it_goes_with_the_machines_clock(blank_page: Page) -> None:
    assert blank_page.evaluate(TELL, [[5000, 10], [5001, 11], [6000.5, 1010.5]]) == [
        *(5000, 5001, 6000)
    ]


def test_where_the_machines_clock_is_set_back_it_goes_on(blank_page: Page) -> None:
    told = blank_page.evaluate(TELL, [[1_000_000, 10], [400_000, 20], [401_000, 1020]])
    assert told == [1_000_000, 1_000_010, 1_001_010]


def test_after_a_sleep_it_has_the_time_that_went_by(blank_page: Page) -> None:
    assert blank_page.evaluate(TELL, [[5000, 10], [65_000, 20], [65_010, 30]]) == [
        *(5000, 65_000, 65_010)
    ]


def test_a_page_whose_machine_is_set_back_goes_on(blank_page: Page) -> None:
    assert blank_page.evaluate(SET_BACK) == [True, True]
