"""Whether a symbol's quote is as new as it should be, from its own rhythm. Pure.

All times are the server's clock (`Meter.server_ms`), in milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from feed_server.protocol import SourceState

Freshness = Literal["fresh", "stale", "closed", "unknown"]

GAPS = 8
"""A symbol is stale after so many of its typical gaps,"""
LEAST_MS = 15_000
"""but not before this,"""
MOST_MS = 900_000
"""and not after this,"""
UNSURE_MS = 300_000
"""and after this, where too little is known of its rhythm."""
ENOUGH = 3
"""Gaps from which a rhythm is known."""
WEIGHT = 0.2
"""Of the newest gap in the typical one."""
LONGEST_MS = MOST_MS / GAPS
"""A longer gap counts as this: after a night it must not take hours to know the rhythm again."""

DEAD = frozenset({"stale", "offline", "closed"})
"""States of a connection in which nothing is known to be current."""


@dataclass(frozen=True, slots=True)
class Age:
    """How a symbol does.

    Attributes:
        state: ``unknown`` where no quote came yet.
        age_ms: Since the feed received its last quote; None where none came.
    """

    state: Freshness
    age_ms: float | None


@dataclass(slots=True)
class _Rhythm:
    received_ms: float
    gaps: int = 0
    typical_ms: float = 0.0

    @property
    def stale_ms(self) -> float:
        """From when on it is stale."""
        if self.gaps < ENOUGH:
            return self.received_ms + UNSURE_MS
        return self.received_ms + min(MOST_MS, max(LEAST_MS, GAPS * self.typical_ms))


class Staleness:
    """Knows the rhythm of each symbol, and how its source and the connection do."""

    def __init__(self) -> None:
        self._rhythms: dict[str, _Rhythm] = {}
        self._source_of: Mapping[str, str] = {}
        self._sources: Mapping[str, SourceState] = {}
        self._connection = "connecting"

    def heard(self, symbol: str, received_ms: float) -> bool:
        """Take note of when the feed received what is told of a symbol.

        Returns:
            Whether it is news: a quote also changes by what is learnt of its session, and is then
            told with the time of its last event.
        """
        rhythm = self._rhythms.get(symbol)
        if rhythm is None:
            self._rhythms[symbol] = _Rhythm(received_ms)
            return True
        gap_ms = min(LONGEST_MS, received_ms - rhythm.received_ms)
        if gap_ms <= 0:
            return False
        rhythm.received_ms = received_ms
        rhythm.typical_ms += (WEIGHT if rhythm.gaps else 1) * (gap_ms - rhythm.typical_ms)
        rhythm.gaps += 1
        return True

    def forget(self, symbol: str) -> None:
        """Know nothing of a symbol any more."""
        self._rhythms.pop(symbol, None)

    def sources(self, states: Mapping[str, SourceState]) -> None:
        """Take how the sources do, by name."""
        self._sources = states

    def symbols(self, source_of: Mapping[str, str]) -> None:
        """Take by symbol which source tells it; one that is not known is of the only source."""
        self._source_of = source_of

    def connection(self, state: str) -> None:
        """Take how the connection does, as `actions.State` has it.

        To connect again makes nothing current: who was stale stays so until data comes.
        """
        if state != "connecting" or self._connection not in DEAD:
            self._connection = state

    def of(self, symbol: str, now_ms: float) -> Age:
        """Tell how a symbol does."""
        rhythm = self._rhythms.get(symbol)
        if rhythm is None:
            return Age("unknown", None)
        age_ms = max(0, now_ms - rhythm.received_ms)
        given = self._given(symbol)
        if given is not None:
            return Age(given, age_ms)
        return Age("fresh" if now_ms < rhythm.stale_ms else "stale", age_ms)

    def _given(self, symbol: str) -> Freshness | None:
        """Return the state that does not depend on time, None where it does."""
        if self._connection in DEAD:
            return "stale"
        source = self._source_of.get(symbol)
        if source is None and len(self._sources) == 1:
            source = next(iter(self._sources))
        state = None if source is None else self._sources.get(source)
        if state == SourceState.CLOSED:
            return "closed"
        return "stale" if state == SourceState.DOWN else None
