"""The dashboard page: ticker tape, cards, movers, and lists edited where they are shown."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_dashboard import served
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

Visit = Callable[[str], Page]
LONG_MS = 30_000
ALL = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def listed(page: Page) -> Locator:
    """Return the symbols of the watchlist."""
    return page.get_by_test_id("watchlist").locator("tbody tr b")


@pytest.fixture
def page(running_feed: FeedProcess, visit: Visit) -> Page:
    """The dashboard, with its list."""
    page = visit("?symbol=AAPL")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(listed(page)).to_have_text(ALL, timeout=LONG_MS)
    return page


# ---- the ticker tape


def tape(page: Page) -> Locator:
    """Return the tape's links, each once."""
    return page.get_by_test_id("ticker-tape").get_by_role("link")


def animation(page: Page) -> str:
    """Return whether the tape runs, as the browser sees it."""
    states: list[str] = page.get_by_test_id("ticker-tape").evaluate(
        "tape => tape.querySelector('.lane').getAnimations().map(one => one.playState)"
    )
    return states[0] if states else "none"


def test_the_tape_has_each_symbol_once_for_the_keyboard_and_opens_its_page(page: Page) -> None:
    expect(tape(page)).to_have_count(len(ALL), timeout=LONG_MS)
    expect(tape(page).nth(3)).to_contain_text(re.compile(r"^IBM\d+\.\d\d"), timeout=LONG_MS)
    tape(page).nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("header-symbol")).to_have_text("IBM", timeout=LONG_MS)


def test_the_tape_stands_under_the_pointer_and_the_focus_and_while_paused(page: Page) -> None:
    expect(tape(page)).to_have_count(len(ALL), timeout=LONG_MS)
    assert animation(page) == "running"
    page.get_by_test_id("ticker-tape").hover()
    assert animation(page) == "paused"
    page.mouse.move(700, 600)
    assert animation(page) == "running"
    tape(page).first.focus()
    assert animation(page) == "paused"
    page.get_by_test_id("quote-AAPL").focus()
    assert animation(page) == "running"
    page.keyboard.press("p")
    assert animation(page) == "paused"


def test_where_nothing_may_move_the_tape_is_a_row_to_scroll(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("?symbol=AAPL")
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(tape(page)).to_have_count(len(ALL), timeout=LONG_MS)
    assert animation(page) == "none"
    shown = page.get_by_test_id("ticker-tape")
    assert shown.evaluate("tape => getComputedStyle(tape).overflowX") == "auto"
    assert shown.locator("ul:visible").count() == 1


# ---- cards and movers


def test_a_card_tells_a_symbols_day_and_chooses_it(page: Page) -> None:
    card = page.get_by_test_id("card-GOOG")
    expect(card).to_contain_text("REPLAY")
    expect(card.get_by_test_id("card-low")).to_have_text(re.compile(r"\d"), timeout=LONG_MS)
    last = page.get_by_test_id("card-GOOG-last")
    before = last.inner_text()
    expect(last).not_to_have_text(before, timeout=LONG_MS)
    card.click()
    expect(card).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("chart-symbol")).to_have_text("GOOG")
    assert "symbol=GOOG" in page.url


def test_movers_are_ranked_and_choose_a_symbol(page: Page) -> None:
    page.get_by_test_id("show-active").click()
    rows = page.get_by_test_id("movers").get_by_role("button")
    expect(rows).to_have_count(len(ALL), timeout=LONG_MS)
    page.get_by_test_id("mover-MSFT").click()
    expect(page.get_by_test_id("chart-symbol")).to_have_text("MSFT")
    page.get_by_test_id("show-gainers").click()
    expect(page.get_by_test_id("show-gainers")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("movers-card")).not_to_contain_text("−")


# ---- lists


def test_a_change_to_all_of_the_feed_is_kept_as_a_list_of_its_own(page: Page) -> None:
    page.get_by_test_id("quote-IBM").click()
    page.keyboard.press("Delete")
    rest = ["AAPL", "FB", "GOOG", "MSFT"]
    expect(listed(page)).to_have_text(rest)
    expect(page.get_by_test_id("list-select").first).to_have_value("New list")
    expect(page.get_by_test_id("quote-MSFT")).to_be_focused()
    expect(page.get_by_test_id("card-IBM")).to_have_count(0)
    page.reload()
    expect(listed(page)).to_have_text(rest, timeout=LONG_MS)
    page.get_by_test_id("list-select").first.select_option("All symbols")
    expect(listed(page)).to_have_text(ALL)


def test_symbols_are_moved_by_keys_and_by_dragging(page: Page) -> None:
    page.get_by_test_id("quote-MSFT").click()
    page.keyboard.press("Alt+ArrowUp")
    expect(listed(page)).to_have_text(["AAPL", "FB", "GOOG", "MSFT", "IBM"])
    expect(page.get_by_test_id("quote-MSFT")).to_be_focused()
    page.get_by_test_id("quote-IBM").drag_to(
        page.get_by_test_id("quote-AAPL"), target_position={"x": 80, "y": 4}
    )
    moved = ["IBM", "AAPL", "FB", "GOOG", "MSFT"]
    expect(listed(page)).to_have_text(moved)
    page.reload()
    expect(listed(page)).to_have_text(moved, timeout=LONG_MS)


def test_what_is_moved_while_sorted_keeps_the_order_that_is_seen(page: Page) -> None:
    by_symbol = page.get_by_test_id("watchlist").get_by_test_id("sort-symbol")
    by_symbol.click()
    by_symbol.click()
    expect(listed(page)).to_have_text(sorted(ALL, reverse=True))
    page.get_by_test_id("quote-MSFT").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(listed(page)).to_have_text(["IBM", "MSFT", "GOOG", "FB", "AAPL"])
    assert "sort=" not in page.url


def test_symbols_are_added_by_typing(page: Page) -> None:
    for name in ("FB", "GOOG", "IBM", "MSFT"):
        page.get_by_test_id(f"quote-{name}").hover()
        page.get_by_test_id(f"unlist-{name}").click()
    expect(listed(page)).to_have_text(["AAPL"])
    page.get_by_test_id("list-add-button").click()
    field = page.get_by_test_id("list-add")
    expect(field).to_be_focused()
    page.keyboard.type("msft, ibm")
    page.keyboard.press("Enter")
    expect(listed(page)).to_have_text(["AAPL", "MSFT", "IBM"])
    expect(page.get_by_test_id("chart-symbol")).to_have_text("MSFT")
    expect(page.get_by_test_id("quote-IBM-last")).to_have_text(re.compile(r"\d"), timeout=LONG_MS)
    page.keyboard.type("<i>")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("toast").last).to_contain_text("<I>")
    expect(listed(page)).to_have_text(["AAPL", "MSFT", "IBM"])


def test_a_list_that_the_feed_has_nothing_of_says_so_and_what_to_do(page: Page) -> None:
    page.get_by_test_id("list-add-button").click()
    page.get_by_test_id("list-add").fill("NOWHERE")
    page.keyboard.press("Enter")
    note = page.get_by_test_id("watchlist-note")
    expect(note).to_have_text("Not in this feed: NOWHERE", timeout=LONG_MS)
    for name in ALL:
        page.get_by_test_id(f"quote-{name}").hover()
        page.get_by_test_id(f"unlist-{name}").click()
    expect(page.get_by_test_id("watchlist-empty")).to_have_text(
        "This feed has no “NOWHERE”. Add others, or choose another list.", timeout=LONG_MS
    )


# ---- what does not fit

LONG = "L" * 64
PRICES = {LONG: (1e-8, 1.3e-8), "HUGE": (1e9, 1.1e9), "PLAIN": (100.0, 101.0)}


@pytest.fixture(scope="module")
def odd_feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedProcess]:
    """A feed of a very long name, very small prices and very large ones."""
    folder: Path = tmp_path_factory.mktemp("odd")
    start = datetime(2024, 1, 2, 14, 30)
    for symbol, prices in PRICES.items():
        lines = [
            f"{(start + timedelta(seconds=n)).isoformat()}Z,{prices[n % 2]:.10f},100"
            for n in range(600)
        ]
        text = "\n".join(["time,price,size", *lines])
        (folder / f"{symbol}.csv").write_text(text)
    with FeedProcess({"replay_files": str(folder), "replay_speed": "2"}) as feed:
        yield feed


def sideways(page: Page) -> list[str]:
    """Return the elements that stay wider than the page and cannot be scrolled.

    A chart takes a page's new width only in a later frame.
    """
    wide: list[str] = page.evaluate(
        """async () => {
          let wide = [];
          const see = (root) => root.querySelectorAll("*").forEach((element) => {
            if (element.shadowRoot) see(element.shadowRoot);
            const box = element.getBoundingClientRect();
            const isIn = element.closest(".lane, .scroll, .grid, .cards, .toolbar");
            const isOut = box.width && box.right > innerWidth + 1;
            if (isOut && !isIn) wide.push(element.className || element.tagName);
          });
          const end_ms = performance.now() + 10_000;
          for (see(document); wide.length && performance.now() < end_ms; see(document)) {
            wide = [];
            await new Promise(requestAnimationFrame);
          }
          return wide;
        }"""
    )
    return wide


def test_long_names_and_prices_of_any_size_break_nothing(
    browser: Browser, odd_feed: FeedProcess
) -> None:
    with served(odd_feed.url) as dashboard:
        page = browser.new_page()
        for name, shown in (("dashboard", "cards"), ("market", "market-table")):
            page.goto(f"{dashboard.url}?page={name}")
            for width, height in ((1440, 900), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                expect(page.get_by_test_id(shown)).to_contain_text(
                    re.compile(r"0\.0000000\d"), timeout=LONG_MS
                )
                expect(page.get_by_test_id(shown)).to_contain_text("000,000,000", timeout=LONG_MS)
                assert sideways(page) == []
                assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        page.close()
