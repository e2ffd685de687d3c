"""Drives the book of bars by a case of ``bars.json``."""

from collections.abc import Callable
from typing import Any

import msgspec

from dashboard.client.core.bar_book import BarBook, BarsChange
from feed_server.protocol import Bars, BarSeries


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Take a case through a book; tell what changed, and what is held in the end."""
    book = BarBook(max_bars=case.get("most", 5000))
    keys = case.get("bars", {})

    def held(read: Callable[[str, str], object]) -> dict[str, object]:
        return {key: read(*key.split(" ")) for key in keys}

    told = []
    for step in case["steps"]:
        changes = _step(book, **step["event"])
        told.append({"changes": changes, "resume": held(book.resume_from)})
    return {
        "steps": told,
        "bars": held(lambda *key: [[b.start_ms, b.close, b.final] for b in book.bars(*key)]),
        "indicators": held(lambda *key: [b.indicators for b in book.bars(*key)]),
        "outputs": {name: list(book.outputs(name)) for name in case.get("outputs", {})},
        "loaded": held(book.is_loaded),
        "needs": held(book.needs_history),
        "positions": held(lambda symbol, interval: _position(book, symbol, interval)),
        "held": len(book),
        "counts": msgspec.to_builtins(book.counts),
    }


def _step(book: BarBook, type: str, **given: Any) -> list[dict[str, Any]]:
    changes: list[BarsChange | None] = []
    if type == "push":
        changes += book.apply(msgspec.convert(given["message"], Bars))
    elif type == "load":
        body = msgspec.convert(given.pop("body"), BarSeries)
        changes.append(book.apply_series(body, **given))
    elif type == "give_up":
        changes.append(book.give_up(**given))
    elif type == "forget":
        book.forget(**given)
    else:
        book.unlinked()
    return [_told(change) for change in changes if change is not None]


def _told(change: BarsChange) -> dict[str, Any]:
    finals = [[bar.start_ms, bar.close] for bar in change.finals]
    return {**msgspec.structs.asdict(change), "finals": finals}


def _position(book: BarBook, symbol: str, interval: str) -> object:
    return msgspec.to_builtins(book.positions([symbol], interval).get(symbol))
