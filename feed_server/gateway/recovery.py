"""Bringing one reader of a lossless channel up to the present. Pure."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.continuity import chain
from feed_server.gateway.pending import Batch
from feed_server.gateway.rows import bars_of, open_bars, trade_rows, trades_message
from feed_server.gateway.topics import Topic
from feed_server.protocol import Bar, Bars, Interval, Position

Member = TypeVar("Member", bound=Hashable)

MAX_HEARD = 1_000
"""Updates of a symbol kept while its log is read; a longer read finds the rest in the log."""


@dataclass(frozen=True, slots=True)
class Caught:
    """What one symbol's page of the log has brought.

    Attributes:
        updates: What the reader has missed, in order.
        whole: Whether nothing is missing between where the reader stood and these.
        done: Whether the reader is at the present now, or can't be brought there.
    """

    updates: Sequence[StoredUpdate]
    whole: bool
    done: bool


LOST = Caught([], whole=False, done=True)


@dataclass(slots=True, eq=False)
class Recovery(Generic[Member]):
    """A reader on the way to the present.

    Attributes:
        member: Who.
        topic: Of what.
        since: By symbol where the reader stands.
        heard: By symbol what was offered since the recovery began.
    """

    member: Member
    topic: Topic
    since: dict[str, Position]
    heard: dict[str, list[StoredUpdate]] = field(default_factory=dict)

    def hear(self, stored: StoredUpdate) -> None:
        """Keep what is offered meanwhile."""
        kept = self.heard.setdefault(stored.update.quote.symbol, [])
        if len(kept) >= MAX_HEARD:
            del kept[0]
        kept.append(stored)

    def catch(
        self, symbol: str, log: Sequence[StoredUpdate], latest: StoredUpdate | None
    ) -> Caught:
        """Put one symbol's page of the log and what was heard together.

        Args:
            symbol: The instrument.
            log: What follows `since` in the log: all of it, or its first page.
            latest: The present.
        """
        since = self.since[symbol]
        if latest is None or latest.epoch != since.epoch or latest.offset < since.offset:
            return LOST
        page = chain(since, log)
        if page is None:
            return LOST
        # The log may be ahead of what was heard; what lies beyond comes as the next change.
        page = [stored for stored in page if stored.offset <= latest.offset]
        reached = page[-1].position if page else since
        heard = (s for s in self.heard.get(symbol, ()) if s.offset > reached.offset)
        rest = chain(reached, heard) or []
        end = rest[-1].position if rest else reached
        done = end == latest.position
        if not page and not done:
            return LOST  # The log does not reach back so far.
        # Where it is not done, the log goes on after this page.
        updates = [*page, *rest] if done else page
        if self.topic.channel == "trades" and any(u.update.missing for u in updates):
            return LOST
        return Caught(updates, whole=True, done=done)


def bounded(
    pages: Mapping[str, Sequence[StoredUpdate]], most: int
) -> dict[str, Sequence[StoredUpdate]]:
    """Return as much of some symbols' pages as makes a message of bearable length.

    Args:
        pages: By symbol what was read of its log.
        most: Updates and trades of all symbols together; of each the first update stays.
    """
    share = most // max(1, len(pages))
    cut = {}
    for symbol, page in pages.items():
        length, end = 0, 0
        while end < len(page) and (end == 0 or length < share):
            length += 1 + len(page[end].update.trades)
            end += 1
        cut[symbol] = page[:end]
    return cut


def recovered_batch(
    topic: Topic,
    caught: Mapping[str, Caught],
    since: Mapping[str, Position],
    latest: Mapping[str, StoredUpdate],
) -> Batch:
    """Return what a reader is told of the symbols of one recovery."""
    recovered = {s: c.whole for s, c in caught.items() if c.done}
    positions = {
        s: latest[s].position if c.done else c.updates[-1].position
        for s, c in caught.items()
        if s in latest
    }
    told = [update for c in caught.values() for update in c.updates]
    symbols = frozenset(caught)
    if topic.interval is None:
        rows = [row for stored in told for row in trade_rows(stored)]
        return Batch(trades_message(rows, positions, recovered), symbols, since)
    present = [latest[s] for s in positions if caught[s].done]
    message = Bars(
        topic.interval,
        _bars(topic.interval, told, present),
        {symbol: position.epoch for symbol, position in positions.items()},
        snapshot=True,
        offsets={symbol: position.offset for symbol, position in positions.items()},
        recovered=recovered,
    )
    return Batch(message, symbols, since)


def _bars(
    interval: Interval, told: Iterable[StoredUpdate], present: Iterable[StoredUpdate]
) -> list[Bar]:
    """Return the newest state of each bar that was told, and those that are open now."""
    bars = [bar for stored in told for bar in bars_of(stored, interval)]
    bars += [bar for stored in present for bar in open_bars(stored, interval)]
    newest = {(bar.symbol, bar.start_ms): bar for bar in bars}
    return [bar for _, bar in sorted(newest.items())]
