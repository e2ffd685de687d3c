"""One symbol on its way from its source to the bus. Pure."""

from msgspec.structs import replace

from feed_server.bus.publisher import new_epoch
from feed_server.bus.update import SymbolUpdate
from feed_server.market.session import SessionCalendar
from feed_server.market.symbol_session import SymbolSession
from feed_server.protocol import Bar, Position, Trade, TradePrint


class Line:
    """A symbol's state, and what of it is still to be published.

    Trades are kept for publishing only while the symbol is wanted; those of other times are told as
    a number, so that counts and offsets stay true.

    Args:
        symbol: The instrument.
        calendar: Dates its sessions.
        history: Its final bars so far; those that become final are appended.

    Attributes:
        position: Where the symbol should stand in Redis.
        last_update: What was taken for publishing last.
    """

    def __init__(self, symbol: str, calendar: SessionCalendar, history: list[Bar]) -> None:
        self.symbol = symbol
        self.final_bars = history
        self.position = Position(new_epoch(), 0)
        self.last_update: SymbolUpdate | None = None
        self._session = SymbolSession(symbol, calendar, history[-1].close if history else None)
        self._wanted = False
        self._ended: list[Bar] = []
        self._trades: list[TradePrint] = []

    @property
    def due(self) -> bool:
        """Whether there is something that has to be published.

        That is what a wanted symbol does, bars that have become final, and the first state of all.
        """
        return self._session.changed and bool(
            self._wanted or self._ended or self.last_update is None
        )

    @property
    def told_bars(self) -> int:
        """How many of the final bars were taken for publishing."""
        return len(self.final_bars) - len(self._ended)

    def apply(self, trade: Trade, received_ms: int) -> None:
        """Take one trade."""
        refused = self._session.refused
        ended = self._session.apply(trade, received_ms)
        if self._session.refused != refused:
            return
        if ended is not None:
            self.final_bars.append(ended)
            self._ended.append(ended)
        if self._wanted:
            self._trades.append(TradePrint(trade.time_ms, trade.price, trade.size))

    def want(self, wanted: bool) -> None:
        """Keep trades for publishing from now on, or no longer."""
        self._wanted = wanted
        if not wanted:
            self._trades.clear()

    def take_update(self) -> SymbolUpdate | None:
        """Return what has changed since it was last taken, `None` where nothing has."""
        if not self._session.changed:
            return None
        ended, self._ended = self._ended, []
        trades, self._trades = self._trades, []
        quote = self._session.take_quote()
        bars = [*ended, self._session.bar()]
        update = SymbolUpdate(quote, bars, trades, quote.count - len(trades))
        if update == self.last_update:
            # Twins, of a source without sizes, in one millisecond: the bus would take the second
            # for the first published again.
            update = replace(update, quote=replace(quote, received_ms=quote.received_ms + 1))
        self.last_update = update
        return update
