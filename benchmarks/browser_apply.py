"""What a message of 500 changed quotes costs a page: from its text to the rows of a watchlist.

A real Chromium without a screen; each message comes in a frame of its own, as the page applies it.
It goes through the page's connection to the client's core, which decides what has changed; then, by
its delivery, to the 200 rows that a watchlist shows at most. What the browser then needs to lay out
the page is told apart, for it is the same for any code that shows as many numbers. Beside it the
bare limit: JSON.parse of the same text; and with it a plain object written for each row, which
keeps nothing in order and knows nothing of gaps.
"""

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import percentile, show, show_ratio
from benchmarks.startup import CHROMIUM
from benchmarks.storm import WELCOME, quotes
from dashboard.browser import import_map, stylesheets
from deploy.browser import WANTED, find_chromium
from feed_server.protocol import Subscribed, encode

RUNS = 5
ROWS = 500
SHOWN = 200
"""As many rows as `watchlist.js` shows."""
SYMBOLS = [f"SYM{number:03}" for number in range(ROWS)]
MESSAGES = 300
WARM_UP = 100
"""Messages that are left out at first: the browser compiles what runs often."""
TARGET_MS = 4.0
SCRIPT = Path(__file__).with_suffix(".js")
PAGE = """
<script type="importmap">{importmap}</script><style>{styles}</style>
<section class="card"><table role="grid"><tbody></tbody></table></section>
"""

Taken = dict[str, list[float]]
"""By step the milliseconds that each message took."""


def main() -> None:
    """Measure and print."""
    path = find_chromium()
    if path is None:
        sys.exit(f"browser_apply: {WANTED['chromium'].missing}")
    print(f"browser_apply: messages of {ROWS} changed quotes, {MESSAGES} a run", flush=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        runs = [_measure(browser) for _ in range(RUNS)]
        browser.close()
    middle = {step: [median(run[step]) for run in runs] for step in runs[0]}
    tails = {step: [percentile(run[step], 99) for run in runs] for step in runs[0]}
    show("text → what changed, median", middle["core"], "ms")
    show("text → what changed, 99 %", tails["core"], "ms")
    show("text → rows of a watchlist, median", middle["rows"], "ms", TARGET_MS)
    show("text → rows of a watchlist, 99 %", tails["rows"], "ms")
    show("layout of the page after it, median", middle["layout"], "ms")
    show("JSON.parse alone, median", middle["parse"], "ms")
    show("JSON.parse and a plain object a row, median", middle["plain"], "ms")
    show_ratio("text → what changed, of the plain objects", middle["core"], middle["plain"])


def _measure(browser: Browser) -> Taken:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    styles = "\n".join(stylesheets("tokens", "watchlist"))
    page.set_content(PAGE.format(importmap=json.dumps(import_map()), styles=styles))
    subscribed = Subscribed(1, "quotes", SYMBOLS, {}, 1e6)
    opening = [msgspec.to_builtins(said) for said in (WELCOME, subscribed, quotes(0, SYMBOLS))]
    last = quotes(MESSAGES, SYMBOLS)
    given = {
        "symbols": SYMBOLS,
        "shown": SHOWN,
        "opening": opening,
        "messages": [encode(quotes(n, SYMBOLS)).decode() for n in range(1, MESSAGES + 1)],
    }
    script = SCRIPT.read_text().replace("export ", "")
    told: dict[str, Any] = page.evaluate(
        f"(given) => {{ {script}; return measure(given); }}", given
    )
    page.close()
    _check(told, last.rows[0].last)
    return {step: values[WARM_UP:] for step, values in told["taken"].items()}


def _check(told: dict[str, Any], last: float) -> None:
    """Check that all was applied.

    Raises:
        AssertionError: It was not.
    """
    expected = (MESSAGES + 1) * ROWS
    assert told["received"] == expected, f"{told['received']} of {expected} rows were received"
    assert told["shown"].count(f"{last:.2f}") >= SHOWN, "the last prices are not shown"


if __name__ == "__main__":
    main()
