"""Older bars of a chart, and their indicators, whenever either is asked for. In Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# A series whose live bars begin at 100, over a feed that answers when the script lets it.
SCRIPT = """
async ([script, live]) => {
  const {LongSeries} = await import("quotewire/chart/long_series.js");
  const asked = [];
  const ask = (_, {start = 0, end, indicators = ""}) => new Promise((answer, refuse) => asked.push({
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
    fail: () => {
      refuse(new Error("away"));
      return new Promise((go) => setTimeout(go));
    },
  }));
  let told = 0;
  const series = new LongSeries(ask, () => (told += 1));
  series.begin("A", "1d", []);
  series.take(Array.from({length: live}, (_, i) => ({start_ms: 100 + i})));
  await new Function("t", `return (async () => {${script}})()`)({asked, series, told: () => told});
  return {
    state: series.state, told, starts: [series.bars[0].start_ms, series.bars.length],
    computed: [...new Set(series.bars.slice(0, -live).map((bar) =>
      Object.keys(bar.indicators ?? {}).join()))],
    asked: asked.map(({end, indicators}) => [end, indicators]),
  };
}
"""


def told(page: Page, script: str, live: int = 2) -> dict[str, object]:
    """Return what a series with some live bars has and was asked for, after a script."""
    facts = page.evaluate(SCRIPT, [script, live])
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


def test_no_more_bars_are_held_than_are_drawn_and_that_is_told_once(blank_page: Page) -> None:
    facts = told(
        blank_page,
        """t.series.load(); await t.asked[0].answer(0);
        for (let i = 0; i < 5; i += 1) t.series.load();""",
        live=5950,
    )
    assert facts["starts"] == [50, 6000]
    assert facts["state"] == "full"
    assert facts["told"] == 3  # loading, loaded, full


def test_bars_that_open_let_go_of_the_oldest(blank_page: Page) -> None:
    facts = told(
        blank_page,
        """t.series.load(); await t.asked[0].answer();
        t.series.take(Array.from({length: 5970}, (_, i) => ({start_ms: 100 + i})));""",
    )
    assert facts["starts"] == [70, 6000]


def test_what_could_not_be_loaded_is_asked_for_again_after_a_pause_or_at_once(
    blank_page: Page,
) -> None:
    facts = told(
        blank_page,
        """const now = Date.now;
        t.series.load(); await t.asked[0].fail();
        t.series.load();
        if (t.asked.length > 1) throw new Error("at once");
        t.series.retry(); await t.asked[1].fail();
        Date.now = () => now() + 60_000;
        t.series.load(); Date.now = now; await t.asked[2].answer();""",
    )
    assert facts["asked"] == [[99, ""]] * 3
    assert (facts["state"], facts["starts"]) == ("idle", [50, 52])


def test_an_answer_after_the_end_is_not_told(blank_page: Page) -> None:
    facts = told(blank_page, "t.series.load(); t.series.end(); await t.asked[0].answer();")
    assert (facts["told"], facts["starts"]) == (1, [100, 2])


def test_what_is_to_be_reached_further_while_older_bars_load_is_asked_for_after_them(
    blank_page: Page,
) -> None:
    facts = told(
        blank_page,
        """t.series.reach(60); t.series.reach(20); await t.asked[0].answer(60);
        t.series.reach(20); await t.asked[1].answer(20); t.series.reach(20);""",
    )
    assert facts["asked"] == [[99, ""], [59, ""]]
    assert (facts["state"], facts["starts"]) == ("idle", [20, 82])


def test_a_series_that_begins_later_than_is_to_be_reached_is_asked_for_once(
    blank_page: Page,
) -> None:
    facts = told(
        blank_page,
        """t.series.reach(20); await t.asked[0].answer(70, false);
        for (let i = 0; i < 5; i += 1) t.series.reach(20 + i);""",
    )
    assert facts["asked"] == [[99, ""]]
    assert facts["starts"] == [70, 32]


def test_a_series_of_more_bars_than_an_answer_has_is_asked_for_on_until_it_reaches(
    blank_page: Page,
) -> None:
    facts = told(
        blank_page,
        """t.series.reach(20); await t.asked[0].answer(60);
        t.series.reach(20); await t.asked[1].answer(20, false);
        for (let i = 0; i < 5; i += 1) t.series.reach(20 + i);""",
    )
    assert facts["asked"] == [[99, ""], [59, ""]]
    assert (facts["state"], facts["starts"]) == ("idle", [20, 82])


def test_a_series_that_is_full_is_asked_for_no_more(blank_page: Page) -> None:
    facts = told(
        blank_page,
        """t.series.reach(-9000); await t.asked[0].answer(-4900);
        t.series.reach(-9000); await t.asked[1].answer(-7000);
        for (let i = 0; i < 5; i += 1) t.series.reach(-9000);""",
    )
    assert facts["asked"] == [[99, ""], [-4901, ""]]
    assert (facts["state"], facts["starts"]) == ("full", [-5898, 6000])


# A chart's history over a feed that answers at once with as much as it was asked for.
RANGE = """
async (live) => {
  const {History} = await import("quotewire/chart/history.js");
  const {DrawnBars} = await import("quotewire/chart/drawn_bars.js");
  let asked = 0;
  const ask = async (path, {end, limit}) => {
    asked += 1;
    const start_ms = Array.from({length: limit}, (_, i) => end - limit + 1 + i);
    return {start_ms, open: [], high: [], low: [], close: [], volume: [], final: [], more: true};
  };
  let drawings = 0;
  const bars = new DrawnBars([]);
  const viewport = {start: 0, end: 1, following: true, from() {}};
  const draw = (these) => {
    const by = bars.draw(these);
    if (++drawings > 50) throw new Error("drawn again and again");
    return by === null;
  };
  const history = new History({ask}, {bars, viewport, draw}, () => "all", () => {});
  history.begin("A", "1d", [], "UTC");
  const first = Array.from({length: live}, (_, i) => ({start_ms: 1e6 + i}));
  history.take(first, {reset: true, since_ms: 0});
  for (let i = 0; i < 20; i += 1) await new Promise((go) => setTimeout(go));
  history.showRange();
  return {drawings, asked, state: history.state, bars: bars.all.length};
}
"""


@pytest.mark.parametrize("live", [300, 5900, 6500])
def test_a_range_that_reaches_further_than_is_held_ends(blank_page: Page, live: int) -> None:
    facts = blank_page.evaluate(RANGE, live)
    assert (facts["state"], facts["bars"]) == ("full", 6000)
    assert facts["asked"] <= 5
    assert facts["drawings"] <= 2 + facts["asked"]
