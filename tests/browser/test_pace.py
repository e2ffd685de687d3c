"""How often a page shows what came, in Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

TAKE = """
async (steps) => {
  const {Pace} = await import("quotewire/pace.js");
  const pace = new Pace();
  return steps.flatMap(([at_ms, max_hz]) => {
    if (max_hz === undefined) return [pace.take(at_ms)];
    pace.configure(max_hz);
    return [];
  });
}
"""


def test_the_first_is_at_once_and_the_next_in_its_time(blank_page: Page) -> None:
    steps = [[0, 10], [5000], [5001], [5099], [5100], [5150], [5999], [6000]]
    assert blank_page.evaluate(TAKE, steps) == [True, False, False, True, False, True, False]


def test_without_a_limit_each_is_at_once(blank_page: Page) -> None:
    assert blank_page.evaluate(TAKE, [[0], [0], [0, 0], [0]]) == [True, True, True]


def test_another_rate_counts_from_the_last_one_on(blank_page: Page) -> None:
    steps = [[0, 1], [0], [50, 10], [99], [100], [101, 1], [1099], [1100]]
    assert blank_page.evaluate(TAKE, steps) == [True, False, True, False, True]
