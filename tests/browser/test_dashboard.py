import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard
from tests.browser.drawer import choose
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

# A session of 6.5 hours in three seconds.
FAST_SPEED = "8000"

OpenPage = Callable[..., Page]

# From a kill to prices again there is a new feed process: Valkey, history, handshake.
RECOVERY_MS = 40_000


def state(page: Page, name: str, *, timeout_ms: int = 20_000) -> None:
    """Wait until the badge shows a state."""
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", name, timeout=timeout_ms)


def moves(page: Page, test_id: str, *, timeout_ms: int = 20_000) -> None:
    """Wait until a shown value has changed."""
    shown = page.get_by_test_id(test_id)
    expect(shown).to_have_text(re.compile(r"\d"), timeout=timeout_ms)
    before = shown.inner_text()
    expect(shown).not_to_have_text(before, timeout=timeout_ms)


def last_bar(page: Page) -> dict[str, Any]:
    """Return the last candle as the chart's data source has it."""
    bar = page.evaluate("() => window.__quotewire.chart.last")
    assert isinstance(bar, dict)
    return bar


def candle_moves(page: Page, *, timeout_ms: int = 20_000) -> None:
    """Wait until the last candle has changed."""
    page.wait_for_function("() => window.__quotewire?.chart?.last", timeout=timeout_ms)
    before = last_bar(page)
    page.wait_for_function(
        "(before) => JSON.stringify(window.__quotewire.chart.last) !== JSON.stringify(before)",
        arg=before,
        timeout=timeout_ms,
    )


def everything_moves(page: Page, *, timeout_ms: int = 20_000) -> None:
    moves(page, "quote-AAPL-last", timeout_ms=timeout_ms)
    moves(page, "chart-last", timeout_ms=timeout_ms)
    candle_moves(page, timeout_ms=timeout_ms)


@contextmanager
def no_reload(page: Page) -> Iterator[None]:
    """Fail where the page was loaded anew meanwhile: what is on `window` would be gone."""
    page.evaluate("() => { window.notReloaded = true; }")
    yield
    assert page.evaluate("() => window.notReloaded") is True


def test_prices_and_the_last_candle_move_without_a_reload(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    with no_reload(page):
        everything_moves(page)
    for symbol in ("FB", "GOOG", "IBM", "MSFT"):
        expect(page.get_by_test_id(f"quote-{symbol}-last")).to_have_text(re.compile(r"\d"))
    expect(page.get_by_test_id("chart-label")).to_contain_text("REPLAY")


def test_switching_to_polling_and_back_keeps_prices_moving(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    with no_reload(page):
        choose(page, "mode", "polling")
        state(page, "polling")
        everything_moves(page)
        choose(page, "mode", "websocket")
        state(page, "live")
        everything_moves(page)


def test_a_killed_feed_is_said_and_a_started_one_recovers(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    price = page.get_by_test_id("quote-AAPL-last")
    with no_reload(page):
        everything_moves(page)
        running_feed.kill()
        state(page, "offline")
        expect(price).to_have_text(re.compile(r"\d"))
        running_feed.start()
        state(page, "live", timeout_ms=RECOVERY_MS)
        everything_moves(page, timeout_ms=RECOVERY_MS)


def test_a_page_opened_without_a_feed_says_so_and_fills_itself(
    own_feed: FeedProcess, open_page: OpenPage
) -> None:
    if own_feed.process is not None:
        own_feed.stop()
    page = open_page()
    state(page, "offline")
    expect(page.get_by_test_id("watchlist-empty")).to_contain_text(f"127.0.0.1:{own_feed.port}")
    with no_reload(page):
        own_feed.start()
        state(page, "live", timeout_ms=RECOVERY_MS)
        everything_moves(page, timeout_ms=RECOVERY_MS)


def test_a_blocked_websocket_falls_back_to_polling_and_comes_back_by_itself(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=IBM")
    state(page, "live")
    blocked = True
    page.route_web_socket(
        re.compile(f":{running_feed.port}/ws$"),
        lambda ws: ws.close() if blocked else ws.connect_to_server(),
    )
    page.reload()
    state(page, "polling", timeout_ms=5_000)
    with no_reload(page):
        moves(page, "quote-IBM-last")
        candle_moves(page)
        blocked = False
        state(page, "live", timeout_ms=RECOVERY_MS)
        everything_moves(page)


def test_a_symbol_is_chosen_by_click_and_by_key_and_kept_in_the_address(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    page.get_by_test_id("quote-GOOG").click()
    expect(page.get_by_test_id("chart-symbol")).to_have_text("GOOG")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("chart-symbol")).to_have_text("IBM")
    assert "symbol=IBM" in page.url
    page.reload()
    expect(page.get_by_test_id("chart-symbol")).to_have_text("IBM")
    candle_moves(page)


def test_the_chart_shows_the_history_that_the_feed_has(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=MSFT")
    state(page, "live")
    candle_moves(page)
    # The live candle may be there first.
    page.wait_for_function("() => window.__quotewire.chart.bars >= 500", timeout=20_000)
    assert page.evaluate("() => window.__quotewire.chart.bars") <= 5000


def test_the_page_asks_no_host_but_its_own_two(
    running_feed: FeedProcess, dashboard: Dashboard, open_page: OpenPage
) -> None:
    page = open_page("?symbol=FB")
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.reload()
    state(page, "live")
    everything_moves(page)
    own = {f"127.0.0.1:{dashboard.port}", f"127.0.0.1:{running_feed.port}"}
    assert {host for host in hosts if host} == own


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_nothing_overflows_the_page(
    running_feed: FeedProcess, open_page: OpenPage, size: tuple[int, int]
) -> None:
    page = open_page(viewport={"width": size[0], "height": size[1]})
    state(page, "live")
    candle_moves(page)
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= size[0]


def test_a_telephone_has_room_for_the_longest_state(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    state(page, "live")
    page.get_by_test_id("badge-button").evaluate(
        "(button) => button.append('XXXXXXXX')"  # as long as “Market closed” is beside “Live”
    )
    toggle = page.locator("header button").last.bounding_box()
    assert toggle is not None
    assert toggle["x"] + toggle["width"] <= 390


def test_an_unknown_symbol_in_the_address_is_calm(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=<img src=x onerror=alert(1)>")
    state(page, "live")
    moves(page, "quote-AAPL-last")
    assert page.locator("img[src=x]").count() == 0


def test_a_new_day_appends_a_candle_and_leaves_the_one_before_as_it_closed(
    browser: Browser,
) -> None:
    with FeedProcess({"replay_speed": FAST_SPEED}) as feed, served(feed.url) as fast:
        page = browser.new_page()
        page.goto(fast.url + "?symbol=AAPL")
        state(page, "live")
        candle_moves(page)
        with no_reload(page):
            for _ in range(2):
                new_day(page, feed.url)
        page.close()


@contextmanager
def served(feed_url: str) -> Iterator[Dashboard]:
    """A dashboard of its own."""
    dashboard = Dashboard(feed_url=feed_url)
    try:
        dashboard.wait()
        yield dashboard
    finally:
        dashboard.stop()


def new_day(page: Page, feed_url: str) -> None:
    """Wait until a candle is appended, and check the one before it against the feed's final bar."""
    before = page.evaluate("() => window.__quotewire.chart")
    page.wait_for_function(
        "(start_ms) => window.__quotewire.chart.before_last.start_ms === start_ms",
        arg=before["last"]["start_ms"],
    )
    now = page.evaluate("() => window.__quotewire.chart")
    start_ms = before["last"]["start_ms"]
    query: dict[str, str | int] = {"symbol": "AAPL", "start": start_ms, "end": start_ms}
    bars = httpx.get(f"{feed_url}/api/bars", params=query).json()
    assert bars["final"] == [True]
    columns = ("start_ms", "open", "high", "low", "close", "volume")
    assert now["before_last"] == {name: bars[name][0] for name in columns}
    assert now["bars"] == before["bars"] + 1
