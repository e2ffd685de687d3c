"""What open pages cost the Panel process, by their number and by the rate of what is live in them.

The pages are market tables in tabs of a real browser, each in a small window of its own, so that
every one is seen and gets all that changes. That goes from the feed to the browser; so the Panel
process should not notice at which rate.
"""

import time

from benchmarks.children import Child, CpuWindow
from benchmarks.chromium import chromium
from benchmarks.dashboard import address, open_dashboard, panel
from benchmarks.feed import FeederHandle, running_feed
from benchmarks.feeder import Stop, Tick
from benchmarks.figures import show

RUNS = 3
SYMBOLS = [f"SYM{number:02}" for number in range(5)]
RATES_HZ = (1.0, 20.0)
PAGES = (1, 50)
SETTLE_S = 5.0
WINDOW_S = 15.0
MOST_GROWTH_MS_PER_S = 5.0
"""What the pages may cost more at the higher rate: about as much as runs differ."""

# As a user sets it: what moves by itself would keep the machine busy without any update.
CALM = """
try {
  const animations = {value: false, at_ms: 1};
  localStorage.setItem("quotewire.settings", JSON.stringify({animations}));
} catch {} // the empty page that a window begins with keeps nothing
"""
SMALL = (400, 300)
"""A window, in pixels: what is drawn is not the matter here."""

Costs = dict[float, list[float]]
"""By rate, what the Panel process used in each run, in ms a second."""


def main() -> None:
    """Measure and print."""
    print(f"panel_cpu: pages with {len(SYMBOLS)} live symbols; processor time of the Panel process")
    with (
        running_feed(SYMBOLS, max_hz=str(max(RATES_HZ))) as feed,
        panel(feed.gateway.port) as served,
        chromium("panel_cpu") as browser,
    ):
        opened = 0
        for pages in PAGES:
            while opened < pages:
                open_dashboard(
                    browser,
                    f"{address(served)}?page=market",
                    SYMBOLS[0],
                    window=True,
                    size=SMALL,
                    script=CALM,
                )
                opened += 1
            _show(pages, _measure(feed.feeder, served))


def _measure(feeder: FeederHandle, served: Child) -> Costs:
    costs: Costs = {hz: [] for hz in RATES_HZ}
    for _ in range(RUNS):
        for hz, of_runs in costs.items():
            feeder.tell(Tick(SYMBOLS, hz))
            time.sleep(SETTLE_S)
            window = CpuWindow(served.cpu_s)
            time.sleep(WINDOW_S)
            of_runs.append(window.cores() * 1000)
            feeder.tell(Stop())
    return costs


def _show(pages: int, costs: Costs) -> None:
    for hz, of_runs in costs.items():
        show(f"{pages} open, {hz:g} updates a second of each symbol", of_runs, "ms/s")
    slow, fast = (costs[hz] for hz in RATES_HZ)
    more = [a - b for a, b in zip(fast, slow, strict=True)]
    show(f"{pages} open, more at the higher rate", more, "ms/s", MOST_GROWTH_MS_PER_S)


if __name__ == "__main__":
    main()
