"""Market data as it is kept, published and decoded.

Times are UTC epoch milliseconds. *Event time* is the market's clock (in a replay: the replayed
date); *receive time* is ours, from which latency is measured. Prices are in the instrument's
currency and never rounded on the way.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

SYMBOL_PATTERN = r"[A-Za-z0-9_.:^=/-]{1,64}"
"""What an instrument's name looks like, on the wire and in a page's address."""

MAX_OFFSET = 2**53 - 1


class Interval(StrEnum):
    """Length of a bar. A daily bar is one trading session."""

    SECOND = "1s"
    FIVE_SECONDS = "5s"
    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def ms(self) -> int:
        """Its length in milliseconds; a day's is nominal, for a session's can be 23 or 25 hours."""
        return _LENGTHS_MS[self]


_LENGTHS_MS = {
    Interval.SECOND: 1_000,
    Interval.FIVE_SECONDS: 5_000,
    Interval.MINUTE: 60_000,
    Interval.FIVE_MINUTES: 300_000,
    Interval.QUARTER_HOUR: 900_000,
    Interval.HOUR: 3_600_000,
    Interval.DAY: 86_400_000,
}


class SourceState(StrEnum):
    """How a source of market data is doing, as the feed sees it."""

    CONNECTING = "connecting"
    LIVE = "live"
    CLOSED = "closed"
    DOWN = "down"


class Trade(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One trade, as a source tells it.

    Attributes:
        symbol: The instrument.
        time_ms: Event time.
        price: Price in the instrument's currency.
        size: Shares or units traded; 0 where the source knows no size.
        trade_id: The source's number of the trade, rising with each of the symbol's trades; `None`
            where it gives none.
        currency: What the source says the price is in; `None` where it does not say.
    """

    symbol: str
    time_ms: int
    price: float
    size: float
    trade_id: int | None = None
    currency: str | None = None


class TradePrint(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One trade of a symbol that is known from where it stands.

    Attributes:
        time_ms: Event time.
        price: Price in the instrument's currency.
        size: Shares or units traded; 0 where the source knows no size.
    """

    time_ms: int
    price: float
    size: float


class Position(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A place in the run of a symbol's changes.

    Attributes:
        epoch: Names the run; offsets of different epochs cannot be compared.
        offset: How many changes the run had; no more than JavaScript can count.
    """

    epoch: str
    offset: Annotated[int, msgspec.Meta(ge=0, le=MAX_OFFSET)]


class Quote(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The state of one symbol: its last trade, best prices and its session so far.

    Attributes:
        symbol: The instrument.
        last: Price of the last trade.
        size: Size of the last trade.
        bid: Best bid, `None` where the source has none.
        ask: Best ask, `None` where the source has none.
        volume: Shares or units traded in this session.
        open: First price of the session.
        high: Highest price of the session.
        low: Lowest price of the session.
        prev_close: Last price of the session before, `None` where unknown.
        session: The session's date in the market's zone, ``YYYY-MM-DD``.
        time_ms: Event time.
        received_ms: Receive time.
        count: How many changes this quote stands for; above 1 it is conflated.
    """

    symbol: str
    last: float
    size: float
    bid: float | None
    ask: float | None
    volume: float
    open: float
    high: float
    low: float
    prev_close: float | None
    session: str
    time_ms: int
    received_ms: int
    count: int = 1


class Bar(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Open, high, low, close and volume of one symbol over one interval.

    Attributes:
        symbol: The instrument.
        interval: Length of the bar.
        start_ms: Where the bar begins; for a daily bar 00:00 UTC of the session's date.
        open: First price.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Shares or units traded.
        time_ms: Event time of the last trade in it; its start where the source told none.
        final: False while trades may still change it: while it forms, and after it has ended for as
            long as late trades are taken. A final bar never changes.
    """

    symbol: str
    interval: Interval
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    time_ms: int
    final: bool


class SymbolInfo(msgspec.Struct, frozen=True):
    """What an instrument is and who tells its price.

    Attributes:
        symbol: As the feed names it.
        name: The company or pair.
        currency: ISO 4217 code, or a crypto asset's code.
        decimals: Digits after the point in which its prices are shown.
        source: The provider's name.
        label: What a reader must know of the price: ``REPLAY``, ``SIMULATED``, ``DELAYED 15 min``
            or empty for live.
        zone: IANA name of the zone by which its sessions are dated.
        delay_ms: How much older than the market its prices are at best.
    """

    symbol: str
    name: str
    currency: str
    decimals: int
    source: str
    label: str
    zone: str = "UTC"
    delay_ms: int = 0


class GatewayStatus(msgspec.Struct, frozen=True):
    """How the server does that this client is connected to.

    Attributes:
        server: Its name, as in `Welcome.server`.
        rate: Share of the asked update rate that all clients get now: below 1 under overload.
    """

    server: str
    rate: float


class Budget(msgspec.Struct, frozen=True):
    """What a source's vendor allows within any stretch of time, and what is left of it.

    Attributes:
        limit: Requests or credits.
        per_s: The stretch's length in seconds.
        left: How many could be spent now.
    """

    limit: int
    per_s: float
    left: int


class SourceStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source's own account of itself.

    Attributes:
        source: The provider's name.
        label: See `SymbolInfo.label`.
        state: How it does.
        message: For a person: what it does, or what is wrong and when the next try is.
        market_ms: Event time it has reached, `None` before the first trade.
        updated_ms: When it said so; an account that is not renewed is not believed.
        next_try_ms: When it will next ask its vendor, `None` where it does not wait for that.
        failures: How many tries in a row have failed.
        symbols: How many symbols it is asked for.
        budgets: Of its vendor's limits, those that it knows.
        refused: By reason (`feed_server.market.checks.Reason`) how many data it told that were
            not taken, or only in part.
    """

    source: str
    label: str
    state: SourceState
    message: str
    market_ms: int | None
    updated_ms: int
    next_try_ms: int | None = None
    failures: int = 0
    symbols: int = 0
    budgets: list[Budget] = []
    refused: dict[str, int] = {}
