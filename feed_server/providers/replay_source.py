"""What a replay plays: the tapes of all symbols as one stream of events."""

import heapq
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from itertools import chain, islice
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from feed_server.errors import ConfigurationError
from feed_server.protocol import SymbolInfo, Trade
from feed_server.providers.replay_tape import Due, QuoteTape, Tape


@dataclass(frozen=True, eq=False, slots=True)
class ReplaySource:
    """Everything a replay knows: its instruments, their tapes, and from when on it plays them.

    Attributes:
        zone: IANA name of the zone by which sessions are dated.
        infos: The instruments.
        tapes: By symbol; those of one kind follow each other.
        start_ms: What lies before is history, the rest is played; event time.
    """

    zone: str
    infos: Sequence[SymbolInfo]
    tapes: Mapping[str, Sequence[Tape]]
    start_ms: int

    @property
    def end_ms(self) -> int:
        """When the last event is played."""
        return max(tape.end_ms for tapes in self.tapes.values() for tape in tapes)

    def events(self, taken: Mapping[str, int]) -> Iterator[Due]:
        """Make what is played of all symbols, lazily, in the order in which it is due.

        Args:
            taken: By symbol how many of its events to leave out.
        """
        by_symbol = [
            _events([_from(tape, self.start_ms) for tape in tapes], taken.get(symbol, 0))
            for symbol, tapes in self.tapes.items()
        ]
        return heapq.merge(*by_symbol, key=_due_ms)

    def trades(self) -> Iterator[Trade]:
        """Make all trades that are played, see `events`."""
        return (event for _, event in self.events({}) if isinstance(event, Trade))

    def fingerprint(self) -> str:
        """Return what two sources have in common only where they play the same."""
        parts = [self.zone, str(self.start_ms)]
        for symbol, tapes in sorted(self.tapes.items()):
            for tape in tapes:
                sums = [zlib.crc32(np.ascontiguousarray(c).data) for c in tape.columns()]
                parts.append(f"{symbol} {len(tape.times)} {sums}")
        return sha256("\n".join(parts).encode()).hexdigest()[:16]


def make_source(
    tapes: Mapping[str, Sequence[Tape]],
    infos: Sequence[SymbolInfo],
    zone: str,
    start: date | None,
) -> ReplaySource:
    """Put tapes together, to be played from a date on; `None` plays all of them.

    Raises:
        ConfigurationError: Nothing is left to play.
    """
    every = list(chain.from_iterable(tapes.values()))
    if start is None:
        start_ms = min(int(tape.dues[0]) for tape in every)
    else:
        start_ms = int(datetime.combine(start, time(), ZoneInfo(zone)).timestamp()) * 1000
    source = ReplaySource(zone, infos, tapes, start_ms)
    if not any(tape.dues[-1] >= start_ms for tape in every):
        last_date = pd.Timestamp(source.end_ms, unit="ms", tz=zone).date()
        raise ConfigurationError(
            f"nothing to replay from {start}: the data end on {last_date}; choose an earlier start"
        )
    return source


def _from(tape: Tape, start_ms: int) -> Tape:
    return tape.part(slice(int(np.searchsorted(tape.dues, start_ms)), None))


def _events(tapes: Sequence[Tape], count: int) -> Iterator[Due]:
    """Make the events of one symbol without the first ``count`` of them."""
    quotes = [tape for tape in tapes if isinstance(tape, QuoteTape)]
    prices = [tape for tape in tapes if not isinstance(tape, QuoteTape)]
    if quotes:
        # Of equal times, trades come first: a recorded quote is that after its trades.
        both = (chain.from_iterable(map(_made, kind)) for kind in (prices, quotes))
        return islice(heapq.merge(*both, key=_due_ms), count, None)
    left = []
    for tape in prices:
        rest, count = tape.from_event(count)
        left.append(rest)
    return islice(chain.from_iterable(map(_made, left)), count, None)


def _made(tape: Tape) -> Iterator[Due]:
    return tape.events()


def _due_ms(due: Due) -> int:
    return due[0]
