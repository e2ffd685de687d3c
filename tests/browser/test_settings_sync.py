"""Settings of signed-in users: kept by the feed, the same in all browsers of one user."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from feed_server.protocol import MAX_SETTINGS_BYTES
from tests import pem
from tests.browser.conftest import Dashboard
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

APP = """
import time
import panel as pn
from dashboard.settings_drawer import SettingsDrawer
from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key

(user,) = pn.state.session_args.get("user", [b""])
user = user.decode()
token = TokenSigner(secret_key({secret!r}), lifetime_s=3600).sign(user or "nobody", time.time())
drawer = SettingsDrawer(
    feed_url={url!r}, token=token, user=user, max_hz=7,
    watchlists=[{{"name": "Of the desk", "symbols": ["IBM"]}}],
)
told = pn.pane.Str(
    pn.bind("{{}} {{}}".format, drawer.param.palette, drawer.param.watchlists)
)
green = pn.widgets.Button(name="green", on_click=lambda _: drawer.param.update(palette="green_red"))
pn.Column(drawer, told, green).servable()
"""

# As Panel does where what is around it changes.
DRAWN_AGAIN = """() => {
  const views = (view) => [view, ...(view.child_views ?? []).flatMap(views)];
  const all = Bokeh.index.roots.flatMap(views);
  all.find(({model}) => model.data && "watchlists" in model.data.attributes).render_esm();
}"""

OpenAs = Callable[[str], Page]


@pytest.fixture(scope="module")
def guarded() -> Iterator[FeedProcess]:
    """A feed that asks for tokens."""
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=3600).sign("test", time.time())
    with FeedProcess({"jwt_secret": pem.SECRET}, token=token) as feed:
        yield feed


@pytest.fixture(scope="module")
def served(guarded: FeedProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A page with a drawer, for whom its address names."""
    app: Path = tmp_path_factory.mktemp("app") / "drawer.py"
    app.write_text(APP.format(secret=pem.SECRET, url=guarded.url))
    dashboard = Dashboard(app=str(app))
    try:
        dashboard.wait()
        yield dashboard
    finally:
        dashboard.stop()


@pytest.fixture
def open_as(browser: Browser, served: Dashboard) -> Iterator[OpenAs]:
    """Opens the page in a fresh browser, signed in as someone."""
    contexts = []
    errors: list[str] = []

    def open_(user: str) -> Page:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{served.url}?user={user}")
        until_live(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


def until_live(page: Page) -> None:
    page.wait_for_function("window.__quotewire?.connection?.state === 'live'", timeout=30_000)


def drawer(page: Page) -> Locator:
    page.evaluate("window.dispatchEvent(new Event('quotewire:settings'))")
    return page.get_by_test_id("settings-drawer")


def sees(page: Page) -> None:
    """Let the page think that it is seen again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_all_browsers_of_a_user_are_alike_and_no_other_s(open_as: OpenAs) -> None:
    one, other, bobs = (drawer(open_as(user)) for user in ("ann", "ann", "bob"))
    where = "Kept in this browser, and by the feed for ann."
    expect(one.get_by_test_id("settings-where")).to_have_text(where, timeout=20_000)
    with one.page.expect_response(lambda it: it.request.method == "PUT") as answer:
        one.get_by_test_id("palette-red_up").click()
        one.get_by_test_id("theme-light").click()
    assert list(answer.value.json()["settings"]) == ["palette", "theme"]
    sees(other.page)
    expect(other.get_by_label("Red up")).to_be_checked(timeout=20_000)
    other.get_by_test_id("palette-green_red").click()
    other.get_by_test_id("flash").click()
    expect(one.get_by_label("Light", exact=True)).to_be_checked()
    with other.page.expect_response(lambda it: it.request.method == "PUT"):
        other.get_by_test_id("animations").click()
    later = drawer(open_as("ann"))
    expect(later.get_by_label("Green up")).to_be_checked(timeout=20_000)
    expect(later.get_by_test_id("flash")).not_to_be_checked()
    expect(later.get_by_label("Light", exact=True)).to_be_checked()
    sees(bobs.page)
    expect(bobs.get_by_label("Blue up")).to_be_checked()


def test_what_was_chosen_before_signing_in_goes_along_if_it_is_newer(open_as: OpenAs) -> None:
    page = open_as("")
    before = drawer(page)
    expect(before.get_by_test_id("settings-where")).to_have_text("Kept in this browser.")
    before.get_by_test_id("number_format").select_option("1.234,56")
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=30_000) as answer:
        page.goto(page.url.replace("user=", "user=eve"))
    assert answer.value.json()["settings"]["number_format"]["value"] == "1.234,56"


def test_who_signs_in_after_another_finds_and_keeps_nothing_of_theirs(open_as: OpenAs) -> None:
    page = open_as("gil")
    shown = drawer(page)
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=20_000):
        shown.get_by_test_id("palette-red_up").click()
    put: list[str] = []
    page.on("request", lambda it: put.append(it.url) if it.method == "PUT" else None)
    with page.expect_response("**/api/settings*", timeout=30_000):
        page.goto(page.url.replace("user=gil", "user=hal"))
    where = "Kept in this browser, and by the feed for hal."
    expect(drawer(page).get_by_test_id("settings-where")).to_have_text(where, timeout=20_000)
    expect(drawer(page).get_by_label("Blue up")).to_be_checked()
    expect(page.get_by_text("blue_orange [")).to_be_visible()  # so it is in Python
    page.unroute_all()
    page.route("**/api/settings*", lambda route: route.abort())
    page.goto(page.url.replace("user=hal", "user=gil"))
    until_live(page)
    expect(drawer(page).get_by_label("Red up")).to_be_checked(timeout=20_000)
    assert put == []


def test_reset_is_as_the_page_was_made_with_also_when_it_is_drawn_again(open_as: OpenAs) -> None:
    page = open_as("")
    shown = drawer(page)
    shown.get_by_test_id("max_hz").select_option("2")
    expect(shown.get_by_test_id("max_hz")).to_have_value("2")
    page.evaluate(DRAWN_AGAIN)
    shown = drawer(page)
    expect(shown.get_by_test_id("max_hz")).to_have_value("2")
    shown.get_by_test_id("settings-reset").click()
    shown.get_by_test_id("settings-reset").click()
    expect(shown.get_by_test_id("max_hz")).to_have_value("7")


def test_a_feed_that_does_not_keep_them_is_told_and_the_browser_does(open_as: OpenAs) -> None:
    page = open_as("dan")
    refusal = {"type": "error", "code": "not_ready", "message": "Redis is away"}
    page.route(
        "**/api/settings*",
        lambda route: route.fulfill(
            status=503, json=refusal, headers={"Access-Control-Allow-Origin": "*"}
        ),
    )
    shown = drawer(page)
    shown.get_by_test_id("palette-red_up").click()
    where = "Kept in this browser, but not by the feed: Redis is away"
    expect(shown.get_by_test_id("settings-where")).to_have_text(where, timeout=20_000)
    page.unroute_all()
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=20_000):
        sees(page)
    expect(shown.get_by_test_id("settings-where")).to_contain_text("by the feed for dan")


def put(page: Page, user: str, settings: dict[str, object]) -> None:
    """Keep settings with the feed, as another browser of the user does."""
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=600).sign(user, time.time())
    feed_url = page.evaluate("window.__quotewire.connection.feedUrl")
    answer = page.request.put(
        f"{feed_url}/api/settings",
        headers={"Authorization": f"Bearer {token}"},
        data={"settings": settings},
    )
    assert answer.ok


def test_a_setting_that_has_no_room_keeps_no_other_back(open_as: OpenAs) -> None:
    page = open_as("gus")
    filler = "x" * (MAX_SETTINGS_BYTES - 1000)
    put(page, "gus", {"wings": {"value": filler, "at_ms": 5}})
    shown = drawer(page)
    shown.get_by_test_id("watchlist-new").click()
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=20_000) as answer:
        shown.get_by_test_id("watchlist-add").fill(", ".join(f"LONG{n}" for n in range(200)))
        shown.get_by_test_id("watchlist-add").press("Enter")
        shown.get_by_test_id("theme-light").click()
    told = answer.value.json()
    assert (list(told["refused"]), "theme" in told["settings"]) == (["watchlists"], True)
    where = shown.get_by_test_id("settings-where")
    expect(where).to_contain_text("but not by the feed: Watchlists: there is no room")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.post_data or "") if "PUT" in r.method else None)
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=20_000):
        shown.get_by_test_id("palette-red_up").click()
    assert [list(json.loads(body)["settings"]) for body in asked] == [["palette"]]
    expect(where).to_contain_text("but not by the feed: Watchlists")


def test_a_clock_that_is_ahead_makes_no_choice_the_newest_for_ever(open_as: OpenAs) -> None:
    page = open_as("hal")
    page.evaluate("{const now = Date.now; Date.now = () => now() + 3_600_000;}")
    shown = drawer(page)
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=20_000):
        shown.get_by_test_id("palette-red_up").click()
    page.wait_for_function(
        """(latest_ms) => Object.values(localStorage).some((text) =>
          text.includes("red_up") && JSON.parse(text).palette.at_ms < latest_ms)""",
        arg=time.time() * 1000 + 600_000,
    )


def test_what_this_page_does_not_know_is_kept_and_asked_once(open_as: OpenAs) -> None:
    page = open_as("fay")
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=600).sign("fay", time.time())
    newer = {
        "wings": {"value": 2, "at_ms": 5},
        "theme": {"value": "sepia", "at_ms": 250_000_000_000_000},
    }
    feed_url = page.evaluate("window.__quotewire.connection.feedUrl")
    put(page, "fay", newer)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.method) if "/api/settings" in r.url else None)
    shown = drawer(page)
    with page.expect_response(lambda it: it.request.method == "PUT", timeout=20_000):
        shown.get_by_test_id("theme-light").click()
    page.wait_for_timeout(3000)
    assert asked.count("PUT") == 1
    expect(shown.get_by_label("Light", exact=True)).to_be_checked()
    kept = page.request.get(
        f"{feed_url}/api/settings", headers={"Authorization": f"Bearer {token}"}
    ).json()["settings"]
    assert kept["wings"] == newer["wings"]


def test_python_suggests_hears_and_chooses(open_as: OpenAs) -> None:
    page = open_as("")
    shown = drawer(page)
    expect(shown.get_by_test_id("max_hz")).to_have_value("7")
    expect(shown.get_by_test_id("watchlist-0")).to_contain_text("Of the desk")
    shown.get_by_test_id("palette-red_up").click()
    expect(page.get_by_text("red_up [")).to_contain_text("'Of the desk', 'symbols': ['IBM']")
    page.keyboard.press("Escape")
    page.get_by_text("green", exact=True).click()
    expect(drawer(page).get_by_label("Green up")).to_be_checked()
    kept = json.loads(page.evaluate("localStorage.getItem('quotewire.settings')"))
    assert list(kept) == ["palette"]
