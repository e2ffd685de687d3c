"""What open pages cost the Panel process, by their number and by the rate of what is live in them.

The pages are tabs of real browsers, each in a window of its own, so that every one is seen and gets
all that changes. What changes goes from the feed to the browser; so the Panel process should not
notice at which rate.
"""

import time

from benchmarks.children import Child, CpuWindow
from benchmarks.chromium import chromium
from benchmarks.dashboard import address, open_dashboard, panel
from benchmarks.feed import FeederHandle, running_feed
from benchmarks.feeder import Stop, Tick
from benchmarks.figures import show, show_ratio

RUNS = 1
SYMBOLS = [f"SYM{number:02}" for number in range(5)]
RATES_HZ = (1.0, 20.0)
PAGES = (1, 50)
SETTLE_S = 5.0
WINDOW_S = 10.0
MOST_GROWTH = 1.2
"""Of what pages cost at the higher rate against the lower one: as much as runs differ."""

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
                open_dashboard(browser, address(served), SYMBOLS[0], window=True)
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
    show_ratio(f"{pages} open, the higher rate against the lower", fast, slow, MOST_GROWTH)


if __name__ == "__main__":
    main()
