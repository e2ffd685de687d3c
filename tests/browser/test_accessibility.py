"""That everybody can use each page: by what axe-core finds, and by keys alone."""

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import NoAxeError, axe_source, faults_of
from tests.browser.charts import drawn
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
