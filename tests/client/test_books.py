"""What the books measure of what comes; see `tests/browser/test_books.py` for the browser's."""

from dashboard.client.core.books import Books
from feed_server.protocol import QuoteDetails, QuoteRow, Quotes

DETAILS = QuoteDetails(100.0, 101.0, 99.0, 100.0, "2023-11-14", "e1", 2)


def told(offset: int, received_ms: int, *, snapshot: bool = False) -> Quotes:
    """Return a quote that the feed received 20 ms after its event."""
    row = QuoteRow("AAPL", 100.0, 1.0, None, None, float(offset), 0, 0, offset, 1)
    details = {"AAPL": DETAILS} if snapshot else {}
    return Quotes(received_ms - 20, received_ms, [row], details, snapshot=snapshot)


STEPS = [
    (1000, told(1, 1000, snapshot=True)),
    # What is learnt of the session 5 s later is told with the time of the last trade.
    (6000, told(2, 1000)),
    (7000, told(3, 6990)),
]
"""When something comes by our clock, which is the server's, and what."""


def test_only_what_is_news_tells_how_long_it_takes() -> None:
    books = Books()
    books.meter.welcomed()
    books.meter.pinged(1, 0)
    books.meter.ponged(1, 0, 0)
    for now_ms, message in STEPS:
        books.quotes_came(now_ms, message)
        books.meter.shown(now_ms)
    facts = books.meter.facts(8000)
    assert facts.received_to_shown.p99_ms == 10
    assert facts.event_to_received.p99_ms == 20
    assert facts.last_data_age_ms == 1000
