"""What is said where there is nothing to show, in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

EXPLAIN = """
async ({state, failure, historyFailure}) => {
  const absence = await import("quotewire/absence.js");
  const connection = {
    state: {state, reason: "as told"}, feedUrl: "http://feed.test:8200",
    failure: () => failure, historyFailure: () => historyFailure,
  };
  return {
    nothing: absence.explainAbsence(connection),
    price: absence.explainNoPrice(connection, "AAPL"),
    bars: absence.explainNoBars(connection, "AAPL", "1m"),
    history: absence.explainNoHistory(connection, "AAPL", "1m"),
  };
}
"""


def explain(
    page: Page, state: str, code: str = "", reason: str = "", *, history: str = ""
) -> dict[str, str]:
    """Return what is said in a state, where the feed refuses something, or lacks its history."""
    told: dict[str, Any] = {
        "state": state,
        "failure": {"code": code, "reason": reason} if code else None,
        "historyFailure": {"code": "internal", "reason": history} if history else None,
    }
    said: dict[str, str] = page.evaluate(EXPLAIN, told)
    return said


def test_before_there_is_a_feed_it_is_waited_for(blank_page: Page) -> None:
    said = explain(blank_page, "connecting")
    waiting = "Waiting for the feed at feed.test:8200 …"
    assert (said["nothing"], said["price"], said["bars"]) == (waiting, waiting, waiting)
    assert explain(blank_page, "offline")["price"].startswith("No feed answers at feed.test:8200")
    assert explain(blank_page, "closed")["bars"].endswith("closed to this page: as told")


@pytest.mark.parametrize("state", ["live", "polling", "stale"])
def test_a_feed_that_is_there_is_not_waited_for(blank_page: Page, state: str) -> None:
    said = explain(blank_page, state)
    assert said["nothing"] == "The feed at feed.test:8200 has told no instruments yet."
    assert said["price"] == "No price of AAPL yet."
    assert said["bars"] == "Loading the history of AAPL …"
    assert said["history"] == ""


def test_what_the_feed_refuses_is_said_with_its_reason(blank_page: Page) -> None:
    said = explain(blank_page, "live", "forbidden", "AAPL: the token does not allow this")
    assert said["price"] == said["bars"] == "AAPL: the token does not allow this"
    unknown = explain(blank_page, "live", "unknown_symbol", "no")
    assert unknown["price"] == "This feed has no “AAPL”."


def test_history_that_cannot_be_had_is_said_with_its_reason(blank_page: Page) -> None:
    said = explain(blank_page, "live", history="the server's log has it")
    assert said["bars"] == said["history"]
    assert said["history"] == "The history of AAPL cannot be loaded: the server's log has it"
