"""What the page says of its data when the feed, the network or the user does something."""

import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.drawer import choose
from tests.browser.test_dashboard import RECOVERY_MS, candle_moves, everything_moves, moves, state
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

# Chromium has no switch for it: the page is told what a browser tells that hides it.
SHOW = """
(seen) => {
  Object.defineProperty(document, "hidden", {value: !seen, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


# Every wait before a new try is the longest, or nearly: 0.5, 1, 2, 4, 8 and 15 s.
LONG_WAITS = "{ const {random} = Math; Math.random = () => 0.95 + random() / 20; }"


class Wall:
    """Keeps a page from its feed, by WebSocket or altogether."""

    def __init__(self, page: Page, feed: FeedProcess) -> None:
        self.blocked = False
        self.http_blocked = False
        page.route_web_socket(re.compile(f":{feed.port}/ws$"), self._open)
        page.route(f"{feed.url}/api/**", self._ask)

    def _open(self, socket: WebSocketRoute) -> None:
        if self.blocked:
            socket.close()
        else:
            socket.connect_to_server()

    def _ask(self, route: Route) -> None:
        if self.http_blocked:
            route.abort()
        else:
            route.continue_()


def test_a_feed_that_stops_is_stale_then_offline_and_prices_are_dimmed_with_their_age(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    everything_moves(page)
    row = page.get_by_test_id("quote-AAPL")
    expect(row).not_to_have_attribute("data-stale", "")
    assert running_feed.process is not None
    # Its gateway stands still; the sockets stay open.
    running_feed.process.send_signal(signal.SIGSTOP)
    try:
        state(page, "stale", timeout_ms=4_000)
        expect(page.get_by_test_id("badge-detail")).to_contain_text("last heard")
        expect(row).to_have_attribute("data-stale", "")
        expect(row).to_contain_text("old")
        expect(page.get_by_test_id("quote-AAPL-last")).to_have_text(re.compile(r"\d"))
        expect(page.get_by_test_id("chart-age")).to_contain_text("old")
        state(page, "offline", timeout_ms=15_000)
    finally:
        running_feed.process.send_signal(signal.SIGCONT)
    state(page, "live", timeout_ms=RECOVERY_MS)
    everything_moves(page)
    expect(row).not_to_have_attribute("data-stale", "")
    expect(page.get_by_test_id("chart-age")).to_have_text("")


def test_a_socket_that_comes_back_takes_over_from_polls_without_a_jump(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=IBM")
    wall = Wall(page, running_feed)
    wall.blocked = True
    page.reload()
    state(page, "polling", timeout_ms=5_000)
    candle_moves(page)
    drawn = "() => { const {chart} = window.__quotewire; return [chart.bars, chart.following]; }"
    before = page.evaluate(drawn)
    page.evaluate(
        """() => {
          window.blanks = 0;
          const last = () => window.__quotewire.chart.last === null;
          setInterval(() => { window.blanks += last(); }, 20);
        }"""
    )
    wall.blocked = False
    state(page, "live", timeout_ms=RECOVERY_MS)
    everything_moves(page)
    after = page.evaluate(drawn)
    assert after[0] in (before[0], before[0] + 1), "the same bars, or one more day"
    assert after[1] == before[1]
    assert page.evaluate("window.blanks") == 0


def test_a_browser_that_cannot_reach_the_feed_gets_it_through_the_pages_own_server(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=IBM")
    wall = Wall(page, running_feed)
    wall.blocked = wall.http_blocked = True
    page.reload()
    state(page, "live", timeout_ms=30_000)
    assert page.evaluate("window.__quotewire.connection.way") == "relay"
    expect(page.get_by_test_id("badge-detail")).to_contain_text("Relay")
    everything_moves(page)
    wall.blocked = wall.http_blocked = False
    expect(page.get_by_test_id("badge-detail")).to_contain_text("WebSocket", timeout=RECOVERY_MS)
    everything_moves(page)


def settled(page: Page, expression: str) -> object:
    """Return a value when it has not changed for a second."""
    value = page.evaluate(expression)
    for _ in range(30):
        page.wait_for_timeout(1000)
        before, value = value, page.evaluate(expression)
        if value == before:
            break
    return value


def test_a_hidden_page_asks_for_nothing_and_catches_up_when_it_is_seen(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    everything_moves(page)
    page.evaluate(SHOW, False)
    received = "window.__quotewire.connection.stats.received"
    before = settled(page, received)
    price = page.get_by_test_id("quote-AAPL-last").inner_text()
    page.wait_for_timeout(3000)
    assert page.evaluate(received) == before
    page.evaluate(SHOW, True)
    expect(page.get_by_test_id("quote-AAPL-last")).not_to_have_text(price, timeout=5000)
    everything_moves(page)
    state(page, "live")


def test_the_network_that_is_back_is_used_at_once(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    page.add_init_script(LONG_WAITS)
    wall = Wall(page, running_feed)
    wall.blocked = True
    page.reload()
    choose(page, "mode", "websocket")
    state(page, "offline")
    page.wait_for_timeout(8500)  # by now it waits for longer than this test does
    wall.blocked = False
    page.evaluate("window.dispatchEvent(new Event('online'))")
    state(page, "live", timeout_ms=5000)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_badge_button_is_named_by_its_word_and_the_reason(
    running_feed: FeedProcess, open_page: OpenPage, width: int
) -> None:
    page = open_page()
    page.set_viewport_size({"width": width, "height": 800})
    state(page, "live")
    button = page.get_by_test_id("badge-button")
    expect(button).to_have_accessible_name(re.compile(r"^Live .*: ."))
    expect(button).to_contain_text("Live")


def test_the_badge_tells_all_layers_on_a_click(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    moves(page, "quote-AAPL-last")
    page.get_by_test_id("badge-button").click()
    facts = page.get_by_test_id("badge-popover")
    for name in (
        *("Way", "Round trip", "Reconnects", "Last message", "p50 · p95 · p99", "Updates"),
        *("Conflated", "Gaps", "Duplicates dropped", "Late dropped", "replay", "REPLAY", "Lately"),
    ):
        expect(facts).to_contain_text(name)
    expect(facts).to_contain_text("WebSocket")
    expect(facts).to_contain_text(re.compile(r"Feed – screen\d+ ms · \d+ ms · \d"))
