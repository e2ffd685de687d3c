"""The chart's tools on a page, with the bars of the replay."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.charts import DRAWN_MS, bars, drawn, facts, middle, pane, until
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Visit = Callable[[str], Page]
PAGE = "?page=symbol&symbol=AAPL"


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-").strip("%+"))


# ---- indicators


def add_indicator(page: Page, name: str, **parameters: str) -> None:
    """Add one by the form."""
    page.get_by_test_id("add-indicator").click()
    page.get_by_test_id("indicator-find").fill(name)
    page.get_by_test_id(f"choose-{name}").click(timeout=DRAWN_MS)
    for parameter, value in parameters.items():
        page.get_by_test_id(f"parameter-{parameter}").fill(value)
    page.get_by_test_id("indicator-done").click()


def test_an_indicator_is_added_by_form_drawn_over_the_prices_and_told(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 300)
    add_indicator(page, "SMA", timeperiod="20")
    entry = page.get_by_test_id("indicator-SMA(20)")
    expect(entry).to_contain_text(".", timeout=DRAWN_MS)
    assert "indicators=SMA" in page.url
    page.mouse.move(*middle(page))
    day = page.evaluate("(day) => Date.parse(day)", page.get_by_test_id("legend-date").inner_text())
    body = bars(running_feed.url, "AAPL", start=day, end=day, indicators="SMA(20)")
    (expected,) = body["indicators"]["SMA(20)"]["real"]
    assert number(entry.locator("b").inner_text()) == pytest.approx(expected, abs=0.006)


def test_others_have_panes_of_their_own_until_they_are_removed(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&indicators=MACD;RSI(14)")
    drawn(page, 300)
    panes = [page.get_by_test_id(f"pane-{i}") for i in range(4)]
    expect(panes[0]).to_be_visible(timeout=DRAWN_MS)
    expect(panes[1]).to_be_visible()
    expect(panes[2]).to_be_hidden()
    expect(page.get_by_test_id("indicator-MACD(12,26,9)").locator("b")).to_have_count(3)
    rsi = page.get_by_test_id("indicator-RSI(14)").locator("b")
    expect(rsi).to_have_text(re.compile(r"^\d+\.\d+$"), timeout=DRAWN_MS)
    assert 0 <= number(rsi.inner_text()) <= 100
    page.get_by_role("button", name="Remove MACD(12,26,9)").click()
    expect(panes[1]).to_be_hidden()
    expect(panes[0].get_by_test_id("indicator-RSI(14)")).to_be_visible()
    page.get_by_role("button", name="Remove RSI(14)").click()
    expect(panes[0]).to_be_hidden()
    assert "indicators" not in page.url


# As when an axis needs another width just then.
MEASURE_FIRST = """() => {
  const walk = (view) => [view, ...[...(view.child_views ?? [])].flatMap(walk)];
  const [chart] = Bokeh.index.roots.flatMap(walk).filter(({model}) => model.data?.panes);
  const build = chart.build_child_views.bind(chart);
  chart.build_child_views = async () => {
    const views = await build();
    chart.compute_layout();
    return views;
  };
}"""


def test_panes_come_though_all_figures_are_measured_as_soon_as_they_are_built(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(PAGE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    drawn(page, 300)
    page.evaluate(MEASURE_FIRST)
    place(page, indicators=["RSI(14)", "MACD"])
    for i in range(2):
        expect(page.get_by_test_id(f"pane-{i}").locator("canvas").first).to_be_visible(
            timeout=DRAWN_MS
        )
    assert errors == []


RENDERERS = """() => {
  const models = [...window.Bokeh.documents[0]._all_models.values()];
  return models.filter(({type}) => type === "GlyphRenderer").length;
}"""


def test_lines_are_made_when_they_are_needed_and_no_more_than_that(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(PAGE)
    warnings: list[str] = []
    page.on("console", lambda said: warnings.append(said.text) if said.type == "warning" else None)
    drawn(page, 300)
    before = page.evaluate(RENDERERS)  # with the first of each
    place(page, indicators=["SMA(20)", "EMA(9)", "SAR(0.02,0.2)"])
    for name in ("SMA(20)", "EMA(9)", "SAR(0.02,0.2)"):
        entry = page.get_by_test_id(f"indicator-{name}")
        expect(entry).to_contain_text(".", timeout=DRAWN_MS)
    page.wait_for_function(f"(count) => ({RENDERERS})() === count", arg=before + 2)
    place(page, indicators=["SMA(50)"], compare=["IBM", "MSFT"])
    expect(page.get_by_test_id("compared-MSFT")).to_contain_text("%", timeout=DRAWN_MS)
    page.wait_for_function(f"(count) => ({RENDERERS})() === count", arg=before + 3)
    place(page, compare=["IBM", "MSFT", "GOOG"], indicators=["SMA(50)", "BBANDS"])
    page.wait_for_function(f"(count) => ({RENDERERS})() === count", arg=before + 6)
    assert warnings == []


def place(page: Page, **fields: list[str]) -> None:
    """Show what a link would."""
    page.evaluate(
        """async (fields) => {
          const {address} = await import("quotewire/address.js");
          address.set(fields);
        }""",
        fields,
    )


def test_panes_are_made_when_indicators_need_them_and_no_more_than_that(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(PAGE)
    drawn(page, 300)
    panes = page.get_by_test_id(re.compile(r"^pane-\d$"))
    expect(panes).to_have_count(0)
    before = page.get_by_test_id("chart").element_handle()
    # Both are asked for before the first one's pane can have come.
    page.evaluate(
        """async () => {
          const {address} = await import("quotewire/address.js");
          address.set({indicators: ["RSI(14)"]});
          await new Promise((done) => setTimeout(done));
          address.set({indicators: ["RSI(14)", "MACD(12,26,9)"]});
        }"""
    )
    for i, name in enumerate(["RSI(14)", "MACD(12,26,9)"]):
        entry = page.get_by_test_id(f"pane-{i}").get_by_test_id(f"indicator-{name}")
        expect(entry).to_contain_text(".", timeout=DRAWN_MS)
        expect(page.get_by_test_id(f"pane-{i}").locator("canvas").first).to_be_visible()
    expect(panes).to_have_count(2)
    assert before.evaluate("(chart) => chart.isConnected")  # it was not drawn anew
    page.get_by_role("button", name="Remove RSI(14)").click()
    expect(page.get_by_test_id("pane-1")).to_be_hidden()
    add_indicator(page, "CCI", timeperiod="14")
    expect(page.get_by_test_id("pane-1").get_by_test_id("indicator-CCI(14)")).to_contain_text(
        ".", timeout=DRAWN_MS
    )
    expect(panes).to_have_count(2)


def test_an_indicator_is_changed_by_its_name_in_the_legend(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&indicators=EMA(20)")
    drawn(page, 300)
    page.get_by_test_id("indicator-EMA(20)").get_by_text("EMA(20)").click(timeout=DRAWN_MS)
    period = page.get_by_test_id("parameter-timeperiod")
    expect(period).to_have_value("20", timeout=DRAWN_MS)
    period.fill("0")
    page.get_by_test_id("indicator-done").click()
    expect(page.get_by_test_id("indicator-fault")).to_contain_text("at least")
    period.fill("50")
    page.get_by_test_id("indicator-done").click()
    expect(page.get_by_test_id("indicator-EMA(50)")).to_contain_text(".", timeout=DRAWN_MS)
    expect(page.get_by_test_id("indicator-EMA(20)")).to_have_count(0)


def test_what_the_feed_refuses_is_said_in_the_form(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    drawn(page)
    add_indicator(page, "TRIX", timeperiod="2000")
    fault = page.get_by_test_id("indicator-fault")
    expect(fault).to_contain_text("shorten its periods", timeout=DRAWN_MS)
    assert "indicators" not in page.url


def test_an_unknown_indicator_in_the_address_harms_no_chart(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&indicators=NONSENSE(3);SMA(5)")
    drawn(page, 300)
    expect(page.get_by_test_id("indicator-SMA(5)")).to_contain_text(".", timeout=DRAWN_MS)
    expect(page.get_by_text("no indicator “NONSENSE(3)”")).to_be_visible()
    assert "NONSENSE" not in page.url


def test_more_indicators_than_there_are_panes_are_refused(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&indicators=RSI(14);CCI(14);MOM(10);ROC(10);WILLR(14)")
    drawn(page, 300)
    expect(page.get_by_test_id("pane-3")).to_be_visible(timeout=DRAWN_MS)
    expect(page.get_by_text("There is no room for WILLR(14)")).to_be_visible()
    assert "WILLR" not in page.url


def test_older_bars_have_their_indicators_too(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(f"{PAGE}&range=all&indicators=SMA(20)")
    until(page, "chart.older === 'end' && chart.view.bars === chart.bars")
    expect(page.get_by_test_id("indicator-SMA(20)")).to_contain_text(".", timeout=DRAWN_MS)
    page.mouse.move(*middle(page, 0.1))
    shown = page.get_by_test_id("indicator-SMA(20)").locator("b")
    expect(shown).to_have_text(re.compile(r"\d"), timeout=DRAWN_MS)


# ---- price lines and the measure


def lines(page: Page) -> Locator:
    return page.get_by_test_id("price-line")


def test_a_double_click_adds_a_price_line_that_is_kept_by_symbol(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 300)
    page.mouse.dblclick(*middle(page, 0.3, 0.25))
    expect(lines(page)).to_have_count(1)
    prices = facts(page)["prices"]
    at = number(lines(page).inner_text().replace("×", ""))
    expected = prices["high"] - 0.25 * (prices["high"] - prices["low"])
    assert at == pytest.approx(expected, rel=0.02)
    page.reload()
    drawn(page, 300)
    expect(lines(page)).to_have_count(1)
    assert re.search(r"lines=\d", page.url)
    page.evaluate(
        """async () => {
          const {address} = await import("quotewire/address.js");
          address.set({symbol: "IBM"});
        }"""
    )
    until(page, "chart.symbol === 'IBM' && chart.bars > 300")
    expect(lines(page)).to_have_count(0)
    assert "lines" not in page.url


def test_a_price_line_is_moved_by_dragging_and_by_keys_and_removed(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 300)
    page.get_by_test_id("add-line").click()
    line = lines(page)

    def price() -> float:
        return float(line.get_attribute("aria-valuenow") or "nan")

    before = price()
    x, y = middle(page, 0.3)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 60, steps=3)
    page.mouse.up()
    dragged = price()
    assert dragged < before
    assert facts(page)["following"]
    line.press("ArrowUp")
    assert price() > dragged
    line.press("Delete")
    expect(line).to_have_count(0)
    page.reload()
    drawn(page, 300)
    expect(lines(page)).to_have_count(0)


def test_lines_of_a_link_stand_beside_the_kept_ones(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    told = drawn(page, 300)
    page.get_by_test_id("add-line").click()
    expect(lines(page)).to_have_count(1)
    kept = float(lines(page).get_attribute("aria-valuenow") or "nan")
    price = round(kept + 0.1 * (told["prices"]["high"] - kept), 2)
    page.goto(page.url.split("?")[0] + f"{PAGE}&lines={price}")
    drawn(page, 300)
    expect(lines(page)).to_have_count(2)
    lines(page).last.press("Delete")
    expect(lines(page)).to_have_count(1)
    assert f"lines={kept:g}" in page.url


def test_what_two_tabs_draw_is_kept_of_both_and_seen_in_both(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    drawn(page, 300)
    page.get_by_test_id("add-line").click()
    expect(lines(page)).to_have_count(1)
    other = page.context.new_page()
    other.goto(page.url.split("?")[0] + PAGE)
    drawn(other, 300)
    other.mouse.dblclick(*middle(other, 0.3, 0.25))
    for tab in (page, other):
        expect(lines(tab)).to_have_count(2)
    lines(page).first.press("Delete")
    for tab in (page, other):
        expect(lines(tab)).to_have_count(1)
    assert page.evaluate("JSON.parse(localStorage.getItem('quotewire.lines')).AAPL.length") == 1
    other.close()


def test_bad_stored_lines_are_left_out(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    drawn(page)
    kept = ["{", '{"AAPL": "x"}', '{"AAPL": [null, "5", 1e999]}', "[]", "null", '{"AAPL": [1, {}]}']
    found = page.evaluate(
        """async (kept) => {
          const {linesOf} = await import("quotewire/chart/line_store.js");
          return kept.map((text) => {
            localStorage.setItem("quotewire.lines", text);
            return [linesOf("AAPL"), linesOf("toString")];
          });
        }""",
        kept,
    )
    assert found == [[[], []]] * 5 + [[[1], []]]


def test_the_measure_tells_price_percent_bars_and_time(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 300)
    tool = page.get_by_test_id("measure")
    tool.click()
    expect(tool).to_have_attribute("aria-pressed", "true")
    page.mouse.move(*middle(page, 0.2, 0.8))
    page.mouse.down()
    page.mouse.move(*middle(page, 0.6, 0.2), steps=4)
    page.mouse.up()
    words = page.get_by_test_id("measured")
    expect(words).to_have_text(re.compile(r"^▲ [\d.,]+ · \+[\d.]+% · \d+ bars · \d+ d$"))
    assert facts(page)["following"]
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("measure-layer")).to_be_hidden()
    expect(tool).to_have_attribute("aria-pressed", "false")


def test_the_chart_is_saved_as_a_picture(
    running_feed: FeedProcess, visit: Visit, tmp_path: Path
) -> None:
    page = visit(f"{PAGE}&range=1y&indicators=RSI(14)")
    drawn(page, 300)
    expect(page.get_by_test_id("pane-0")).to_be_visible(timeout=DRAWN_MS)
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.get_by_test_id("picture").click()
    assert download.value.suggested_filename == "AAPL-1d.png"
    saved = tmp_path / "chart.png"
    download.value.save_as(saved)
    data = saved.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    box: Any = pane(page).bounding_box()
    assert width == pytest.approx(box["width"], abs=2)
    assert height > box["height"]
    assert len(data) > 15_000


def test_indicators_are_kept_as_a_template_and_put_on_another_chart(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&indicators=SMA(20);RSI(14)")
    drawn(page, 300)
    page.get_by_test_id("add-indicator").click()
    page.get_by_test_id("template-name").fill("My usual")
    page.get_by_test_id("template-save").click()
    expect(page.get_by_text("Saved as “My usual”.")).to_be_visible()
    page.goto(page.url.split("?")[0] + "?page=symbol&symbol=IBM")
    drawn(page, 300)
    page.get_by_test_id("add-indicator").click()
    page.get_by_test_id("template").select_option("My usual")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("indicator-SMA(20)")).to_contain_text(".", timeout=DRAWN_MS)
    expect(page.get_by_test_id("pane-0").get_by_test_id("indicator-RSI(14)")).to_be_visible()
    page.get_by_test_id("add-indicator").click()
    page.get_by_test_id("template").select_option("My usual")
    page.get_by_test_id("template-delete").click()
    expect(page.get_by_test_id("template")).to_be_disabled()


def test_a_template_too_many_is_refused_and_none_is_lost(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&indicators=SMA(20)")
    drawn(page, 300)
    page.evaluate(
        """async () => {
          const {settings} = await import("quotewire/settings.js");
          settings.choose({chart_templates: Array.from({length: 20}, (_, i) =>
            ({name: `T${i}`, indicators: ["RSI(14)"]}))});
        }"""
    )
    page.get_by_test_id("add-indicator").click()
    name, save = page.get_by_test_id("template-name"), page.get_by_test_id("template-save")
    name.fill("One more")
    save.click()
    expect(page.get_by_text("There is room for 20 templates")).to_be_visible()
    options = page.get_by_test_id("template").locator("option")
    expect(options).to_have_count(21)
    expect(options.nth(1)).to_have_text("T0")
    name.fill("T3")
    save.click()
    expect(page.get_by_text("Saved as “T3”.")).to_be_visible()
    expect(options).to_have_count(21)
