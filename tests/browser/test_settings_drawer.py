"""The drawer of settings on a served dashboard, and what they change there."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.drawer import choose, close_drawer, open_drawer
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
KEY = "quotewire.settings"
LAST = "quote-AAPL-last"
UP_OF = """(element) => {
  const probe = document.createElement("i");
  element.append(probe);
  const told = ["up", "down"].map((name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number);
  });
  probe.remove();
  return told;
}"""


def state(page: Page, name: str) -> None:
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", name, timeout=20_000)


def rate(page: Page, count: Callable[[], int], seconds: float) -> float:
    """Return how many a second are counted, over some seconds."""
    before, began = count(), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    return (count() - before) / (time.monotonic() - began)


def kept(page: Page) -> dict[str, dict[str, object]]:
    told: dict[str, dict[str, object]] = json.loads(
        page.evaluate(f"localStorage.getItem({KEY!r}) ?? '{{}}'")
    )
    return told


def beside(page: Page) -> Page:
    """Return the same page in another tab of the same browser."""
    other = page.context.new_page()
    other.goto(page.url)
    state(other, "live")
    return other


def add_list(page: Page, name: str, symbols: str) -> None:
    drawer = page.get_by_test_id("settings-drawer")
    drawer.get_by_test_id("watchlist-new").click()
    drawer.get_by_test_id("watchlist-name").fill(name)
    page.keyboard.press("Enter")
    drawer.get_by_test_id("watchlist-add").fill(symbols)
    page.keyboard.press("Enter")


def test_how_often_it_polls_is_applied_at_once_and_kept(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    choose(page, "mode", "polling")
    state(page, "polling")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/api/quotes" in r.url else None)
    assert 0.6 <= rate(page, lambda: len(asked), 4) <= 1.4
    choose(page, "poll_ms", "500")
    page.wait_for_timeout(1000)
    assert 1.4 <= rate(page, lambda: len(asked), 4) <= 2.2
    page.reload()
    state(page, "polling")
    expect(open_drawer(page).get_by_test_id("poll_ms")).to_have_value("500")


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
    choose(page, "max_hz", "1")
    page.wait_for_timeout(1000)
    assert rate(page, lambda: len(frames), 4) <= 1.3 < free


def test_what_was_kept_before_there_was_a_drawer_counts(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    page.evaluate("""localStorage.setItem("quotewire.transport", '{"mode":"polling"}')""")
    page.reload()
    state(page, "polling")
    choose(page, "mode", "auto")
    state(page, "live")
    assert page.evaluate("localStorage.getItem('quotewire.transport')") is None


def test_the_keyboard_alone_opens_uses_and_closes_it(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    page.get_by_test_id("settings").focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_test_id("settings-drawer")
    expect(drawer).to_be_visible()
    for _ in range(40):  # it has the focus for itself, or the browser around the page has
        page.keyboard.press("Tab")
        inside = page.evaluate("document.activeElement === document.body") or drawer.evaluate(
            "(drawer) => drawer.contains(drawer.getRootNode().activeElement)"
        )
        assert inside
    drawer.get_by_label("Auto").focus()
    page.keyboard.press("ArrowRight")
    expect(drawer.get_by_label("WebSocket")).to_be_checked()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_test_id("settings")).to_be_focused()
    page.keyboard.press(",")
    expect(drawer).to_be_visible()
    assert kept(page)["mode"]["value"] == "websocket"


def test_two_tabs_are_in_step(running_feed: FeedProcess, open_page: OpenPage) -> None:
    page = open_page()
    state(page, "live")
    other = beside(page)
    drawer = open_drawer(other)
    choose(page, "palette", "red_up")
    choose(page, "mode", "polling")
    state(other, "polling")
    expect(drawer.get_by_label("Red up")).to_be_checked()
    drawer.get_by_test_id("theme-light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize(
    ("palette", "strongest"), [("blue_orange", 2), ("green_red", 1), ("red_up", 0)]
)
def test_the_palette_colours_prices_and_chart(
    running_feed: FeedProcess, open_page: OpenPage, palette: str, strongest: int
) -> None:
    page = open_page()
    state(page, "live")
    choose(page, "palette", palette)
    for test_id in ("quote-AAPL-last", "chart"):
        up, down = page.get_by_test_id(test_id).evaluate(UP_OF)
        assert up.index(max(up)) == strongest
        assert down.index(max(down)) == (1 if palette == "red_up" else 0)


def test_numbers_are_written_as_is_set(running_feed: FeedProcess, open_page: OpenPage) -> None:
    page = open_page()
    state(page, "live")
    expect(page.get_by_test_id(LAST)).to_have_text(re.compile(r"^\d+\.\d\d$"))
    choose(page, "number_format", "1.234,56")
    expect(page.get_by_test_id(LAST)).to_have_text(re.compile(r"^\d+,\d\d$"))
    expect(page.get_by_test_id("legend-close")).to_have_text(re.compile(r"^\d+,\d\d$"))
    page.reload()
    expect(page.get_by_test_id(LAST)).to_have_text(re.compile(r"^\d+,\d\d$"), timeout=20_000)


def test_times_are_told_in_the_zone_that_is_set(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?page=symbol&symbol=AAPL&interval=1m")
    date = page.get_by_test_id("legend-date")
    expect(date).to_have_text(re.compile(r" E[SD]T$"), timeout=20_000)
    row = page.get_by_test_id("trades").locator("tr").first
    expect(row).to_be_visible(timeout=20_000)
    choose(page, "timezone", "Asia/Tokyo")
    expect(date).to_have_text(re.compile(r" GMT\+9$"))
    # New York trades from 9:30 to 16:00, which is night in Tokyo.
    expect(row).to_have_text(re.compile(r"^(2[23]|0[0-6]):"))


def test_flashes_can_be_switched_off_and_marks_stay(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    last = page.get_by_test_id(LAST)
    flashes = "(element) => element.getAnimations().length"
    page.wait_for_function(
        """() => {
          const all = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
            [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
          return all(document).some((one) => one.dataset?.tick && one.getAnimations().length);
        }""",
        timeout=20_000,
    )
    open_drawer(page).get_by_test_id("flash").click()
    close_drawer(page)
    page.wait_for_timeout(1000)  # for those that are under way
    for _ in range(20):
        assert last.evaluate(flashes) == 0
        page.wait_for_timeout(50)
    expect(last).to_have_attribute("data-tick", re.compile("up|down"))


def test_nothing_moves_where_animations_are_off(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    drawer = open_drawer(page)
    name = "(element) => getComputedStyle(element).animationName"
    assert drawer.evaluate(name) == "slide"
    drawer.get_by_test_id("animations").click()
    assert drawer.evaluate(name) == "none"


def test_an_address_without_a_page_leads_to_the_first(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    choose(page, "default_page", "market")
    page.goto(page.url.split("?")[0])
    expect(page.get_by_test_id("page-market")).to_have_attribute("aria-current", "page")


def test_watchlists_are_made_named_ordered_and_removed(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    drawer = open_drawer(page)
    add_list(page, "Tech", "aapl, MSFT googl; <b>x</b>")
    expect(drawer.get_by_test_id("watchlists-note")).to_contain_text("<B>X</B>")
    add_list(page, "Tech", "")
    expect(drawer.get_by_test_id("watchlists-note")).to_contain_text("already")
    drawer.get_by_test_id("watchlist-name").fill("Older")
    page.keyboard.press("Enter")
    drawer.get_by_test_id("watchlist-2").get_by_role("button", name="Move Older up").click()
    tech = drawer.get_by_test_id("watchlist-2")
    tech.get_by_test_id("watchlist-open").click()
    tech.get_by_role("button", name="Move GOOGL up").click()
    expect(tech.locator("[data-symbol]")).to_contain_text(["AAPL", "GOOGL", "MSFT"])
    tech.get_by_role("button", name="Remove AAPL").click()
    first = drawer.get_by_test_id("watchlist-0")
    first.get_by_test_id("watchlist-open").click()
    remove = first.get_by_test_id("watchlist-remove")
    remove.click()
    remove.click()
    expect(drawer.get_by_test_id("watchlist-2")).to_have_count(0)
    lists = [{"name": "Older", "symbols": []}, {"name": "Tech", "symbols": ["GOOGL", "MSFT"]}]
    assert kept(page)["watchlists"]["value"] == lists


def test_an_export_makes_another_browser_alike(
    running_feed: FeedProcess, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page()
    state(page, "live")
    choose(page, "palette", "green_red")
    choose(page, "timezone", "Europe/Berlin")
    drawer = open_drawer(page)
    add_list(page, "Tech <i>", "AAPL")
    with page.expect_download() as download:
        drawer.get_by_test_id("settings-export").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    other = open_page()
    theirs = open_drawer(other)
    theirs.get_by_test_id("settings-file").set_input_files(file)
    expect(theirs.get_by_test_id("settings-note")).to_have_text("12 settings are taken over.")
    expect(theirs.get_by_label("Green up")).to_be_checked()
    expect(theirs.get_by_test_id("timezone")).to_have_value("Europe/Berlin")
    expect(theirs.get_by_test_id("watchlist-1")).to_contain_text("Tech <i>")
    with other.expect_download() as download:
        theirs.get_by_test_id("settings-export").click()
    assert download.value.path().read_text() == file.read_text()


@pytest.mark.parametrize("text", ["", "<b>", "[]", '{"kind":"quotewire settings"}', "{}"])
def test_a_file_without_settings_changes_nothing(
    running_feed: FeedProcess, open_page: OpenPage, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "some.json"
    file.write_text(text)
    page = open_page()
    drawer = open_drawer(page)
    drawer.get_by_test_id("settings-file").set_input_files(file)
    expect(drawer.get_by_test_id("settings-note")).to_contain_text("holds no settings")
    assert kept(page) == {}


def test_text_of_an_import_stays_text(
    running_feed: FeedProcess, open_page: OpenPage, tmp_path: Path
) -> None:
    markup = "<img src=x onerror=boom()>"
    values = {
        "watchlists": [{"name": markup, "symbols": ["AAPL"]}],
        "chart_templates": [{"name": markup, "indicators": ["SMA(20)"]}],
        "timezone": markup,
        "poll_ms": markup,
    }
    file = tmp_path / "some.json"
    file.write_text(json.dumps({"kind": "quotewire settings", "values": values}))
    page = open_page()
    drawer = open_drawer(page)
    drawer.get_by_test_id("settings-file").set_input_files(file)
    note = drawer.get_by_test_id("settings-note")
    expect(note).to_contain_text("2 settings are taken over.")
    expect(note).to_contain_text("Poll interval, Time zone")
    expect(drawer.get_by_test_id("watchlist-0")).to_contain_text(markup)
    assert page.locator("img[src=x]").count() == 0


def test_broken_values_are_told_once_and_the_others_count(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    state(page, "live")
    values = {"palette": "red_up", "poll_ms": "<b>often</b>", "theme": "light", "flash": 0}
    broken = {name: {"value": value, "at_ms": 5} for name, value in values.items()}
    page.evaluate(f"(text) => localStorage.setItem({KEY!r}, text)", json.dumps(broken))
    page.reload()
    toast = page.get_by_test_id("toast")
    expect(toast).to_contain_text("Poll interval, Flash", timeout=20_000)
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(open_drawer(page).get_by_label("Red up")).to_be_checked()
    page.reload()
    state(page, "live")
    expect(toast).to_have_count(0)


def test_reset_asks_again_and_then_all_is_as_usual(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page()
    choose(page, "palette", "red_up")
    drawer = open_drawer(page)
    reset = drawer.get_by_test_id("settings-reset")
    reset.click()
    expect(drawer.get_by_label("Red up")).to_be_checked()
    reset.click()
    expect(drawer.get_by_label("Blue up")).to_be_checked()
    expect(drawer.get_by_test_id("settings-note")).to_have_text("Everything is as usual again.")
