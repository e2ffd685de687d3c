"""What gateways ask of the sources, and what they are told; carried by `feed_server.bus.rpc`."""

import msgspec

from feed_server.protocol import ErrorCode, Interval, SymbolInfo


class Resolve(msgspec.Struct, tag="resolve", frozen=True):
    """Find a symbol that is not declared, and declare it. Answered by `Found` with it alone."""

    symbol: str


class Refresh(msgspec.Struct, tag="refresh", frozen=True):
    """Fetch quotes that are polled now if they are older than ``max_age_ms``.

    Answered by `Done` when that is published.
    """

    symbols: list[str]
    max_age_ms: int


class LoadBars(msgspec.Struct, tag="load_bars", frozen=True):
    """Fetch history. Answered by `Loaded`.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        start_ms: Bars that begin here or later.
        end_ms: Bars that begin before.
    """

    symbol: str
    interval: Interval
    start_ms: int
    end_ms: int


class Search(msgspec.Struct, tag="search", frozen=True):
    """Find instruments by a part of their symbol or name. Answered by `Found`."""

    text: str


Request = Resolve | Refresh | LoadBars | Search


class Done(msgspec.Struct, tag="done", frozen=True):
    """It is done."""


class Found(msgspec.Struct, tag="found", frozen=True):
    """Instruments, the best first."""

    infos: list[SymbolInfo]


class Loaded(msgspec.Struct, tag="loaded", frozen=True):
    """Final bars as columns, oldest first.

    Attributes:
        since_ms: From when on these are all that the source has; what lies before was not told.
    """

    start_ms: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    since_ms: int


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """It could not be done.

    Attributes:
        code: For programs.
        message: For people.
        retry_ms: When to ask again; `None` where that does not help, or is not known.
    """

    code: ErrorCode
    message: str
    retry_ms: int | None = None


Answer = Done | Found | Loaded | Failed
