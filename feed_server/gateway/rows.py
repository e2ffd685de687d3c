"""Wire messages from kept updates."""

from collections.abc import Iterable, Mapping

from feed_server.bus.reader import BarHistory
from feed_server.bus.update import StoredUpdate
from feed_server.protocol import (
    Bars,
    BarSeries,
    Interval,
    Quote,
    QuoteDetails,
    QuoteRow,
    Quotes,
)


def details_of(stored: StoredUpdate) -> QuoteDetails:
    """Return the part of a quote that changes seldom."""
    quote = stored.update.quote
    return QuoteDetails(
        quote.open, quote.high, quote.low, quote.prev_close, quote.session, stored.epoch
    )


def quotes_message(
    changed: Iterable[tuple[StoredUpdate, int]],
    details: Mapping[str, QuoteDetails],
    *,
    snapshot: bool = False,
) -> Quotes:
    """Return one message of several quotes.

    Args:
        changed: Each with the number of changes it stands for.
        details: By symbol, of those whose details go along.
        snapshot: Whether this is the whole state.
    """
    pairs = list(changed)
    event_ms = max((stored.update.quote.time_ms for stored, _ in pairs), default=0)
    received_ms = max((stored.update.quote.received_ms for stored, _ in pairs), default=0)
    return Quotes(
        event_ms=event_ms,
        received_ms=received_ms,
        rows=[
            _row(stored.update.quote, stored.offset, count, event_ms, received_ms)
            for stored, count in pairs
        ],
        details=details,
        snapshot=snapshot,
    )


def quotes_snapshot(updates: Iterable[StoredUpdate]) -> Quotes:
    """Return the whole state of several symbols as one message."""
    kept = list(updates)
    return quotes_message(
        [(stored, stored.update.quote.count) for stored in kept],
        {stored.update.quote.symbol: details_of(stored) for stored in kept},
        snapshot=True,
    )


def _row(quote: Quote, offset: int, count: int, event_ms: int, received_ms: int) -> QuoteRow:
    return QuoteRow(
        quote.symbol,
        quote.last,
        quote.size,
        quote.bid,
        quote.ask,
        quote.volume,
        quote.time_ms - event_ms,
        quote.received_ms - received_ms,
        offset,
        count,
    )


def bars_snapshot(interval: Interval, updates: Iterable[StoredUpdate]) -> Bars:
    """Return the forming bars of several symbols as one message."""
    kept = list(updates)
    return Bars(
        interval,
        [stored.update.bars[-1] for stored in kept],
        {stored.update.quote.symbol: stored.epoch for stored in kept},
        snapshot=True,
    )


def bar_series(symbol: str, interval: Interval, history: BarHistory) -> BarSeries:
    """Return bars as columns."""
    bars = history.bars
    return BarSeries(
        symbol=symbol,
        interval=interval,
        epoch=history.epoch,
        time_ms=bars[-1].time_ms if bars else None,
        start_ms=[bar.start_ms for bar in bars],
        open=[bar.open for bar in bars],
        high=[bar.high for bar in bars],
        low=[bar.low for bar in bars],
        close=[bar.close for bar in bars],
        volume=[bar.volume for bar in bars],
        final=[bar.final for bar in bars],
    )
