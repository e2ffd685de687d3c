"""Older bars of a chart, and their indicators, whenever either is asked for. In Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# A series whose live bars begin at 100, over a feed that answers when the script lets it.
SCRIPT = """
async (script) => {
  const {LongSeries} = await import("quotewire/chart/long_series.js");
  const asked = [];
  const ask = (path, {start = 0, end, indicators = ""}) => new Promise((answer) => asked.push({
    indicators, end,
    answer: (from = Math.max(start, end - 49), more = true) => {
      const start_ms = Array.from({length: end - from + 1}, (_, i) => from + i);
      const ones = start_ms.map(() => 1);
      answer({
        symbol: "A", interval: "1d", start_ms, open: ones, high: ones, low: ones, close: ones,
        volume: ones, final: start_ms.map(() => true), epoch: "e", offset: 1, more,
        indicators: Object.fromEntries(indicators.split(",").filter(Boolean).map((name) =>
          [name, {real: ones}])),
      });
      return new Promise((go) => setTimeout(go));
    },
  }));
  const series = new LongSeries(ask, () => {});
  series.begin("A", "1d", []);
  series.take([{start_ms: 100}, {start_ms: 101}]);
  await new Function("t", `return (async () => {${script}})()`)({asked, series});
  return {
    state: series.state, starts: [series.bars[0].start_ms, series.bars.length],
    computed: [...new Set(series.bars.slice(0, -2).map((bar) =>
      Object.keys(bar.indicators ?? {}).join()))],
    asked: asked.map(({end, indicators}) => [end, indicators]),
  };
}
"""


def told(page: Page, script: str) -> dict[str, object]:
    """Return what a series has and was asked for, after a script."""
    facts = page.evaluate(SCRIPT, script)
    assert isinstance(facts, dict)
    return facts


def test_indicators_that_come_while_older_bars_load_are_those_bars_too(blank_page: Page) -> None:
    facts = told(
        blank_page,
        """t.series.load(); t.series.compute(["SMA(20)"]);
        await t.asked[0].answer(); await t.asked[1].answer();""",
    )
    assert facts["asked"] == [[99, ""], [99, "SMA(20)"]]
    assert (facts["state"], facts["starts"]) == ("idle", [50, 52])
    assert facts["computed"] == ["SMA(20)"]


def test_indicators_that_come_between_two_loads_let_both_end(blank_page: Page) -> None:
    facts = told(
        blank_page,
        """t.series.load(); await t.asked[0].answer();
        t.series.load(); t.series.compute(["SMA(20)"]);
        await t.asked[1].answer(); await t.asked[2].answer(); await t.asked[3].answer(0, false);""",
    )
    assert facts["asked"] == [[99, ""], [49, ""], [99, "SMA(20)"], [49, "SMA(20)"]]
    assert (facts["state"], facts["starts"]) == ("end", [0, 102])
    assert facts["computed"] == ["SMA(20)"]


def test_while_older_bars_are_computed_no_others_are_asked_for(blank_page: Page) -> None:
    facts = told(
        blank_page,
        """t.series.load(); await t.asked[0].answer();
        t.series.compute(["SMA(20)"]); t.series.load(); await t.asked[1].answer();""",
    )
    assert facts["asked"] == [[99, ""], [99, "SMA(20)"]]
    assert (facts["state"], facts["computed"]) == ("idle", ["SMA(20)"])
