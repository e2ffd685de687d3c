"""Alerts on the page: set, told when they fire, and kept while no page is open."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Dashboard
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000
T0 = 1_381_152_600_000
TRADES = 40_000
NOTE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedProcess]:
    """A feed whose price rises by half a dollar a second."""
    lines = [f"{T0 + n * 100},{100 + n / 100:.2f},1" for n in range(TRADES)]
    path = tmp_path_factory.mktemp("tape") / "BAC.csv"
    path.write_text("\n".join(["time,price,size", *lines]))
    with FeedProcess({"replay_files": str(path), "replay_speed": "5"}) as process:
        yield process


@pytest.fixture(scope="module")
def served(feed: FeedProcess) -> Iterator[Dashboard]:
    dashboard = Dashboard(feed_url=feed.url)
    try:
        dashboard.wait()
        yield dashboard
    finally:
        dashboard.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One user's browser."""
    opened = browser.new_context()
    yield opened
    opened.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def opened(context: BrowserContext, served: Dashboard) -> Iterator[OpenPage]:
    """Opens the dashboard; an error in a page fails the test."""
    errors: list[str] = []

    def open_(state: str = "live") -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(served.url)
        until_state(page, state)
        return page

    yield open_
    assert errors == []


def until_state(page: Page, state: str) -> None:
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", state, timeout=PATIENCE_MS)


@pytest.fixture(autouse=True)
def no_alerts(feed: FeedProcess) -> None:
    for alert in told(feed)["alerts"]:
        httpx.delete(f"{feed.url}/api/alerts", params={"id": alert["id"]}).raise_for_status()


def told(feed: FeedProcess) -> Any:
    return httpx.get(f"{feed.url}/api/alerts").raise_for_status().json()


def price(feed: FeedProcess) -> float:
    last: float = httpx.get(f"{feed.url}/api/quotes").raise_for_status().json()["rows"][0][1]
    return last


def set_alert(feed: FeedProcess, away: float, **fields: object) -> None:
    alert = {"symbol": "BAC", "condition": "price_above", "level": price(feed) + away, **fields}
    httpx.post(f"{feed.url}/api/alerts", json=alert).raise_for_status()


def fill(page: Page, condition: str, level: float) -> None:
    page.get_by_test_id("alert-condition").select_option(condition)
    page.get_by_test_id("alert-level").fill(f"{level:.2f}")


def test_an_alert_is_set_and_removed_by_the_form(feed: FeedProcess, opened: OpenPage) -> None:
    page = opened()
    page.keyboard.press("a")
    panel = page.get_by_test_id("alerts-panel")
    expect(panel).to_contain_text("No alert is set")
    expect(page.get_by_test_id("alert-symbol")).to_have_value("BAC")
    expect(page.get_by_test_id("alert-level")).not_to_have_value("", timeout=PATIENCE_MS)
    fill(page, "price_above", 9_000)
    expect(page.get_by_test_id("alert-hint")).to_contain_text("away")
    page.get_by_test_id("alert-note").fill(NOTE)
    page.get_by_test_id("alert-repeat").check()
    page.get_by_test_id("alert-set").click()
    row = page.get_by_test_id("alert-BAC")
    expect(row).to_contain_text("price ≥ 9,000.00")
    expect(row).to_contain_text(f"every time · {NOTE}")
    expect(row).to_contain_text("% away")
    (alert,) = told(feed)["alerts"]
    assert (alert["level"], alert["repeat"], alert["note"]) == (9_000, True, NOTE)
    page.get_by_test_id("alert-remove").click()
    expect(panel).to_contain_text("No alert is set")
    assert told(feed)["alerts"] == []


def test_what_cannot_be_set_is_told_why(opened: OpenPage) -> None:
    page = opened()
    page.get_by_test_id("alerts").click()
    page.get_by_test_id("alert-symbol").fill("NOPE")
    fill(page, "price_above", 1)
    page.get_by_test_id("alert-set").click()
    hint = page.get_by_test_id("alert-hint")
    expect(hint).to_contain_text("NOPE", timeout=PATIENCE_MS)
    expect(hint).to_have_attribute("data-tone", "bad")
    page.get_by_test_id("alert-symbol").fill("BAC")
    fill(page, "price_below", -1)
    page.get_by_test_id("alert-set").click()
    expect(hint).to_contain_text("must be > 0", timeout=PATIENCE_MS)


def test_it_is_told_when_it_fires_and_once(feed: FeedProcess, opened: OpenPage) -> None:
    page, other = opened(), opened()
    set_alert(feed, 2, note=NOTE)
    for each in (page, other):
        toast = each.get_by_test_id("toast")
        expect(toast).to_contain_text("BAC rose to", timeout=PATIENCE_MS)
        expect(toast).to_contain_text(NOTE)
        expect(each.get_by_test_id("alerts-count")).to_have_text("1")
    page.get_by_test_id("alerts").click()
    expect(page.get_by_test_id("fired").first).to_contain_text(NOTE)
    expect(page.get_by_test_id("alerts-count")).to_have_text("")
    page.reload()
    expect(page.get_by_test_id("badge")).to_have_attribute(
        "data-state", "live", timeout=PATIENCE_MS
    )
    page.get_by_test_id("alerts").click()
    expect(page.get_by_test_id("fired").first).to_contain_text(NOTE, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("toast")).to_have_count(0)
    page.get_by_test_id("fired-again").first.click()
    expect(page.get_by_test_id("alert-note")).to_have_value(NOTE)


def test_what_fires_while_no_page_is_open_is_told_when_one_is(
    feed: FeedProcess, opened: OpenPage
) -> None:
    page = opened()
    page.get_by_test_id("alerts").click()
    page.close()
    count = len(told(feed)["fired"])
    set_alert(feed, 0.5, note="one")
    set_alert(feed, 0.75, note="two")
    wait_for("both have fired", lambda: len(told(feed)["fired"]) == count + 2)
    page = opened()
    toasts = page.get_by_test_id("toast")
    expect(toasts).to_have_count(2, timeout=PATIENCE_MS)
    expect(toasts.first).to_contain_text("one")
    expect(page.get_by_test_id("alerts-count")).to_have_text("2")


def test_who_polls_hears_of_it_too(
    feed: FeedProcess, opened: OpenPage, context: BrowserContext
) -> None:
    context.route_web_socket(f"ws://127.0.0.1:{feed.port}/ws", lambda socket: socket.close())
    page = opened("polling")
    page.get_by_test_id("alerts").click()
    level = price(feed) + 3
    fill(page, "price_above", level)
    page.get_by_test_id("alert-set").click()
    expect(page.get_by_test_id("toast")).to_contain_text(f"{level:.2f}", timeout=PATIENCE_MS)


def test_a_hidden_page_notifies_by_the_browser(
    feed: FeedProcess, opened: OpenPage, context: BrowserContext
) -> None:
    context.grant_permissions(["notifications"])
    context.add_init_script(
        """
        window.notified = [];
        window.Notification = class {
          static permission = "granted";
          constructor(title, {body, tag}) { window.notified.push({title, body, tag}); }
        };
        """
    )
    page = opened()
    page.evaluate("""() => Object.defineProperty(document, "hidden", {get: () => true})""")
    set_alert(feed, 2, note="wake up")
    page.wait_for_function("window.notified.length > 0", timeout=PATIENCE_MS)
    (shown,) = page.evaluate("window.notified")
    assert shown["title"] == "BAC"
    assert "wake up" in shown["body"]
    assert shown["tag"] == told(feed)["fired"][-1]["cursor"]
