"""What the badge says of several sources, by its module alone, in Chromium."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

Sources = dict[str, str]


def told(
    page: Page, sources: Sources, shown: Sequence[str] | None = None, connection: str = "live"
) -> str:
    """Return the state that is shown, with sources by name and state."""
    state: str = page.evaluate(
        """async ([sources, shown, state]) => {
          const {healthOf} = await import("quotewire/health.js");
          const connection = {state, reason: ""};
          const statuses = Object.entries(sources)
            .map(([source, state]) => ({source, state, message: "its word"}));
          return healthOf(connection, statuses, shown ? new Set(shown) : undefined).state;
        }""",
        [sources, shown, connection],
    )
    return state


def test_a_source_that_is_down_harms_only_what_comes_from_it(blank_page: Page) -> None:
    sources = {"a": "down", "b": "live"}
    assert told(blank_page, sources, ["b"]) == "live"
    assert told(blank_page, sources, ["a", "b"]) == "source-down"
    assert told(blank_page, sources, ["a"]) == "source-down"


def test_as_long_as_nobody_knows_what_is_shown_all_sources_count(blank_page: Page) -> None:
    sources = {"a": "down", "b": "live"}
    assert told(blank_page, sources) == "source-down"
    assert told(blank_page, sources, []) == "source-down"
    assert told(blank_page, sources, ["gone"]) == "source-down"


def test_the_market_is_closed_when_all_that_is_shown_has_ended(blank_page: Page) -> None:
    sources = {"a": "closed", "b": "live"}
    assert told(blank_page, sources, ["a"]) == "market-closed"
    assert told(blank_page, sources, ["a", "b"]) == "live"


@pytest.mark.parametrize("state", ["connecting", "stale", "offline", "closed"])
def test_trouble_with_the_connection_comes_before_what_it_last_told(
    blank_page: Page, state: str
) -> None:
    assert told(blank_page, {"a": "down"}, ["a"], state) == state
    assert told(blank_page, {"a": "closed"}, ["a"], state) == state


def test_symbols_are_asked_for_anew_when_a_source_comes_or_fares_differently(
    blank_page: Page,
) -> None:
    differently = """
      async (steps) => {
        const {fareDifferently} = await import("quotewire/health.js");
        const sources = (states) =>
          Object.entries(states).map(([source, state]) => ({source, state}));
        return steps.map(([before, after]) => fareDifferently(sources(before), sources(after)));
      }
    """
    steps: list[list[Sources]] = [
        [{}, {"a": "live"}],
        [{"a": "live"}, {"a": "live"}],
        [{"a": "down"}, {"a": "live"}],
        [{"a": "live"}, {"a": "down"}],
        [{"a": "live"}, {"a": "live", "b": "connecting"}],
    ]
    assert blank_page.evaluate(differently, steps) == [True, False, True, True, True]
