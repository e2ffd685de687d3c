"""What a `Session` tells its shell to do, and what it tells of.

Times are UTC epoch milliseconds by this machine's clock, unless a name says otherwise.

To do: `Open`, `Close`, `Send`, `Poll`, `Load`, `Renew`. To tell: `StateChanged`, `QuotesChanged`,
`BarsChanged`, `TradesChanged`, `Lost`, `Failed`, `Trouble`, `StatusChanged`. As JSON each
is an object with the tag ``do``, the same as in JavaScript.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from dashboard.client.core.bars import Bar
from dashboard.client.core.trades import Trade
from feed_server.protocol import Auth, Channel, Ping, Quote, SourceStatus, Subscribe, Unsubscribe

Mode = Literal["auto", "websocket", "polling"]
"""What the user has set: ``auto`` is the WebSocket, polling where it fails, then the relay."""

Way = Literal["websocket", "polling", "relay"]
"""How data comes: a link (``websocket``, ``relay``) or requests (``polling``)."""

State = Literal["connecting", "live", "polling", "stale", "offline", "closed"]
"""How the connection does; ``closed`` ends only by `Session.start` or another token."""

Request = Auth | Ping | Subscribe | Unsubscribe
"""What is sent over a link."""


class Open(msgspec.Struct, frozen=True, tag_field="do", tag="open"):
    """Open a link; what it says goes to `Session.received`, its end to `Session.closed`.

    A way has one link at a time. Who cannot open one says so by `Session.closed`, too.
    """

    way: Way


class Close(msgspec.Struct, frozen=True, tag_field="do", tag="close"):
    """Give a link up: nothing of it is wanted any more, not even its end."""

    way: Way


class Send(msgspec.Struct, frozen=True, tag_field="do", tag="send"):
    """Say something over a link that is open."""

    way: Way
    message: Request


class Poll(msgspec.Struct, frozen=True, tag_field="do", tag="poll"):
    """Ask ``/api/status`` and ``/api/quotes``, over HTTP, and answer by `polled` or `poll_failed`.

    Attributes:
        id: To be given back with the answer; answers to former polls are ignored.
        symbols: Of which instruments; where there is none, ``/api/status`` alone is asked.
        since: The query's ``since``, None for none.
    """

    id: int
    symbols: list[str]
    since: str | None = None


class Load(msgspec.Struct, frozen=True, tag_field="do", tag="load"):
    """Ask ``/api/bars`` or ``/api/trades``, and answer by `loaded` or `load_failed`.

    Attributes:
        way: ``polling`` over HTTP, ``relay`` over the relay.
        id: To be given back with the answer.
        channel: ``bars`` or ``trades``.
        symbol: Of which instrument.
        limit: The query's ``limit``: bars or trades at most.
        interval: Of which bars; None for trades.
        start_ms: The query's ``start``, None for none.
        end_ms: The query's ``end``, None for none.
        indicators: The query's ``indicators``.
    """

    way: Way
    id: int
    channel: Literal["bars", "trades"]
    symbol: str
    limit: int
    interval: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    indicators: tuple[str, ...] = ()


class Renew(msgspec.Struct, frozen=True, tag_field="do", tag="renew"):
    """Get another token, and give it to `Session.token`; where none can be had, do nothing.

    It is asked again after a while.
    """


class StateChanged(msgspec.Struct, frozen=True, tag_field="do", tag="state"):
    """The connection's state, or why it is so, has changed.

    Attributes:
        state: See `State`.
        code: Why: ``starting``, ``welcomed``, ``relayed``, ``heard``, ``silent``, ``fell_back``,
            ``polling_chosen``, ``poll_failed``, ``refused``, ``closed``, ``timeout``,
            ``unreachable``, ``shutdown``, ``hidden``, ``shown``, ``mode_changed``, ``stopped``,
            ``token``, an `ErrorCode`, or a `CloseCode`'s name in lower case.
        reason: The same for a person.
        way: How data comes, or is tried to come.
        at_ms: Since when.
    """

    state: State
    code: str
    reason: str
    way: Way
    at_ms: float


class QuotesChanged(msgspec.Struct, frozen=True, tag_field="do", tag="quotes"):
    """Quotes that are newer than those before; each symbol once.

    Attributes:
        quotes: The newest of each symbol that changed.
        pushed: Whether they came as one change after another, so that latency can be measured: not
            so in a snapshot, or where they were polled.
    """

    quotes: list[Quote]
    pushed: bool


class BarsChanged(msgspec.Struct, frozen=True, tag_field="do", tag="bars"):
    """Bars of one series have changed; `Session.bars` has all that are held.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        reset: Whether bars before the last ones changed too: draw all.
        since_ms: Start of the earliest bar that changed; None where none did.
        finals: Bars that became final, each once and in order of their start. Where the feed began
            anew they begin anew, too.
    """

    symbol: str
    interval: str
    reset: bool
    since_ms: int | None
    finals: list[Bar]


class TradesChanged(msgspec.Struct, frozen=True, tag_field="do", tag="trades"):
    """Trades, each once, those of a symbol in order."""

    trades: list[Trade]


class Lost(msgspec.Struct, frozen=True, tag_field="do", tag="lost"):
    """Some data of a lossless channel is missing, and cannot be had any more.

    It is told before the data after the gap.

    Attributes:
        channel: ``bars`` or ``trades``.
        symbol: The instrument.
        interval: Of which bars; None for trades.
        code: ``gap`` where history does not reach back, ``epoch`` where the feed began anew, an
            `ErrorCode` where it refused history.
        reason: The same for a person.
    """

    channel: Channel
    symbol: str
    interval: str | None
    code: str
    reason: str


class Failed(msgspec.Struct, frozen=True, tag_field="do", tag="failed"):
    """The feed does not give something that is wanted; told once for as long as it is so.

    Attributes:
        channel: Which channel.
        symbol: The instrument, as it was asked for.
        interval: Of which bars; None for other channels.
        code: An `ErrorCode`; ``unknown_symbol`` and others that may pass are asked again.
        reason: The same for a person.
        indicators: Whose wants alone are refused: those with one of these; empty for all.
    """

    channel: Channel
    symbol: str
    interval: str | None
    code: str
    reason: str
    indicators: tuple[str, ...] = ()


class Trouble(msgspec.Struct, frozen=True, tag_field="do", tag="trouble"):
    """There is trouble with a symbol that is wanted; it is still subscribed to.

    A source cannot give it: it may come from another one, or later, and what is held of it grows
    stale by its age alone. Or its history cannot be had: what is pushed comes without.

    Attributes:
        symbol: The instrument.
        code: An `ErrorCode`.
        reason: Which source, and what it says of it; or which history, and why.
    """

    symbol: str
    code: str
    reason: str


class StatusChanged(msgspec.Struct, frozen=True, tag_field="do", tag="status"):
    """What the feed says of its sources, by their names."""

    sources: Mapping[str, SourceStatus]


Action = (
    Open
    | Close
    | Send
    | Poll
    | Load
    | Renew
    | StateChanged
    | QuotesChanged
    | BarsChanged
    | TradesChanged
    | Lost
    | Failed
    | Trouble
    | StatusChanged
)
