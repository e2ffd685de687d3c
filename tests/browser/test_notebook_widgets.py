"""Widgets of notebooks, in a Panel app."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.notebook import live_chart
from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from tests import pem
from tests.browser.conftest import Dashboard
from tests.browser.test_relay import clients
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.browser

LIFETIME_S = 10
"""Of tokens; the shortest that the settings allow."""

APP = """
import panel as pn
from dashboard.notebook import live_chart, live_quote, watchlist

pn.extension()
shown = pn.Column(
    live_quote("AAPL"), live_quote("NOPE"), live_chart("IBM", interval="1m"),
    watchlist(["MSFT", "NOPE", "FB"]),
)
remove = pn.widgets.Button(name="remove", on_click=lambda _: shown.clear())
pn.Column(remove, shown).servable()
"""

Open = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def served(browser: Browser, tmp_path: Path) -> Open:
    """Opens the app's page; an error in it, or a request to another host, fails the test."""

    @contextmanager
    def serve(**settings: str) -> Iterator[Page]:
        app = tmp_path / "widgets.py"
        app.write_text(APP)
        dashboard = Dashboard(app=str(app), **settings)
        errors: list[str] = []
        hosts: set[str | None] = set()
        try:
            dashboard.wait()
            page = browser.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
            page.goto(dashboard.url)
            yield page
            page.close()
        finally:
            dashboard.stop()
        assert errors == []
        assert hosts <= {"127.0.0.1", "", None}

    return serve


def has_price(page: Page, test_id: str) -> None:
    shown = page.get_by_test_id(test_id).first
    expect(shown).to_have_text(re.compile(r"\d"), timeout=20_000)


def test_widgets_show_prices_say_what_is_unknown_and_leave_nothing_when_removed(
    running_feed: FeedProcess, served: Open
) -> None:
    wait_for("no other page is left", lambda: clients(running_feed) == 0)
    with served(feed_url=running_feed.url) as page:
        has_price(page, "live-quote-last")
        before = page.get_by_test_id("live-quote-last").first.inner_text()
        expect(page.get_by_test_id("live-quote-last").first).not_to_have_text(before)
        expect(page.get_by_test_id("live-quote-empty").last).to_contain_text("NOPE")
        expect(page.get_by_test_id("watchlist-note")).to_contain_text("NOPE")
        rows = page.get_by_test_id("watchlist").locator("tbody tr b")
        assert rows.all_inner_texts() == ["MSFT", "FB"]
        expect(page.get_by_test_id("chart-symbol")).to_have_text("IBM")
        page.wait_for_function("window.__quotewire.chart.bars > 100", timeout=20_000)
        assert page.evaluate("window.__quotewire.chart.last.start_ms") % 60_000 == 0
        assert clients(running_feed) == 1, "the widgets share a connection"
        page.get_by_text("remove").click()
        wait_for("the connection has gone", lambda: clients(running_feed) == 0)


def test_widgets_ask_for_their_token_and_for_the_next_one(served: Open) -> None:
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=3600).sign("test", time.time())
    settings = {"jwt_secret": pem.SECRET, "auth_grace_ms": "0", "heartbeat_ms": "500"}
    signing = {"jwt_secret": pem.SECRET, "token_lifetime_s": str(LIFETIME_S)}
    with (
        FeedProcess(settings, token=token) as feed,
        served(feed_url=feed.url, **signing) as page,
    ):
        has_price(page, "live-quote-last")
        page.wait_for_timeout((LIFETIME_S + 3) * 1000)
        told = page.evaluate("window.__quotewire.connection")
        assert (told["state"], told["stats"]["reconnects"]) == ("live", 0)


def test_an_interval_that_is_none_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="interval '2m' must be one of 1s, 5s, 1m"):
        live_chart("AAPL", interval="2m")
