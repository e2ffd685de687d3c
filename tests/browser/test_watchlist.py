"""A watchlist of more symbols than have room."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

SYMBOLS = 260


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page that shows a large simulated market."""
    settings = {"provider": "simulated", "simulated_symbols": str(SYMBOLS), "simulated_hz": "0.2"}
    with FeedProcess(settings) as feed:
        dashboard = Dashboard(feed_url=feed.url)
        try:
            dashboard.wait()
            page = browser.new_page()
            page.goto(dashboard.url)
            expect(page.get_by_test_id("badge")).to_have_attribute(
                "data-state", "live", timeout=20_000
            )
            yield page
            page.close()
        finally:
            dashboard.stop()


def rows(page: Page) -> list[str]:
    """Return the symbols that are listed."""
    return page.get_by_test_id("watchlist").locator("tbody tr b").all_inner_texts()


def test_it_says_what_all_prices_are(page: Page) -> None:
    expect(page.get_by_test_id("watchlist-label")).to_have_text("SIMULATED")
    expect(page.get_by_test_id("chart-label")).to_contain_text("SIMULATED")


def test_it_lists_the_first_and_says_that_there_are_more(page: Page) -> None:
    assert len(rows(page)) == 200
    expect(page.get_by_test_id("watchlist-more")).to_contain_text(str(SYMBOLS))


def test_its_rows_are_of_one_height_and_have_room_for_their_lines(page: Page) -> None:
    lines = page.get_by_test_id("watchlist").locator("tbody td.trend")
    expect(lines.first).to_be_visible()
    heights = "rows => [...new Set(rows.map((row) => row.offsetHeight))].length"
    sides = page.get_by_test_id("watchlist").locator("tbody tr:has(.last small:not(:empty))")
    expect(sides.nth(5)).to_be_visible(timeout=30_000)
    assert sides.evaluate_all(heights) == 1


def test_the_others_are_found_by_name_and_have_prices(page: Page) -> None:
    find = page.get_by_test_id("watchlist-find")
    find.fill("zz no such")
    expect(page.get_by_test_id("watchlist-empty")).to_contain_text("zz no such")
    find.fill("w")
    shown = page.get_by_test_id("watchlist").locator("tbody tr")
    expect(shown.first).to_be_visible()
    name = rows(page)[-1]
    shown.last.click()
    expect(page.get_by_test_id("chart-symbol")).to_have_text(name)
    expect(page.get_by_test_id(f"quote-{name}-last")).to_have_text(re.compile(r"\d"))
    find.fill("")
    expect(page.get_by_test_id("watchlist-more")).to_be_visible()


def test_it_is_sorted_by_a_head_and_by_keys_goes_as_it_stands(page: Page) -> None:
    page.get_by_test_id("watchlist-find").fill("")
    head = page.get_by_test_id("watchlist").get_by_role("columnheader", name="Symbol")
    usual = rows(page)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert rows(page) == sorted(usual, reverse=True)
    assert "sort=-symbol" in page.url
    page.get_by_test_id("watchlist").locator("tbody tr").first.click()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("chart-symbol")).to_have_text(rows(page)[1])
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "none")
    assert rows(page) == usual
