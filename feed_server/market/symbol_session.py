"""One symbol's last price, best prices and session so far: its quote. Pure."""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from feed_server.market.events import SessionSnapshot, TopOfBook
from feed_server.market.session import daily_bar_start_ms, session_of_daily_bar
from feed_server.protocol import Bar, Interval, Quote


class SymbolSession:
    """Follows one symbol from event to event and from session to session.

    What a session has so far its daily bar says, which is built elsewhere and handed in. A trade
    that comes late (an earlier event time than one before) does not become the last price.

    Args:
        symbol: The instrument.

    Attributes:
        trades: Trades taken since the last quote.
        changed: Whether anything was taken since then.
    """

    __slots__ = (
        "_ask",
        "_bid",
        "_last",
        "_last_ms",
        "_over",
        "_prev_close",
        "_received_ms",
        "_size",
        "_symbol",
        "_time_ms",
        "_told_close",
        "changed",
        "trades",
    )

    def __init__(self, symbol: str) -> None:
        self.trades = 0
        self.changed = False
        self._symbol = symbol
        self._last: float | None = None
        self._size = 0.0
        self._bid: float | None = None
        self._ask: float | None = None
        self._last_ms = self._time_ms = self._received_ms = 0
        self._prev_close: float | None = None
        self._told_close: tuple[int, float] | None = None
        self._over: Bar | None = None

    @property
    def begun(self) -> bool:
        """Whether there was a price."""
        return self._last is not None

    def seed(self, prev_close: float | None, start_ms: int | None) -> None:
        """Take from history what the session before closed at.

        Args:
            prev_close: That price.
            start_ms: Start of the daily bar of the session after it, `None` where it has none yet.
        """
        if prev_close is None:
            return
        if start_ms is None:
            self._prev_close = prev_close
        else:
            self._told_close = (start_ms, prev_close)

    def resume(self, quote: Quote, days: Sequence[Bar]) -> None:
        """Go on where another has ended.

        Args:
            quote: Its last.
            days: The daily bars that were open, oldest first.
        """
        start_ms = daily_bar_start_ms(date.fromisoformat(quote.session))
        self._last, self._size = quote.last, quote.size
        self._bid, self._ask = quote.bid, quote.ask
        self._last_ms = self._time_ms = quote.time_ms
        self._received_ms = quote.received_ms
        if days and days[-1].start_ms == start_ms:
            self._last_ms = days[-1].time_ms
        else:
            self._over = _bar_of(quote, start_ms)
        older = [day.close for day in days if day.start_ms < start_ms]
        if quote.prev_close is not None and older[-1:] != [quote.prev_close]:
            self._told_close = (start_ms, quote.prev_close)

    @property
    def last_ms(self) -> int:
        """Event time of the last price."""
        return self._last_ms

    def trade(self, time_ms: int, price: float, size: float, received_ms: int) -> None:
        """Take one trade, of which the daily bar tells already."""
        if time_ms >= self._last_ms:
            self._last, self._size, self._last_ms = price, size, time_ms
        self.trades += 1
        self._change(time_ms, received_ms)

    def top(self, top: TopOfBook, received_ms: int) -> None:
        """Take the best prices."""
        if (top.bid, top.ask) != (self._bid, self._ask):
            self._bid, self._ask = top.bid, top.ask
            self._change(top.time_ms, received_ms)

    def forget_top(self) -> None:
        """Tell no best prices until there are others; it is no change by itself."""
        self._bid = self._ask = None

    def tell(self, snapshot: SessionSnapshot, start_ms: int, received_ms: int) -> None:
        """Take a source's account of a session, of which the daily bar tells already.

        Args:
            snapshot: The account.
            start_ms: Start of the session's daily bar.
            received_ms: When it reached us.
        """
        self._last, self._size, self._last_ms = snapshot.last, snapshot.size, snapshot.time_ms
        if snapshot.prev_close is not None:
            self._told_close = (start_ms, snapshot.prev_close)
        self._change(snapshot.time_ms, received_ms)

    def _change(self, time_ms: int, received_ms: int) -> None:
        self.changed = True
        if time_ms >= self._time_ms:
            self._time_ms, self._received_ms = time_ms, received_ms

    def end(self, day: Bar) -> None:
        """Take the daily bar of a session that is over."""
        if self._over is not None and self._over.start_ms < day.start_ms:
            self._prev_close = self._over.close
        self._over = day

    def today(self, days: Sequence[Bar]) -> Bar | None:
        """Return the newest session's daily bar, `None` before the first.

        Args:
            days: The daily bars that can still change, oldest first.
        """
        over = self._over
        if not days or (over is not None and over.start_ms > days[-1].start_ms):
            return over
        return days[-1]

    def take_quote(self, days: Sequence[Bar]) -> Quote:
        """Return the quote, standing for all that was taken since the last.

        Args:
            days: The daily bars that can still change, oldest first.

        Raises:
            ValueError: There was no price yet.
        """
        today = self.today(days)
        if today is None or self._last is None:
            raise ValueError(f"{self._symbol}: no price yet")
        count, self.trades, self.changed = max(self.trades, 1), 0, False
        return Quote(
            symbol=self._symbol,
            last=self._last,
            size=self._size,
            bid=self._bid,
            ask=self._ask,
            volume=today.volume,
            open=today.open,
            high=today.high,
            low=today.low,
            prev_close=self._close_before(today, days),
            session=session_of_daily_bar(today.start_ms).isoformat(),
            time_ms=self._time_ms,
            received_ms=self._received_ms,
            count=count,
        )

    def _close_before(self, today: Bar, days: Sequence[Bar]) -> float | None:
        if self._told_close is not None and self._told_close[0] == today.start_ms:
            return self._told_close[1]
        if len(days) > 1 and today is days[-1]:
            return days[-2].close
        if self._over is not None and today is not self._over:
            return self._over.close
        return self._prev_close


def told_day(snapshot: SessionSnapshot, start_ms: int, held: Bar | None) -> Bar:
    """Return a daily bar as a source tells it: what it leaves open is as it was, or as the last.

    Args:
        snapshot: The source's account.
        start_ms: Start of the bar.
        held: The bar so far, `None` where there is none.
    """
    last = snapshot.last
    open_ = snapshot.open or (held.open if held else last)
    high = snapshot.high or (held.high if held else last)
    low = snapshot.low or (held.low if held else last)
    volume = snapshot.volume
    if volume is None:
        volume = held.volume if held else 0.0
    return Bar(
        symbol=snapshot.symbol,
        interval=Interval.DAY,
        start_ms=start_ms,
        open=open_,
        # The regular session's range need not hold a price of after hours.
        high=max(high, open_, last),
        low=min(low, open_, last),
        close=last,
        volume=volume,
        time_ms=snapshot.time_ms,
        final=False,
    )


def joined_day(history: Bar, held: Bar) -> Bar:
    """Return a session's bar that history tells of and trades have begun to build.

    Those trades may be in the history or not: the larger volume is the better bound.
    """
    return replace(
        held,
        open=history.open,
        high=max(history.high, held.high),
        low=min(history.low, held.low),
        volume=max(history.volume, held.volume),
    )


def _bar_of(quote: Quote, start_ms: int) -> Bar:
    """Return the daily bar of a session that is over, as its quote tells it."""
    return Bar(
        symbol=quote.symbol,
        interval=Interval.DAY,
        start_ms=start_ms,
        open=quote.open,
        high=quote.high,
        low=quote.low,
        close=quote.last,
        volume=quote.volume,
        time_ms=quote.time_ms,
        final=True,
    )
