"""Drives the book of quotes by a case of ``quotes.json``."""

from typing import Any

import msgspec

from dashboard.client.core.quote_book import QuoteBook
from feed_server.protocol import Quotes


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Apply a case's messages; tell which symbols changed, and what is held in the end."""
    book = QuoteBook()
    told = [_step(book, **step["event"]) for step in case["steps"]]
    positions = book.positions(book.quotes())
    return {
        "steps": told,
        "quotes": {
            symbol: {
                **msgspec.structs.asdict(quote),
                "epoch": positions[symbol].epoch,
                "offset": positions[symbol].offset,
            }
            for symbol, quote in book.quotes().items()
        },
        "held": len(book),
        "counts": msgspec.to_builtins(book.counts),
    }


def _step(
    book: QuoteBook,
    type: str,
    message: object = None,
    polled: bool = False,
    symbol: str = "",
) -> dict[str, Any]:
    if type == "apply":
        changed = book.apply(msgspec.convert(message, Quotes), polled=polled)
        return {"changed": [quote.symbol for quote in changed]}
    if type == "forget":
        book.forget(symbol)
    else:
        book.unlinked()
    return {}
