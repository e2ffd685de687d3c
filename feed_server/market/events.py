"""What a source tells of the market, beside trades."""

from datetime import date

import msgspec

from feed_server.protocol import Trade


class TopOfBook(msgspec.Struct, frozen=True, gc=False):
    """The best prices of one symbol.

    Attributes:
        symbol: The instrument.
        time_ms: Event time.
        bid: Best bid, `None` where nobody bids.
        ask: Best ask, `None` where nobody offers.
    """

    symbol: str
    time_ms: int
    bid: float | None
    ask: float | None


class SessionSnapshot(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A source's own account of one symbol's last price and session, as polled sources give it.

    What a source does not tell is `None`.

    Attributes:
        symbol: The instrument.
        time_ms: Event time of the last price.
        last: Price of the last trade.
        size: Size of the last trade, 0 where unknown.
        bid: Best bid.
        ask: Best ask.
        volume: Shares or units traded in the session.
        open: First price of the session.
        high: Highest price of the session.
        low: Lowest price of the session.
        prev_close: Last price of the session before.
        session: The session's date.
        currency: What the prices are in.
    """

    symbol: str
    time_ms: int
    last: float
    size: float = 0.0
    bid: float | None = None
    ask: float | None = None
    volume: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    prev_close: float | None = None
    session: date | None = None
    currency: str | None = None


MarketEvent = Trade | TopOfBook | SessionSnapshot
"""What a stream yields, in order of event time."""
