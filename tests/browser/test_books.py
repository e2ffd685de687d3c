"""What the browser's books measure of what comes; twin of `tests/client/test_books.py`."""

import json

import pytest
from playwright.sync_api import Page

from feed_server.protocol import encode
from tests.client.test_books import STEPS

pytestmark = pytest.mark.browser


def test_only_what_is_news_tells_how_long_it_takes(blank_page: Page) -> None:
    facts = blank_page.evaluate(
        """async (steps) => {
          const {Books} = await import("quotewire/core/books.js");
          const books = new Books();
          books.meter.welcomed();
          books.meter.pinged(1, 0);
          books.meter.ponged(1, 0, 0);
          for (const [now_ms, message] of steps) {
            books.quotesCame(now_ms, message);
            books.meter.shown(now_ms);
          }
          return books.meter.facts(8000);
        }""",
        [[now_ms, json.loads(encode(message))] for now_ms, message in STEPS],
    )
    assert facts["received_to_shown"]["p99_ms"] == 10
    assert facts["event_to_received"]["p99_ms"] == 20
    assert facts["last_data_age_ms"] == 1000
