"""Who gets what, and when: conflation by cohort. Pure; time is passed in as seconds.

Members with the same channel, symbols and rate form a cohort and share each frame. The first change
of a quiet cohort goes out at once; after it the cohort waits its interval, and what changes
meanwhile is conflated: a quote's newest value wins and says how many changes it stands for, a final
bar is never dropped.
"""

import heapq
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.rows import (
    bars_snapshot,
    details_of,
    quotes_message,
    quotes_snapshot,
)
from feed_server.protocol import Bar, Bars, Interval, QuoteDetails, Quotes

Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a subscription is about: quotes where ``interval`` is None, else such bars."""

    interval: Interval | None
    max_hz: float


@dataclass(frozen=True, slots=True)
class Delivery(Generic[Member]):
    """One message for several members: encode it once."""

    members: tuple[Member, ...]
    message: Quotes | Bars


class _QuotePending:
    """Quotes that changed since the last flush, newest value of each symbol."""

    def __init__(self) -> None:
        self._changed: dict[str, tuple[StoredUpdate, int]] = {}
        self._details_sent: dict[str, QuoteDetails] = {}

    def __bool__(self) -> bool:
        return bool(self._changed)

    def offer(self, stored: StoredUpdate) -> None:
        quote = stored.update.quote
        before = self._changed.get(quote.symbol)
        waiting = before[1] if before is not None and before[0].epoch == stored.epoch else 0
        self._changed[quote.symbol] = (stored, waiting + quote.count)

    def forget(self, symbol: str) -> None:
        self._changed.pop(symbol, None)

    def take(self) -> Quotes:
        fresh = {}
        for symbol, (stored, _) in self._changed.items():
            details = details_of(stored)
            if self._details_sent.get(symbol) != details:
                fresh[symbol] = self._details_sent[symbol] = details
        message = quotes_message(self._changed.values(), fresh)
        self._changed = {}
        return message


class _BarPending:
    """Bars that changed since the last flush, newest state of each."""

    def __init__(self, interval: Interval) -> None:
        self._interval = interval
        self._changed: dict[tuple[str, int], Bar] = {}
        self._epochs_sent: dict[str, str] = {}
        self._epochs_fresh: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._changed)

    def offer(self, stored: StoredUpdate) -> None:
        symbol = stored.update.quote.symbol
        if self._epochs_sent.get(symbol) != stored.epoch:
            self._epochs_sent[symbol] = self._epochs_fresh[symbol] = stored.epoch
            self._changed = {k: bar for k, bar in self._changed.items() if k[0] != symbol}
        for bar in stored.update.bars:
            if bar.interval == self._interval:
                self._changed[symbol, bar.start_ms] = bar

    def forget(self, symbol: str) -> None:
        """Drop a symbol's forming bar; its final ones are still owed."""
        self._changed = {
            key: bar for key, bar in self._changed.items() if key[0] != symbol or bar.final
        }

    def take(self) -> Bars:
        rows = [bar for _, bar in sorted(self._changed.items())]
        message = Bars(self._interval, rows, self._epochs_fresh)
        self._changed, self._epochs_fresh = {}, {}
        return message


class _Cohort(Generic[Member]):
    def __init__(self, topic: Topic, symbols: frozenset[str]) -> None:
        self.topic = topic
        self.symbols = symbols
        self.members: dict[Member, None] = {}
        self.pending = _QuotePending() if topic.interval is None else _BarPending(topic.interval)
        self.scheduled = False
        self.next_flush_s = 0.0

    def flush(self, now_s: float) -> Delivery[Member]:
        self.next_flush_s = now_s + 1 / self.topic.max_hz
        return Delivery(tuple(self.members), self.pending.take())


class Fanout(Generic[Member]):
    """All cohorts of one gateway."""

    def __init__(self) -> None:
        self._cohorts: dict[tuple[Topic, frozenset[str]], _Cohort[Member]] = {}
        self._by_symbol: dict[str, dict[_Cohort[Member], None]] = {}
        self._of_member: dict[Member, dict[Topic, _Cohort[Member]]] = {}
        self._due: list[tuple[float, int, _Cohort[Member]]] = []
        self._scheduled = 0

    @property
    def cohorts(self) -> int:
        """Number of cohorts."""
        return len(self._cohorts)

    def symbols_of(self, member: Member) -> set[str]:
        """Return all symbols a member gets something of."""
        return {s for cohort in self._of_member.get(member, {}).values() for s in cohort.symbols}

    def subscriptions_of(self, member: Member) -> int:
        """Return how many (topic, symbol) pairs a member has."""
        return sum(len(cohort.symbols) for cohort in self._of_member.get(member, {}).values())

    def subscribe(
        self,
        member: Member,
        topic: Topic,
        symbols: Iterable[str],
        latest: Iterable[StoredUpdate],
        now_s: float,
    ) -> list[Delivery[Member]]:
        """Add symbols to what a member gets of a topic.

        Args:
            member: Who.
            topic: Of what.
            symbols: Which.
            latest: The state of those of ``symbols`` that have one, for the snapshot.
            now_s: The time.

        Returns:
            What must be sent now, in order: what its old and its new cohort still owe, then the
            member's snapshot. So no member gets anything twice or in the wrong order.
        """
        before = self._of_member.get(member, {}).get(topic)
        wanted = (before.symbols if before else frozenset()) | frozenset(symbols)
        owed = self._move(member, topic, wanted, now_s)
        kept = list(latest)
        if kept:
            owed.append(Delivery((member,), _snapshot(topic, kept)))
        return owed

    def unsubscribe(
        self, member: Member, topic: Topic, symbols: Iterable[str], now_s: float
    ) -> list[Delivery[Member]]:
        """Take symbols away from what a member gets of a topic; return what must be sent now."""
        before = self._of_member.get(member, {}).get(topic)
        if before is None:
            return []
        return self._move(member, topic, before.symbols - frozenset(symbols), now_s)

    def topics_of(self, member: Member) -> list[Topic]:
        """Return the topics a member has subscriptions of."""
        return list(self._of_member.get(member, {}))

    def remove(self, member: Member) -> None:
        """Forget a member; nothing is sent to it any more."""
        for cohort in self._of_member.pop(member, {}).values():
            self._leave(member, cohort)

    def offer(self, stored: StoredUpdate, now_s: float) -> None:
        """Take one symbol's change; `take_due` tells who gets it and when."""
        for cohort in self._by_symbol.get(stored.update.quote.symbol, ()):
            cohort.pending.offer(stored)
            if not cohort.scheduled and cohort.pending:
                cohort.scheduled = True
                self._scheduled += 1
                due_s = max(now_s, cohort.next_flush_s)
                heapq.heappush(self._due, (due_s, self._scheduled, cohort))

    def restate(self, latest: Iterable[StoredUpdate]) -> list[Delivery[Member]]:
        """Return snapshots of symbols whose state was read anew, for all who have them.

        What still waits of these symbols is older, and goes.
        """
        by_cohort: dict[_Cohort[Member], list[StoredUpdate]] = {}
        for stored in latest:
            for cohort in self._by_symbol.get(stored.update.quote.symbol, ()):
                cohort.pending.forget(stored.update.quote.symbol)
                by_cohort.setdefault(cohort, []).append(stored)
        return [
            Delivery(tuple(cohort.members), _snapshot(cohort.topic, states))
            for cohort, states in by_cohort.items()
        ]

    def next_due_s(self) -> float | None:
        """Return when `take_due` has something next, or None."""
        return self._due[0][0] if self._due else None

    def take_due(self, now_s: float) -> Iterator[Delivery[Member]]:
        """Yield what is due, conflated."""
        while self._due and self._due[0][0] <= now_s:
            cohort = heapq.heappop(self._due)[2]
            cohort.scheduled = False
            if cohort.pending and cohort.members:
                yield cohort.flush(now_s)

    def _move(
        self, member: Member, topic: Topic, symbols: frozenset[str], now_s: float
    ) -> list[Delivery[Member]]:
        before = self._of_member.get(member, {}).get(topic)
        if before is not None and before.symbols == symbols:
            return []
        owed = []
        if before is not None:
            owed += [before.flush(now_s)] if before.pending else []
            del self._of_member[member][topic]
            self._leave(member, before)
        if symbols:
            cohort = self._cohort(topic, symbols)
            owed += [cohort.flush(now_s)] if cohort.pending else []
            cohort.members[member] = None
            self._of_member.setdefault(member, {})[topic] = cohort
        return owed

    def _cohort(self, topic: Topic, symbols: frozenset[str]) -> _Cohort[Member]:
        cohort = self._cohorts.get((topic, symbols))
        if cohort is None:
            cohort = self._cohorts[topic, symbols] = _Cohort(topic, symbols)
            for symbol in symbols:
                self._by_symbol.setdefault(symbol, {})[cohort] = None
        return cohort

    def _leave(self, member: Member, cohort: _Cohort[Member]) -> None:
        del cohort.members[member]
        if cohort.members:
            return
        del self._cohorts[cohort.topic, cohort.symbols]
        for symbol in cohort.symbols:
            del self._by_symbol[symbol][cohort]
            if not self._by_symbol[symbol]:
                del self._by_symbol[symbol]


def _snapshot(topic: Topic, latest: list[StoredUpdate]) -> Quotes | Bars:
    if topic.interval is None:
        return quotes_snapshot(latest)
    return bars_snapshot(topic.interval, latest)
