"""That everybody can use each page: by what axe-core finds, and by keys alone."""

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import NoAxeError, axe_source, faults_of
from tests.browser.charts import drawn
from tests.browser.focus import FOCUS, tabbed
from tests.browser.test_dashboard import OpenPage, state
from tests.browser.test_pages import PAGES, shown

pytestmark = pytest.mark.browser

THEMES = ["dark", "light"]


@pytest.fixture(scope="module")
def axe() -> None:
    """Is there; in CI its absence is a failure, elsewhere a skip."""
    try:
        axe_source()
    except NoAxeError as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


def heat_map(page: Page) -> None:
    page.get_by_test_id("page-market").click()
    shown(page, "market")
    page.get_by_test_id("show-map").click()
    expect(page.get_by_test_id("tile-IBM")).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.usefixtures("axe", "running_feed")
def test_no_page_has_a_serious_fault(open_page: OpenPage, theme: str) -> None:
    page = open_page("?symbol=IBM&indicators=SMA(20);RSI(14)", color_scheme=theme)
    state(page, "live")
    faults = {}
    for name in PAGES:
        page.get_by_test_id(f"page-{name}").click()
        shown(page, name)
        if name in ("dashboard", "symbol"):
            drawn(page)
        faults[name] = faults_of(page)
    heat_map(page)
    faults["heat map"] = faults_of(page)
    assert not any(faults.values()), told(faults)


def told(faults: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}: {fault}" for name, found in faults.items() for fault in found)


Open = Callable[[Page], None]


def click(button: str) -> Open:
    return lambda page: page.get_by_test_id(button).click()


def search(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("inc")
    expect(page.get_by_test_id("search-found").get_by_role("option")).to_have_count(3)


def indicator(page: Page) -> None:
    page.get_by_test_id("add-indicator").click()
    page.get_by_test_id("indicator-find").fill("SMA")
    page.get_by_test_id("choose-SMA").click()
    expect(page.get_by_test_id("indicator-parameters")).to_be_visible()


def debug(page: Page) -> None:
    page.keyboard.press("d")
    # It is drawn anew when its figures come.
    drawer = page.get_by_test_id("debug-drawer")
    expect(drawer.locator("canvas").first).to_be_visible(timeout=60_000)


OVER: dict[str, Open] = {
    "settings-drawer": click("settings"),
    "debug-drawer": debug,
    "alerts-panel": click("alerts"),
    "badge-popover": click("badge-button"),
    "search-found": search,
    "export-menu": click("export"),
    "compare-form": click("add-compare"),
    "indicator-form": indicator,
    "keys": lambda page: page.keyboard.press("?"),
}
"""What opens over the symbol's page, by its test id."""


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.usefixtures("axe", "running_feed")
def test_nothing_that_opens_over_a_page_has_a_serious_fault(
    open_page: OpenPage, theme: str
) -> None:
    page = open_page("?page=symbol&symbol=IBM", color_scheme=theme)
    state(page, "live")
    drawn(page)
    faults = {}
    for name, open_ in OVER.items():
        open_(page)
        expect(page.get_by_test_id(name)).to_be_visible()
        faults[name] = faults_of(page, name)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id(name)).to_be_hidden()
    page.get_by_test_id("page-market").click()
    shown(page, "market")
    page.get_by_test_id("columns-button").click()
    faults["columns"] = faults_of(page, "columns")
    assert not any(faults.values()), told(faults)


# ---- by keys alone

PLACES = {
    "dashboard": "?page=dashboard&symbol=IBM",
    "table": "?page=market",
    "heat map": "?page=market&view=map",
    "symbol": "?page=symbol&symbol=IBM&indicators=SMA(20);RSI(14)",
    "debug": "?page=debug",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.usefixtures("running_feed")
def test_the_tab_key_reaches_all_that_can_be_used_and_one_sees_where_it_is(
    open_page: OpenPage, place: str
) -> None:
    page = open_page(PLACES[place])
    state(page, "live")
    settled = {"dashboard": "tape", "table": "market-IBM", "heat map": "tile-IBM"}
    if place in ("dashboard", "symbol"):
        drawn(page)
    elif place in settled:
        expect(page.get_by_test_id(settled[place])).to_be_visible()
    page.evaluate(FOCUS)
    reached = tabbed(page)
    assert [name for name, is_seen in reached.items() if not is_seen] == []
    assert set(page.evaluate("() => keyboard.wanted()")) - set(reached) == set()
    grouped: list[tuple[str, list[str]]] = page.evaluate("() => keyboard.grouped()")
    assert [name for name, group in grouped if not reached.keys() & set(group)] == []


@pytest.mark.usefixtures("running_feed")
def test_what_opens_keeps_the_focus_until_escape_gives_it_back(open_page: OpenPage) -> None:
    page = open_page("?page=symbol&symbol=IBM")
    state(page, "live")
    drawn(page)
    page.evaluate(FOCUS)
    for button, name, is_modal in (
        ("settings", "settings-drawer", True),
        ("alerts", "alerts-panel", False),
        ("badge-button", "badge-popover", False),
        ("export", "export-menu", False),
        ("add-compare", "compare-form", False),
        ("add-indicator", "indicator-form", False),
    ):
        page.get_by_test_id(button).focus()
        page.keyboard.press("Enter")
        opened = page.get_by_test_id(name)
        expect(opened).to_be_visible()
        if name == "indicator-form":  # what can be reached in it comes from the feed
            expect(opened.get_by_test_id("choose-AC")).to_be_visible()
        page.keyboard.press("Tab")
        wanted = opened.evaluate("(opened) => keyboard.wanted(opened)")
        assert page.evaluate("() => keyboard.now().name") in wanted, name
        if is_modal:
            assert set(tabbed(page)) <= set(wanted)
        page.keyboard.press("Escape")
        expect(opened).to_be_hidden()
        expect(page.get_by_test_id(button)).to_be_focused()
