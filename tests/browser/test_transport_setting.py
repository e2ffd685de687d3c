"""The user's choice of how data comes, and how often."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def state(page: Page, name: str) -> None:
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", name, timeout=20_000)


def choose(page: Page, test_id: str, value: str) -> None:
    """Set one of the numbers behind the button next to the choice of ways."""
    page.get_by_test_id("transport-more").click()
    page.get_by_test_id(test_id).select_option(value)
    page.keyboard.press("Escape")


def rate(page: Page, count: Callable[[], int], seconds: float) -> float:
    """Return how many a second are counted, over some seconds."""
    before, began = count(), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    return (count() - before) / (time.monotonic() - began)


@pytest.mark.alone
def test_how_often_it_polls_is_applied_at_once_and_kept(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    page.get_by_test_id("transport-polling").click()
    state(page, "polling")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/api/quotes" in r.url else None)
    assert 0.6 <= rate(page, lambda: len(asked), 4) <= 1.4
    choose(page, "poll-ms", "500")
    page.wait_for_timeout(1000)
    assert 1.4 <= rate(page, lambda: len(asked), 4) <= 2.2
    page.reload()
    state(page, "polling")
    page.get_by_test_id("transport-more").click()
    expect(page.get_by_test_id("poll-ms")).to_have_value("500")


@pytest.mark.alone
def test_no_more_updates_come_than_are_asked_for(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    frames: list[str] = []

    def heard(text: str | bytes) -> None:
        if '"type":"quotes"' in str(text):
            frames.append(str(text))

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", heard)

    page.on("websocket", opened)
    page.reload()
    state(page, "live")
    page.wait_for_timeout(1500)
    free = rate(page, lambda: len(frames), 3)
    choose(page, "max-hz", "1")
    page.wait_for_timeout(1000)
    assert rate(page, lambda: len(frames), 4) <= 1.3 < free


def test_what_a_page_was_made_with_counts_until_its_browser_chooses(blank_page: Page) -> None:
    told = blank_page.evaluate(
        """async () => {
          const {settings} = await import("quotewire/settings.js");
          const heard = [];
          const end = settings.onChange((values) => heard.push(Object.values(values).join()));
          settings.suggest({mode: "polling", poll_ms: 700, max_hz: 99});
          settings.choose({mode: "auto", poll_ms: "often"});
          settings.suggest({mode: "polling", max_hz: 5});
          end();
          settings.choose({max_hz: 1});
          return heard;
        }"""
    )
    # 99 a second is no rate, and "often" no time.
    assert told == ["auto,1000,0", "polling,700,0", "auto,700,0", "auto,700,5"]
