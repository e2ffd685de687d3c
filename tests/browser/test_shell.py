"""What the shell does by itself: the theme it shows, and what it tells of feed and server."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from tests import pem
from tests.browser.conftest import Dashboard
from tests.browser.test_dashboard import (
    RECOVERY_MS,
    OpenPage,
    everything_moves,
    moves,
    no_reload,
    state,
)
from tests.browser.test_pages import LONG_MS, shown
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

BACKGROUNDS = {"dark": "rgb(12, 16, 23)", "light": "rgb(242, 244, 248)"}

# From the first moment on: each background of the page, and of the shell in it.
RECORD_LOOKS = """
window.looks = [];
const look = () => {
  const roots = [...(document.body?.children ?? [])];
  const main = roots.map(({shadowRoot}) => shadowRoot?.querySelector(".main")).find(Boolean);
  for (const element of [document.documentElement, main]) {
    if (element) window.looks.push(getComputedStyle(element).backgroundColor);
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def looks(page: Page, theme: str) -> None:
    """Wait until the page is dark, or light, all over."""
    background = BACKGROUNDS[theme]
    expect(page.locator("html")).to_have_attribute("data-theme", theme, timeout=LONG_MS)
    expect(page.locator("html")).to_have_css("background-color", background)
    main = page.locator(".main").first
    expect(main).to_have_css("background-color", background, timeout=LONG_MS)
    expect(page.get_by_test_id("controls")).to_have_css("color-scheme", theme, timeout=LONG_MS)


def test_the_browser_loads_our_modules_itself(
    running_feed: FeedProcess, dashboard: Dashboard, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    brought = page.evaluate(
        """() => [
          ...Object.keys(importShim.getImportMap().imports ?? {}),
          ...Object.keys(importShim._r),
        ].filter((name) => /^(quotewire|data:)/.test(name))"""
    )
    assert brought == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_theme_is_the_systems_until_one_is_chosen(
    running_feed: FeedProcess, open_page: OpenPage, theme: str
) -> None:
    page = open_page(color_scheme=theme)
    looks(page, theme)
    page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    looks(page, "light" if theme == "dark" else "dark")


def test_a_theme_that_was_chosen_is_kept_and_never_flashes_the_other(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(color_scheme="dark")
    looks(page, "dark")
    page.get_by_role("button", name="Toggle theme").click()
    looks(page, "light")
    page.add_init_script(RECORD_LOOKS)
    page.reload()
    state(page, "live")
    looks(page, "light")
    assert set(page.evaluate("looks")) == {BACKGROUNDS["light"]}
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    looks(page, "light")


def test_a_theme_chosen_in_one_tab_is_that_of_the_other(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(color_scheme="light")
    looks(page, "light")
    other = page.context.new_page()
    other.goto(page.url)
    looks(other, "light")
    page.get_by_role("button", name="Toggle theme").click()
    looks(page, "dark")
    looks(other, "dark")


def test_an_outage_is_told_once_when_it_lasts_and_once_when_it_is_over(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?symbol=IBM")
    state(page, "live")
    moves(page, "quote-IBM-last")
    toasts = page.get_by_test_id("toast")
    expect(toasts).to_have_count(0)
    running_feed.kill()
    expect(page.get_by_role("alert")).to_contain_text("Offline", timeout=LONG_MS)
    expect(page).to_have_title(re.compile(r"^\(old\) "), timeout=LONG_MS)
    running_feed.start()
    expect(toasts).to_have_text(re.compile("Data comes again"), timeout=RECOVERY_MS)
    state(page, "live")
    expect(toasts).to_have_count(0, timeout=LONG_MS)


def test_a_page_that_the_feed_does_not_let_in_says_so_everywhere(browser: Browser) -> None:
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=3600).sign("test", time.time())
    feed = FeedProcess({"jwt_secret": pem.SECRET}, token=token)
    with feed, served(feed_url=feed.url) as dashboard:
        page = browser.new_page()
        page.goto(dashboard.url)
        state(page, "closed")
        reason = re.compile("the feed asks for a token, and there is none")
        expect(page.get_by_role("alert")).to_have_text(reason, timeout=LONG_MS)
        for name in ("symbol", "market", "dashboard"):
            page.get_by_test_id(f"page-{name}").click()
            shown(page, name)
            expect(page.locator(f".page-{name}").get_by_text(reason).first).to_be_visible()
        page.keyboard.press("/")
        expect(page.get_by_test_id("search-note")).to_have_text(reason)
        expect(page.get_by_role("alert")).to_have_count(1)
        page.close()


@contextmanager
def served(**settings: str) -> Iterator[Dashboard]:
    """A dashboard of its own."""
    dashboard = Dashboard(**settings)
    try:
        dashboard.wait()
        yield dashboard
    finally:
        dashboard.stop()


def test_a_page_whose_link_to_its_server_breaks_goes_on_and_finds_it_again(
    running_feed: FeedProcess, dashboard: Dashboard, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    ends: list[WebSocketRoute] = []
    is_cut = False

    def link(socket: WebSocketRoute) -> None:
        if is_cut:
            socket.close(code=1001)
        else:
            ends.extend((socket.connect_to_server(), socket))

    page.route_web_socket(re.compile("/dashboard/ws"), link)
    page.goto(dashboard.url)
    state(page, "live")
    everything_moves(page)
    with no_reload(page):
        is_cut = True
        for end in ends:
            end.close(code=1001)
        toast = page.get_by_test_id("toast")
        expect(toast).to_contain_text("server is away", timeout=LONG_MS)
        state(page, "live")
        moves(page, "quote-AAPL-last")
        # What only the server can make is told to be missing, and comes.
        page.evaluate(
            """async () => {
              const {address} = await import("quotewire/address.js");
              address.set({indicators: ["RSI(14)"]});
            }"""
        )
        missing = toast.filter(has_text="drawn as soon as the page’s server")
        expect(missing).to_have_count(1, timeout=LONG_MS)
        is_cut = False
        expect(toast.filter(has_text="server is back")).not_to_have_count(0, timeout=RECOVERY_MS)
        expect(page.get_by_test_id("pane-0")).to_be_visible(timeout=LONG_MS)
    page.get_by_test_id("page-debug").click()
    shown(page, "debug")
    context.close()


def test_a_page_whose_server_was_started_anew_is_loaded_afresh_with_all_that_it_showed(
    running_feed: FeedProcess, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    hosts = set()
    with served(feed_url=running_feed.url) as first:
        page.goto(f"{first.url}?symbol=IBM&interval=1m")
        state(page, "live")
        page.evaluate("() => { window.first = true; }")
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.get_by_test_id("page-market").click()  # nobody is there to open it
    with served(at_port=str(first.port), feed_url=running_feed.url):
        page.wait_for_function("() => !window.first", timeout=3 * RECOVERY_MS)
        state(page, "live")
        shown(page, "market")
        assert "symbol=IBM&interval=1m" in page.url
        context.close()
    own = {f"127.0.0.1:{first.port}", f"127.0.0.1:{running_feed.port}"}
    assert {host for host in hosts if host} <= own
