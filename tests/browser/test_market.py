"""The live market of a large simulated feed: its table and its heat map."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Dashboard
from tests.browser.tab import Tab
from tests.browser.test_dashboard import served
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

SYMBOLS = 300
LONG_MS = 30_000
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def market() -> Iterator[Dashboard]:
    """A dashboard of a large simulated market."""
    settings = {"provider": "simulated", "simulated_symbols": str(SYMBOLS), "simulated_hz": "1"}
    with FeedProcess(settings) as feed, served(feed.url) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def tab(browser: Browser, market: Dashboard) -> Iterator[Tab]:
    """A page of that dashboard."""
    tab = Tab(browser, market.url)
    yield tab
    tab.close()


@pytest.fixture
def show(visit: Callable[[str], Page]) -> Show:
    """Shows the live market."""

    def show(query: str = "") -> Page:
        page = visit(f"?page=market{query}")
        page.set_viewport_size({"width": 1440, "height": 900})
        expect(page.get_by_test_id("market-count")).to_contain_text(" symbols", timeout=LONG_MS)
        return page

    return show


def rows(page: Page) -> Locator:
    """Return the table's rows that are in the page."""
    return page.get_by_test_id("market-rows").get_by_role("row")


def in_order(page: Page) -> list[str]:
    """Return the symbols of those rows, as they follow each other in the page."""
    names: list[str] = rows(page).evaluate_all("rows => rows.map(row => row.dataset.symbol)")
    return names


def test_of_many_rows_those_in_view_are_in_the_page_and_live(show: Show) -> None:
    page = show()
    expect(page.get_by_test_id("market-count")).to_have_text(f"{SYMBOLS} symbols", timeout=LONG_MS)
    expect(page.get_by_test_id("market-label")).to_have_text("SIMULATED")
    table = page.get_by_test_id("market-table")
    expect(table).to_have_attribute("aria-rowcount", str(SYMBOLS + 1))
    expect(rows(page).first).to_contain_text(re.compile(r"\d\.\d\d"), timeout=LONG_MS)
    assert rows(page).count() < 50
    before = set(in_order(page))
    table.evaluate("table => table.scrollTop = 4000")
    expect(rows(page).first).to_have_attribute("aria-rowindex", re.compile(r"^1\d\d$"))
    assert not before & set(in_order(page))
    expect(rows(page).last).to_contain_text(re.compile(r"\d\.\d\d"), timeout=LONG_MS)


def test_a_head_sorts_and_the_address_keeps_it(show: Show) -> None:
    page = show()
    expect(rows(page).first).to_be_visible(timeout=LONG_MS)
    page.get_by_test_id("sort-symbol").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    head = page.get_by_role("columnheader", name="Symbol")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert in_order(page) == sorted(in_order(page), reverse=True)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("sort-last")).to_be_focused()
    page.reload()
    expect(head).to_have_attribute("aria-sort", "descending", timeout=LONG_MS)
    assert "sort=-symbol" in page.url


def test_rows_change_places_by_themselves_but_not_under_the_pointer(show: Show) -> None:
    page = show("&sort=-age")
    expect(rows(page).first).to_contain_text(re.compile(r"\d\.\d\d"), timeout=LONG_MS)
    table = page.get_by_test_id("market-table")
    box = table.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    held = in_order(page)
    count = "() => __quotewire.connection.stats.received"
    received = page.evaluate(count)
    page.wait_for_function(
        f"(before) => ({count})() > before + 3 * {SYMBOLS}", arg=received, timeout=LONG_MS
    )
    assert in_order(page) == held
    page.mouse.move(box["x"] + 200, 2)
    first = rows(page).first
    expect(first).not_to_have_attribute("data-symbol", held[0], timeout=LONG_MS)


def test_a_filter_narrows_the_rows_and_says_when_there_are_none(show: Show) -> None:
    page = show()
    expect(rows(page).first).to_be_visible(timeout=LONG_MS)
    name = in_order(page)[3]
    find = page.get_by_test_id("market-find")
    find.fill(name)
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_test_id("market-count")).to_have_text("1 symbol")
    find.fill("<i>nothing")
    expect(page.get_by_test_id("market-empty")).to_have_text("No symbol is like “<i>nothing”.")
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_test_id("market-count")).to_have_text(f"{SYMBOLS} symbols")
    expect(find).to_have_value("")


def test_keys_go_through_the_rows_and_enter_opens_one(show: Show) -> None:
    page = show("&sort=symbol")
    expect(rows(page).first).to_be_visible(timeout=LONG_MS)
    table = page.get_by_test_id("market-table")
    table.focus()
    active = page.locator("[data-testid=market-rows] [aria-selected=true]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(active).to_have_attribute("data-symbol", in_order(page)[1])
    page.keyboard.press("End")
    expect(active).to_have_attribute("aria-rowindex", str(SYMBOLS + 1))
    expect(active).to_be_in_viewport()
    assert table.get_attribute("aria-activedescendant") == active.get_attribute("id")
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    name = active.get_attribute("data-symbol")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("header-symbol")).to_have_text(name or "", timeout=LONG_MS)
    page.go_back()
    expect(table).to_be_visible(timeout=LONG_MS)


def test_columns_are_chosen_and_the_address_keeps_them(show: Show) -> None:
    page = show()
    expect(page.get_by_role("columnheader")).to_have_count(11)
    page.get_by_test_id("columns-button").click()
    page.get_by_test_id("column-bid").uncheck()
    page.get_by_test_id("column-ask").uncheck()
    expect(page.get_by_role("columnheader")).to_have_count(9)
    page.reload()
    expect(page.get_by_role("columnheader")).to_have_count(9, timeout=LONG_MS)
    expect(page.get_by_role("columnheader", name="Bid")).to_have_count(0)


def overlaps(page: Page) -> int:
    """Return how many pairs of tiles are over one another."""
    count: int = (
        page.get_by_test_id("heat-map")
        .locator("button")
        .evaluate_all(
            """tiles => {
          const rects = tiles.map((tile) => ({
            left: parseFloat(tile.style.left), top: parseFloat(tile.style.top),
            width: parseFloat(tile.style.width), height: parseFloat(tile.style.height)}));
          let count = 0;
          rects.forEach((a, at) => rects.slice(at + 1).forEach((b) => {
            const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
            const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
            if (width > 0.5 && height > 0.5) count += 1;
          }));
          return count;
        }"""
        )
    )
    return count


def test_the_heat_map_has_a_tile_for_each_symbol_and_moves(show: Show) -> None:
    page = show()
    page.get_by_test_id("show-map").click()
    tiles = page.get_by_test_id("heat-map").locator("button")
    page.get_by_test_id("show-equal").click()
    expect(tiles).to_have_count(SYMBOLS, timeout=LONG_MS)
    assert overlaps(page) == 0
    tile = tiles.first
    said = tile.get_attribute("title") or ""
    expect(tile).not_to_have_attribute("title", said, timeout=LONG_MS)
    expect(page.get_by_test_id("heat-legend").get_by_role("listitem")).to_have_count(7)
    assert "view=map" in page.url
    assert "size=equal" in page.url
    tile.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    name = tiles.nth(1).get_attribute("data-symbol")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("header-symbol")).to_have_text(name or "", timeout=LONG_MS)


def test_a_phone_has_room_for_it(show: Show) -> None:
    for view, test_id in (("table", "market-table"), ("map", "heat-map")):
        page = show(f"&view={view}")
        page.set_viewport_size({"width": 390, "height": 844})
        shown = page.get_by_test_id(test_id)
        expect(shown).to_be_visible(timeout=LONG_MS)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        box = shown.bounding_box()
        assert box is not None
        assert box["height"] > 400
