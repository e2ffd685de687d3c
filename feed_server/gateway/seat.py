"""What one member of the fan-out has of one topic, and where it stands. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from feed_server.gateway.cohort import Cohort, Delivery
from feed_server.gateway.pending import QuotePending
from feed_server.gateway.recovery import Recovery
from feed_server.protocol import Position

Member = TypeVar("Member", bound=Hashable)

BEGINNING = Position("", 0)


@dataclass(slots=True)
class Seat(Generic[Member]):
    """What one member has of one topic.

    Attributes:
        cohort: Where it gets frames from.
        bare: Symbols that it began without a snapshot; quotes only.
        behind: Symbols of which it has missed a value; quotes only.
        behind_since: From which of the cohort's batches on it has missed all; quotes only.
        aside: By symbol where it stands, of those it gets nothing of until it can read again.
        recoveries: On the way to the present.
    """

    cohort: Cohort[Member] | None = None
    bare: set[str] = field(default_factory=set)
    behind: set[str] = field(default_factory=set)
    behind_since: int | None = None
    aside: dict[str, Position] = field(default_factory=dict)
    recoveries: list[Recovery[Member]] = field(default_factory=list)

    def flowing(self) -> frozenset[str]:
        """Return the symbols that it gets frames of."""
        return self.cohort.symbols if self.cohort is not None else frozenset()

    def standing(self) -> dict[str, Position]:
        """Return by symbol where the member stands, as far as frames were made: lossless only."""
        told = self.cohort.pending.positions() if self.cohort is not None else {}
        # Nothing known of a symbol yet: its beginning is what the member waits for.
        standing = {symbol: told.get(symbol, BEGINNING) for symbol in self.flowing()}
        for recovery in self.recoveries:
            standing |= recovery.since
        return standing | self.aside

    def symbols(self) -> set[str]:
        """Return all symbols that it has."""
        recovering = (symbol for recovery in self.recoveries for symbol in recovery.since)
        return {*self.flowing(), *self.aside, *recovering}

    def note_missed(self, delivery: Delivery[Member]) -> None:
        """Note which quotes were missed: at no cost for one that misses batch after batch."""
        if delivery.cohort is None or delivery.cohort is not self.cohort:
            self.behind |= delivery.batch.symbols & self.flowing()
        elif self.behind_since is None:
            self.behind_since = delivery.batch.flush

    def settle_missed(self) -> None:
        """Name the symbols that were missed in the cohort."""
        pending = self.cohort.pending if self.cohort is not None else None
        if self.behind_since is not None and isinstance(pending, QuotePending):
            self.behind |= pending.told_since(self.behind_since)
        self.behind_since = None
