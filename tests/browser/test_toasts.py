"""Short messages over the page, by their module alone, in Chromium."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def no_toasts(blank_page: Page) -> Iterator[None]:
    """Take away what a test leaves on the page."""
    yield
    blank_page.get_by_test_id("toast-dismiss").evaluate_all(
        "(buttons) => buttons.forEach((button) => button.click())"
    )
    expect(blank_page.get_by_test_id("toast")).to_have_count(0)


def toast(page: Page, text: str, **options: object) -> None:
    page.evaluate(
        """async ([text, options]) => {
          const {toast} = await import("quotewire/toasts.js");
          toast(text, {shown_ms: options.forever ? Infinity : 6000, ...options});
        }""",
        [text, options],
    )


def test_a_toast_is_text_whatever_is_in_it(blank_page: Page) -> None:
    toast(blank_page, "<img src=x onerror=alert(1)> & more")
    expect(blank_page.get_by_role("status")).to_contain_text("<img src=x onerror=alert(1)> & more")
    assert blank_page.locator("img").count() == 0


def test_only_what_is_bad_interrupts_a_screen_reader(blank_page: Page) -> None:
    toast(blank_page, "a fault", tone="bad")
    toast(blank_page, "it is well", tone="good")
    expect(blank_page.get_by_role("alert")).to_contain_text("a fault")
    expect(blank_page.get_by_role("status")).to_contain_text("it is well")


def test_a_toast_goes_by_itself_and_by_a_click(blank_page: Page) -> None:
    toast(blank_page, "soon gone", shown_ms=200)
    expect(blank_page.get_by_test_id("toast")).to_have_count(0, timeout=10_000)
    toast(blank_page, "stays", forever=True)
    blank_page.get_by_role("button", name="Dismiss").click()
    expect(blank_page.get_by_test_id("toast")).to_have_count(0)


def test_a_toast_that_is_attended_to_does_not_go(blank_page: Page) -> None:
    lives = blank_page.evaluate(
        """async () => {
          const {toast} = await import("quotewire/toasts.js");
          toast("read me", {shown_ms: 200});
          const {shadowRoot} = document.querySelector("[data-quotewire=toasts]");
          shadowRoot.querySelector("button").focus();
          await new Promise((done) => setTimeout(done, 500));
          return shadowRoot.querySelector("button")?.isConnected;
        }"""
    )
    assert lives
    blank_page.evaluate("() => document.activeElement.shadowRoot.activeElement.blur()")
    expect(blank_page.get_by_test_id("toast")).to_have_count(0, timeout=10_000)


def test_toasts_are_one_stack_of_the_newest_few_at_the_bottom_right(blank_page: Page) -> None:
    for number in range(6):
        toast(blank_page, f"message {number}", forever=True)
    shown = blank_page.get_by_test_id("toast")
    expect(shown).to_have_text([re.compile(f"message {number}") for number in range(2, 6)])
    assert blank_page.locator("[data-quotewire=toasts]").count() == 1
    box, size = shown.last.bounding_box(), blank_page.viewport_size
    assert box is not None
    assert size is not None
    assert size["width"] - (box["x"] + box["width"]) < 30
    assert size["height"] - (box["y"] + box["height"]) < 30


def test_styles_of_the_page_do_not_reach_a_toast(blank_page: Page) -> None:
    toast(blank_page, "calm", forever=True)
    shown = blank_page.get_by_test_id("toast")
    before = shown.evaluate("(element) => getComputedStyle(element).color")
    blank_page.add_style_tag(content=".toast, p, button { color: rgb(1, 2, 3) !important }")
    assert shown.evaluate("(element) => getComputedStyle(element).color") == before
