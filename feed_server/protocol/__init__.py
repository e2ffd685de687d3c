"""Every message on Quotewire's wire, as typed structs. No I/O.

``data`` holds market data (`Quote`, `Trade`, `Bar`, `SymbolInfo`), ``messages`` what clients and
server say to each other, ``codes`` the error and close codes. ``docs/protocol.md`` tells the flows.
"""

from feed_server.protocol.codes import CloseCode, ErrorCode
from feed_server.protocol.data import (
    Bar,
    Interval,
    Quote,
    SourceState,
    SourceStatus,
    SymbolInfo,
    Trade,
)
from feed_server.protocol.messages import (
    PROTOCOL_VERSION,
    Bars,
    BarSeries,
    ClientMessage,
    Error,
    Heartbeat,
    Ping,
    Pong,
    QuoteDetails,
    QuoteRow,
    Quotes,
    ServerMessage,
    Status,
    Subscribe,
    Subscribed,
    SymbolList,
    Unsubscribe,
    Unsubscribed,
    Welcome,
    decode_client_message,
    decode_server_message,
    encode,
)

__all__ = [
    "PROTOCOL_VERSION",
    "Bar",
    "BarSeries",
    "Bars",
    "ClientMessage",
    "CloseCode",
    "Error",
    "ErrorCode",
    "Heartbeat",
    "Interval",
    "Ping",
    "Pong",
    "Quote",
    "QuoteDetails",
    "QuoteRow",
    "Quotes",
    "ServerMessage",
    "SourceState",
    "SourceStatus",
    "Status",
    "Subscribe",
    "Subscribed",
    "SymbolInfo",
    "SymbolList",
    "Trade",
    "Unsubscribe",
    "Unsubscribed",
    "Welcome",
    "decode_client_message",
    "decode_server_message",
    "encode",
]
