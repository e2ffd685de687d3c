"""The browser's client under test: its modules alone, in a page of their own."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Error

from dashboard.browser import import_map
from tests.faults.record import Failure, Record, decode_entries
from tests.vendors.http_faults import Answer, FaultServer

SAMPLE_MS = 100
FOLLOW = (Path(__file__).parent / "page.js").read_text()


class BrowserClient:
    """The page's shared connection, as elements use it.

    Args:
        browser: Where the page is opened.
        url: Where it finds the feed.
        symbols: Which instruments it follows.
        intervals: Of which bars.
    """

    name = "browser"

    def __init__(
        self, browser: Browser, url: str, symbols: Sequence[str], intervals: Sequence[str]
    ) -> None:
        self._errors: list[Failure] = []
        self._page = browser.new_page()
        self._page.on("pageerror", lambda error: self._failed(str(error)))
        html = f'<script type="importmap">{json.dumps(import_map())}</script>'
        # Of this machine, so that the feed talks to it; needed no more when it is loaded.
        with FaultServer() as server:
            server.answers["/"] = Answer(headers={"Content-Type": "text/html"}, body=html)
            self._page.goto(server.url)
        wanted = {"url": url, "symbols": list(symbols), "intervals": list(intervals)}
        self._page.evaluate(FOLLOW, {**wanted, "sample_ms": SAMPLE_MS})

    def finish(self) -> Record:
        """End it; return what it was told."""
        record = Record(decode_entries(self._page.evaluate("() => window.finish()")))
        record.failures += self._errors
        return record

    def kill(self) -> None:
        """Close the page; safe after `finish`."""
        try:
            self._page.close()
        except Error as error:
            self._failed(str(error))

    def _failed(self, text: str) -> None:
        self._errors.append(Failure(time.time() * 1000, text))
