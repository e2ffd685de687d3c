"""What Coinbase Exchange says, over its WebSocket and REST, as our data; no network here.

Fields: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels and
https://docs.cdp.coinbase.com/exchange/rest-api. Numbers come as strings, candles' as numbers.
"""

import math
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

import msgspec
import pandas as pd

from feed_server.errors import MalformedError
from feed_server.market.checks import is_bar
from feed_server.market.events import SessionSnapshot, TopOfBook
from feed_server.protocol import SYMBOL_PATTERN, Interval, SymbolInfo, Trade
from feed_server.protocol.data import MAX_OFFSET
from feed_server.providers.base import BAR_COLUMNS, bar_frame

NAME = "coinbase"
CHANNELS = ("ticker", "matches", "heartbeat")
MAX_DECIMALS = 18
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Time = Annotated[datetime, msgspec.Meta(tz=True)]
TradeId = Annotated[int, msgspec.Meta(ge=0, le=MAX_OFFSET)]


class Request(msgspec.Struct, frozen=True, tag_field="type"):
    """Asks for products, or no longer."""

    product_ids: Sequence[str]
    channels: Sequence[str] = CHANNELS


class Subscribe(Request, frozen=True, tag="subscribe"):
    """Asks for products; one that is not known makes Coinbase ignore the whole of it."""


class Unsubscribe(Request, frozen=True, tag="unsubscribe"):
    """Asks for them no longer."""


class Channel(msgspec.Struct, frozen=True):
    """One channel of a connection."""

    name: str
    product_ids: list[str] = []


class Subscribed(msgspec.Struct, frozen=True, tag="subscriptions"):
    """Answers a request with all that the connection carries now."""

    channels: list[Channel] = []

    @property
    def products(self) -> frozenset[str]:
        """Products whose trades are carried."""
        return frozenset(p for c in self.channels if c.name == "matches" for p in c.product_ids)


class Refused(msgspec.Struct, frozen=True, tag="error"):
    """Answers a request that is ignored."""

    message: str = ""
    reason: str = ""


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Comes every second for each product."""


class _Ticker(msgspec.Struct, frozen=True, tag="ticker"):
    product_id: str
    time: Time
    best_bid: float | None = None
    best_ask: float | None = None


class _Match(msgspec.Struct, frozen=True, tag="match"):
    product_id: str
    trade_id: TradeId
    time: Time
    price: float
    size: float


class _LastMatch(_Match, frozen=True, tag="last_match"):
    """The trade before the subscription."""


class _Kind(msgspec.Struct, frozen=True):
    type: str


class _RestTrade(msgspec.Struct, frozen=True):
    trade_id: TradeId
    time: Time
    price: float
    size: float


class _RestTicker(_RestTrade, frozen=True):
    bid: float | None = None
    ask: float | None = None


class _Product(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(pattern=f"^{SYMBOL_PATTERN}$")]
    base_currency: str
    quote_currency: str
    quote_increment: str
    display_name: str = ""
    status: str = ""


_Said = _Match | _LastMatch | _Ticker | Heartbeat | Subscribed | Refused
_DECODER: msgspec.json.Decoder[_Said] = msgspec.json.Decoder(_Said, strict=False)
_KIND = msgspec.json.Decoder(_Kind)
_KINDS = {"ticker", "match", "last_match", "heartbeat", "subscriptions", "error"}

Said = Trade | TopOfBook | Subscribed | Refused | Heartbeat
R = TypeVar("R")


def decode(data: bytes) -> Said | None:
    """Return what a WebSocket message says, `None` where it is of a kind that we do not know.

    Raises:
        MalformedError: It says something else than its kind should.
    """
    try:
        said = _DECODER.decode(data)
        if isinstance(said, _Match):
            return _trade(said.product_id, said)
        if isinstance(said, _Ticker):
            bid, ask = _finite(said.best_bid), _finite(said.best_ask)
            return TopOfBook(said.product_id, _ms(said.time), bid, ask)
        return said
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not _is_known(data):
            return None
        raise MalformedError(f"Coinbase sent what cannot be understood: {error}") from None


def rest_trades(symbol: str, body: object) -> list[Trade]:
    """Return what ``/products/{id}/trades`` answers, oldest first; unusable ones are left out.

    Raises:
        MalformedError: It is no list.
    """
    found = {}
    for row in _rows(body, _RestTrade):
        if math.isfinite(row.price) and math.isfinite(row.size):
            found[row.trade_id] = _trade(symbol, row)
    return [found[trade_id] for trade_id in sorted(found)]


def rest_ticker(symbol: str, body: object) -> SessionSnapshot:
    """Return what ``/products/{id}/ticker`` answers.

    Its volume is that of 24 hours, not of the session, and is left out.

    Raises:
        MalformedError: It cannot be understood.
    """
    try:
        row = msgspec.convert(body, _RestTicker, strict=False)
        trade = _trade(symbol, row)
        bid, ask = _finite(row.bid), _finite(row.ask)
    except msgspec.ValidationError as error:
        raise MalformedError(f"Coinbase's ticker of {symbol}: {error}") from None
    return SessionSnapshot(
        symbol=symbol,
        time_ms=trade.time_ms,
        last=trade.price,
        size=trade.size,
        bid=bid,
        ask=ask,
        session=row.time.astimezone(UTC).date(),
    )


def rest_candles(body: object, interval: Interval, start_ms: int, end_ms: int) -> pd.DataFrame:
    """Return what ``/products/{id}/candles`` answers, as `Provider.history` does.

    Args:
        body: Rows ``[time, low, high, open, close, volume]``, in any order, with some perhaps
            beyond what was asked; those that cannot be true are left out.
        interval: Their length.
        start_ms: Of the first bar at the earliest.
        end_ms: Bars that end later are left out.

    Raises:
        MalformedError: It is no list.
    """
    found = {}
    for seconds, low, high, opened, closed, volume in _rows(
        body, tuple[int, float, float, float, float, float]
    ):
        values = (opened, high, low, closed, volume)
        time_ms = seconds * 1000
        if (
            start_ms <= time_ms <= end_ms - interval.ms
            and time_ms % interval.ms == 0
            and is_bar(*values)
        ):
            found[time_ms] = values
    starts = sorted(found)
    columns = zip(*(found[time_ms] for time_ms in starts), strict=True)
    return bar_frame(starts, dict(zip(BAR_COLUMNS, columns, strict=True)) if found else None)


def rest_products(body: object) -> dict[str, SymbolInfo]:
    """Return by id the products of ``/products`` that are traded.

    Raises:
        MalformedError: It is no list.
    """
    found = {}
    for row in _rows(body, _Product):
        decimals = _decimals(row.quote_increment)
        if row.status == "online" and decimals is not None:
            found[row.id] = SymbolInfo(
                symbol=row.id,
                name=row.display_name or f"{row.base_currency}/{row.quote_currency}",
                currency=row.quote_currency,
                decimals=decimals,
                source=NAME,
                label="",
                zone="UTC",
            )
    return found


def named(refused: Refused, products: Collection[str]) -> list[str]:
    """Return which of some products a refusal names."""
    words = set(re.findall(SYMBOL_PATTERN, refused.reason))
    return [product for product in products if product in words]


def _trade(symbol: str, row: _Match | _RestTrade) -> Trade:
    if not (math.isfinite(row.price) and math.isfinite(row.size)):
        raise msgspec.ValidationError(f"a price or size that is no number in trade {row.trade_id}")
    return Trade(symbol, _ms(row.time), row.price, row.size, row.trade_id)


def _finite(price: float | None) -> float | None:
    if price is not None and not math.isfinite(price):
        raise msgspec.ValidationError("a price that is no number")
    return price


def _ms(time: datetime) -> int:
    return (time - EPOCH) // MILLISECOND


def _is_known(data: bytes) -> bool:
    """Tell whether a message should have been understood."""
    try:
        return _KIND.decode(data).type in _KINDS
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True


def _rows(body: object, kind: type[R]) -> list[R]:
    """Return those rows of a list that are as they should be."""
    if not isinstance(body, list):
        raise MalformedError("Coinbase answered something else than a list")
    rows = []
    for row in body:
        try:
            rows.append(msgspec.convert(row, kind, strict=False))
        except msgspec.ValidationError:
            continue
    return rows


def _decimals(increment: str) -> int | None:
    """Return the digits after the point of the least step of a price."""
    try:
        exponent = Decimal(increment).normalize().as_tuple().exponent
    except InvalidOperation:
        return None
    return min(max(-exponent, 0), MAX_DECIMALS) if isinstance(exponent, int) else None
