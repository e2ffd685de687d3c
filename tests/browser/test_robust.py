"""Each page in a world that is not as usual: what it says is right, and it stays calm."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Dashboard
from tests.browser.odd_market import HUGE, LONG, LOUD, MARKUP, TINY, installed
from tests.browser.tab import GO
from tests.browser.test_dashboard import served, state
from tests.browser.test_pages import PAGES, shown
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

LONG_MS = 30_000
HOUR_MS = 3_600_000
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
OpenPage = Callable[..., Page]

TRADED = [{"name": "Odd", "symbols": [TINY, HUGE, LONG]}]
"""Without the symbol that has no source."""

# All that is to be read, or heard, in the page and its shadow roots.
TEXTS = """
() => {
  const all = (root) => [...root.querySelectorAll("*:not(style, script, template)")]
    .flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
  return all(document.body).flatMap((one) => [
    ...[...one.childNodes].filter((node) => node instanceof Text).map((node) => node.data),
    ...["title", "aria-label", "aria-valuetext"].map((name) => one.getAttribute(name) ?? ""),
  ]).map((text) => text.trim()).filter(Boolean);
}
"""
NONSENSE = re.compile(r"\d[eE][+-]\d|\bNaN\b|Infinity|undefined|\bnull\b|\[object")
# A page's clock, from its first moment on.
SHIFT = """
{
  const True = Date;
  window.Date = class extends True {
    constructor(...told) {
      super(...(told.length ? told : [True.now() + %d]));
    }
    static now() {
      return True.now() + %d;
    }
  };
}
"""
CHOOSE = """
async (values) => (await import("quotewire/settings.js")).settings.choose(values)
"""


class Odd:
    """The odd market's feed, which can be open, closed or away.

    Args:
        closed: The file that closes the market.
    """

    def __init__(self, closed: Path) -> None:
        self.feed = FeedProcess({"provider": "odd,loud"})
        self._closed = closed

    def open(self) -> None:
        """Let it trade."""
        if self._closed.exists():
            self.away()
            self._closed.unlink()
        if self.feed.process is None:
            self.feed.start()

    def close(self) -> None:
        """End its trading, with the last prices known."""
        self.open()
        self._closed.touch()

    def away(self) -> None:
        """Let no feed be there."""
        self.feed.stop()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    with installed(tmp_path_factory.mktemp("odd")) as closed:
        market = Odd(closed)
        yield market
        market.away()


@pytest.fixture(scope="module")
def dashboard(odd: Odd) -> Iterator[Dashboard]:
    with served(odd.feed.url) as dashboard:
        yield dashboard


@pytest.fixture
def open_page(browser: Browser, dashboard: Dashboard) -> Iterator[Callable[..., Page]]:
    """Opens a page in a fresh profile; an error in it or on its console fails the test."""
    errors: list[str] = []
    pages = []

    def open_(query: str = "", *, script: str = "") -> Page:
        page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        if script:
            page.add_init_script(script)
        page.goto(dashboard.url + query)
        return page

    yield open_
    for page in pages:
        page.close()
    # That nobody answers is told by the browser itself.
    assert [error for error in errors if "ERR_CONNECTION_REFUSED" not in error] == []


def go(page: Page, name: str, query: str = "") -> None:
    """Show a page, without loading it anew."""
    page.evaluate(GO, f"?page={name}{query}")
    shown(page, name)


def fits(page: Page) -> None:
    """Check that nothing is wider than the page, neither here nor on a phone."""
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), size


def sound(page: Page) -> list[str]:
    """Check that what is told is text, and makes sense; return it."""
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("() => window.hacked") is None
    texts: list[str] = page.evaluate(TEXTS)
    told = [text for text in texts if not text.startswith("{")]  # messages, as they were sent
    assert [text for text in told if NONSENSE.search(text)] == []
    return told


def test_prices_of_any_size_are_told_in_full_on_each_page(odd: Odd, open_page: OpenPage) -> None:
    odd.open()
    page = open_page(f"?symbol={TINY}")
    small, large = re.compile(r"^0\.00000001\d\d$"), re.compile(r"^1,2\d\d,\d{3},\d{3}\.\d\d$")
    for symbol, price in ((TINY, small), (HUGE, large)):
        go(page, "dashboard", f"&symbol={symbol}")
        for test_id in (f"quote-{symbol}-last", "chart-last"):
            expect(page.get_by_test_id(test_id)).to_have_text(price, timeout=LONG_MS)
        card = page.get_by_test_id(f"card-{symbol}")
        expect(card.locator(".last")).to_have_text(price)
        in_sight(page.get_by_test_id(f"quote-{symbol}-change"))
        expect(page.get_by_test_id("price-tag")).to_have_text(price)
        sound(page)
        fits(page)
        go(page, "symbol", f"&symbol={symbol}")
        for test_id in ("header-last", "header-bid", "header-low", "price-tag"):
            expect(page.get_by_test_id(test_id)).to_have_text(price, timeout=LONG_MS)
        sound(page)
        fits(page)
    go(page, "market")
    expect(page.get_by_test_id(f"market-{TINY}-last")).to_have_text(small, timeout=LONG_MS)
    expect(page.get_by_test_id(f"market-{HUGE}-last")).to_have_text(large)
    expect(page.get_by_test_id(f"market-{HUGE}-spread")).to_have_text(re.compile(r"^2\d,\d{3},"))
    sound(page)
    fits(page)
    go(page, "market", "&view=map&size=equal")
    expect(page.get_by_test_id(f"tile-{TINY}")).to_contain_text("0.00000001", timeout=LONG_MS)
    sound(page)
    fits(page)
    go(page, "debug")
    sound(page)
    fits(page)


def in_sight(element: Locator) -> None:
    """Check that nothing of it is cut off at the right of the card that it is in."""
    cut = element.evaluate(
        """(element) => element.getBoundingClientRect().right
          - element.closest(".scroll").getBoundingClientRect().right"""
    )
    assert cut <= 0


def connected(page: Page) -> None:
    """Wait until the feed is there, however its sources do: the loud one may count."""
    states = re.compile("live|source-down|market-closed")
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", states, timeout=LONG_MS)


def choose(page: Page, **values: object) -> None:
    """Set what a user can set."""
    assert page.evaluate(CHOOSE, values) == []


def says(page: Page, text: str, *test_ids: str) -> None:
    """Wait until a text is at each of these places."""
    for test_id in test_ids:
        expect(page.get_by_test_id(test_id)).to_contain_text(text, timeout=LONG_MS)


def test_a_long_symbol_and_texts_like_markup_stay_text_on_each_page(
    odd: Odd, open_page: OpenPage
) -> None:
    odd.open()
    page = open_page(f"?symbol={LONG}")
    connected(page)
    lists = [{"name": MARKUP, "symbols": [LONG, TINY, LOUD]}, {"name": "<b>", "symbols": []}]
    templates = [{"name": MARKUP, "indicators": ["SMA(20)"]}]
    choose(page, watchlists=lists, chart_templates=templates)
    places = {"dashboard": "chart-symbol", "market": f"market-{LONG}", "symbol": "header-symbol"}
    for name in PAGES:
        go(page, name, f"&symbol={LONG}")
        if name in places:
            says(page, LONG, places[name])
        assert any(MARKUP in text for text in sound(page))
        fits(page)
    state(page, "source-down")  # the list has a symbol of the loud source
    says(page, MARKUP, "debug-layer-source")
    page.get_by_test_id("badge-button").click()
    says(page, MARKUP, "badge-popover")
    page.keyboard.press("Escape")
    page.get_by_test_id("settings").click()
    says(page, MARKUP, "watchlist-0")
    sound(page)
    page.keyboard.press("Escape")
    go(page, "symbol", f"&symbol={LONG}")
    page.get_by_test_id("add-indicator").click()
    says(page, MARKUP, "indicator-form")
    sound(page)


def test_a_symbol_that_is_none_is_said_on_each_page(odd: Odd, open_page: OpenPage) -> None:
    odd.open()
    none = "NO.SUCH-ONE"
    page = open_page(f"?symbol={none}")
    connected(page)
    said = {
        "dashboard": ["chart-empty", "trades-empty"],
        "market": [],
        "symbol": ["header-empty", "chart-empty", "trades-empty"],
        "debug": [],
    }
    for name, test_ids in said.items():
        go(page, name, f"&symbol={none}")
        says(page, f"This feed has no “{none}”", *test_ids)
        sound(page)
        fits(page)
    go(page, "market")
    expect(page.get_by_test_id(f"market-{TINY}")).to_be_visible()


def test_a_list_of_which_the_feed_has_nothing_is_said_and_an_empty_one_is_of_all(
    odd: Odd, open_page: OpenPage
) -> None:
    odd.open()
    page = open_page()
    connected(page)
    choose(page, watchlists=[{"name": "Gone", "symbols": ["GONE"]}])
    said = {"dashboard": "watchlist-empty", "market": "market-empty", "symbol": "header-empty"}
    for name in PAGES:
        go(page, name)
        if name in said:
            says(page, "hoose", said[name])  # what to do
        sound(page)
        fits(page)
    choose(page, watchlists=[{"name": "New", "symbols": []}])
    go(page, "market")
    expect(page.get_by_test_id("market-count")).to_have_text("4 symbols")
    go(page, "dashboard")
    expect(page.get_by_test_id(f"quote-{TINY}")).to_be_visible()


@pytest.mark.parametrize("off_ms", [HOUR_MS, -HOUR_MS])
def test_a_clock_that_is_an_hour_off_changes_no_age_and_no_latency(
    odd: Odd, open_page: OpenPage, off_ms: int
) -> None:
    odd.open()
    page = open_page(f"?page=debug&symbol={TINY}", script=SHIFT % (off_ms, off_ms))
    connected(page)
    choose(page, watchlists=TRADED)
    brief = re.compile(r"^(\d+ ms|\d\.\d s)$")
    for span in ("event", "painted"):
        median = page.get_by_test_id(f"debug-span-{span}").get_by_test_id("debug-p50_ms")
        expect(median).to_have_text(brief, timeout=LONG_MS)
    told = re.compile(rf"(1 h 0|59) min {'behind' if off_ms > 0 else 'ahead'}")
    expect(page.get_by_test_id("debug-counts")).to_contain_text(told, timeout=LONG_MS)
    for name in PAGES:
        go(page, name, f"&symbol={TINY}")
        state(page, "live")
        assert page.locator("[data-stale]").count() == 0
        if name == "market":
            age = page.get_by_test_id(f"market-{TINY}-age")
            expect(age).to_have_text(re.compile(r"^(< 1|\d) s$"), timeout=LONG_MS)
        sound(page)
    expect(page.get_by_test_id("toast")).to_have_count(0)
    expect(page).not_to_have_title(re.compile("old"))


def test_a_closed_market_is_said_and_its_last_prices_are_not_called_old(
    odd: Odd, open_page: OpenPage
) -> None:
    odd.close()
    page = open_page(f"?symbol={TINY}")
    connected(page)
    choose(page, watchlists=TRADED)
    last = {
        "dashboard": f"quote-{TINY}-last",
        "market": f"market-{TINY}-last",
        "symbol": "header-last",
        "debug": "badge",
    }
    for name, test_id in last.items():
        go(page, name, f"&symbol={TINY}")
        state(page, "market-closed")
        says(page, "Market closed", "badge")
        if name != "debug":
            says(page, "0.00000001", test_id)
        assert page.locator("[data-stale]").count() == 0
        sound(page)
        fits(page)
    go(page, "symbol", f"&symbol={TINY}")
    expect(page.get_by_test_id("header-closed")).to_be_visible()
    expect(page.get_by_test_id("toast")).to_have_count(0)
    expect(page).not_to_have_title(re.compile("old"))


def test_each_page_without_a_feed_says_so_and_what_to_do(odd: Odd, open_page: OpenPage) -> None:
    odd.away()
    page = open_page(f"?symbol={TINY}")
    said = {
        "dashboard": ["watchlist-empty", "chart-empty", "trades-empty"],
        "market": ["market-empty"],
        "symbol": ["header-empty", "chart-empty", "trades-empty"],
        "debug": [],
    }
    for name, test_ids in said.items():
        go(page, name, f"&symbol={TINY}")
        state(page, "offline")
        says(page, f"No feed answers at 127.0.0.1:{odd.feed.port}. Start one", *test_ids)
        sound(page)
        fits(page)
    says(page, "Offline", "debug-layer-link")
    expect(page.get_by_test_id("toast")).to_have_count(1)
