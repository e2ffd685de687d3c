"""The chart on a page, with the bars of the replay: kinds, scales, ranges, history, comparison."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.charts import DRAWN_MS, bars, drawn, facts, middle, pan, shows, until
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Visit = Callable[[str], Page]
PAGE = "?page=symbol&symbol=AAPL"
INTERVALS = {"1s": 1_000, "5s": 5_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000}
"""In milliseconds."""

PIXELS = """
  (colour) => {
    const within = (root) => [...root.querySelectorAll("*")].flatMap((element) =>
      element instanceof HTMLCanvasElement ? [element]
        : element.shadowRoot ? within(element.shadowRoot) : []);
    const [element] = [...document.querySelectorAll("*")].flatMap(function find(element) {
      if (element.matches?.("[data-testid=chart]")) return [element];
      return element.shadowRoot ? [...element.shadowRoot.querySelectorAll("*")].flatMap(find) : [];
    });
    let filled = 0;
    let tinted = 0;
    for (const canvas of within(element.querySelector(".pane.price"))) {
      if (!canvas.width) continue;
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width - 90, canvas.height);
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 20) continue;
        filled += 1;
        const near = [0, 1, 2].every((k) => Math.abs(data[i + k] - colour[k]) < 24);
        if (near && data[i + 3] > 200) tinted += 1;
      }
    }
    return {filled, tinted};
  }
"""
UP = [64, 169, 255]


def painted(page: Page) -> dict[str, int]:
    """Return how many pixels of the prices' figure are painted, and in the colour of up."""
    told = page.evaluate(PIXELS, UP)
    assert isinstance(told, dict)
    return told


def test_each_kind_looks_otherwise(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(f"{PAGE}&range=1m&kind=candles")
    page.emulate_media(color_scheme="dark")
    drawn(page)
    page.wait_for_function(f"() => ({PIXELS})({UP}).tinted > 500", timeout=20_000)
    # Hollow bodies have less of the colour, a line fills less than bodies, an area more.
    becomes = {
        "hollow": "({tinted}, before) => tinted > 0 && tinted < before.tinted",
        "line": "({filled}, before) => filled < before.filled / 2",
        "area": "({filled}, before) => filled > 5 * before.filled",
    }
    for kind, is_it in becomes.items():
        before = painted(page)
        page.get_by_test_id("chart-kind").select_option(kind)
        page.wait_for_function(
            f"(before) => ({is_it})(({PIXELS})({UP}), before)", arg=before, timeout=20_000
        )
        assert kind == "hollow" or f"kind={kind}" in page.url


def tag_share(page: Page) -> float:
    """Return which share of the height stands above the last price's tag."""
    top = page.get_by_test_id("price-tag").evaluate("(tag) => tag.style.top")
    return float(top.removesuffix("%")) / 100


def test_on_a_logarithmic_axis_equal_ratios_are_equal_distances(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=all&scale=log")
    until(page, "chart.older === 'end' && chart.bars > 2000")
    told = facts(page)
    low, high = told["prices"]["low"], told["prices"]["high"]
    assert high / low > 20
    shown = float(page.get_by_test_id("price-tag").inner_text().replace(",", ""))
    expected = math.log(high / shown) / math.log(high / low)
    assert tag_share(page) == pytest.approx(expected, abs=0.02)
    page.get_by_test_id("scale-log").click()
    until(page, "chart.prices.low < 0.9 * argument", low)
    assert "scale" not in page.url


def test_percent_counts_from_the_first_bar_in_view(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(f"{PAGE}&range=1y")
    told = drawn(page, 300)
    page.get_by_test_id("scale-percent").click()
    shows(page, "price-tag", re.compile(r"^[+−][\d.,]+%$"))
    assert "scale=percent" in page.url
    start_ms = told["view"]["from"]
    base = bars(running_feed.url, "AAPL", start=start_ms, end=start_ms)["close"][0]
    shown = float(page.get_by_test_id("price-tag").inner_text().strip("%").replace("−", "-"))
    last = facts(page)["last"]["close"]
    assert shown == pytest.approx((last / base - 1) * 100, abs=2)


def test_a_tick_patches_and_never_draws_all_bars_anew(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&scale=log&indicators=SMA(20);RSI(14)&compare=IBM")
    drawn(page, 300)
    expect(page.get_by_test_id("indicator-SMA(20)")).to_contain_text(".", timeout=20_000)
    expect(page.get_by_test_id("indicator-RSI(14)")).to_contain_text(".", timeout=20_000)
    expect(page.get_by_test_id("compared-IBM")).to_contain_text("%", timeout=20_000)
    counts = page.evaluate(
        """async () => {
          const counts = {drawn: 0, patched: 0, streamed: 0};
          for (const source of Bokeh.documents[0]._all_models.values()) {
            if (source.type !== "ColumnDataSource") continue;
            source.properties.data.change.connect(() => (counts.drawn += 1));
            source.patching.connect(() => (counts.patched += 1));
            source.streaming.connect(() => (counts.streamed += 1));
          }
          // What is loaded late is drawn whole, each once.
          const deadline = Date.now() + 20000;
          while (counts.patched < 20 && Date.now() < deadline) {
            if (counts.drawn) Object.assign(counts, {drawn: 0, patched: 0});
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
          return counts;
        }"""
    )
    assert counts["patched"] >= 20
    assert counts["drawn"] == 0


def test_every_interval_has_its_bars_and_dates_by_the_markets_clock(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    drawn(page)
    for interval, length_ms in INTERVALS.items():
        page.get_by_test_id(f"interval-{interval}").click()
        told = until(
            page,
            "chart.interval === argument && chart.bars > 20 && chart.dates.length > 0",
            interval,
        )
        assert f"interval={interval}" in page.url
        assert told["last"]["start_ms"] % length_ms == 0
        expect(page.get_by_test_id("legend-date")).to_have_text(re.compile(r"E[DS]T$"))
        assert len(told["dates"]) >= 2


def test_a_key_changes_the_interval(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    drawn(page)
    page.keyboard.press("3")
    until(page, "chart.interval === '1m' && chart.bars > 20")


def test_a_range_is_shown_kept_in_the_address_and_left_by_panning(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    drawn(page, 300)
    page.get_by_test_id("range-6m").click()
    told = until(page, "chart.view.bars > 121")
    days = (told["view"]["to"] - told["view"]["from"]) / 86_400_000
    assert 175 < days < 190
    assert "range=6m" in page.url
    page.reload()
    told = until(page, "chart.view.bars > 121 && chart.dates.length > 0")
    assert told["view"]["bars"] < 130
    pan(page, 200)
    until(page, "!chart.following")
    assert "range" not in page.url
    expect(page.get_by_test_id("range-6m")).to_have_attribute("aria-pressed", "false")


def test_older_bars_come_as_the_view_nears_the_left_end_and_the_view_stays(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&interval=1h&range=6m")
    before = drawn(page, 300)
    # The first ones may come before a pan is felt: they fill the range.
    older = "!chart.following && chart.bars > argument + 100"
    for _ in range(6):
        pan(page, 500)
        now = facts(page)
        if not now["following"] and now["bars"] > before["bars"] + 100:
            break
    told = until(page, older, before["bars"])
    assert told["first"]["start_ms"] < before["first"]["start_ms"]
    body = bars(running_feed.url, "AAPL", "1h", start=told["first"]["start_ms"])
    assert told["bars"] == pytest.approx(len(body["start_ms"]), abs=2)


def test_all_the_history_ends_where_there_is_no_more(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=all")
    told = until(page, "chart.older === 'end' && chart.view.bars === chart.bars")
    body = bars(running_feed.url, "AAPL")
    assert told["first"]["start_ms"] == body["start_ms"][0]
    assert not body.get("more")
    expect(page.get_by_test_id("older")).to_have_text("No older bars")


def test_a_panned_chart_offers_the_way_back_to_the_newest_bars(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    drawn(page, 300)
    expect(page.get_by_test_id("go-live")).to_be_hidden()
    pan(page, 300)
    until(page, "!chart.following")
    page.get_by_test_id("go-live").click()
    until(page, "chart.following && chart.view.to === chart.last.start_ms")
    pan(page, 300)
    until(page, "!chart.following")
    page.keyboard.press("g")
    until(page, "chart.following")


def test_a_link_opens_at_the_window_that_one_had_panned_to(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&interval=1h&range=6m")
    before = drawn(page, 300)
    for _ in range(8):
        pan(page, 500)
        if facts(page)["view"]["to"] < before["first"]["start_ms"]:
            break
    page.wait_for_function("() => /at=\\d+-\\d+/.test(location.href)")
    page.wait_for_function(
        "() => location.href.includes(`at=${window.__quotewire.chart.view.from}-`)"
    )
    view = facts(page)["view"]
    page.reload()
    told = until(page, "chart.view.from === argument", view["from"])
    assert (told["view"], told["following"]) == (view, False)
    page.get_by_test_id("go-live").click()
    until(page, "chart.following")
    assert "at=" not in page.url


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-").strip("%+"))


def test_the_legend_tells_the_bar_under_the_pointer(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    drawn(page, 300)
    page.mouse.move(*middle(page, 0.3))
    date = page.get_by_test_id("crosshair-date")
    expect(date).to_be_visible()
    day = date.inner_text()
    expect(page.get_by_test_id("legend-date")).to_have_text(day)
    body = bars(running_feed.url, "AAPL")
    starts = {start_ms: i for i, start_ms in enumerate(body["start_ms"])}
    start_ms = page.evaluate("(day) => Date.parse(day)", day)
    at = starts[start_ms]
    for name in ("open", "high", "low", "close"):
        shown = number(page.get_by_test_id(f"legend-{name}").inner_text())
        assert shown == pytest.approx(body[name][at], abs=0.006)
    page.mouse.move(0, 0)
    expect(date).to_be_hidden()


def test_arrows_go_from_bar_to_bar(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    drawn(page, 300)
    page.get_by_test_id("chart").locator(".panes").focus()
    page.keyboard.press("ArrowLeft")
    newest = page.get_by_test_id("crosshair-date").inner_text()
    page.keyboard.press("ArrowLeft")
    assert page.get_by_test_id("crosshair-date").inner_text() < newest
    page.keyboard.press("Shift+ArrowLeft")
    until(page, "!chart.following")


def test_other_symbols_stand_beside_in_percent_and_can_be_removed(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    told = drawn(page, 300)
    page.get_by_test_id("add-compare").click()
    page.get_by_test_id("compare-find").fill("micro")
    page.get_by_test_id("compare-MSFT").click()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("compare-form")).to_be_hidden()  # the text in the field is no reason
    entry = page.get_by_test_id("compared-MSFT")
    expect(entry).to_contain_text("%", timeout=20_000)
    assert "compare=MSFT" in page.url
    shows(page, "price-tag", re.compile("%$"))
    page.mouse.move(*middle(page, 0.5))
    day = page.evaluate("(day) => Date.parse(day)", page.get_by_test_id("legend-date").inner_text())
    body = bars(running_feed.url, "MSFT")
    close = dict(zip(body["start_ms"], body["close"], strict=True))
    expected = (close[day] / close[told["view"]["from"]] - 1) * 100
    assert number(entry.locator("b").inner_text()) == pytest.approx(expected, abs=0.3)
    entry.get_by_role("button", name="Remove MSFT").click()
    expect(entry).to_have_count(0)
    assert "compare" not in page.url


def test_what_cannot_be_compared_holds_no_scale_and_goes_with_a_word(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&compare=AAPL;NOPE&scale=log")
    drawn(page, 300)
    log = page.get_by_test_id("scale-log")
    expect(log).to_be_enabled()
    expect(log).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("price-tag")).not_to_contain_text("%")
    expect(page.get_by_test_id("toast")).to_contain_text("no symbol “NOPE”", timeout=DRAWN_MS)
    assert "NOPE" not in page.url
    page.get_by_test_id("add-compare").click()
    page.get_by_test_id("compare-IBM").click()
    expect(page.get_by_test_id("compared-IBM")).to_be_visible()
    expect(log).to_be_disabled()
    page.get_by_test_id("compare-remove-AAPL").click()
    page.get_by_test_id("compare-remove-IBM").click()
    expect(log).to_be_enabled()
    assert "compare" not in page.url


def test_a_drag_on_the_chart_or_on_its_dialogs_marks_no_words(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(f"{PAGE}&range=1y")
    drawn(page, 100)
    page.get_by_test_id("add-compare").click()
    title = page.get_by_test_id("compare-form").locator("h3")
    for begin in (title, page.get_by_test_id("go-live").locator("xpath=..").locator(".dates")):
        box = begin.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(*middle(page, 0.2, 0.2), steps=4)
        page.mouse.move(200, 40, steps=4)
        assert page.evaluate("() => String(getSelection())") == ""
        page.mouse.up()
        page.keyboard.press("Escape")


def test_a_finger_scrolls_the_page_and_its_tap_keeps_the_crosshair(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(PAGE, viewport={"width": 390, "height": 844}, has_touch=True)
    drawn(page)
    figures = page.get_by_test_id("chart").locator(".pane.price .bk-events")
    expect(figures).to_have_css("touch-action", "pan-y")
    page.touchscreen.tap(*middle(page, 0.3))
    date = page.get_by_test_id("crosshair-date")
    expect(date).to_be_visible()
    page.get_by_test_id("interval-1h").focus()
    page.touchscreen.tap(*middle(page, 0.6))
    expect(date).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_symbol_without_overflow(
    running_feed: FeedProcess, open_page: OpenPage, scheme: Any
) -> None:
    page = open_page(
        f"{PAGE}&indicators=MACD&compare=IBM",
        viewport={"width": 390, "height": 844},
        color_scheme=scheme,
        has_touch=True,
    )
    drawn(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    expect(page.get_by_test_id("pane-0")).to_be_visible(timeout=20_000)
