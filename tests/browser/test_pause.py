"""Pause, where changes are handed to the page's elements; in Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# A delivery whose frames are ours to run, over data that the script changes.
SCRIPT = """
async (script) => {
  const {Delivery} = await import("quotewire/delivery.js");
  const {Pause} = await import("quotewire/pause.js");
  const frames = [], heard = [], prices = new Map([["A", 1]]);
  let bars = [{start_ms: 1}];
  const held = {
    quote: (symbol) => prices.has(symbol) ? {symbol, last: prices.get(symbol)} : undefined,
    bars: () => bars, isLoaded: () => true,
  };
  const environment = {
    now: () => 0, setTimeout: () => 0, clearTimeout: () => {}, cancelFrame: () => {},
    requestFrame: (call) => frames.push(call),
  };
  const pause = new Pause();
  const delivery = new Delivery(held, environment, () => {}, pause);
  const frame = () => frames.splice(0).forEach((call) => call());
  const quotes = (...symbols) => delivery.addQuotes(symbols, (all) =>
    all.forEach(({symbol, last}) => heard.push(symbol + last)));
  const price = (symbol, last) => {
    prices.set(symbol, last);
    delivery.quotesChanged([{symbol}]);
    frame();
  };
  const trade = (id) => { delivery.tradesCame([{symbol: "A", id}]); frame(); };
  const bar = (start_ms) => {
    bars = [...bars, {start_ms}];
    delivery.barsChanged({symbol: "A", interval: "1m", reset: false, since_ms: start_ms});
    frame();
  };
  await new Function("t", `return (async () => {${script}})()`)(
    {delivery, frame, quotes, price, trade, bar, heard, pause});
  return heard;
}
"""


def heard(page: Page, script: str) -> list[str]:
    """Return what listeners heard, in order, while a script ran."""
    told = page.evaluate(SCRIPT, script)
    assert isinstance(told, list)
    return told


def test_what_changed_while_paused_is_handed_once_and_newest(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.quotes("A"); t.frame(); t.pause.toggle();
        t.price("A", 2); t.price("A", 3); t.heard.push("still");
        t.pause.toggle(); t.frame(); t.price("A", 4);""",
    )
    assert told == ["A1", "still", "A3", "A4"]


def test_who_comes_while_it_is_paused_sees_how_it_stands_and_no_more(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.pause.toggle(); t.quotes("A", "B"); t.frame();
        t.price("A", 2); t.price("B", 7); t.price("B", 8);
        t.heard.push("on"); t.pause.toggle(); t.frame();""",
    )
    assert told == ["A1", "B7", "on", "A2", "B8"]


def test_trades_wait_in_order_and_none_is_left_out(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.delivery.addTrades(["A"], (all) => t.heard.push(all.map(({id}) => id).join()));
        t.trade(1); t.pause.toggle(); t.trade(2); t.trade(3); t.heard.push("still");
        t.pause.toggle(); t.frame();""",
    )
    assert told == ["1", "still", "2,3"]


def test_bars_are_drawn_once_and_then_from_the_first_that_changed(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.pause.toggle();
        t.delivery.addBars("A", "1m", (bars, {reset, since_ms}) =>
          t.heard.push(`${bars.length} ${reset} ${since_ms}`), true);
        t.frame(); t.bar(2); t.bar(3); t.heard.push("still"); t.pause.toggle(); t.frame();""",
    )
    assert told == ["1 true 0", "still", "3 false 2"]
