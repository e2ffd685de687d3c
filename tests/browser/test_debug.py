"""The debug panel on a served dashboard, as a page and as a drawer, while the replay runs."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from tests import pem
from tests.browser.conftest import Dashboard
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
LONG_MS = 30_000


def live(page: Page) -> None:
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", "live", timeout=LONG_MS)


def part(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"debug-{name}")


def fact(card: Locator, name: str) -> Locator:
    """Return the value beside a name, of the card's first that has it."""
    row = card.locator("dl > div").filter(has=card.page.get_by_text(name, exact=True))
    return row.locator("dd").first


GLANCE = """
(count) => {
  dispatchEvent(new Event("quotewire:debug"));
  const told = count.textContent;
  count.closest("dialog").close();
  return told;
}
"""


def counted(page: Page) -> int:
    """Return how many messages went by while the drawer was open, which opens for no time."""
    told = part(page, "messages-count").evaluate(GLANCE)
    found = re.search(r"of (\d+)", told)
    assert found is not None
    return int(found[1])


def received(page: Page) -> int:
    """Return how many rows the page has received."""
    return int(page.evaluate("window.__quotewire.connection.stats.received"))


@pytest.fixture
def debug(running_feed: FeedProcess, visit: Callable[[str], Page]) -> Page:
    """The debug page, live."""
    page = visit("?page=debug")
    live(page)
    return page


def test_each_layer_is_told_in_words(debug: Page) -> None:
    expect(part(debug, "layer-panel")).to_contain_text("Connected")
    expect(part(debug, "layer-link")).to_contain_text("Live")
    expect(part(debug, "layer-source")).to_contain_text("replay · REPLAY")
    expect(part(debug, "layer-freshness")).to_contain_text("fresh", timeout=LONG_MS)


def test_latency_is_measured_and_drawn(debug: Page) -> None:
    painted = part(debug, "span-painted")
    expect(painted.get_by_test_id("debug-p50_ms")).to_contain_text("s", timeout=LONG_MS)
    expect(painted).not_to_contain_text("0 in the histogram", timeout=LONG_MS)
    # The replayed market's time says nothing of how long it took.
    expect(part(debug, "span-event").get_by_test_id("debug-p50_ms")).to_have_text("–")
    expect(part(debug, "latency-note")).to_contain_text("replayed")
    for figure in ("histogram", "series"):
        expect(part(debug, figure).locator("canvas").first).to_be_visible()
    expect(fact(part(debug, "counts"), "Updates")).not_to_have_text("0.0/s", timeout=LONG_MS)
    expect(fact(part(debug, "counts"), "Bytes pushed")).to_contain_text("B/s")


def test_the_figures_are_fed_in_the_browser_and_nothing_is_told_to_python(
    debug: Page,
) -> None:
    shares = """() => {
      const [source] = [...Bokeh.documents[0]._all_models.values()]
        .filter((model) => model.type === "ColumnDataSource" && model.data.painted_x);
      return [...source.data.painted].reduce((a, b) => a + b, 0);
    }"""
    wait_for("the histogram has shares", lambda: debug.evaluate(shares) > 0.99, timeout_s=30)
    told: list[str] = []
    debug.on(
        "websocket",
        lambda socket: (
            socket.on("framesent", lambda text: told.append(str(text)))
            if "dashboard" in socket.url
            else None
        ),
    )
    debug.reload()
    live(debug)
    wait_for("the histogram has shares", lambda: debug.evaluate(shares) > 0.99, timeout_s=30)
    assert not [text for text in told if "painted" in text and "ColumnDataChanged" in text]


def test_subscriptions_of_the_page_and_of_the_feed_are_counted(debug: Page) -> None:
    card = part(debug, "subscriptions")
    own = card.get_by_role("table", name="Subscriptions of this page")
    expect(own).to_contain_text("AAPL FB GOOG IBM MSFT", timeout=LONG_MS)
    wanted = card.get_by_role("table", name="Symbols that are wanted of the feed")
    expect(wanted.get_by_role("row").filter(has_text="AAPL")).to_have_count(1, timeout=LONG_MS)


def test_sources_gateways_and_redis_tell_how_they_do(debug: Page) -> None:
    sources = part(debug, "sources")
    expect(fact(sources, "Circuit")).to_have_text("closed (works)", timeout=LONG_MS)
    expect(fact(sources, "Refused")).to_have_text("none")
    expect(fact(sources, "Budget")).to_be_visible()
    gateways = part(debug, "gateways")
    expect(gateways).to_contain_text("this page’s", timeout=LONG_MS)
    expect(fact(gateways, "Cohorts")).not_to_have_text("0", timeout=LONG_MS)
    expect(fact(gateways, "Redis lag")).to_contain_text("ms")
    expect(fact(gateways, "Memory")).to_contain_text("B")
    expect(part(debug, "gateways-note")).to_have_text("")


def test_what_the_feed_does_not_tell_keeps_nothing_else_back(debug: Page) -> None:
    gateways, note = part(debug, "gateways"), part(debug, "gateways-note")
    expect(gateways).to_contain_text("this page’s", timeout=LONG_MS)
    debug.route("**/api/subscriptions*", lambda route: route.abort())
    for _ in range(2):
        with debug.expect_response("**/api/gateways*", timeout=LONG_MS):
            pass
    expect(note).to_have_text("")
    debug.unroute_all()
    debug.route("**/api/gateways*", lambda route: route.abort())
    expect(note).to_contain_text("does not tell how it does", timeout=LONG_MS)
    expect(gateways).to_contain_text("this page’s")
    debug.unroute_all()
    expect(note).to_have_text("", timeout=LONG_MS)


def test_messages_can_be_filtered_stopped_opened_and_copied(debug: Page) -> None:
    debug.context.grant_permissions(["clipboard-read", "clipboard-write"])
    rows = part(debug, "messages-list").locator("li")
    expect(rows.filter(has_text="quotes").first).to_be_visible(timeout=LONG_MS)
    part(debug, "messages-kind").select_option("quotes")
    expect(rows.filter(has_text="heartbeat")).to_have_count(0)
    part(debug, "messages-symbol").fill("aap")
    expect(rows.filter(has_text="AAPL").first).to_be_visible(timeout=LONG_MS)
    expect(rows.filter(has_not_text="AAPL")).to_have_count(0)
    part(debug, "messages-pause").click()
    expect(part(debug, "messages-count")).to_contain_text("stands still")
    before, kept = rows.all_inner_texts(), part(debug, "messages-count").inner_text()
    expect(part(debug, "messages-count")).not_to_have_text(kept, timeout=LONG_MS)
    assert rows.all_inner_texts() == before
    rows.first.click()
    expect(part(debug, "message")).to_contain_text('"type": "quotes"')
    part(debug, "messages-copy").click()
    expect(debug.get_by_test_id("toast")).to_contain_text("copied")
    copied = debug.evaluate("navigator.clipboard.readText()").splitlines()
    assert len(copied) == len(before)
    assert {json.loads(line)["kind"] for line in copied} == {"quotes"}


def test_a_drop_on_purpose_is_told_as_one_and_mended(debug: Page) -> None:
    reconnects = fact(part(debug, "counts"), "Reconnects")
    before = int(reconnects.inner_text())
    part(debug, "drop").click()
    timeline = part(debug, "timeline-list")
    expect(timeline).to_contain_text("simulation the link was closed")
    live(debug)
    expect(reconnects).to_have_text(str(before + 1), timeout=LONG_MS)


def test_refused_links_let_polling_take_over_until_it_is_over(debug: Page) -> None:
    part(debug, "refuse").click()
    expect(part(debug, "drill-state")).to_contain_text("No link can be opened")
    badge = debug.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", "polling", timeout=LONG_MS)
    part(debug, "drill-end").click()
    expect(part(debug, "drill-state")).to_have_text("")
    live(debug)
    timeline = part(debug, "timeline-list")
    for words in ("no link can be opened", "polling · HTTP", "it is over"):
        expect(timeline).to_contain_text(words)


def test_frozen_links_are_noticed(debug: Page) -> None:
    part(debug, "freeze").click()
    badge = debug.get_by_test_id("badge")
    expect(badge).not_to_have_attribute("data-state", "live", timeout=LONG_MS)
    part(debug, "drill-end").click()
    live(debug)


def test_the_drawer_opens_by_key_and_records_only_while_it_is_open(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page("?page=symbol&symbol=AAPL")
    live(page)
    drawer = page.get_by_test_id("debug-drawer")
    expect(drawer).to_be_hidden()
    page.keyboard.press("d")
    expect(drawer).to_be_visible()
    # The figures come with the drawer, which is drawn anew for them and stays open.
    expect(part(page, "histogram").locator("canvas").first).to_be_visible(timeout=LONG_MS)
    expect(part(page, "messages-list").locator("li").first).to_be_visible(timeout=LONG_MS)
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    kept, rows = counted(page), received(page)
    wait_for("more has come", lambda: received(page) > rows + 30, timeout_s=30)
    assert counted(page) <= kept + 3  # such as came before the browser told that it is closed
    page.get_by_test_id("badge-button").click()
    page.get_by_test_id("badge-debug").click()
    expect(drawer).to_be_visible()


def test_diagnostics_are_saved_without_asking_anyone(debug: Page, tmp_path: Path) -> None:
    expect(part(debug, "messages-list").locator("li").first).to_be_visible(timeout=LONG_MS)
    facts = diagnostics(debug, tmp_path)
    assert facts["state"]["state"] == "live"
    assert facts["gateways"]["redis"]["reachable"]
    assert {entry["kind"] for entry in facts["timeline"]} >= {"state"}
    assert facts["messages"]
    assert facts["settings"]["mode"] == "auto"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Dashboard]:
    """A dashboard whose feed asks for tokens."""
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=3600).sign("test", time.time())
    with FeedProcess({"jwt_secret": pem.SECRET}, token=token) as feed:
        served = Dashboard(feed_url=feed.url, jwt_secret=pem.SECRET)
        try:
            served.wait()
            yield served
        finally:
            served.stop()


def test_no_token_is_in_the_messages_or_the_diagnostics(
    guarded: Dashboard, browser: Browser, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(f"{guarded.url}?page=debug")
    live(page)
    # The link is opened anew while all that goes over it is heard.
    part(page, "drop").click()
    auth = part(page, "messages-list").locator("li").filter(has_text="auth")
    expect(auth.first).to_be_visible(timeout=LONG_MS)
    token = page.evaluate(
        """() => [...Bokeh.documents[0]._all_models.values()]
          .map((model) => model.data?.token).find(Boolean)"""
    )
    assert token.count(".") == 2
    text = json.dumps(diagnostics(page, tmp_path))
    assert '"auth"' in text
    for secret in (token, token.split(".")[2], pem.SECRET):
        assert secret not in text
        assert secret not in page.get_by_test_id("debug").inner_text()
    page.close()


def diagnostics(page: Page, folder: Path) -> dict[str, Any]:
    with page.expect_download() as download:
        part(page, "download").click()
    assert download.value.suggested_filename.startswith("quotewire-diagnostics-")
    path = folder / "diagnostics.json"
    download.value.save_as(path)
    facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return facts
