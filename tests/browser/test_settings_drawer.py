"""The drawer of settings on a served dashboard, and what they change there."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.drawer import choose, close_drawer, open_drawer
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Visit = Callable[[str], Page]
KEY = "quotewire.settings"
LAST = "quote-AAPL-last"
# How many frames show a flash while some rows come.
FLASHES = """
async (rows) => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
    [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
  const received = () => window.__quotewire.connection.stats.received;
  const end = received() + rows;
  let count = 0;
  while (received() < end) {
    count += all(document).some((one) => one.dataset?.tick && one.getAnimations().length);
    await new Promise((go) => requestAnimationFrame(go));
  }
  return count;
}
"""
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


def gaps(page: Page, times: list[float]) -> list[float]:
    """Return what lies between the last few times, if there are enough."""
    page.evaluate("1")  # Playwright tells what has come while it does something
    return [later - earlier for earlier, later in pairwise(times[-5:])]


def polls_every(page: Page, times_ms: list[float], poll_ms: int) -> None:
    """Wait until requests follow each other in a time, or a little more: never in less."""
    times_ms.clear()

    def does() -> bool:
        told = gaps(page, times_ms)
        return len(told) == 4 and min(told) > 0.9 * poll_ms and median(told) < 1.6 * poll_ms

    wait_for(f"it asks every {poll_ms} ms", does)


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
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
    state(page, "live")
    choose(page, "mode", "polling")
    state(page, "polling")
    times_ms: list[float] = []

    def asked(request: Request) -> None:
        if "/api/quotes" in request.url:
            times_ms.append(request.timing["startTime"])

    page.on("requestfinished", asked)
    polls_every(page, times_ms, 1000)
    choose(page, "poll_ms", "500")
    polls_every(page, times_ms, 500)
    page.reload()
    state(page, "polling")
    expect(open_drawer(page).get_by_test_id("poll_ms")).to_have_value("500")


def test_no_more_updates_come_than_are_asked_for(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("")
    state(page, "live")
    times_s: list[float] = []

    def heard(frame: dict[str, Any]) -> None:
        if '"type":"quotes"' in frame["response"]["payloadData"]:
            times_s.append(frame["timestamp"])

    network = page.context.new_cdp_session(page)
    network.on("Network.webSocketFrameReceived", heard)
    network.send("Network.enable")
    wait_for("it comes often", lambda: 0 < sum(gaps(page, times_s)) < 3)
    choose(page, "max_hz", "1")
    wait_for("it comes once a second", lambda: sum(gaps(page, times_s)) > 3.5)
    times_s.clear()
    wait_for("more comes", lambda: len(gaps(page, times_s)) == 4)
    assert sum(gaps(page, times_s)) > 3


def test_what_was_kept_before_there_was_a_drawer_counts(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
    state(page, "live")
    page.evaluate("""localStorage.setItem("quotewire.transport", '{"mode":"polling"}')""")
    page.reload()
    state(page, "polling")
    choose(page, "mode", "auto")
    state(page, "live")
    assert page.evaluate("localStorage.getItem('quotewire.transport')") is None


def test_the_keyboard_alone_opens_uses_and_closes_it(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
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


def test_two_tabs_are_in_step(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("")
    state(page, "live")
    other = beside(page)
    drawer = open_drawer(other)
    choose(page, "palette", "red_up")
    choose(page, "mode", "polling")
    state(other, "polling")
    expect(drawer.get_by_label("Red up")).to_be_checked()
    drawer.get_by_test_id("theme-dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    other.close()


def test_the_palette_colours_prices_and_chart(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("")
    state(page, "live")
    for palette, strongest in (("green_red", 1), ("red_up", 0), ("blue_orange", 2)):
        choose(page, "palette", palette)
        for test_id in ("quote-AAPL-last", "chart"):
            up, down = page.get_by_test_id(test_id).evaluate(UP_OF)
            assert up.index(max(up)) == strongest, palette
            assert down.index(max(down)) == (1 if palette == "red_up" else 0), palette


def test_numbers_are_written_as_is_set(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("")
    state(page, "live")
    expect(page.get_by_test_id(LAST)).to_have_text(re.compile(r"^\d+\.\d\d$"))
    choose(page, "number_format", "1.234,56")
    expect(page.get_by_test_id(LAST)).to_have_text(re.compile(r"^\d+,\d\d$"))
    expect(page.get_by_test_id("legend-close")).to_have_text(re.compile(r"^\d+,\d\d$"))
    page.reload()
    expect(page.get_by_test_id(LAST)).to_have_text(re.compile(r"^\d+,\d\d$"), timeout=20_000)


def test_times_are_told_in_the_zone_that_is_set(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("?page=symbol&symbol=AAPL&interval=1m")
    date = page.get_by_test_id("legend-date")
    expect(date).to_have_text(re.compile(r" E[SD]T$"), timeout=20_000)
    row = page.get_by_test_id("trades").locator("tr").first
    expect(row).to_be_visible(timeout=20_000)
    choose(page, "timezone", "Asia/Tokyo")
    expect(date).to_have_text(re.compile(r" GMT\+9$"))
    # New York trades from 9:30 to 16:00, which is night in Tokyo.
    expect(row).to_have_text(re.compile(r"^(2[23]|0[0-6]):"))


def test_flashes_can_be_switched_off_and_marks_stay(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
    state(page, "live")
    last = page.get_by_test_id(LAST)
    wait_for("a price flashes", lambda: page.evaluate(FLASHES, 3) > 0)
    open_drawer(page).get_by_test_id("flash").click()
    close_drawer(page)
    wait_for("those that were under way are over", lambda: page.evaluate(FLASHES, 1) == 0)
    assert page.evaluate(FLASHES, 40) == 0
    expect(last).to_have_attribute("data-tick", re.compile("up|down"))


def test_nothing_moves_where_animations_are_off(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("")
    drawer = open_drawer(page)
    name = "(element) => getComputedStyle(element).animationName"
    assert drawer.evaluate(name) == "slide"
    drawer.get_by_test_id("animations").click()
    assert drawer.evaluate(name) == "none"


def test_an_address_without_a_page_leads_to_the_first(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
    choose(page, "default_page", "market")
    page.goto(page.url.split("?")[0])
    expect(page.get_by_test_id("page-market")).to_have_attribute("aria-current", "page")


def test_watchlists_are_made_named_ordered_and_removed(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
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
    running_feed: FeedProcess, visit: Visit, open_page: OpenPage, tmp_path: Path
) -> None:
    page = visit("")
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


def test_a_file_without_settings_changes_nothing(
    running_feed: FeedProcess, visit: Visit, tmp_path: Path
) -> None:
    page = visit("")
    drawer = open_drawer(page)
    note = drawer.get_by_test_id("settings-note")
    file = tmp_path / "some.json"
    for text in ("", "<b>", "[]", '{"kind":"quotewire settings"}', "{}"):
        file.write_text(text)
        note.evaluate("(note) => note.replaceChildren()")
        drawer.get_by_test_id("settings-file").set_input_files(file)
        expect(note).to_contain_text("holds no settings")
        assert kept(page) == {}


def test_text_of_an_import_stays_text(
    running_feed: FeedProcess, visit: Visit, tmp_path: Path
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
    page = visit("")
    drawer = open_drawer(page)
    drawer.get_by_test_id("settings-file").set_input_files(file)
    note = drawer.get_by_test_id("settings-note")
    expect(note).to_contain_text("2 settings are taken over.")
    expect(note).to_contain_text("Poll interval, Time zone")
    expect(drawer.get_by_test_id("watchlist-0")).to_contain_text(markup)
    assert page.locator("img[src=x]").count() == 0


def test_broken_values_are_told_once_and_the_others_count(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit("")
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


def test_reset_asks_again_and_then_all_is_as_usual(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit("")
    choose(page, "palette", "red_up")
    drawer = open_drawer(page)
    reset = drawer.get_by_test_id("settings-reset")
    reset.click()
    expect(drawer.get_by_label("Red up")).to_be_checked()
    reset.click()
    expect(drawer.get_by_label("Blue up")).to_be_checked()
    expect(drawer.get_by_test_id("settings-note")).to_have_text("Everything is as usual again.")
