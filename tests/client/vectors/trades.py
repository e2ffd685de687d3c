"""Drives the book of trades by a case of ``trades.json``."""

from typing import Any

import msgspec

from dashboard.client.core.trade_book import TradeBook
from dashboard.client.core.trades import TradesChange
from feed_server.protocol import Trades, TradeSeries


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Take a case through a book; tell what changed, and what is held in the end."""
    book = TradeBook(tail=case.get("most", 500))
    told = [{"changes": _step(book, **step["event"])} for step in case["steps"]]
    symbols = case.get("tails", {})
    return {
        "steps": told,
        "tails": {symbol: [trade.offset for trade in book.tail(symbol)] for symbol in symbols},
        "positions": msgspec.to_builtins(book.positions(case.get("positions", {}))),
        "held": len(book),
        "counts": msgspec.to_builtins(book.counts),
    }


def _step(book: TradeBook, type: str, **given: Any) -> list[dict[str, Any]]:
    changes: list[TradesChange | None] = []
    if type == "push":
        changes += book.apply(msgspec.convert(given["message"], Trades))
    elif type == "load":
        changes.append(book.apply_series(msgspec.convert(given["body"], TradeSeries)))
    elif type == "give_up":
        changes.append(book.give_up(given["symbol"]))
    elif type == "forget":
        book.forget(given["symbol"])
    else:
        book.unlinked()
    return [_told(change) for change in changes if change is not None]


def _told(change: TradesChange) -> dict[str, Any]:
    trades = [[t.offset, t.price, t.time_ms, t.received_ms] for t in change.trades]
    return {**msgspec.structs.asdict(change), "trades": trades}
