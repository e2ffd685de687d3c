"""Trades of one symbol as a client has them: where it stands, and what a message changed. Pure."""

from collections import deque
from collections.abc import Sequence
from typing import Literal

import msgspec

from feed_server.protocol import TradeSeries

Lost = Literal["gap", "epoch"]
"""Why trades are missing for good: history does not reach back, or the feed began anew."""


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One trade, as a client has it.

    Attributes:
        symbol: The instrument.
        time_ms: Event time.
        price: Price in the instrument's currency.
        size: Shares or units traded; 0 where the source knows no size.
        offset: Its number within the symbol's epoch.
        received_ms: When the feed received it; None in history, which does not tell.
    """

    symbol: str
    time_ms: int
    price: float
    size: float
    offset: int
    received_ms: int | None = None


class TradesChange(msgspec.Struct, frozen=True):
    """What a message has brought of one symbol.

    Attributes:
        symbol: The instrument.
        trades: New trades in order; each once.
        reset: Whether what `TradeBook.tail` has of before has changed, too.
        needs_history: Whether there is a gap that history has to mend: load ``/api/trades`` and
            `apply_series` it, or `give_up`.
        lost: Some trades before these, or between them, are missing for good.
    """

    symbol: str
    trades: Sequence[Trade] = ()
    reset: bool = False
    needs_history: bool = False
    lost: Lost | None = None


class Run:
    """One symbol's trades of one epoch.

    Attributes:
        epoch: Which.
        offset: Where the client stands in it.
        tail: The last trades that were told.
        pushed: The epoch that pushes without a position are of.
        live: Whether a link tells every trade.
        gap_from: Where an open gap begins; None where none is open.
        gap_end: Where it ends: history has to reach it.
        is_lost: Whether it was told already that trades are lost where it begins.
        withheld: What came after the gap.
    """

    def __init__(self, epoch: str, offset: int, most: int) -> None:
        self.epoch = self.pushed = epoch
        self.offset = offset
        self.tail: deque[Trade] = deque(maxlen=most)
        self.live = False
        self.gap_from: int | None = None
        self.gap_end = 0
        self.is_lost = False
        self.withheld: list[Trade] = []

    def joins(self, trades: Sequence[Trade]) -> bool:
        """Tell whether no trade is missing between where the client stands and some of history."""
        stands = self.offset if self.gap_from is None else self.gap_from
        return bool(trades) and trades[0].offset <= stands + 1


def tell(symbol: str, run: Run, new: list[Trade]) -> TradesChange | None:
    """Tell what goes on where the client stands, where it is anything."""
    run.tail.extend(new)
    return TradesChange(symbol, new) if new else None


def wanting(symbol: str, run: Run | None) -> TradesChange | None:
    """Say once more that a gap is open, where one is."""
    is_open = run is not None and run.gap_from is not None
    return TradesChange(symbol, needs_history=True) if is_open else None


def trades_of(series: TradeSeries) -> list[Trade]:
    """Return what a series has, in order."""
    columns = zip(series.time_ms, series.price, series.size, series.offsets, strict=True)
    return [Trade(series.symbol, *values) for values in columns]
