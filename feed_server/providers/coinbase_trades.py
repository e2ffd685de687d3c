"""Which trades of Coinbase are new, and which are missing; no network here.

A product's trades are numbered without holes. A number that was seen is a repetition (each new
subscription repeats the last trade); one that is left out was lost on the way, and is asked for
over REST while what has come since is held back.
"""

from collections.abc import Sequence

import msgspec
import structlog

from feed_server.market.events import TopOfBook
from feed_server.protocol import Trade

Event = Trade | TopOfBook

RESTART_AFTER = 20
"""So many old numbers one after the other, and numbers have begun anew, or one was nonsense."""

log = structlog.get_logger(__name__)


class Hole(msgspec.Struct, frozen=True):
    """Trades that are missing.

    Attributes:
        symbol: Of which product.
        after: Number of the trade before them.
        before: Number of the trade behind them.
    """

    symbol: str
    after: int
    before: int


class TradeOrder:
    """Puts the trades of all products in order."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._held: dict[str, tuple[Hole, list[Event]]] = {}
        self._holes: list[Hole] = []

    def take(self, event: Event) -> Sequence[Event]:
        """Return what can be told now that an event has come."""
        held = self._held.get(event.symbol)
        if held is not None:
            held[1].append(event)
            return ()
        if isinstance(event, TopOfBook):
            return (event,)
        return self._place(event)

    def new_holes(self) -> list[Hole]:
        """Return holes found since this was last asked; each is given to `fill`."""
        holes, self._holes = self._holes, []
        return holes

    def fill(self, hole: Hole, trades: Sequence[Trade]) -> list[Event]:
        """Return what can be told now that missing trades have come.

        Args:
            hole: Where they are missing.
            trades: In order of their numbers; where not all, the others stay missing.
        """
        if hole.symbol not in self._held or self._held[hole.symbol][0] != hole:
            return []
        _, held = self._held.pop(hole.symbol)
        events: list[Event] = [
            trade
            for trade in trades
            if trade.trade_id is not None and hole.after < trade.trade_id < hole.before
        ]
        missing = hole.before - hole.after - 1 - len(events)
        if missing:
            log.warning("trades stay missing", symbol=hole.symbol, trades=missing)
        self._last[hole.symbol] = hole.before - 1
        for event in held:
            events += self.take(event)
        return events

    def give_up(self) -> None:
        """Forget what is held back, as if it had not come yet: the connection has ended."""
        self._held.clear()
        self._holes.clear()

    def drop(self, symbol: str) -> None:
        """Forget what is held back of a product that is not asked for any more."""
        self._held.pop(symbol, None)
        self._holes = [hole for hole in self._holes if hole.symbol != symbol]

    def _place(self, trade: Trade) -> Sequence[Event]:
        symbol, number = trade.symbol, trade.trade_id
        assert number is not None
        last = self._last.get(symbol, number - 1)
        if number == self._last.get(symbol) or (number < last and not self._begins_anew(trade)):
            return ()
        if number > last + 1:
            hole = Hole(symbol, last, number)
            self._held[symbol] = hole, [trade]
            self._holes.append(hole)
            return ()
        self._last[symbol] = number
        self._old.pop(symbol, None)
        return (trade,)

    def _begins_anew(self, trade: Trade) -> bool:
        self._old[trade.symbol] = self._old.get(trade.symbol, 0) + 1
        if self._old[trade.symbol] < RESTART_AFTER:
            return False
        log.warning("trades are numbered anew", symbol=trade.symbol, number=trade.trade_id)
        return True
