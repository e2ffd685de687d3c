"""Four hours of a page left open, compressed: as many updates as they have, in five minutes.

50 symbols at 2 updates a second for four hours are 1.44 million; here each has 100 a second. Bars
are of a second, so that about as many begin as those of a minute do in four hours. What is measured
is what the page holds after the browser has collected its garbage: memory, elements, listeners.
"""

import time
from statistics import median
from urllib.parse import quote

from benchmarks.chromium import Tab, chromium
from benchmarks.dashboard import address, open_dashboard, panel
from benchmarks.figures import show
from benchmarks.page_load import INDICATORS, RECEIVED
from benchmarks.simulated_feed import simulated_feed, symbols_of

SYMBOLS = 50
HZ = 100.0
UPDATES = 1_440_000
MOST_S = 600.0
"""A busy machine does not get as many updates through in time; the first line says how many."""
WARM_UP = 0.25
"""Share of the updates after which the page has all that it keeps, such as the day's lines."""
LOOK_S = 15.0
MOST_GROWTH_MB = 2.0

Look = dict[str, float]
"""What the page holds: heap in MB, and counts."""


def main() -> None:
    """Measure and print."""
    print(f"long_day: {SYMBOLS} symbols × {HZ:g} updates a second, a chart of bars of a second")
    with (
        simulated_feed(SYMBOLS, HZ, max_hz=str(HZ)) as feed,
        panel(feed.port) as served,
        chromium("long_day") as browser,
    ):
        symbol = symbols_of(feed)[0]
        asked = f"?symbol={symbol}&interval=1s&indicators={quote(INDICATORS)}"
        tab, _ = open_dashboard(browser, address(served) + asked, symbol)
        looks, updates = _watch(tab)
    show("updates until the end", [updates], "in millions")
    settled = looks[int(len(looks) * WARM_UP) :]
    third = max(1, len(settled) // 3)
    for name, unit in (("heap", "MB"), ("elements", "nodes"), ("listeners", "listeners")):
        first, last = (
            [look[name] for look in part] for part in (settled[:third], settled[-third:])
        )
        show(f"{name}, first third", first, unit)
        show(f"{name}, last third", last, unit)
        target = MOST_GROWTH_MB if name == "heap" else None
        show(f"{name}, grew by", [median(last) - median(first)], unit, target)


def _watch(tab: Tab) -> tuple[list[Look], float]:
    """Return what the page holds from time to time, and how many million updates it stood for."""
    tab.ask("HeapProfiler.enable")
    began_s = time.monotonic()
    looks: list[Look] = []
    while (updates := _updates(tab)) < UPDATES and time.monotonic() - began_s < MOST_S:
        time.sleep(LOOK_S)
        looks.append(_look(tab))
    return looks, updates / 1e6


def _updates(tab: Tab) -> int:
    """Those that came one by one, and those that another stood for."""
    came: int = tab.run(f"() => ({RECEIVED})() + window.__quotewire.connection.stats.conflated")
    return came


def _look(tab: Tab) -> Look:
    tab.ask("HeapProfiler.collectGarbage")
    counts = tab.ask("Memory.getDOMCounters")
    return {
        "heap": tab.ask("Runtime.getHeapUsage")["usedSize"] / 1e6,
        "elements": counts["nodes"],
        "listeners": counts["jsEventListeners"],
    }


if __name__ == "__main__":
    main()
