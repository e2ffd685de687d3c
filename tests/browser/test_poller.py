"""A round of polling against a feed that is played, in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

QUOTES = {"type": "quotes", "event_ms": 0, "received_ms": 0, "rows": [], "snapshot": True}
STATUS: dict[str, object] = {"type": "status", "sources": []}

RUN = """
async ({catalogs, quotes, bars, wanted}) => {
  const {Catalog} = await import("quotewire/catalog.js");
  const {Feed} = await import("quotewire/feed.js");
  const {Poller} = await import("quotewire/poller.js");
  const {FeedError} = await import("quotewire/transports/polling.js");
  const {Subscriptions} = await import("quotewire/subscriptions.js");
  const asked = [];
  const answer = (status, body) => new Response(JSON.stringify(body), {status});
  const answers = {
    symbols: () => {
      const symbols = catalogs.length > 1 ? catalogs.shift() : catalogs[0];
      return answer(200, {symbols: symbols.map((symbol) => ({symbol}))});
    },
    status: () => answer(...quotes.status),
    quotes: (query) => {
      const symbols = query.get("symbols").split(",");
      asked.push(symbols);
      const known = symbols.every((symbol) => quotes.known.includes(symbol));
      return answer(...(known ? quotes.answer : quotes.refusal));
    },
  };
  const fetch = window.fetch;
  window.fetch = async (url) => {
    const {pathname, searchParams} = new URL(url);
    return answers[pathname.split("/").at(-1)](searchParams);
  };
  try {
    const feed = new Feed("http://feed.test");
    const catalog = new Catalog(feed);
    await catalog.load();
    const subscriptions = new Subscriptions();
    if (wanted.length) subscriptions.add("quotes", wanted);
    subscriptions.add("bars", ["AAPL"], "1d");
    const history = {fill: async () => { if (bars) throw new FeedError(bars, "no bars"); }};
    const got = [];
    const handlers = {onStatus: () => {}, onQuotes: (message) => got.push(message)};
    const poller = new Poller(feed, subscriptions, catalog, history, handlers);
    const {type} = await poller.ask();
    catalog.stop();
    return {type, asked, got: got.length, symbols: catalog.symbols && [...catalog.symbols.keys()]};
  } finally {
    window.fetch = fetch;
  }
}
"""


def refusal(status: int, code: str) -> list[object]:
    return [status, {"type": "error", "code": code, "message": code}]


def ask(page: Page, **feed: Any) -> dict[str, Any]:
    """Return how one round went with a feed that knows these symbols."""
    told: dict[str, Any] = page.evaluate(
        RUN,
        {
            "catalogs": feed.get("catalogs", [["AAPL", "IBM"]]),
            "wanted": feed.get("wanted", ["AAPL", "IBM"]),
            "bars": feed.get("bars"),
            "quotes": {
                "known": feed.get("known", ["AAPL", "IBM"]),
                "answer": feed.get("answer", [200, QUOTES]),
                "refusal": refusal(404, "unknown_symbol"),
                "status": feed.get("status", [200, STATUS]),
            },
        },
    )
    return told


def test_a_round_that_brings_the_quotes_is_good(blank_page: Page) -> None:
    told = ask(blank_page)
    assert (told["type"], told["asked"], told["got"]) == ("poll_ok", [["AAPL", "IBM"]], 1)


def test_a_symbol_that_is_gone_is_left_out_once_the_catalog_is_read_anew(blank_page: Page) -> None:
    told = ask(blank_page, catalogs=[["AAPL", "IBM"], ["AAPL"]], known=["AAPL"])
    assert (told["type"], told["asked"]) == ("poll_ok", [["AAPL", "IBM"], ["AAPL"]])
    assert told["symbols"] == ["AAPL"]


def test_only_what_the_feed_has_is_asked_for(blank_page: Page) -> None:
    told = ask(blank_page, catalogs=[["AAPL"]], known=["AAPL"])
    assert (told["type"], told["asked"]) == ("poll_ok", [["AAPL"]])


def test_a_feed_that_goes_on_refusing_has_not_answered(blank_page: Page) -> None:
    told = ask(blank_page, known=[])
    assert (told["type"], told["got"], len(told["asked"])) == ("poll_failed", 0, 2)


def test_a_feed_with_none_of_the_symbols_shown_has_not_answered(blank_page: Page) -> None:
    told = ask(blank_page, catalogs=[["FB"]])
    assert (told["type"], told["asked"]) == ("poll_failed", [])


def test_a_feed_that_is_not_ready_has_not_answered(blank_page: Page) -> None:
    not_ready = refusal(503, "not_ready")
    assert ask(blank_page, answer=not_ready)["type"] == "poll_failed"
    assert ask(blank_page, wanted=[], status=not_ready)["type"] == "poll_failed"


def test_with_nothing_shown_the_status_is_enough(blank_page: Page) -> None:
    assert ask(blank_page, wanted=[])["type"] == "poll_ok"


def test_a_refusal_of_one_series_leaves_the_quotes_good(blank_page: Page) -> None:
    assert ask(blank_page, bars="unknown_symbol")["type"] == "poll_ok"
    assert ask(blank_page, bars="not_ready")["type"] == "poll_failed"


def test_no_symbols_are_not_yet_a_catalog(blank_page: Page) -> None:
    assert ask(blank_page, catalogs=[[]], wanted=[])["symbols"] is None
