"""What a client told who uses it: entries in the order in which it told them.

Both clients write them alike, as JSON arrays: ``["trade", at_ms, …]``. ``at_ms`` is when it was
told, in milliseconds since the epoch.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec


class StateChange(msgspec.Struct, tag="state", array_like=True, frozen=True):
    """A change of state, as a listener got it."""

    at_ms: float
    state: str
    code: str
    way: str


class Sample(msgspec.Struct, tag="sample", array_like=True, frozen=True):
    """The state that was shown at a moment."""

    at_ms: float
    state: str
    way: str


class Told(msgspec.Struct, tag="trade", array_like=True, frozen=True):
    """A trade."""

    at_ms: float
    symbol: str
    offset: int
    time_ms: int
    price: float
    size: float


class Closed(msgspec.Struct, tag="bar", array_like=True, frozen=True):
    """A bar that has become final."""

    at_ms: float
    symbol: str
    interval: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Quoted(msgspec.Struct, tag="quote", array_like=True, frozen=True):
    """A quote."""

    at_ms: float
    symbol: str
    time_ms: int
    last: float
    volume: float


class Lost(msgspec.Struct, tag="lost", array_like=True, frozen=True):
    """A gap that could not be mended."""

    at_ms: float
    channel: str
    symbol: str
    interval: str | None


class Failure(msgspec.Struct, tag="failure", array_like=True, frozen=True):
    """Something that should not be: an exception, an error in the page."""

    at_ms: float
    text: str


Entry = StateChange | Sample | Told | Closed | Quoted | Lost | Failure

TradeKey = tuple[int, int, float, float]
"""Offset, event time, price and size."""

BarKey = tuple[int, float, float, float, float, float]
"""Start, open, high, low, close and volume."""

QuoteKey = tuple[int, float, float]
"""Event time, last price and volume."""


class Record:
    """All that one client told.

    Args:
        entries: In the order in which they were told.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.states: list[StateChange] = []
        self.samples: list[Sample] = []
        self.losses: list[Lost] = []
        self.failures: list[Failure] = []
        self.quotes: dict[str, list[tuple[float, QuoteKey]]] = defaultdict(list)
        self.trades: dict[str, list[tuple[float, TradeKey]]] = defaultdict(list)
        self.bars: dict[tuple[str, str], list[tuple[float, BarKey]]] = defaultdict(list)
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        match entry:
            case StateChange():
                self.states.append(entry)
            case Sample():
                self.samples.append(entry)
            case Lost():
                self.losses.append(entry)
            case Failure():
                self.failures.append(entry)
            case Quoted(at_ms, symbol, time_ms, last, volume):
                self.quotes[symbol].append((at_ms, (time_ms, last, volume)))
            case Told(at_ms, symbol, offset, time_ms, price, size):
                self.trades[symbol].append((at_ms, (offset, time_ms, price, size)))
            case Closed():
                self.bars[entry.symbol, entry.interval].append((entry.at_ms, _bar_key(entry)))


def _bar_key(bar: Closed) -> BarKey:
    return (bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume)


decode_entries = msgspec.json.Decoder(list[Entry]).decode
