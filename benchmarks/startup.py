"""From a warm start, and from opening the page, to the first live price on the screen.

Everything is real: processes as ``make run`` starts them, a headless Chromium with an empty
profile. Beside it a page of the same shell that shows one word, as the bare limit.
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks.figures import show, show_ratio
from deploy.browser import find_chromium
from tests.harness import PROJECT, clean_environment, free_port, wait_for

RUNS = 5
TIMEOUT_MS = 60_000
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@dataclass(frozen=True)
class Served:
    """Something that serves a page.

    Attributes:
        command: How it is started; ``{port}`` is where the page will be.
        path: The page's path.
        locator: What on the page to wait for.
        text: Until it shows this.
    """

    command: Sequence[str]
    path: str
    locator: str
    text: re.Pattern[str]


PRODUCT = Served(("make", "run"), "/dashboard", "[data-testid=quote-AAPL-last]", re.compile(r"\d"))
BARE_PAGE = str(Path(__file__).with_name("bare_page.py"))
BARE_PANEL = Served(
    (sys.executable, "-m", "panel", "serve", BARE_PAGE, "--port", "{port}"),
    "/bare_page",
    "text=ready 1",
    re.compile("ready 1"),
)


def main() -> None:
    """Measure and print."""
    path = find_chromium()
    if path is None:
        sys.exit("startup: no Chromium here; `python deploy/browser.py` gets one")
    print("startup: to the first live price on the screen")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        pairs = [(_measure(browser, PRODUCT), _measure(browser, BARE_PANEL)) for _ in range(RUNS)]
        browser.close()
    start, page = ([ours[i] for ours, _ in pairs] for i in (0, 1))
    bare_start, bare_page = ([bare[i] for _, bare in pairs] for i in (0, 1))
    show("warm start → live price", start, "s", target=8)
    show("bare Panel: start → word on the screen", bare_start, "s")
    show_ratio("start, against bare Panel", start, bare_start)
    show("page opened → live price", page, "s", target=3)
    show("bare Panel: page opened → word on the screen", bare_page, "s")
    show_ratio("page, against bare Panel", page, bare_page)


def _measure(browser: Browser, served: Served) -> tuple[float, float]:
    """Return seconds from the start of the processes, and from opening a page when they run."""
    port = free_port()
    settings = {"dashboard_port": str(port), "feed_port": str(free_port())}
    started = time.monotonic()
    process = subprocess.Popen(
        [part.format(port=port) for part in served.command],
        cwd=PROJECT,
        env=clean_environment(**settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("the page is served", lambda: _listens(port), timeout_s=TIMEOUT_MS / 1000)
        _look(browser, port, served)
        from_start = time.monotonic() - started
        opened = time.monotonic()
        _look(browser, port, served)
        return from_start, time.monotonic() - opened
    finally:
        process.terminate()
        process.wait(20)


def _look(browser: Browser, port: int, served: Served) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}{served.path}", wait_until="commit")
    expect(page.locator(served.locator)).to_have_text(served.text, timeout=TIMEOUT_MS)
    context.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
