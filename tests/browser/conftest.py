"""A dashboard that is served, and real browsers that look at it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.browser import import_map
from deploy.browser import WANTED, find_chromium, find_firefox, find_webkit
from tests.browser.engines import Engine, open_chromium, open_firefox, open_webkit
from tests.browser.tab import Tab
from tests.harness import PATIENCE_S, PROJECT, FeedProcess, clean_environment, free_port, wait_for

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


T = TypeVar("T")

# As long as a busy machine may need; a page is waited for no longer than that.
expect.set_options(timeout=20_000)


def _there(name: str, found: T | None) -> T:
    """Return what was found of a browser; in CI its absence is a failure, elsewhere a skip."""
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(WANTED[name].missing)
    return found


# Only as long as these tests: while Playwright runs, no other event loop can.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = _there("chromium", find_chromium())
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package", params=list(WANTED))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A page of each engine in turn; each is started once."""
    match request.param:
        case "chromium":
            opened = open_chromium(request.getfixturevalue("browser"))
        case "firefox":
            opened = open_firefox(_there("firefox", find_firefox()))
        case _:
            opened = open_webkit(_there("webkit", find_webkit()))
    with opened as page:
        yield page


@pytest.fixture(scope="module")
def blank_page(browser: Browser) -> Iterator[Page]:
    """An empty page in which the modules can be imported as on the dashboard."""
    page = browser.new_page()
    page.set_content(f'<script type="importmap">{json.dumps(import_map())}</script>')
    yield page
    page.close()


class Dashboard:
    """``panel serve dashboard`` as a user would start it.

    Args:
        app: Another app to serve in its place: the path of a Python file.
        at_port: That of one that was stopped; without it a free one.
        log: The path of a file for what it says; else it says it where the tests do.
        settings: Environment settings without their prefix, such as where its feed is.
    """

    def __init__(
        self, app: str = "dashboard", at_port: str = "", log: str = "", **settings: str
    ) -> None:
        self.port = int(at_port) if at_port else free_port()
        self.url = f"http://127.0.0.1:{self.port}/{Path(app).stem}"
        with open(log, "ab") if log else nullcontext() as said:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "feed_server.guard", "--"),
                    *(sys.executable, "-m", "panel", "serve", app, "--port", str(self.port)),
                    *("--allow-websocket-origin", f"127.0.0.1:{self.port}"),
                    *("--log-level", "warning"),
                ],
                cwd=PROJECT,
                env=clean_environment(**settings),
                stdin=subprocess.PIPE,  # when it closes, also by our end, the dashboard ends
                stderr=said,
            )

    def wait(self) -> None:
        """Return when it serves pages."""
        wait_for("the dashboard serves", self._serves, timeout_s=2 * PATIENCE_S)

    def stop(self) -> None:
        """Stop it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)

    def _serves(self) -> bool:
        assert self._process.poll() is None, "the dashboard has ended"
        try:
            return httpx.get(self.url, timeout=10).is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="package")
def own_feed() -> Iterator[FeedProcess]:
    """The feed that the served dashboard looks at; tests may kill and start it again."""
    feed = FeedProcess({"heartbeat_ms": "1000"})
    try:
        yield feed
    finally:
        feed.stop()


@pytest.fixture(scope="package")
def dashboard(own_feed: FeedProcess) -> Iterator[Dashboard]:
    """A served dashboard."""
    served = Dashboard(feed_url=own_feed.url)
    try:
        served.wait()
        yield served
    finally:
        served.stop()


@pytest.fixture
def running_feed(own_feed: FeedProcess) -> FeedProcess:
    """The dashboard's feed, running."""
    if own_feed.process is None:
        own_feed.start()
    return own_feed


@pytest.fixture
def open_page(browser: Browser, dashboard: Dashboard) -> Iterator[Callable[..., Page]]:
    """Opens the dashboard in a fresh profile; an error in the page fails the test."""
    errors: list[str] = []
    contexts = []

    def open_(query: str = "", **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(dashboard.url + query)
        return page

    try:
        yield open_
    finally:
        for context in contexts:
            context.close()
    assert errors == []


@pytest.fixture(scope="module")
def tab(browser: Browser, dashboard: Dashboard) -> Iterator[Tab]:
    """A page of the dashboard for the tests of a module, as long as none of them fails."""
    tab = Tab(browser, dashboard.url)
    yield tab
    tab.close()


@pytest.fixture
def visit(tab: Tab, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Page]]:
    """Shows an address of the dashboard, all else as usual; an error in the page fails the test."""
    failed = request.session.testsfailed
    yield tab.visit
    errors, tab.errors = tab.errors, []
    if errors or request.session.testsfailed > failed:
        tab.close()
    assert errors == []
