"""The panel of alerts and how what has fired is told, beside a feed that does as the test says."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

FEED = """
  const info = (symbol) => [symbol, {symbol, name: symbol, decimals: 2, label: "REPLAY"}];
  const connection = {
    symbols: new Map([info("AAPL"), info("btc-usd")]),
    subscribed: [],
    subscribeQuotes: (symbols) => { connection.subscribed.push(...symbols); return () => {}; },
  };
  const rule = (id, symbol) => ({
    id, symbol, condition: "price_above", level: 5, repeat: false, note: "", created_ms: 0,
    armed: true,
  });
  const fired = (n) => ({
    ...rule(String(n), "AAPL"), price: 5, value: 5, time_ms: 0, fired_ms: 1000 * n,
    cursor: `${n}-0`,
  });
"""


def run(page: Page, script: str) -> Any:
    """Return what a script tells that has the feed."""
    return page.evaluate(f"async () => {{ {FEED} {script} }}")


def test_a_row_that_stays_keeps_the_focus_while_others_come_and_go(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        const {AlertsPanel} = await import("quotewire/alerts/panel.js");
        const book = {alerts: [rule("1", "AAPL"), rule("2", "btc-usd")], fired: [fired(1)],
          maxAlerts: 9, isKnown: true};
        const panel = new AlertsPanel(connection, {book, problem: "", refused: false});
        document.body.append(panel.element);
        panel.element.showPopover();
        panel.open("AAPL");
        const named = (test_id) => [...panel.element.querySelectorAll(`[data-testid=${test_id}]`)];
        named("alert-remove")[1].focus();
        const focused = document.activeElement;
        book.alerts = [rule("2", "btc-usd"), rule("3", "AAPL")];
        book.fired = [fired(1), fired(2)];
        panel.show();
        const kept = document.activeElement === focused && focused.isConnected;
        const removable = named("alert-remove").map((one) => one.getAttribute("aria-label"));
        named("fired-again")[1].focus();
        panel.show();
        const again = document.activeElement === named("fired-again")[1];
        book.alerts = [];
        panel.show();
        const none = panel.element.querySelector("[data-testid=alerts-set]").textContent;
        panel.element.remove();
        return {kept, removable, again, fired: named("fired").length, none};
        """,
    )
    assert told == {
        "kept": True,
        "removable": ["Remove alert btc-usd price ≥ 5.00", "Remove alert AAPL price ≥ 5.00"],
        "again": True,
        "fired": 2,
        "none": "No alert is set. Choose a symbol and a level above.",
    }


def test_a_symbol_is_spelled_as_the_feed_does(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        const {AlertForm} = await import("quotewire/alerts/form.js");
        const set = [];
        const form = new AlertForm(connection, {set: (alert) => set.push(alert.symbol)});
        document.body.append(form.element);
        form.open("AAPL");
        const symbol = form.element.querySelector("[data-testid=alert-symbol]");
        const type = async (text) => {
          symbol.value = text;
          symbol.dispatchEvent(new Event("input"));
          form.element.dispatchEvent(new Event("submit", {cancelable: true}));
          await new Promise((resolve) => setTimeout(resolve));
        };
        for (const text of ["btc-USD", " aapl", "new"]) await type(text);
        form.element.remove();
        return {set, subscribed: connection.subscribed};
        """,
    )
    assert told["set"] == ["btc-usd", "AAPL", "NEW"]
    assert told["subscribed"] == ["AAPL", "btc-usd", "AAPL"]


NOTIFIED = """
  const {tellFired, permission} = await import("quotewire/alerts/told.js");
  const notified = [];
  window.Notification = class {
    static permission = "granted";
    constructor(title, {body}) {
      if (window.refusing) throw new TypeError("Illegal constructor");
      notified.push([title, body]);
    }
  };
  Object.defineProperty(document, "hidden", {get: () => true, configurable: true});
  const many = (from, n) => Array.from({length: n}, (_, i) => fired(from + i));
"""


def test_many_at_once_are_one_notification(blank_page: Page) -> None:
    told = run(
        blank_page,
        f"""{NOTIFIED}
        tellFired(connection, many(1, 2), "2-0", false);
        tellFired(connection, many(3, 50), "52-0", false);
        delete document.hidden;
        return notified;
        """,
    )
    assert [title for title, _ in told] == ["AAPL", "AAPL", "Quotewire"]
    assert told[2][1] == "50 alerts have fired; the bell has them"
    for _ in range(3):
        blank_page.get_by_test_id("toast-dismiss").first.click()
    expect(blank_page.get_by_test_id("toast")).to_have_count(0)


def test_a_browser_that_gives_none_after_all_is_known_then(blank_page: Page) -> None:
    told = run(
        blank_page,
        f"""{NOTIFIED}
        const before = permission();
        window.refusing = true;
        tellFired(connection, many(1, 1), "1-0", false);
        window.refusing = false;
        delete document.hidden;
        return [before, permission()];
        """,
    )
    assert told == ["granted", "missing"]
