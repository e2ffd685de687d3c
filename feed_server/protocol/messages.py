"""What clients and the server say to each other, as JSON text.

Each message has a ``type``. Unknown fields are ignored; nothing that depends on one connection is
in a data message (`Quotes`, `Bars`), so that one encoded frame serves all who get the same data.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from feed_server.protocol.codes import ErrorCode
from feed_server.protocol.data import Bar, Interval, SourceStatus, SymbolInfo

PROTOCOL_VERSION = 1

Channel = Literal["quotes", "bars"]


# ---- client to server ----------------------------------------------------------------------


class Subscribe(msgspec.Struct, tag="subscribe", frozen=True, omit_defaults=True):
    """Ask for a channel's data of some symbols; idempotent.

    Attributes:
        id: The client's number for this request, given back in the answer.
        channel: ``quotes`` (last value, conflated) or ``bars``.
        symbols: Which instruments.
        interval: Which bars; for channel ``bars`` only.
        max_hz: Updates a second at most; 0 means the server's default.
    """

    id: int
    channel: Channel
    symbols: list[str]
    interval: Interval | None = None
    max_hz: float = 0


class Unsubscribe(msgspec.Struct, tag="unsubscribe", frozen=True, omit_defaults=True):
    """End what `Subscribe` began."""

    id: int
    channel: Channel
    symbols: list[str]
    interval: Interval | None = None


class Ping(msgspec.Struct, tag="ping", frozen=True):
    """Ask for the server's clock; ``id`` comes back in the `Pong`."""

    id: int


ClientMessage = Subscribe | Unsubscribe | Ping


# ---- server to client ----------------------------------------------------------------------


class Welcome(msgspec.Struct, tag="welcome", frozen=True):
    """First message of every connection.

    Attributes:
        version: Protocol version.
        server: Names this server process; another name after a reconnect means another process.
        time_ms: The server's clock.
        heartbeat_ms: The server is never silent for longer than this.
        max_hz: Updates a second at most that a subscription can have.
        max_symbols: Symbols at most that a connection can subscribe to.
    """

    version: int
    server: str
    time_ms: int
    heartbeat_ms: int
    max_hz: float
    max_symbols: int


class Subscribed(msgspec.Struct, tag="subscribed", frozen=True, omit_defaults=True):
    """Answer to `Subscribe`: what is subscribed, and what is not and why, symbol by symbol."""

    id: int
    channel: Channel
    symbols: list[str]
    failed: dict[str, ErrorCode]
    interval: Interval | None = None


class Unsubscribed(msgspec.Struct, tag="unsubscribed", frozen=True):
    """Answer to `Unsubscribe`."""

    id: int
    channel: Channel
    symbols: list[str]


class Pong(msgspec.Struct, tag="pong", frozen=True):
    """Answer to `Ping`, with the server's clock."""

    id: int
    time_ms: int


class Heartbeat(msgspec.Struct, tag="heartbeat", frozen=True):
    """Said when nothing else was for a while: the connection lives."""

    time_ms: int


class Status(msgspec.Struct, tag="status", frozen=True):
    """How the sources do; after `Welcome`, and whenever it changes."""

    sources: list[SourceStatus]


class Error(msgspec.Struct, tag="error", frozen=True, omit_defaults=True):
    """A request failed. The same body answers over HTTP.

    Attributes:
        code: Which error.
        message: What was wrong, where, and what to do.
        id: The request's number, where it had one.
    """

    code: ErrorCode
    message: str
    id: int | None = None


class QuoteRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What changes with every trade, as small as it can be: an array, times against the frame's.

    Attributes:
        symbol: The instrument.
        last: Price of the last trade.
        size: Size of the last trade.
        bid: Best bid or null.
        ask: Best ask or null.
        volume: Shares or units traded in this session.
        event_delta_ms: Event time less `Quotes.event_ms`.
        received_delta_ms: Receive time less `Quotes.received_ms`.
        offset: Number of this value within the symbol's epoch; rises by `count` or more.
        count: How many changes it stands for.
    """

    symbol: str
    last: float
    size: float
    bid: float | None
    ask: float | None
    volume: float
    event_delta_ms: int
    received_delta_ms: int
    offset: int
    count: int


class QuoteDetails(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What changes seldom; sent in a snapshot, and again only when it changed.

    Attributes:
        open: First price of the session.
        high: Highest price of the session.
        low: Lowest price of the session.
        prev_close: Last price of the session before, or null.
        session: The session's date in the market's zone, ``YYYY-MM-DD``.
        epoch: Offsets count within an epoch. A new one means: forget what you hold of the symbol.
    """

    open: float
    high: float
    low: float
    prev_close: float | None
    session: str
    epoch: str


class Quotes(msgspec.Struct, tag="quotes", frozen=True, omit_defaults=True):
    """Quotes of some symbols: a snapshot or an update, by one schema; also ``/api/quotes``.

    Attributes:
        event_ms: What the rows' event times are counted from.
        received_ms: What the rows' receive times are counted from.
        rows: One a symbol.
        details: By symbol; of all in a snapshot, of the changed in an update.
        snapshot: True where this is the whole state, not a change.
    """

    event_ms: int
    received_ms: int
    rows: list[QuoteRow]
    details: Mapping[str, QuoteDetails] = {}
    snapshot: bool = False


class Bars(msgspec.Struct, tag="bars", frozen=True, omit_defaults=True):
    """Bars that began, changed or became final; the forming bar is conflated, a final one never.

    Attributes:
        interval: Length of the bars.
        rows: In order of their start, a symbol's together.
        epochs: By symbol, as in `QuoteDetails.epoch`; in a snapshot and when one changed.
        snapshot: True for the first answer to a subscription: the forming bar, if there is one.
    """

    interval: Interval
    rows: list[Bar]
    epochs: Mapping[str, str] = {}
    snapshot: bool = False


ServerMessage = (
    Welcome | Subscribed | Unsubscribed | Pong | Heartbeat | Status | Error | Quotes | Bars
)


# ---- HTTP bodies ---------------------------------------------------------------------------


class SymbolList(msgspec.Struct, frozen=True):
    """Body of ``/api/symbols``."""

    symbols: list[SymbolInfo]


class BarSeries(msgspec.Struct, frozen=True):
    """Body of ``/api/bars``: columns of equal length, oldest first.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        epoch: As in `QuoteDetails.epoch`.
        time_ms: Event time of the last trade in the last bar, null where there is no bar.
        start_ms: Where each bar begins.
        open: First prices.
        high: Highest prices.
        low: Lowest prices.
        close: Last prices.
        volume: Shares or units traded.
        final: False for a forming bar, which can only be the last.
    """

    symbol: str
    interval: Interval
    epoch: str
    time_ms: int | None
    start_ms: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    final: list[bool]


encode = msgspec.json.Encoder().encode

_client_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)


def decode_client_message(text: str | bytes) -> ClientMessage:
    """Decode what a client said.

    Raises:
        msgspec.DecodeError: The text is not JSON, or not a known message with valid fields.
    """
    return _client_decoder.decode(text)


def decode_server_message(text: str | bytes) -> ServerMessage:
    """Decode what the server said.

    Raises:
        msgspec.DecodeError: The text is not JSON, or not a known message with valid fields.
    """
    return _server_decoder.decode(text)
