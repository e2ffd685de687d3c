"""What clients and the server say to each other, as JSON text.

Each message has a ``type``. Unknown fields and types are ignored; nothing that depends on one
connection is in a data message (`Quotes`, `Trades`, `Bars`), so that one encoded frame serves all
who get the same data.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from feed_server.protocol.alerts import Alerted
from feed_server.protocol.codes import ErrorCode
from feed_server.protocol.data import (
    Bar,
    GatewayStatus,
    Interval,
    Position,
    SourceStatus,
    SymbolInfo,
)

PROTOCOL_VERSION = 1

Channel = Literal["quotes", "trades", "bars"]


# ---- client to server ----------------------------------------------------------------------


class Auth(msgspec.Struct, tag="auth", frozen=True):
    """Say who one is: the first message where `Welcome.auth` is ``required``; later a refresh.

    Attributes:
        id: The client's number for this request, given back in the answer.
        token: A JSON Web Token (RFC 7519).
    """

    id: int
    token: str

    def __repr__(self) -> str:
        """Hide the token."""
        return f"Auth(id={self.id}, token=***)"


class Subscribe(msgspec.Struct, tag="subscribe", frozen=True, omit_defaults=True):
    """Ask for a channel's data of some symbols; idempotent.

    Attributes:
        id: The client's number for this request, given back in the answer.
        channel: ``quotes`` (last value, conflated), ``trades`` or ``bars`` (every one, in order).
        symbols: Which instruments.
        interval: Which bars; for channel ``bars`` only.
        max_hz: Messages a second at most; 0 means the server's default.
        since: By symbol where the client stands: ``trades`` and ``bars`` go on from there, and
            ``quotes`` leaves out of the snapshot what has not changed.
        snapshot: Whether to begin with the state as it is now; where ``trades`` and ``bars``
            begin is always told to who goes on from somewhere.
        indicators: Which to compute at each bar, such as ``SMA(20)``; for channel ``bars`` only.
            Other indicators than before take their place. ``/api/indicators`` lists them.
    """

    id: int
    channel: Channel
    symbols: list[str]
    interval: Interval | None = None
    max_hz: float = 0
    since: Mapping[str, Position] = {}
    snapshot: bool = True
    indicators: list[str] = []


class Unsubscribe(msgspec.Struct, tag="unsubscribe", frozen=True, omit_defaults=True):
    """End what `Subscribe` began, at whatever rate and with whatever indicators."""

    id: int
    channel: Channel
    symbols: list[str]
    interval: Interval | None = None


class Ping(msgspec.Struct, tag="ping", frozen=True):
    """Ask for the server's clock; ``id`` comes back in the `Pong`."""

    id: int


class List(msgspec.Struct, tag="list", frozen=True):
    """Ask what the connection is subscribed to."""

    id: int


ClientMessage = Auth | Subscribe | Unsubscribe | List | Ping


# ---- server to client ----------------------------------------------------------------------


class Welcome(msgspec.Struct, tag="welcome", frozen=True):
    """First message of every connection.

    Attributes:
        version: Protocol version.
        server: Names this server process; another name after a reconnect means another process.
        time_ms: The server's clock.
        heartbeat_ms: The server is never silent for longer than this.
        max_hz: Messages a second at most that a subscription can have.
        max_symbols: Symbols at most that a connection can subscribe to.
        max_message_bytes: A longer message from the client closes the connection.
        max_commands_per_s: Commands a second; a burst of twice as many is taken.
        auth: Whether a token must come first.
    """

    version: int
    server: str
    time_ms: int
    heartbeat_ms: int
    max_hz: float
    max_symbols: int
    max_message_bytes: int
    max_commands_per_s: int
    auth: Literal["none", "required"]


class Authenticated(msgspec.Struct, tag="authenticated", frozen=True):
    """Answer to `Auth`.

    Attributes:
        id: The request's number.
        expires_ms: Until when, by the server's clock; send a new token before.
    """

    id: int
    expires_ms: int


class Subscribed(msgspec.Struct, tag="subscribed", frozen=True, omit_defaults=True):
    """Answer to `Subscribe`: what is subscribed, and what is not and why, symbol by symbol.

    Attributes:
        id: The request's number.
        channel: As asked for.
        symbols: Those now subscribed to.
        failed: By symbol why not.
        max_hz: Messages a second at most that the subscription got.
        interval: As asked for.
        indicators: Each as `Bars.indicators` names it, with all its parameters.
    """

    id: int
    channel: Channel
    symbols: list[str]
    failed: dict[str, ErrorCode]
    max_hz: float
    interval: Interval | None = None
    indicators: list[str] = []


class Unsubscribed(msgspec.Struct, tag="unsubscribed", frozen=True, omit_defaults=True):
    """Answer to `Unsubscribe`."""

    id: int
    channel: Channel
    symbols: list[str]
    interval: Interval | None = None


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a connection gets of a channel at one rate, and with which indicators."""

    channel: Channel
    symbols: list[str]
    max_hz: float
    interval: Interval | None = None
    indicators: list[str] = []


class Listed(msgspec.Struct, tag="listed", frozen=True):
    """Answer to `List`."""

    id: int
    subscriptions: list[Subscription]


class Pong(msgspec.Struct, tag="pong", frozen=True):
    """Answer to `Ping`, with the server's clock."""

    id: int
    time_ms: int


class Heartbeat(msgspec.Struct, tag="heartbeat", frozen=True):
    """Said every ``heartbeat_ms``: the connection lives, and this is what it was sent.

    Attributes:
        time_ms: The server's clock.
        frames: Messages sent on this connection before this one, the welcome included. A client
            that has counted fewer has lost some.
    """

    time_ms: int
    frames: int


class Status(msgspec.Struct, tag="status", frozen=True):
    """How the sources and this server do; after `Welcome`, and whenever it changes."""

    sources: list[SourceStatus]
    gateway: GatewayStatus


class Shutdown(msgspec.Struct, tag="shutdown", frozen=True):
    """The server is about to close the connection; come again after a while.

    Attributes:
        reconnect_ms: How long to wait; another for each client, so that they do not come at once.
    """

    reconnect_ms: int


class Error(msgspec.Struct, tag="error", frozen=True, omit_defaults=True):
    """A request failed. The same body answers over HTTP.

    Attributes:
        code: Which error.
        message: What was wrong, where, and what to do.
        id: The request's number, where it had one.
        symbol: The instrument that a source has trouble with; for code ``source``.
    """

    code: ErrorCode
    message: str
    id: int | None = None
    symbol: str | None = None


class QuoteRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What changes with every trade, as small as it can be: an array, times against the frame's.

    Attributes:
        symbol: The instrument.
        last: Price of the last trade.
        size: Size of the last trade.
        bid: Best bid less ``last`` in units of ``10**-decimals``, see `QuoteDetails.decimals`; the
            bid itself where there are no decimals; null where there is no bid.
        ask: Best ask, likewise.
        volume: Shares or units traded in this session.
        event_delta_ms: Event time less `Quotes.event_ms`.
        received_delta_ms: Receive time less `Quotes.received_ms`.
        offset: Number of this value within the symbol's epoch; an update raises it by `count`.
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
        decimals: A row's bid is ``(round(last * 10**decimals) + bid) / 10**decimals``, which is
            exact; null where prices are on no such grid, and the row has the bid itself.
    """

    open: float
    high: float
    low: float
    prev_close: float | None
    session: str
    epoch: str
    decimals: int | None


class Quotes(msgspec.Struct, tag="quotes", frozen=True, omit_defaults=True):
    """Quotes of some symbols: a snapshot or an update, by one schema; also ``/api/quotes``.

    Attributes:
        event_ms: What the rows' event times are counted from.
        received_ms: What the rows' receive times are counted from.
        rows: One a symbol.
        details: By symbol; of all in a snapshot, of the changed in an update.
        snapshot: True where the rows are the state as it is, not one change after another.
        cursor: Over HTTP: give it back as ``since`` to get what has changed from here on.
        failed: Over HTTP: by symbol, why no newer quote than this could be had, for a person.
    """

    event_ms: int
    received_ms: int
    rows: list[QuoteRow]
    details: Mapping[str, QuoteDetails] = {}
    snapshot: bool = False
    cursor: str | None = None
    failed: Mapping[str, str] = {}


class TradeRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One trade, as small as it can be: an array, times against the frame's.

    Attributes:
        symbol: The instrument.
        price: Price.
        size: Shares or units; 0 where the source knows none.
        event_delta_ms: Event time less `Trades.event_ms`.
        received_delta_ms: Receive time less `Trades.received_ms`.
        offset: Number of this trade within the symbol's epoch. It rises from trade to trade, not
            always by one: a change of the best prices alone is numbered, too.
    """

    symbol: str
    price: float
    size: float
    event_delta_ms: int
    received_delta_ms: int
    offset: int


class Trades(msgspec.Struct, tag="trades", frozen=True, omit_defaults=True):
    """Trades of some symbols: every one, a symbol's in order of their offsets.

    Attributes:
        event_ms: What the rows' event times are counted from.
        received_ms: What the rows' receive times are counted from.
        rows: The trades.
        positions: By symbol where the client stands after this message: in the first message of a
            subscription, and when it does not follow from the rows.
        recovered: By symbol the answer to `Subscribe.since`: true where nothing is missing, false
            where some trades can be had no more. False may also come later, as the only sign of
            a gap.
    """

    event_ms: int
    received_ms: int
    rows: list[TradeRow]
    positions: Mapping[str, Position] = {}
    recovered: Mapping[str, bool] = {}


class Bars(msgspec.Struct, tag="bars", frozen=True, omit_defaults=True):
    """Bars that began, changed or became final; an open bar is conflated, a final one never.

    Attributes:
        interval: Length of the bars.
        rows: In order of their start, a symbol's together.
        epochs: By symbol, as in `QuoteDetails.epoch`; in a snapshot and when one changed.
        snapshot: True for the first answer to a subscription: the open bars. There can be several:
            one that has ended stays open for a while, for late trades.
        offsets: By symbol where the client stands after this message, within the epoch.
        recovered: By symbol the answer to `Subscribe.since`: true where the rows have all that
            became final since then, false where they cannot, and history must be loaded again.
            False may also come later, as the only sign of a gap.
        indicators: By indicator one list for each row: its values in the order of its outputs, null
            where it has none. While a symbol's history is being loaded all are null; the same bars
            are sent again then.
    """

    interval: Interval
    rows: list[Bar]
    epochs: Mapping[str, str] = {}
    snapshot: bool = False
    offsets: Mapping[str, int] = {}
    recovered: Mapping[str, bool] = {}
    indicators: Mapping[str, list[list[float | None]]] = {}


DataMessage = Quotes | Trades | Bars

ServerMessage = (
    Welcome
    | Authenticated
    | Subscribed
    | Unsubscribed
    | Listed
    | Pong
    | Heartbeat
    | Status
    | Shutdown
    | Alerted
    | Error
    | Quotes
    | Trades
    | Bars
)


# ---- HTTP bodies ---------------------------------------------------------------------------


class SymbolList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of ``/api/symbols`` and ``/api/search``.

    Attributes:
        symbols: The instruments.
        note: Of a search: why the sources could not be asked, so that only instruments are told
            that are declared already.
    """

    symbols: list[SymbolInfo]
    note: str | None = None


class BarSeries(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of ``/api/bars``: columns of equal length, oldest first.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        epoch: As in `QuoteDetails.epoch`.
        offset: Where the series ends within the epoch: what `Subscribe.since` goes on from.
        time_ms: Event time of the last trade in the last bar, null where there is no bar.
        start_ms: Where each bar begins.
        open: First prices.
        high: Highest prices.
        low: Lowest prices.
        close: Last prices.
        volume: Shares or units traded.
        final: False for bars that may still change, which are the last.
        more: Whether there can be older bars within what was asked for: ask for those up to the
            first start less one.
        note: Why bars are missing that a source may have, for a person; ``more`` tells whether it
            can help to ask again.
        indicators: By indicator and output a column, null where there is no value.
    """

    symbol: str
    interval: Interval
    epoch: str
    offset: int
    time_ms: int | None
    start_ms: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    final: list[bool]
    more: bool = False
    note: str | None = None
    indicators: Mapping[str, Mapping[str, list[float | None]]] = {}


class TradeSeries(msgspec.Struct, frozen=True):
    """Body of ``/api/trades``: columns of equal length, oldest first.

    Attributes:
        symbol: The instrument.
        epoch: As in `QuoteDetails.epoch`.
        offset: Where the series ends within the epoch: what `Subscribe.since` goes on from. No
            trade is missing between the first and there.
        time_ms: Event times.
        price: Prices.
        size: Shares or units; 0 where the source knows none.
        offsets: As in `TradeRow.offset`.
    """

    symbol: str
    epoch: str
    offset: int
    time_ms: list[int]
    price: list[float]
    size: list[float]
    offsets: list[int]


encode = msgspec.json.Encoder().encode

_client_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)


class Envelope(msgspec.Struct):
    """What every message has, or should have."""

    type: str = ""
    id: int | None = None


decode_envelope = msgspec.json.Decoder(Envelope).decode

COMMANDS = frozenset({"auth", "subscribe", "unsubscribe", "list", "ping"})
"""The types of client messages."""

_SERVER_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(ServerMessage))


def decode_client_message(text: str | bytes) -> ClientMessage:
    """Decode what a client said.

    Raises:
        msgspec.DecodeError: The text is not JSON, or not a known message with valid fields.
    """
    return _client_decoder.decode(text)


def decode_server_message(text: str | bytes) -> ServerMessage | None:
    """Decode what the server said; None for a type that a newer server may have.

    Raises:
        msgspec.DecodeError: The text is not JSON, or a known message with wrong fields.
    """
    try:
        return _server_decoder.decode(text)
    except msgspec.ValidationError:
        if decode_envelope(text).type in _SERVER_TYPES:
            raise
        return None
