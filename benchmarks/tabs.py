"""Several tabs of the dashboard: a socket for each, against one socket in a SharedWorker.

The tabs are of a real Chromium without a screen, hidden as a user's are. The worker is a prototype,
see `benchmarks/peers/shared_worker`: it stands in for the pages' sockets, and the pages are as they
are otherwise.
"""

import re
import time
from dataclasses import dataclass, field

import httpx

from benchmarks.children import CpuWindow
from benchmarks.chromium import chromium
from benchmarks.dashboard import WORKER_FOLDER, dashboard, open_dashboard
from benchmarks.feed import Feed, running_feed
from benchmarks.feeder import Stop, Tick
from benchmarks.figures import show, show_ratio

RUNS = 3
SETTLE_S = 3.0
WINDOW_S = 8.0
SYMBOLS = [f"SYM{number:02}" for number in range(20)]
HZ = 10.0
# What the pages run first.
SOCKETS = ""
WORKER = (WORKER_FOLDER / "page.js").read_text()


@dataclass(frozen=True)
class Layout:
    """How many tabs there are.

    Attributes:
        seen: In windows beside each other.
        hidden: Behind the first of them.
    """

    seen: int
    hidden: int

    def __str__(self) -> str:
        return f"{self.seen} seen, {self.hidden} hidden"


LAYOUTS = (Layout(seen=4, hidden=0), Layout(seen=1, hidden=9))


@dataclass
class Figures:
    """What some runs have told."""

    first_price_s: list[float] = field(default_factory=list)
    gateway: list[float] = field(default_factory=list)
    browser: list[float] = field(default_factory=list)
    kib_per_s: list[float] = field(default_factory=list)
    connections: int = 0


def main() -> None:
    """Measure and print."""
    print(f"tabs: {len(SYMBOLS)} symbols × {HZ:g} ticks a second; processor time in cores")
    measured = {(layout, way): Figures() for layout in LAYOUTS for way in (SOCKETS, WORKER)}
    with running_feed(SYMBOLS) as feed, dashboard(feed.gateway.port) as url:
        feed.feeder.tell(Tick(SYMBOLS, HZ))
        for _ in range(RUNS):
            for (layout, way), figures in measured.items():
                _measure(feed, url, layout, way, figures)
        feed.feeder.tell(Stop())
    for layout in LAYOUTS:
        _show(layout, measured[layout, SOCKETS], measured[layout, WORKER])


def _measure(feed: Feed, url: str, layout: Layout, script: str, figures: Figures) -> None:
    with chromium("tabs") as browser:
        for number in range(layout.hidden + layout.seen):
            window = number > layout.hidden
            _, took_s = open_dashboard(browser, url, SYMBOLS[0], window=window, script=script)
        figures.first_price_s.append(took_s)
        time.sleep(SETTLE_S)
        figures.connections = int(_metric(feed, "connections"))
        sent = _metric(feed, "sent_bytes_total")
        windows = CpuWindow(feed.gateway.cpu_s), CpuWindow(browser.cpu_s)
        time.sleep(WINDOW_S)
        gateway, pages = (window.cores() for window in windows)
        figures.gateway.append(gateway)
        figures.browser.append(pages)
        figures.kib_per_s.append((_metric(feed, "sent_bytes_total") - sent) / WINDOW_S / 1024)


def _metric(feed: Feed, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{feed.gateway.port}/metrics").text
    return sum(map(float, re.findall(rf"^quotewire_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)))


def _show(layout: Layout, sockets: Figures, worker: Figures) -> None:
    print(f"  {layout}: {sockets.connections} sockets; with a SharedWorker {worker.connections}")
    for name, unit, values, others in (
        ("last tab opened → price", "s", sockets.first_price_s, worker.first_price_s),
        ("gateway", "cores", sockets.gateway, worker.gateway),
        ("browser", "cores", sockets.browser, worker.browser),
        ("sent to them, before compression", "KiB/s", sockets.kib_per_s, worker.kib_per_s),
    ):
        show(name, values, unit)
        show("by a SharedWorker", others, unit)
        show_ratio("SharedWorker, against sockets", others, values)
