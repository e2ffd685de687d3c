"""The drawer of settings, as tests use it."""

from playwright.sync_api import Locator, Page, expect


def open_drawer(page: Page) -> Locator:
    """Open it, and return it."""
    page.get_by_test_id("settings").click()
    drawer = page.get_by_test_id("settings-drawer")
    expect(drawer).to_be_visible()
    return drawer


def close_drawer(page: Page) -> None:
    """Close it."""
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("settings-drawer")).to_be_hidden()


def choose(page: Page, name: str, value: str) -> None:
    """Set one setting: a choice of a few, or of many."""
    drawer = open_drawer(page)
    few = drawer.get_by_test_id(f"{name}-{value}")
    if few.count():
        few.click()
    else:
        drawer.get_by_test_id(name).select_option(value)
    close_drawer(page)
