"""Wire messages from kept updates. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feed_server.bus.reader import TradeHistory, numbered_trades
from feed_server.bus.update import StoredUpdate
from feed_server.protocol import (
    Bar,
    Bars,
    Interval,
    Position,
    QuoteDetails,
    QuoteRow,
    Quotes,
    TradePrint,
    TradeRow,
    Trades,
    TradeSeries,
)

NumberedTrade = tuple[StoredUpdate, TradePrint, int]
"""A trade with the update it came in, and its offset."""

FIRST_DECIMALS = 2
BASE_MS = 100
MAX_ROWS_KEPT = 16
"""Rows made of one update: a quiet symbol is asked for beside ever newer ones."""
MAX_DECIMALS = 8
"""Finer prices are sent as they are: ``price * 10**decimals`` must stay exact in a double."""
MAX_EXACT = 2**53
"""Up to here doubles count one by one; half of it, so that differences do, too."""


@dataclass(frozen=True, slots=True)
class QuoteCells:
    """What is said of one update, whoever gets it.

    Attributes:
        stored: The update.
        details: The same object as long as nothing in it changes.
        bid: As in the row.
        ask: As in the row.
        event_ms: Event time.
        received_ms: Receive time.
        rows: Made already, by count and by what their times are counted from.
    """

    stored: StoredUpdate
    details: QuoteDetails
    bid: float | None
    ask: float | None
    event_ms: int
    received_ms: int
    rows: dict[tuple[int, int, int], QuoteRow]


class QuoteRows:
    """Makes rows of quotes as short as they can be without losing anything.

    The bid and the ask are close to the last price, so their distance in the symbol's smallest
    price step takes two characters where the price takes six. How many decimals a symbol needs is
    learnt from its prices; it only grows within an epoch, so that it is seldom told anew.

    Cohorts with different symbols share their rows: a thousand watchlists do not mean a thousand
    times the work.
    """

    def __init__(self) -> None:
        self._cells: dict[str, QuoteCells] = {}

    def forget(self, symbol: str) -> None:
        """Forget what was learnt of a symbol."""
        self._cells.pop(symbol, None)

    def cells(self, updates: Iterable[StoredUpdate]) -> list[QuoteCells]:
        """Return what is said of some updates."""
        known = self._cells
        found = []
        for stored in updates:
            symbol = stored.update.quote.symbol
            cells = known.get(symbol)
            if cells is None or cells.stored is not stored:
                before = cells.details if cells is not None else None
                cells = known[symbol] = _make_cells(stored, before)
            found.append(cells)
        return found

    def message(
        self,
        changed: Sequence[QuoteCells],
        counts: Sequence[int],
        details: Mapping[str, QuoteDetails],
        *,
        snapshot: bool = False,
        cursor: str | None = None,
    ) -> Quotes:
        """Return one message of several quotes.

        Args:
            changed: Which.
            counts: Of each how many changes it stands for.
            details: By symbol, of those whose details go along.
            snapshot: Whether this is the state as it is, not one change after another.
            cursor: See `Quotes.cursor`.
        """
        event_ms = _base_ms(max([cells.event_ms for cells in changed], default=0))
        received_ms = _base_ms(max([cells.received_ms for cells in changed], default=0))
        return Quotes(
            event_ms=event_ms,
            received_ms=received_ms,
            rows=[
                cells.rows.get((count, event_ms, received_ms))
                or _make_row(cells, count, event_ms, received_ms)
                for cells, count in zip(changed, counts, strict=True)
            ],
            details=details,
            snapshot=snapshot,
            cursor=cursor,
        )

    def snapshot(self, updates: Iterable[StoredUpdate], cursor: str | None = None) -> Quotes:
        """Return the whole state of several symbols as one message."""
        kept = self.cells(updates)
        quotes = [cells.stored.update.quote for cells in kept]
        return self.message(
            kept,
            [quote.count for quote in quotes],
            {quote.symbol: cells.details for quote, cells in zip(quotes, kept, strict=True)},
            snapshot=True,
            cursor=cursor,
        )


def _make_cells(stored: StoredUpdate, before: QuoteDetails | None) -> QuoteCells:
    quote = stored.update.quote
    same_epoch = before is not None and before.epoch == stored.epoch
    decimals = before.decimals if before is not None and same_epoch else FIRST_DECIMALS
    steps = None
    while decimals is not None and steps is None:
        steps = _steps(quote.last, quote.bid, quote.ask, decimals)
        if steps is None:
            decimals = decimals + 1 if decimals < MAX_DECIMALS else None
    details = QuoteDetails(
        open=quote.open,
        high=quote.high,
        low=quote.low,
        prev_close=quote.prev_close,
        session=quote.session,
        epoch=stored.epoch,
        decimals=decimals,
    )
    bid, ask = (quote.bid, quote.ask) if steps is None else steps
    return QuoteCells(
        stored=stored,
        details=before if before == details else details,
        bid=bid,
        ask=ask,
        event_ms=quote.time_ms,
        received_ms=quote.received_ms,
        rows={},
    )


def _make_row(cells: QuoteCells, count: int, event_ms: int, received_ms: int) -> QuoteRow:
    quote = cells.stored.update.quote
    row = QuoteRow(
        quote.symbol,
        short(quote.last),
        short(quote.size),
        cells.bid,
        cells.ask,
        short(quote.volume),
        quote.time_ms - event_ms,
        quote.received_ms - received_ms,
        cells.stored.offset,
        count,
    )
    if len(cells.rows) >= MAX_ROWS_KEPT:
        cells.rows.clear()
    cells.rows[count, event_ms, received_ms] = row
    return row


def _base_ms(newest_ms: int) -> int:
    """Return what a message's times are counted from: round, so that others have the same."""
    return newest_ms - newest_ms % BASE_MS


def _steps(
    last: float, bid: float | None, ask: float | None, decimals: int
) -> tuple[int | None, int | None] | None:
    """Return bid and ask as exact distances from ``last``, None where they are on no such grid."""
    if bid is None and ask is None:
        return None, None
    base = _step(last, decimals)
    low = base if bid is None else _step(bid, decimals)
    high = base if ask is None else _step(ask, decimals)
    if base is None or low is None or high is None:
        return None
    return None if bid is None else low - base, None if ask is None else high - base


def _step(price: float, decimals: int) -> int | None:
    """Return how many steps a price is, None where it is no whole number that a double counts."""
    scale: int = 10**decimals
    scaled = price * scale
    if not abs(scaled) < MAX_EXACT / 2:
        return None
    step = round(scaled)
    return step if step / scale == price else None


def short(value: float) -> float:
    """Return a number that JSON writes without ``.0`` where it is whole."""
    return int(value) if value.is_integer() and abs(value) < MAX_EXACT else value


def trade_rows(stored: StoredUpdate) -> list[NumberedTrade]:
    """Return an update's trades, each with its offset."""
    return [(stored, trade, offset) for offset, trade in numbered_trades(stored)]


def trades_message(
    rows: Sequence[NumberedTrade],
    positions: Mapping[str, Position],
    recovered: Mapping[str, bool],
) -> Trades:
    """Return one message of several trades, see `trade_rows`."""
    event_ms = max((trade.time_ms for _, trade, _ in rows), default=0)
    received_ms = max((stored.update.quote.received_ms for stored, _, _ in rows), default=0)
    return Trades(
        event_ms=event_ms,
        received_ms=received_ms,
        rows=[
            TradeRow(
                stored.update.quote.symbol,
                short(trade.price),
                short(trade.size),
                trade.time_ms - event_ms,
                stored.update.quote.received_ms - received_ms,
                offset,
            )
            for stored, trade, offset in rows
        ],
        positions=positions,
        recovered=recovered,
    )


def bars_of(stored: StoredUpdate, interval: Interval) -> list[Bar]:
    """Return those of an update's bars that have an interval."""
    return [bar for bar in stored.update.bars if bar.interval == interval]


def open_bars(stored: StoredUpdate, interval: Interval) -> list[Bar]:
    """Return an interval's bars that can still change after an update."""
    return [bar for bar in bars_of(stored, interval) if not bar.final]


def bars_snapshot(interval: Interval, updates: Iterable[StoredUpdate]) -> Bars:
    """Return the open bars of several symbols as one message."""
    kept = list(updates)
    return Bars(
        interval,
        [bar for stored in kept for bar in open_bars(stored, interval)],
        {stored.update.quote.symbol: stored.epoch for stored in kept},
        snapshot=True,
        offsets={stored.update.quote.symbol: stored.offset for stored in kept},
    )


def trade_series(symbol: str, history: TradeHistory) -> TradeSeries:
    """Return trades as columns."""
    return TradeSeries(
        symbol=symbol,
        epoch=history.epoch,
        offset=history.offset,
        time_ms=[trade.time_ms for trade in history.trades],
        price=[trade.price for trade in history.trades],
        size=[trade.size for trade in history.trades],
        offsets=history.offsets,
    )
