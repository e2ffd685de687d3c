"""What a page tells of itself for tests, in Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

EXPOSE = """
async () => {
  const {expose} = await import("quotewire/debug.js");
  const told = () => ["chart" in window.__quotewire, window.__quotewire.chart ?? null];
  const first = expose("chart", () => ({bars: 1}));
  const before = told();
  const second = expose("chart", () => ({bars: 2}));
  first();
  const between = told();
  second();
  return [before, between, told()];
}
"""

LET_GO = """
async () => {
  const {acquire, release} = await import("quotewire/registry.js");
  acquire("http://127.0.0.1:9");
  const told = () => "connection" in window.__quotewire;
  const before = told();
  release("http://127.0.0.1:9");
  const deadline_ms = performance.now() + 10_000;
  while (told() && performance.now() < deadline_ms) await new Promise((go) => setTimeout(go, 50));
  return [before, told()];
}
"""


def test_what_was_withdrawn_is_told_no_more_and_another_stays(blank_page: Page) -> None:
    assert blank_page.evaluate(EXPOSE) == [[True, {"bars": 1}], [True, {"bars": 2}], [False, None]]


def test_a_connection_that_has_ended_is_let_go(blank_page: Page) -> None:
    assert blank_page.evaluate(LET_GO) == [True, False]
