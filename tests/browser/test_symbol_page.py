"""A symbol's page: its quote, its trades, and what the bars in view tell."""

import re
from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.charts import DRAWN_MS, bars, drawn, facts, pan, until
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

Visit = Callable[[str], Page]
PAGE = "?page=symbol&symbol=AAPL"


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-").strip("%+"))


def test_the_quote_tells_the_price_what_it_is_and_the_day_so_far(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    last = page.get_by_test_id("header-last")
    expect(last).to_have_text(re.compile(r"^[\d,]+\.\d\d$"), timeout=DRAWN_MS)
    expect(page.get_by_test_id("header-symbol")).to_have_text("AAPL")
    expect(page.get_by_test_id("header-label")).to_contain_text("REPLAY")
    low = number(page.get_by_test_id("header-low").inner_text())
    high = number(page.get_by_test_id("header-high").inner_text())
    assert low <= high
    before = last.inner_text()
    expect(last).not_to_have_text(before, timeout=DRAWN_MS)
    # The replay has no bids: nothing is told of them.
    expect(page.get_by_test_id("header-bid")).to_be_hidden()


def test_an_alert_is_begun_where_the_price_is_looked_at(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("?page=symbol&symbol=MSFT")
    page.get_by_role("button", name="Set an alert for MSFT").click(timeout=DRAWN_MS)
    expect(page.get_by_test_id("alerts-panel")).to_be_visible()
    expect(page.get_by_test_id("alert-symbol")).to_have_value("MSFT")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("alerts-panel")).to_be_hidden()


def test_an_unknown_symbol_is_said_calmly_and_cannot_become_markup(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("?page=symbol&symbol=NOPE")
    expect(page.get_by_test_id("header-empty")).to_contain_text("no “NOPE”", timeout=DRAWN_MS)
    expect(page.get_by_test_id("chart-empty")).to_contain_text("no “NOPE”")
    expect(page.get_by_test_id("trades-empty")).to_contain_text("no “NOPE”")


def test_the_tape_has_every_trade_once_the_newest_on_top(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    rows = page.get_by_test_id("trades").locator("tr")
    expect(rows.first).to_be_visible(timeout=DRAWN_MS)
    first = rows.first.get_attribute("data-offset")
    expect(rows.first).not_to_have_attribute("data-offset", first or "", timeout=DRAWN_MS)
    told = page.evaluate(
        """() => {
          const find = (root) => [...root.querySelectorAll("*")].flatMap((element) =>
            element.matches("[data-testid=trades]") ? [element]
              : element.shadowRoot ? find(element.shadowRoot) : []);
          return [...find(document)[0].children].map(({dataset, children}) =>
            [Number(dataset.offset), children[1].textContent, dataset.direction]);
        }"""
    )
    body = httpx.get(
        f"{running_feed.url}/api/trades", params={"symbol": "AAPL", "limit": 1000}, timeout=20
    ).json()
    price = dict(zip(body["offsets"], body["price"], strict=True))
    offsets = [offset for offset, _, _ in told]
    assert offsets == sorted(set(offsets), reverse=True)
    known = [offset for offset in body["offsets"] if offsets[-1] <= offset <= offsets[0]]
    assert offsets == known[::-1]
    for offset, text, _ in told:
        assert number(text.lstrip("▲▼")) == pytest.approx(price[offset], abs=0.006)
    for (_, text, direction), (_, before, _) in pairwise(told):
        moved = number(text.lstrip("▲▼")) - number(before.lstrip("▲▼"))
        if moved:
            assert direction == ("up" if moved > 0 else "down")
    assert len(told) <= 200


def test_statistics_are_of_the_bars_in_view(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 300)
    pan(page, 250)
    until(page, "!chart.following")
    view = facts(page)["view"]
    body = bars(running_feed.url, "AAPL", start=view["from"], end=view["to"])
    assert len(body["close"]) == view["bars"]

    def told(name: str) -> float:
        return number(page.get_by_test_id(f"statistics-{name}").inner_text())

    assert told("high") == pytest.approx(max(body["high"]), abs=0.006)
    assert told("low") == pytest.approx(min(body["low"]), abs=0.006)
    assert told("bars") == view["bars"]
    assert told("change") == pytest.approx(
        (body["close"][-1] / body["close"][0] - 1) * 100, abs=0.006
    )
    peak = drawdown = 0.0
    for close in body["close"]:
        peak = max(peak, close)
        drawdown = max(drawdown, 1 - close / peak)
    assert told("drawdown") == pytest.approx(drawdown * 100, abs=0.006)


def test_statistics_of_one_symbol_are_not_told_of_another(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 300)
    high = page.get_by_test_id("statistics-high")
    expect(high).to_have_text(re.compile(r"\d"), timeout=DRAWN_MS)
    page.evaluate(
        """async () => {
          const {address} = await import("quotewire/address.js");
          address.set({symbol: "NOPE"});
        }"""
    )
    expect(page.get_by_test_id("chart-empty")).to_contain_text("no “NOPE”")
    expect(high).not_to_have_text(re.compile(r"\d"))
    expect(page.get_by_test_id("statistics-range")).to_have_text("")


def test_another_symbol_takes_the_place_of_all_that_was_shown(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    drawn(page, 300)
    expect(page.get_by_test_id("trades").locator("tr").first).to_be_visible(timeout=DRAWN_MS)
    page.evaluate(
        """async () => {
          const {address} = await import("quotewire/address.js");
          address.set({symbol: "IBM"}, {push: true});
        }"""
    )
    until(page, "chart.symbol === 'IBM' && chart.bars > 300")
    expect(page.get_by_test_id("header-symbol")).to_have_text("IBM")
    for name in ("quote-header", "trades-tape"):
        expect(page.get_by_test_id(name)).not_to_contain_text("AAPL")
    page.go_back()
    until(page, "chart.symbol === 'AAPL' && chart.bars > 300")
