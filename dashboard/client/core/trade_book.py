"""Trades as a client gets them: every one, in order, once, or a gap is told. Pure.

That a trade is missing is told by ``recovered: false`` alone, for offsets do not rise by one. While
a gap is open, what is pushed of the symbol is held back, until `TradeBook.apply_series` mends it or
`TradeBook.give_up` ends it. Who subscribes to a symbol that is held must say ``since``.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from dashboard.client.core.latency import Counts
from feed_server.protocol import Position, Trades, TradeSeries

TAIL = 500
"""Trades of a symbol that are kept to be shown."""
WITHHELD = 10_000
"""Trades of a symbol that wait for a gap to be mended, at most; with more it is given up."""

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
        lost: Some trades before these are missing for good.
    """

    symbol: str
    trades: Sequence[Trade] = ()
    reset: bool = False
    needs_history: bool = False
    lost: Lost | None = None


class TradeBook:
    """The trades of every symbol that is followed.

    Args:
        counts: Where rows and gaps are counted.
        tail: Trades of a symbol that are kept to be shown.
    """

    def __init__(self, counts: Counts | None = None, tail: int = TAIL) -> None:
        self.counts = counts or Counts()
        self._most = tail

    def apply(self, message: Trades) -> list[TradesChange]:
        """Take what was pushed; return what changed, one for each symbol that did."""
        raise NotImplementedError

    def apply_series(self, series: TradeSeries) -> TradesChange | None:
        """Take history, or the answer to a poll.

        The first one of a symbol only says where it stands: its trades are in the tail, and none of
        them is new. A later one tells those that are new, mends the gap if there is one, or says
        that something is lost. Where it ends before the gap does, history is needed once more.
        """
        raise NotImplementedError

    def give_up(self, symbol: str) -> TradesChange | None:
        """End a gap that cannot be mended; None where there is none."""
        raise NotImplementedError

    def needs_history(self, symbol: str) -> bool:
        """Tell whether a gap of the symbol is open."""
        raise NotImplementedError

    def unlinked(self) -> None:
        """Take note that a link has ended: until the next, what is polled is all there is."""
        raise NotImplementedError

    def tail(self, symbol: str) -> list[Trade]:
        """Return the last trades of a symbol, oldest first."""
        raise NotImplementedError

    def positions(self, symbols: Iterable[str]) -> dict[str, Position]:
        """Return where each of some symbols stands that is held: for `Subscribe.since`."""
        raise NotImplementedError

    def forget(self, symbol: str) -> None:
        """Know nothing of a symbol any more."""
        raise NotImplementedError
