"""The shell around the pages: each opens by address and by link, and lets go what it held."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.browser.test_dashboard import OpenPage, state
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.browser

PAGES = ("dashboard", "market", "symbol", "debug")
IN_HEADER = ("search", "badge-button", "pause", "settings", *(f"page-{p}" for p in PAGES))
LONG_MS = 20_000
Visit = Callable[[str], Page]
Subscription = tuple[str, str, str | None]
"""Channel, symbol and interval."""


class Subscriptions:
    """What a page has asked of the feed by its WebSocket, and not given back."""

    def __init__(self, page: Page, feed: FeedProcess) -> None:
        self.held: set[Subscription] = set()
        self._page = page
        self._port = feed.port
        page.on("websocket", self._opened)

    def wait(self, what: str, condition: Callable[[set[Subscription]], bool]) -> None:
        """Wait until a condition is true of what is held."""

        def asked() -> bool:
            self._page.evaluate("1")  # Playwright tells of frames while it does something
            return condition(self.held)

        wait_for(f"held is {what}", asked, timeout_s=30)

    def _opened(self, socket: WebSocket) -> None:
        if f":{self._port}/" in socket.url:
            self.held.clear()
            socket.on("framesent", self._sent)

    def _sent(self, payload: str | bytes) -> None:
        command = json.loads(payload)
        named = {
            (command.get("channel"), symbol, command.get("interval"))
            for symbol in command.get("symbols", ())
        }
        if command["type"] == "subscribe":
            self.held |= named
        elif command["type"] == "unsubscribe":
            self.held -= named


@pytest.fixture
def no_console_errors(browser: Browser) -> Iterator[Callable[[Page], None]]:
    """Watches a page's console; an error there fails the test."""
    errors: list[str] = []

    def watch(page: Page) -> None:
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)

    yield watch
    assert errors == []


def shown(page: Page, name: str) -> None:
    """Wait until a page is there, and no other one."""
    link = page.get_by_test_id(f"page-{name}")
    expect(link).to_have_attribute("aria-current", "page", timeout=LONG_MS)
    expect(page.locator(f".page-{name}")).to_be_visible(timeout=LONG_MS)
    for other in set(PAGES) - {name}:
        expect(page.locator(f".page-{other}")).to_have_count(0)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_opens_by_its_address(
    running_feed: FeedProcess,
    open_page: OpenPage,
    no_console_errors: Callable[[Page], None],
    name: str,
) -> None:
    page = open_page(f"?page={name}&symbol=IBM")
    no_console_errors(page)
    state(page, "live")
    shown(page, name)


def test_each_page_opens_by_its_link_and_back_comes_back(
    running_feed: FeedProcess, open_page: OpenPage, no_console_errors: Callable[[Page], None]
) -> None:
    page = open_page("?symbol=IBM")
    no_console_errors(page)
    state(page, "live")
    for name in ("market", "symbol", "debug", "dashboard"):
        page.get_by_test_id(f"page-{name}").click()
        shown(page, name)
        assert f"page={name}" in page.url
        assert "symbol=IBM" in page.url
    page.go_back()
    shown(page, "debug")
    page.go_back()
    shown(page, "symbol")
    page.go_forward()
    shown(page, "debug")


def test_a_page_that_is_left_lets_go_what_it_held(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?page=debug&symbol=IBM")
    subscriptions = Subscriptions(page, running_feed)
    page.reload()
    state(page, "live")
    shown(page, "debug")
    subscriptions.wait("the title's symbol", lambda held: ("quotes", "IBM", None) in held)
    first = set(subscriptions.held)
    for name in ("dashboard", "symbol", "market", "debug"):
        page.get_by_test_id(f"page-{name}").click()
        shown(page, name)
    subscriptions.wait("only what this page needs", lambda held: held == first)


def test_going_round_the_pages_leaves_no_more_connections(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=IBM")
    state(page, "live")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    for name in ("market", "symbol", "debug", "dashboard"):
        page.get_by_test_id(f"page-{name}").click()
        shown(page, name)
    state(page, "live")
    assert sockets == []
    assert page.evaluate("__quotewire.connection.stats.reconnects") == 0


def test_a_page_that_is_not_there_is_said_and_the_usual_one_is_shown(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?page=<b>nowhere</b>&symbol=IBM")
    expect(page.get_by_test_id("toast")).to_contain_text("<b>nowhere</b>", timeout=LONG_MS)
    state(page, "live")
    shown(page, "dashboard")
    assert "page=" not in page.url
    assert "symbol=IBM" in page.url


def test_a_symbol_that_the_feed_has_not_is_calm_on_each_page(
    running_feed: FeedProcess, visit: Visit, no_console_errors: Callable[[Page], None]
) -> None:
    for name in PAGES:
        page = visit(f"?page={name}&symbol=" + "N" * 64)
        no_console_errors(page)
        state(page, "live")
        shown(page, name)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_symbol_is_found_by_keys_alone_and_shown_on_its_page(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("?page=market")
    state(page, "live")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search symbols")
    expect(field).to_be_focused()
    page.keyboard.type("inc")
    options = page.get_by_test_id("search-found").get_by_role("option")
    expect(options).to_have_text([re.compile("AAPL"), re.compile("FB"), re.compile("GOOG")])
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    active = field.get_attribute("aria-activedescendant")
    assert active == options.nth(1).get_attribute("id")
    page.keyboard.press("Enter")
    shown(page, "symbol")
    assert "symbol=FB" in page.url
    expect(field).to_have_attribute("aria-expanded", "false")


def test_a_search_that_finds_nothing_says_so_and_escape_leaves_it(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
    state(page, "live")
    page.keyboard.press("/")
    page.keyboard.type("<i>zzz")
    expect(page.get_by_test_id("search-note")).to_contain_text("<i>zzz", timeout=LONG_MS)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("search-found")).to_be_hidden()
    expect(page.get_by_test_id("search")).not_to_be_focused()


def test_pause_freezes_the_screen_and_not_the_data(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("?symbol=IBM")
    state(page, "live")
    last = page.get_by_test_id("quote-IBM-last")
    expect(last).to_have_text(re.compile(r"\d"), timeout=LONG_MS)
    page.keyboard.press("p")
    expect(page.get_by_test_id("pause")).to_have_attribute("aria-pressed", "true")
    frozen = last.inner_text()
    received = "() => __quotewire.connection.stats.received"
    before = page.evaluate(received)
    page.wait_for_function(f"(before) => ({received})() > before + 50", arg=before, timeout=LONG_MS)
    assert last.inner_text() == frozen
    expect(page).to_have_title(re.compile("❚❚"))
    page.get_by_test_id("pause").click()
    expect(last).not_to_have_text(frozen, timeout=LONG_MS)


def test_digits_choose_the_interval_and_the_sheet_tells_the_keys(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("?symbol=IBM")
    state(page, "live")
    page.keyboard.press("3")
    page.wait_for_function("() => location.search.includes('interval=1m')")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("Search symbols")
    page.keyboard.press("5")  # is for the page, which is behind the sheet
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    assert "interval=1m" in page.url


def test_the_title_has_the_price_of_the_symbol(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("?symbol=IBM")
    expect(page).to_have_title(re.compile(r"^\d+\.\d\d .*IBM · Quotewire$"), timeout=LONG_MS)
    page.get_by_test_id("page-market").click()
    expect(page).to_have_title("Live market · Quotewire")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_header_fits(running_feed: FeedProcess, visit: Visit, size: tuple[int, int]) -> None:
    page = visit("")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    state(page, "live")
    for name in PAGES:
        page.get_by_test_id(f"page-{name}").click()
        shown(page, name)
        for test_id in IN_HEADER:
            box = page.get_by_test_id(test_id).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0], test_id
            assert box["y"] + box["height"] <= size[1], test_id
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
