"""What is asked of a feed that is played, and what its session is told, in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ASK = """
async ({what, answers, errors}) => {
  const {Asking} = await import("quotewire/asking.js");
  const {FeedError} = await import("quotewire/feed_error.js");
  const asked = [];
  const told = [];
  const get = async (way, path, query = {}) => {
    asked.push([way, path, JSON.parse(JSON.stringify(query))]);
    if (errors[path] === "unreachable") throw new TypeError("failed to fetch");
    if (errors[path]) throw new FeedError(errors[path], "as told");
    return answers[path] ?? {};
  };
  const session = new Proxy({}, {
    get: (_, method) => (now_ms, ...values) => told.push([method, ...values]),
  });
  const asking = new Asking(get, {run: (step) => step(session, 0)});
  await asking[what.do]({id: 7, ...what});
  return {asked, told};
}
"""
POLL = {"do": "poll", "symbols": ["AAPL", "IBM"], "since": "feed:1"}


def ask(page: Page, what: dict[str, Any], **errors: str) -> dict[str, Any]:
    """Return what is asked for an action, and what the session is told of the answers."""
    answers: dict[str, object] = {"quotes": {"rows": []}, "status": {"sources": []}}
    told: dict[str, Any] = page.evaluate(ASK, {"what": what, "answers": answers, "errors": errors})
    return told


def test_a_poll_asks_for_what_is_new_of_its_symbols(blank_page: Page) -> None:
    told = ask(blank_page, POLL)
    assert told["asked"] == [
        ["polling", "quotes", {"symbols": "AAPL,IBM", "since": "feed:1"}],
        ["polling", "status", {}],
    ]
    assert told["told"] == [["polled", 7, {"rows": []}, {"sources": []}]]


def test_with_nothing_shown_the_status_is_enough(blank_page: Page) -> None:
    told = ask(blank_page, {**POLL, "symbols": []})
    assert told["asked"] == [["polling", "status", {}]]
    assert told["told"] == [["polled", 7, None, {"sources": []}]]


def test_one_failure_fails_the_poll(blank_page: Page) -> None:
    refused = ask(blank_page, POLL, quotes="unknown_symbol")
    assert refused["told"] == [["pollFailed", 7, "unknown_symbol", "as told"]]
    away = ask(blank_page, POLL, status="unreachable")
    assert away["told"] == [["pollFailed", 7, "unreachable", "the feed cannot be reached"]]


def test_history_is_asked_for_by_its_way_with_what_is_given(blank_page: Page) -> None:
    series = {"do": "load", "symbol": "IBM", "start_ms": None, "end_ms": None, "limit": 9}
    bars = {
        "way": "relay",
        "channel": "bars",
        "interval": "1m",
        "indicators": ["SMA(20)", "ATR(9)"],
    }
    asked = ask(blank_page, {**series, **bars, "start_ms": 5})["asked"]
    query = {"symbol": "IBM", "interval": "1m", "limit": 9, "start": 5}
    assert asked == [["relay", "bars", {**query, "indicators": "SMA(20),ATR(9)"}]]
    trades: dict[str, object] = {
        "way": "polling",
        "channel": "trades",
        "interval": None,
        "indicators": [],
    }
    asked = ask(blank_page, {**series, **trades})["asked"]
    assert asked == [["polling", "trades", {"symbol": "IBM", "limit": 9}]]


def test_history_that_is_refused_is_told_with_its_code(blank_page: Page) -> None:
    load = {"do": "load", "way": "polling", "channel": "trades", "symbol": "IBM"}
    told = ask(blank_page, load, trades="forbidden")
    assert told["told"] == [["loadFailed", 7, "forbidden", "as told"]]
