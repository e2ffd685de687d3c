"""The dashboard in front of a feed that asks for tokens, in Chromium."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from tests import pem
from tests.browser.conftest import Dashboard
from tests.browser.drawer import choose
from tests.harness import FeedProcess, free_port, wait_for

pytestmark = pytest.mark.browser

LIFETIME_S = 10
"""The shortest that can be set."""


@contextmanager
def opened(browser: Browser, **settings: str) -> Iterator[Page]:
    """Serve a dashboard with these settings, and open its page."""
    served = Dashboard(**settings)
    context = browser.new_context()
    try:
        served.wait()
        page = context.new_page()
        page.goto(served.url)
        yield page
    finally:
        context.close()
        served.stop()


def facts(page: Page) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate("window.__quotewire.connection")
    return told


def wait_state(page: Page, state: str) -> None:
    page.wait_for_function(f"window.__quotewire?.connection?.state === {state!r}", timeout=30_000)


@pytest.fixture(scope="module")
def guarded() -> Iterator[FeedProcess]:
    """A feed that asks for a token and gives no time after its end."""
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=3600).sign("test", time.time())
    settings = {"jwt_secret": pem.SECRET, "auth_grace_ms": "0", "heartbeat_ms": "500"}
    with FeedProcess(settings, token=token) as feed:
        yield feed


def test_a_page_stays_connected_while_its_tokens_are_renewed(
    browser: Browser, guarded: FeedProcess
) -> None:
    settings = {"jwt_secret": pem.SECRET, "token_lifetime_s": str(LIFETIME_S)}
    with opened(browser, feed_url=guarded.url, **settings) as page:
        wait_state(page, "live")
        page.wait_for_timeout((LIFETIME_S + 3) * 1000)
        told = facts(page)
        assert (told["state"], told["stats"]["reconnects"]) == ("live", 0)
        wait_for("data comes", lambda: facts(page)["stats"]["last_data_age_ms"] < 2000)
        choose(page, "mode", "polling")
        wait_state(page, "polling")


def test_a_page_without_a_token_says_that_one_is_missing(
    browser: Browser, guarded: FeedProcess
) -> None:
    with opened(browser, feed_url=guarded.url) as page:
        wait_state(page, "closed")
        assert facts(page)["code"] == "auth_required"
        expect(page.get_by_test_id("badge-detail")).to_contain_text("token")


def test_the_feed_that_a_dashboard_starts_for_itself_has_its_secret(browser: Browser) -> None:
    with opened(browser, feed_port=str(free_port()), jwt_secret=pem.SECRET) as page:
        wait_state(page, "live")
        page.wait_for_function("window.__quotewire.chart?.bars > 0", timeout=30_000)
