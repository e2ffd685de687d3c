"""The dashboard as it is served, in tabs of a Chromium."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.children import Child
from benchmarks.chromium import Chromium, Tab
from tests.browser.engines import shown
from tests.harness import clean_environment, free_port, wait_for

WORKER_FOLDER = Path(__file__).parent / "peers" / "shared_worker"
TIMEOUT_S = 60.0


@contextmanager
def panel(feed_port: int, *arguments: str) -> Iterator[Child]:
    """Serve the dashboard of a feed by Panel.

    Args:
        feed_port: Where the feed is.
        arguments: More of ``panel serve``: options, and other pages to serve beside it.
    """
    port = free_port()
    command = [
        *(sys.executable, "-m", "panel", "serve", "dashboard", *arguments, "--port", str(port)),
        *("--log-level", "error"),
    ]
    environment = clean_environment(feed_url=f"http://127.0.0.1:{feed_port}")
    with Child(command, port, environment) as child:
        yield child


@contextmanager
def dashboard(feed_port: int) -> Iterator[str]:
    """Serve the dashboard of a feed, and `benchmarks/peers/shared_worker`; give its address."""
    with panel(feed_port, "--static-dirs", f"shared_worker={WORKER_FOLDER}") as child:
        yield address(child)


def address(served: Child) -> str:
    """Return the address of the dashboard that Panel serves."""
    return f"http://127.0.0.1:{served.port}/dashboard"


def open_dashboard(
    browser: Chromium,
    url: str,
    symbol: str,
    *,
    window: bool = False,
    size: tuple[int, int] | None = None,
    script: str = "",
) -> tuple[Tab, float]:
    """Open the dashboard in a tab; return when a symbol has a price, and after how many seconds.

    Args:
        browser: Where.
        url: Of the dashboard.
        symbol: In its watchlist.
        window: Whether the tab is seen beside the others, in place of hiding one.
        size: Of such a window, in pixels; None for the usual one.
        script: What its pages run before anything else.
    """
    tab = browser.new_tab(window=window, size=size)
    if script:
        tab.before_all(script)
    began = time.monotonic()
    tab.open(url)
    wait_for("a price is shown", lambda: _has_price(tab, symbol), timeout_s=TIMEOUT_S)
    return tab, time.monotonic() - began


def _has_price(tab: Tab, symbol: str) -> bool:
    prices = shown(tab, f"quote-{symbol}-last", f"market-{symbol}-last")
    return any(price is not None and re.search(r"\d", price) for price in prices)
