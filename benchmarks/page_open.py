"""What opening a page costs the Panel process, and what pages that are closed leave in it.

The cost is of real tabs, until the first live price. What is left is measured after many sessions
that go the way of a browser's, as far as Panel sees it: the page by HTTP, then its socket, by which
its document is pulled.
"""

import re
import time
from pathlib import Path

import httpx
from websockets.sync.client import ClientConnection, connect

from benchmarks.children import Child, CpuWindow
from benchmarks.chromium import chromium
from benchmarks.dashboard import address, open_dashboard, panel
from benchmarks.feed import running_feed
from benchmarks.figures import show

SYMBOLS = [f"SYM{number:02}" for number in range(5)]
OPENED = 8
MOST_CPU_S = 0.5
SETTLE_S = 2.0
"""After the first price: what else the page says to Panel is said."""
FIRST = 100
"""Opened and closed before the first look: by then the process has had as many sessions at a time
as it will, and keeps their memory for those to come."""
CLOSED = 200
MOST_MB = 20.0
# Sessions end soon after their page: of a server as a user starts it, after two minutes.
LIFETIME_MS = 5000
EXPIRY = (
    *("--unused-session-lifetime", str(LIFETIME_MS)),
    *("--check-unused-sessions", str(LIFETIME_MS)),
)
EXPIRED_S = 12.0
COLLECTED = str(Path(__file__).with_name("collected.py"))
TIMEOUT_S = 60.0
# Of Bokeh's protocol: a message is three frames.
PULL = ('{"msgid": "1", "msgtype": "PULL-DOC-REQ"}', "{}", "{}")


def main() -> None:
    """Measure and print."""
    print("page_open: what pages cost the Panel process")
    with running_feed(SYMBOLS) as feed, panel(feed.gateway.port, COLLECTED, *EXPIRY) as served:
        _visit(address(served))  # imports what it needs
        costs, seconds = _open_tabs(served)
        show("page opened → live price", seconds, "s", target=3)
        show("processor time of Panel for it", costs, "s", MOST_CPU_S)
        before = _memory_mb(served, pages=FIRST)
        after = _memory_mb(served, pages=CLOSED)
    show("memory of the Panel process before", [before], "MB")
    show(f"growth after {CLOSED} pages, opened and closed", [after - before], "MB", MOST_MB)


def _open_tabs(served: Child) -> tuple[list[float], list[float]]:
    """Return what each cost the Panel process, and how long it took, in seconds."""
    costs, seconds = [], []
    with chromium("page_open") as browser:
        for _ in range(OPENED):
            window = CpuWindow(served.cpu_s)
            tab, took_s = open_dashboard(browser, address(served), SYMBOLS[0])
            time.sleep(SETTLE_S)
            costs.append(window.cpu_s())
            seconds.append(took_s)
            tab.close()
            time.sleep(EXPIRED_S)
    return costs, seconds


def _memory_mb(served: Child, pages: int) -> float:
    """Return what the Panel process has after so many pages more, their sessions ended."""
    for _ in range(pages):
        _visit(address(served))
    time.sleep(EXPIRED_S)
    httpx.get(f"http://127.0.0.1:{served.port}/collected", timeout=TIMEOUT_S).raise_for_status()
    return served.memory_bytes() / 1e6


def _visit(url: str) -> None:
    """Open a page and close it, as Panel sees it."""
    page = httpx.get(url, timeout=TIMEOUT_S).raise_for_status().text
    found = re.search(r'"token":"([^"]+)"', page)
    assert found is not None, "the page has no token"
    socket = f"{url.replace('http', 'ws', 1)}/ws"
    with connect(socket, subprotocols=["bokeh", found[1]], max_size=None) as connection:  # type: ignore[list-item]
        _await(connection, "ACK")
        for frame in PULL:
            connection.send(frame)
        _await(connection, "PULL-DOC-REPLY")


def _await(connection: ClientConnection, message: str) -> None:
    while f'"{message}"' not in str(connection.recv(TIMEOUT_S)):
        pass


if __name__ == "__main__":
    main()
