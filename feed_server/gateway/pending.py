"""What a cohort still has to be sent, by channel. Pure.

A quote's newest value wins; of trades and final bars every one is kept, in order; an open bar is
conflated.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.rows import (
    QuoteRows,
)
from feed_server.protocol import (
    DataMessage,
    Position,
    QuoteDetails,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A message, and where its readers stood before it.

    Attributes:
        message: What to send.
        since: By symbol of the message where its readers stood; who does not get it can go on from
            there. Empty for quotes, of which the newest value is enough.
        symbols: All symbols of the message.
        flush: Which of its cohort's batches of quotes it is; 0 for those of one reader alone.
    """

    message: DataMessage
    symbols: frozenset[str]
    since: Mapping[str, Position] = field(default_factory=dict)
    flush: int = 0


class Pending(ABC):
    """What all channels have in common."""

    @abstractmethod
    def __bool__(self) -> bool:
        """Tell whether there is something to send."""

    @property
    def is_large(self) -> bool:
        """Whether so much waits that it goes out before its time."""
        return False

    @abstractmethod
    def offer(self, stored: StoredUpdate) -> None:
        """Take one symbol's next change."""

    @abstractmethod
    def restate(self, stored: StoredUpdate) -> None:
        """Take a symbol's state as it is now: what came before it may be missing."""

    @abstractmethod
    def positions(self) -> dict[str, Position]:
        """Return by symbol where those stand who have got all that was taken, not what waits."""

    @abstractmethod
    def take(self) -> Batch:
        """Return what changed since the last call, as one message."""

    @abstractmethod
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        """Return the state of some symbols for one who begins with them."""


class QuotePending(Pending):
    """Quotes that changed since the last flush, newest value of each symbol.

    It keeps nothing of what is offered: the present is compared with what was told, once a flush
    instead of once a change, of which there are many more.

    Args:
        rows: Makes the rows.
        symbols: Of the cohort.
        latest: By symbol the present; the cohort's members begin with it.
    """

    def __init__(
        self, rows: QuoteRows, symbols: Iterable[str], latest: Mapping[str, StoredUpdate]
    ) -> None:
        self._rows = rows
        self._symbols = sorted(symbols)
        self._latest = latest
        self._told = {symbol: latest[symbol] for symbol in self._symbols if symbol in latest}
        self._told_at: dict[str, int] = {}
        self._flushes = 0
        self._details_told: dict[str, QuoteDetails] = {}
        self._restated: set[str] = set()

    def __bool__(self) -> bool:
        latest, told = self._latest, self._told
        return any(
            latest[symbol] is not told.get(symbol) for symbol in self._symbols if symbol in latest
        )

    @override
    def offer(self, stored: StoredUpdate) -> None:
        """Keep nothing: it is the present now."""

    @override
    def restate(self, stored: StoredUpdate) -> None:
        self._restated.add(stored.update.quote.symbol)

    @override
    def positions(self) -> dict[str, Position]:
        return {}

    def renew(self, symbols: Iterable[str]) -> None:
        """Tell the details of some symbols again with their next change: a reader lacks them."""
        for symbol in symbols:
            self._details_told.pop(symbol, None)

    def told(self, symbols: Iterable[str]) -> list[StoredUpdate]:
        """Return what the readers have of some symbols: the next change counts from there."""
        return [self._told[symbol] for symbol in symbols if symbol in self._told]

    def told_since(self, flush: int) -> set[str]:
        """Return the symbols that were told in a batch or after it."""
        return {symbol for symbol, at in self._told_at.items() if at >= flush}

    @override
    def take(self) -> Batch:
        latest, told, told_details = self._latest, self._told, self._details_told
        changed = {
            symbol: stored
            for symbol in self._symbols
            if (stored := latest.get(symbol)) is not None and stored is not told.get(symbol)
        }
        restated, self._restated = self._restated, set()
        if restated:
            self.renew(changed)
        cells = self._rows.cells(changed.values())
        counts = [
            stored.offset - before.offset
            if (before := told.get(symbol)) is not None and before.epoch == stored.epoch
            else stored.update.quote.count
            for symbol, stored in changed.items()
        ]
        fresh = {
            symbol: one.details
            for symbol, one in zip(changed, cells, strict=True)
            if told_details.get(symbol) is not one.details
        }
        self._flushes += 1
        self._told_at.update(dict.fromkeys(changed, self._flushes))
        told.update(changed)
        told_details.update(fresh)
        # Where one is a state, all are sent as such: the offsets tell what lies between.
        message = self._rows.message(cells, counts, fresh, snapshot=bool(restated))
        return Batch(message, frozenset(changed), flush=self._flushes)

    @override
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        message = self._rows.snapshot(latest)
        return Batch(message, frozenset(message.details))
