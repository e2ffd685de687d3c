"""What a hidden tab of the dashboard costs, while the market moves.

Beside it a hidden tab of a bare Panel page, which is what the page's own server costs, and the same
tab while it is seen. All are tabs of a real Chromium without a screen, hidden as a user's are.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.children import Child, CpuWindow
from benchmarks.chromium import Chromium, Tab, chromium
from benchmarks.dashboard import dashboard, open_dashboard
from benchmarks.feed import running_feed
from benchmarks.feeder import Stop, Tick
from benchmarks.figures import show, show_ratio
from tests.harness import free_port, wait_for

RUNS = 3
SEEN_S = 5.0
# Subscriptions linger, and what a page does when it is hidden is done.
SETTLE_S = 6.0
HIDDEN_S = 30.0
SYMBOLS = [f"SYM{number:02}" for number in range(20)]
HZ = 10.0
MOST_MS_PER_S = 5
BARE_PAGE = str(Path(__file__).with_name("bare_page.py"))
BARE_IS_READY = "() => document.readyState === 'complete'"


def main() -> None:
    """Measure and print."""
    print(
        f"hidden_tab: {len(SYMBOLS)} symbols × {HZ:g} ticks a second; processor time of its pages"
    )
    seen, hidden, bare = [], [], []
    with (
        running_feed(SYMBOLS) as feed,
        dashboard(feed.gateway.port) as url,
        _bare_panel() as bare_url,
    ):
        feed.feeder.tell(Tick(SYMBOLS, HZ))
        for _ in range(RUNS):
            with chromium("hidden_tab") as browser:
                open_dashboard(browser, url, SYMBOLS[0])
                seen.append(_ms_per_s(browser, SEEN_S))
                hidden.append(_hidden_ms_per_s(browser))
            with chromium("hidden_tab") as browser:
                _open_bare(browser, bare_url)
                bare.append(_hidden_ms_per_s(browser))
        feed.feeder.tell(Stop())
    show("seen", seen, "ms/s")
    show("hidden", hidden, "ms/s", target=MOST_MS_PER_S)
    show("hidden, bare Panel", bare, "ms/s")
    show_ratio("hidden, against seen", hidden, seen)


def _hidden_ms_per_s(browser: Chromium) -> float:
    """Hide the tab that is in front, and see what it costs."""
    browser.new_tab()
    time.sleep(SETTLE_S)
    return _ms_per_s(browser, HIDDEN_S)


def _ms_per_s(browser: Chromium, seconds: float) -> float:
    window = CpuWindow(browser.pages_cpu_s)
    time.sleep(seconds)
    return window.cores() * 1000


@contextmanager
def _bare_panel() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", BARE_PAGE, "--port", str(port)]
    with Child(command, port):
        yield f"http://127.0.0.1:{port}/bare_page"


def _open_bare(browser: Chromium, url: str) -> Tab:
    tab = browser.new_tab()
    tab.open(url)
    wait_for("the page is there", lambda: tab.run(BARE_IS_READY))
    time.sleep(SETTLE_S)
    return tab
