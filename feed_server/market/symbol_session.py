"""One symbol's session so far, built from its trades: the quote and the daily bar."""

import math
from datetime import date

from feed_server.market.session import SessionCalendar, daily_bar_start_ms
from feed_server.protocol import Bar, Interval, Quote, Trade


def is_plausible(trade: Trade) -> bool:
    """Tell whether a trade can be true: a positive, finite price and no negative size."""
    return 0 < trade.price < math.inf and 0 <= trade.size < math.inf


class SymbolSession:
    """Follows one symbol from trade to trade and from session to session.

    A trade of the running session that comes late (an earlier event time than one before) counts in
    high, low and volume but does not become the last price; one of an ended session is refused.

    Attributes:
        refused: Trades not taken: implausible, or of a session that has ended.
    """

    def __init__(self, symbol: str, calendar: SessionCalendar, prev_close: float | None) -> None:
        self.symbol = symbol
        self.refused = 0
        self._calendar = calendar
        self._prev_close = prev_close
        self._session: date | None = None
        self._last: Trade | None = None
        self._received_ms = 0
        self._open = self._high = self._low = math.nan
        self._volume = self._volume_lost = 0.0
        self._count = 0

    def apply(self, trade: Trade, received_ms: int) -> Bar | None:
        """Take one trade.

        Args:
            trade: Of this symbol.
            received_ms: When it reached us, UTC epoch milliseconds.

        Returns:
            The final bar of the session before, where this trade begins a new one.
        """
        session = self._calendar.date_of(trade.time_ms)
        if not is_plausible(trade) or (self._session is not None and session < self._session):
            self.refused += 1
            return None
        ended = self._roll(session, trade)
        self._high = max(self._high, trade.price)
        self._low = min(self._low, trade.price)
        self._add_volume(trade.size)
        if self._last is None or trade.time_ms >= self._last.time_ms:
            self._last = trade
            self._received_ms = received_ms
        self._count += 1
        return ended

    def _roll(self, session: date, trade: Trade) -> Bar | None:
        if session == self._session:
            return None
        ended = None
        if self._last is not None:
            ended = self.bar(final=True)
            self._prev_close = self._last.price
        self._session = session
        self._open = self._high = self._low = trade.price
        self._volume = self._volume_lost = 0.0
        return ended

    def _add_volume(self, size: float) -> None:
        """Add without rounding on the way: what each sum loses is kept beside it (Neumaier)."""
        total = self._volume + size
        larger, smaller = max(self._volume, size), min(self._volume, size)
        self._volume_lost += (larger - total) + smaller
        self._volume = total

    @property
    def changed(self) -> bool:
        """Whether a trade was taken since the last quote."""
        return self._count > 0

    def take_quote(self) -> Quote:
        """Return the quote, standing for all trades since it was last taken.

        Raises:
            ValueError: There was no trade yet.
        """
        last, session = self._state()
        count, self._count = self._count, 0
        return Quote(
            symbol=self.symbol,
            last=last.price,
            size=last.size,
            bid=None,
            ask=None,
            volume=self._volume + self._volume_lost,
            open=self._open,
            high=self._high,
            low=self._low,
            prev_close=self._prev_close,
            session=session.isoformat(),
            time_ms=last.time_ms,
            received_ms=self._received_ms,
            count=count,
        )

    def bar(self, *, final: bool = False) -> Bar:
        """Return the daily bar of the session so far.

        Raises:
            ValueError: There was no trade yet.
        """
        last, session = self._state()
        return Bar(
            symbol=self.symbol,
            interval=Interval.DAY,
            start_ms=daily_bar_start_ms(session),
            open=self._open,
            high=self._high,
            low=self._low,
            close=last.price,
            volume=self._volume + self._volume_lost,
            time_ms=last.time_ms,
            final=final,
        )

    def _state(self) -> tuple[Trade, date]:
        if self._last is None or self._session is None:
            raise ValueError(f"{self.symbol}: no trade yet")
        return self._last, self._session
