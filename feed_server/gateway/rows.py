"""Wire messages from kept updates. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feed_server.bus.reader import BarHistory, TradeHistory
from feed_server.bus.update import StoredUpdate
from feed_server.protocol import (
    Bar,
    Bars,
    BarSeries,
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
MAX_DECIMALS = 8
"""Finer prices are sent as they are: ``price * 10**decimals`` must stay exact in a double."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """What a row says of one update, whoever gets it."""

    stored: StoredUpdate
    last: float
    size: float
    bid: float | None
    ask: float | None
    volume: float
    decimals: int | None


class QuoteRows:
    """Makes rows of quotes as short as they can be without losing anything.

    The bid and the ask are close to the last price, so their distance in the symbol's smallest
    price step takes two characters where the price takes six. How many decimals a symbol needs is
    learnt from its prices; it only grows within an epoch, so that it is seldom told anew.
    """

    def __init__(self) -> None:
        self._cells: dict[str, _Cells] = {}

    def forget(self, symbol: str) -> None:
        """Forget what was learnt of a symbol."""
        self._cells.pop(symbol, None)

    def details(self, stored: StoredUpdate) -> QuoteDetails:
        """Return the part of a quote that changes seldom."""
        quote = stored.update.quote
        return QuoteDetails(
            open=quote.open,
            high=quote.high,
            low=quote.low,
            prev_close=quote.prev_close,
            session=quote.session,
            epoch=stored.epoch,
            decimals=self._cells_of(stored).decimals,
        )

    def message(
        self,
        changed: Sequence[tuple[StoredUpdate, int]],
        details: Mapping[str, QuoteDetails],
        *,
        snapshot: bool = False,
        cursor: str | None = None,
    ) -> Quotes:
        """Return one message of several quotes.

        Args:
            changed: Each with the number of changes it stands for.
            details: By symbol, of those whose details go along.
            snapshot: Whether this is the state as it is, not one change after another.
            cursor: See `Quotes.cursor`.
        """
        event_ms = max((stored.update.quote.time_ms for stored, _ in changed), default=0)
        received_ms = max((stored.update.quote.received_ms for stored, _ in changed), default=0)
        return Quotes(
            event_ms=event_ms,
            received_ms=received_ms,
            rows=[self._row(stored, count, event_ms, received_ms) for stored, count in changed],
            details=details,
            snapshot=snapshot,
            cursor=cursor,
        )

    def snapshot(self, updates: Iterable[StoredUpdate], cursor: str | None = None) -> Quotes:
        """Return the whole state of several symbols as one message."""
        kept = list(updates)
        return self.message(
            [(stored, stored.update.quote.count) for stored in kept],
            {stored.update.quote.symbol: self.details(stored) for stored in kept},
            snapshot=True,
            cursor=cursor,
        )

    def _row(self, stored: StoredUpdate, count: int, event_ms: int, received_ms: int) -> QuoteRow:
        quote = stored.update.quote
        cells = self._cells_of(stored)
        return QuoteRow(
            quote.symbol,
            cells.last,
            cells.size,
            cells.bid,
            cells.ask,
            cells.volume,
            quote.time_ms - event_ms,
            quote.received_ms - received_ms,
            stored.offset,
            count,
        )

    def _cells_of(self, stored: StoredUpdate) -> _Cells:
        quote = stored.update.quote
        kept = self._cells.get(quote.symbol)
        if kept is not None and kept.stored is stored:
            return kept
        same_epoch = kept is not None and kept.stored.epoch == stored.epoch
        decimals = kept.decimals if kept is not None and same_epoch else FIRST_DECIMALS
        steps = None
        while decimals is not None and steps is None:
            steps = _steps(quote.last, quote.bid, quote.ask, decimals)
            if steps is None:
                decimals = decimals + 1 if decimals < MAX_DECIMALS else None
        bid, ask = (quote.bid, quote.ask) if steps is None else steps
        size, volume = short(quote.size), short(quote.volume)
        cells = _Cells(stored, short(quote.last), size, bid, ask, volume, decimals)
        self._cells[quote.symbol] = cells
        return cells


def _steps(
    last: float, bid: float | None, ask: float | None, decimals: int
) -> tuple[int | None, int | None] | None:
    """Return bid and ask as exact distances from ``last``, None where they are on no such grid."""
    scale: int = 10**decimals
    base = round(last * scale)
    steps: list[int | None] = []
    for price in (bid, ask):
        if price is None:
            steps.append(None)
            continue
        step = round(price * scale)
        if step / scale != price or base / scale != last:
            return None
        steps.append(step - base)
    return steps[0], steps[1]


def short(value: float) -> float:
    """Return a number that JSON writes without ``.0`` where it is whole."""
    return int(value) if value.is_integer() else value


def trade_rows(stored: StoredUpdate) -> list[NumberedTrade]:
    """Return an update's trades, each with its offset."""
    trades = stored.update.trades
    first = stored.offset - len(trades) + 1
    return [(stored, trade, first + i) for i, trade in enumerate(trades)]


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
    # There is only one interval so far, so mypy knows the answer.
    return [bar for bar in stored.update.bars if bar.interval == interval]  # type: ignore[redundant-expr]


def bars_snapshot(interval: Interval, updates: Iterable[StoredUpdate]) -> Bars:
    """Return the forming bars of several symbols as one message."""
    kept = list(updates)
    return Bars(
        interval,
        [bar for stored in kept for bar in bars_of(stored, interval)[-1:]],
        {stored.update.quote.symbol: stored.epoch for stored in kept},
        snapshot=True,
        offsets={stored.update.quote.symbol: stored.offset for stored in kept},
    )


def bar_series(symbol: str, interval: Interval, history: BarHistory) -> BarSeries:
    """Return bars as columns."""
    bars = history.bars
    return BarSeries(
        symbol=symbol,
        interval=interval,
        epoch=history.epoch,
        offset=history.offset,
        time_ms=bars[-1].time_ms if bars else None,
        start_ms=[bar.start_ms for bar in bars],
        open=[bar.open for bar in bars],
        high=[bar.high for bar in bars],
        low=[bar.low for bar in bars],
        close=[bar.close for bar in bars],
        volume=[bar.volume for bar in bars],
        final=[bar.final for bar in bars],
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
    )
