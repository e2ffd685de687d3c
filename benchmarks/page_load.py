"""500 rows at 20 updates a second each, and a live chart with three indicators, in one page.

How long the tasks of its main thread are, by the browser's own trace. Then what the table alone
costs the browser, in turns with the same table streamed from Python by Panel's Tabulator and by its
pane of Perspective, both as Panel brings them along.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from benchmarks.children import Child, CpuWindow
from benchmarks.chromium import Tab, chromium
from benchmarks.dashboard import panel
from benchmarks.figures import percentile, show, show_ratio
from benchmarks.simulated_feed import simulated_feed, symbols_of
from benchmarks.trace import main_thread_tasks_ms
from tests.harness import wait_for

RUNS = 3
ROWS = 500
HZ = 20.0
SETTLE_S = 8.0
"""After a page has its first rows: histories come, and the browser compiles what runs often."""
WINDOW_S = 10.0
TASK_MS = 1.0
"""Shorter tasks are not counted: most do nothing, and would hide the others among them."""
MOST_TASK_MS = 50.0
MOST_OF_TABULATOR = 0.5
TIMEOUT_S = 60.0
INDICATORS = "SMA(20);RSI(14);MACD(12,26,9)"
FOLDER = Path(__file__).parent
PAGES = [str(FOLDER / name) for name in ("market_and_chart.py", "peers/panel_tables.py")]
SESSIONS = ("--unused-session-lifetime", "5000", "--check-unused-sessions", "1000")
"""Of Panel: Bokeh would let what streams to a page go on for half a minute after its end."""
REST_S = 6.0
REST_MS = 2.0
"""A second; below it over that time, Panel has ended the page before, and cleared up after it."""
PATCHED = """
(rows) => {
  for (const model of window.Bokeh?.documents[0]?._all_models.values() ?? []) {
    const count = model.get_column?.("n")?.[0];
    if (count !== undefined) return count * rows;
  }
  return 0;
}
"""
RECEIVED = "() => window.__quotewire?.connection?.stats.received ?? 0"


@dataclass(frozen=True)
class Way:
    """A page that shows the rows.

    Attributes:
        path: Its address, without the host.
        rows: A JavaScript function that tells how many changed rows have come so far.
    """

    path: str
    rows: str


@dataclass
class Figures:
    """What some runs of a page have told; processor times are in ms a second.

    Attributes:
        updates: Of each row in a second, that came to the page.
        page: Processor time of the browser's pages.
        browser: Of all the browser's processes.
        panel: Of the Panel process.
        tasks_ms: By run, how long the tasks of the main thread took.
    """

    updates: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    browser: list[float] = field(default_factory=list)
    panel: list[float] = field(default_factory=list)
    tasks_ms: list[list[float]] = field(default_factory=list)


BOTH = "table and chart"
TABLE = "table alone"
TABULATOR = "Panel's Tabulator"
PERSPECTIVE = "Panel's Perspective"


def main() -> None:
    """Measure and print."""
    print(f"page_load: {ROWS} rows × {HZ:g} updates a second, in a Chromium without a screen")
    with (
        simulated_feed(ROWS, HZ, max_hz=str(HZ)) as feed,
        panel(feed.port, *PAGES, *SESSIONS) as served,
    ):
        ways = _ways(symbols_of(feed)[0])
        figures = {name: Figures() for name in ways}
        for _ in range(RUNS):
            for name, way in ways.items():
                _measure(served, way, figures[name])
    for name, each in figures.items():
        _show(name, each)
    _compare(figures)


def _ways(symbol: str) -> dict[str, Way]:
    charted = f"symbol={symbol}&interval=1m&indicators={quote(INDICATORS)}"
    return {
        BOTH: Way(f"/market_and_chart?{charted}", RECEIVED),
        TABLE: Way("/dashboard?page=market", RECEIVED),
        TABULATOR: Way("/panel_tables?table=tabulator", PATCHED),
        PERSPECTIVE: Way("/panel_tables?table=perspective", PATCHED),
    }


def _rests(served: Child) -> bool:
    window = CpuWindow(served.cpu_s)
    time.sleep(REST_S)
    return window.cores() * 1000 < REST_MS


def _measure(served: Child, way: Way, figures: Figures) -> None:
    wait_for("Panel rests", lambda: _rests(served), timeout_s=TIMEOUT_S)
    with chromium("page_load") as browser:
        tab = browser.new_tab()
        tab.open(f"http://127.0.0.1:{served.port}{way.path}")
        wait_for("rows have come", lambda: _rows(tab, way) > ROWS, timeout_s=TIMEOUT_S)
        time.sleep(SETTLE_S)
        windows = [CpuWindow(cpu) for cpu in (browser.pages_cpu_s, browser.cpu_s, served.cpu_s)]
        began_s, before = time.monotonic(), _rows(tab, way)
        time.sleep(WINDOW_S)
        page, all_of_it, python = (window.cores() * 1000 for window in windows)
        came = _rows(tab, way) - before
        figures.updates.append(came / ROWS / (time.monotonic() - began_s))
        figures.page.append(page)
        figures.browser.append(all_of_it)
        figures.panel.append(python)
        figures.tasks_ms.append(main_thread_tasks_ms(browser, WINDOW_S))


def _rows(tab: Tab, way: Way) -> int:
    came: int = tab.run(way.rows, ROWS)
    return came


def _show(name: str, figures: Figures) -> None:
    print(f"  {name}")
    show("updates of a row that came", figures.updates, "a second")
    show("processor time of the page", figures.page, "ms/s")
    show("of the whole browser", figures.browser, "ms/s")
    show("of the Panel process", figures.panel, "ms/s")
    target = MOST_TASK_MS if name == BOTH else None
    worked = [[took for took in tasks if took >= TASK_MS] for tasks in figures.tasks_ms]
    show("tasks of the main thread, 99 %", [percentile(w, 99) for w in worked], "ms", target)
    show("the longest", [max(tasks) for tasks in figures.tasks_ms], "ms")
    long = [sum(took > MOST_TASK_MS for took in tasks) / WINDOW_S for tasks in figures.tasks_ms]
    show(f"tasks over {MOST_TASK_MS:g} ms", long, "a second")


def _compare(figures: dict[str, Figures]) -> None:
    ours, tabulator = figures[TABLE], figures[TABULATOR]
    show_ratio("table, against Tabulator", ours.page, tabulator.page, MOST_OF_TABULATOR)
    show_ratio("table, against Perspective", ours.page, figures[PERSPECTIVE].page)
    both = figures[BOTH].page
    show_ratio("table and chart, against Tabulator's table", both, tabulator.page)
    show_ratio("the same for each update", _each(figures[BOTH]), _each(tabulator))


def _each(figures: Figures) -> list[float]:
    """Return what an update of a row cost, in ms."""
    pairs = zip(figures.page, figures.updates, strict=True)
    return [cost / updates / ROWS for cost, updates in pairs]


if __name__ == "__main__":
    main()
