"""Who gets what, and when: conflation by cohort. Pure; time is passed in as seconds.

Members with the same channel, symbols and rate form a cohort and share each frame. The first change
of a quiet cohort goes out at once; after it the cohort waits its interval, and what changes
meanwhile is conflated: a quote's newest value wins and says how many changes it stands for; a trade
and a final bar are never dropped.

A member that cannot take a frame now is *behind*. Of quotes it gets the newest values when it can
read again. Of trades and bars it is set aside, where it stands is remembered, and it comes back
through the log, as a client does that asks to go on from a position.
"""

import heapq
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.cohort import Cohort, Delivery
from feed_server.gateway.pending import Pending, QuotePending
from feed_server.gateway.pending_lossless import BarPending, TradePending
from feed_server.gateway.recovery import Recovery, recovered_batch
from feed_server.gateway.rows import QuoteRows
from feed_server.gateway.seat import Seat
from feed_server.gateway.topics import Topic
from feed_server.protocol import Bar, Interval, Position

Member = TypeVar("Member", bound=Hashable)


class Fanout(Generic[Member]):
    """All cohorts of one gateway.

    Args:
        latest: By symbol the present state; the caller keeps it up to date, before each `offer`
            and `restate`.

    Attributes:
        rate: Share of the asked rate that all get now; below 1 all intervals are longer.
    """

    def __init__(self, latest: Mapping[str, StoredUpdate]) -> None:
        self.rate = 1.0
        self.rows = QuoteRows()
        self._latest = latest
        # Where cohorts may stand although Redis has lost it, so that they can be told.
        self._passed_on: dict[str, StoredUpdate] = {}
        self._cohorts: dict[tuple[Topic, frozenset[str]], Cohort[Member]] = {}
        self._by_symbol: dict[str, dict[Cohort[Member], None]] = {}
        self._recovering: dict[str, dict[Recovery[Member], None]] = {}
        self._seats: dict[Member, dict[Topic, Seat[Member]]] = {}
        self._due: list[tuple[float, int, Cohort[Member]]] = []
        self._scheduled = 0

    @property
    def cohorts(self) -> int:
        """Number of cohorts."""
        return len(self._cohorts)

    def symbols_of(self, member: Member) -> set[str]:
        """Return all symbols a member gets something of."""
        return {s for seat in self._seats.get(member, {}).values() for s in seat.symbols()}

    def subscriptions_of(self, member: Member) -> dict[Topic, set[str]]:
        """Return what a member gets, by topic."""
        return {topic: seat.symbols() for topic, seat in self._seats.get(member, {}).items()}

    def members_of(self, symbol: str) -> set[Member]:
        """Return who gets something of a symbol, but for those that can read nothing now."""
        flowing = {m for cohort in self._by_symbol.get(symbol, ()) for m in cohort.members}
        return flowing | {recovery.member for recovery in self._recovering.get(symbol, ())}

    def is_behind(self, member: Member) -> bool:
        """Tell whether a member has missed something that `catch_up` would give it."""
        seats = self._seats.get(member, {}).values()
        return any(seat.behind or seat.behind_since or seat.aside for seat in seats)

    def subscribe(
        self,
        member: Member,
        topic: Topic,
        symbols: Iterable[str],
        now_s: float,
        *,
        since: Mapping[str, Position] | None = None,
        snapshot: bool = True,
    ) -> list[Delivery[Member]]:
        """Add symbols to what a member gets of a topic.

        Args:
            member: Who.
            topic: Of what.
            symbols: Which; those it has already are left as they are.
            now_s: The time.
            since: Where the member stands. Of a lossless topic such symbols come through a
                recovery, see `recoveries_of`; of quotes those that have not changed since are left
                out of the snapshot.
            snapshot: Whether to begin with the state as it is now; of a lossless topic it does,
                for only so the member knows where it stands.

        Returns:
            What must be sent now, in order: what its old and its new cohort still owe, then the
            member's snapshot. So no member gets anything twice or in the wrong order.
        """
        seat = self._seats.setdefault(member, {}).setdefault(topic, Seat())
        held = seat.symbols()
        fresh = dict.fromkeys(symbol for symbol in symbols if symbol not in held)
        since = {symbol: at for symbol, at in (since or {}).items() if symbol in fresh}
        if topic.lossless and since:
            self._recover(member, topic, seat, since)
            fresh = {symbol: None for symbol in fresh if symbol not in since}
        begins = snapshot or topic.lossless
        known = [self._latest[s] for s in fresh if s in self._latest] if begins else []
        told = [stored for stored in known if since.get(_symbol(stored)) != stored.position]
        seat.bare |= fresh.keys() - set(map(_symbol, told))
        owed = self._seat(member, topic, seat, seat.flowing().union(fresh), now_s)
        if told and seat.cohort is not None:
            owed.append(Delivery((member,), topic, seat.cohort.pending.snapshot(told)))
        self._forget_empty(member)
        return owed

    def unsubscribe(
        self, member: Member, topic: Topic, symbols: Iterable[str], now_s: float
    ) -> list[Delivery[Member]]:
        """Take symbols away from what a member gets of a topic; return what must be sent now."""
        seat = self._seats.get(member, {}).get(topic)
        if seat is None:
            return []
        gone = frozenset(symbols)
        seat.settle_missed()
        for symbol in gone:
            seat.aside.pop(symbol, None)
            seat.behind.discard(symbol)
        for recovery in list(seat.recoveries):
            for symbol in gone & recovery.since.keys():
                self._settle(seat, recovery, symbol)
        owed = self._seat(member, topic, seat, seat.flowing() - gone, now_s)
        self._forget_empty(member)
        return owed

    def leave(
        self, member: Member, topic: Topic, symbols: Iterable[str], now_s: float
    ) -> tuple[list[Delivery[Member]], dict[str, Position]]:
        """Take symbols away from what a member gets, to go on elsewhere.

        Returns:
            What must be sent now, and of a lossless topic by symbol where the member stands then.
        """
        seat = self._seats.get(member, {}).get(topic)
        if seat is None:
            return [], {}
        cohort = seat.cohort
        owed = [self._flush(cohort, now_s)] if cohort is not None and cohort.pending else []
        held = seat.symbols()
        standing = {s: at for s, at in seat.standing().items() if s in held.intersection(symbols)}
        return [*owed, *self.unsubscribe(member, topic, symbols, now_s)], standing

    def topics_of(self, member: Member) -> list[Topic]:
        """Return the topics a member has subscriptions of."""
        return list(self._seats.get(member, {}))

    def remove(self, member: Member) -> None:
        """Forget a member; nothing is sent to it any more."""
        for seat in self._seats.pop(member, {}).values():
            if seat.cohort is not None:
                self._leave(member, seat.cohort)
            for recovery in list(seat.recoveries):
                for symbol in list(recovery.since):
                    self._settle(seat, recovery, symbol)

    def offer(self, stored: StoredUpdate, now_s: float) -> None:
        """Take one symbol's next change; `take_due` tells who gets it and when."""
        symbol = stored.update.quote.symbol
        cohorts = self._by_symbol.get(symbol)
        if cohorts is not None:
            self._passed_on[symbol] = stored
            for cohort in cohorts:
                if cohort.lossless:
                    cohort.pending.offer(stored)
                if cohort.due_s is None or (
                    cohort.lossless and cohort.due_s > now_s and cohort.pending.is_large
                ):
                    self._schedule(cohort, now_s)
        for recovery in self._recovering.get(symbol, ()):
            recovery.hear(stored)

    def restate(self, stored: StoredUpdate, now_s: float) -> None:
        """Take a symbol's state where what came before it may be missing.

        Who gets quotes gets the state; who gets trades or bars is told that some may be missing.
        """
        symbol = stored.update.quote.symbol
        self.rows.forget(symbol)
        cohorts = self._by_symbol.get(symbol)
        if cohorts is not None:
            self._passed_on[symbol] = stored
            for cohort in cohorts:
                cohort.pending.restate(stored)
                if cohort.due_s is None:
                    self._schedule(cohort, now_s)

    def tell_again(
        self, symbol: str, interval: Interval, final: Sequence[Bar], now_s: float
    ) -> None:
        """Tell those who get indicators the bars that have other values now.

        Args:
            symbol: The instrument.
            interval: Length of the bars.
            final: Which of those that change no more; open ones are told as well.
            now_s: The time.
        """
        for cohort in self._by_symbol.get(symbol, ()):
            pending = cohort.pending
            if (
                isinstance(pending, BarPending)
                and cohort.topic.interval == interval
                and cohort.topic.indicators
            ):
                pending.tell_again(symbol, final)
                if cohort.due_s is None:
                    self._schedule(cohort, now_s)

    def next_due_s(self) -> float | None:
        """Return when `take_due` has something next, or None."""
        return self._due[0][0] if self._due else None

    def take_due(self, now_s: float) -> Iterator[Delivery[Member]]:
        """Yield what is due, conflated."""
        while self._due and self._due[0][0] <= now_s:
            due_s, _, cohort = heapq.heappop(self._due)
            if due_s != cohort.due_s:
                continue  # It was hurried, and had its turn before.
            cohort.due_s = None
            if cohort.pending and cohort.members:
                yield self._flush(cohort, now_s)

    def missed(self, member: Member, delivery: Delivery[Member]) -> None:
        """Note that a member could not take a delivery; `catch_up` makes up for it."""
        seat = self._seats.get(member, {}).get(delivery.topic)
        if seat is None:
            return
        batch = delivery.batch
        if not delivery.topic.lossless:
            seat.note_missed(delivery)
            return
        standing = seat.standing()
        if seat.cohort is not None:
            self._leave(member, seat.cohort)
            seat.cohort = None
        for recovery in list(seat.recoveries):
            for symbol in list(recovery.since):
                self._settle(seat, recovery, symbol)
        # Of several deliveries in a row a later one can have what lies further back.
        seat.aside = {s: _earlier(at, batch.since.get(s, at)) for s, at in standing.items()}

    def catch_up(self, member: Member, now_s: float) -> list[Delivery[Member]]:
        """Make up for what a member has missed, now that it can read again.

        Returns:
            The quotes as the other members of the cohort have them, which is all that is not
            about to be sent; the rest comes through recoveries.
        """
        owed: list[Delivery[Member]] = []
        for topic, seat in list(self._seats.get(member, {}).items()):
            seat.settle_missed()
            behind, seat.behind = seat.behind, set()
            pending = seat.cohort.pending if seat.cohort is not None else None
            if isinstance(pending, QuotePending) and (told := pending.told(sorted(behind))):
                owed.append(Delivery((member,), topic, pending.snapshot(told)))
            if seat.aside:
                aside, seat.aside = seat.aside, {}
                owed += self.subscribe(member, topic, aside, now_s, since=aside)
        return owed

    def recoveries_of(self, member: Member) -> list[Recovery[Member]]:
        """Return a member's unfinished recoveries: read the log for them, then call `advance`."""
        return [r for seat in self._seats.get(member, {}).values() for r in seat.recoveries]

    def advance(
        self,
        recovery: Recovery[Member],
        log: Mapping[str, Sequence[StoredUpdate]],
        now_s: float,
    ) -> list[Delivery[Member]]:
        """Bring a member closer to the present.

        Args:
            recovery: One of `recoveries_of`; it is over when its `since` is empty.
            log: By symbol what follows `Recovery.since` in the log: all of it, or its first page.
            now_s: The time.

        Returns:
            What must be sent now, in order.
        """
        member, topic = recovery.member, recovery.topic
        seat = self._seats.get(member, {}).get(topic)
        if seat is None or recovery not in seat.recoveries:
            return []
        since = dict(recovery.since)
        caught = {
            symbol: recovery.catch(symbol, log.get(symbol, ()), self._latest.get(symbol))
            for symbol in since
        }
        arrived = frozenset(symbol for symbol, c in caught.items() if c.done)
        for symbol, brought in caught.items():
            if brought.done:
                self._settle(seat, recovery, symbol)
            else:
                recovery.since[symbol] = brought.updates[-1].position
        owed = self._seat(member, topic, seat, seat.flowing() | arrived, now_s)
        batch = recovered_batch(topic, caught, since, self._latest)
        return [*owed, Delivery((member,), topic, batch)]

    def _recover(
        self, member: Member, topic: Topic, seat: Seat[Member], since: Mapping[str, Position]
    ) -> None:
        recovery = Recovery(member, topic, dict(since))
        seat.recoveries.append(recovery)
        for symbol in since:
            self._recovering.setdefault(symbol, {})[recovery] = None

    def _settle(self, seat: Seat[Member], recovery: Recovery[Member], symbol: str) -> None:
        """Take a symbol out of a recovery; without symbols it is over."""
        del recovery.since[symbol]
        recovery.heard.pop(symbol, None)
        del self._recovering[symbol][recovery]
        if not self._recovering[symbol]:
            del self._recovering[symbol]
        if not recovery.since:
            seat.recoveries.remove(recovery)

    def _schedule(self, cohort: Cohort[Member], now_s: float) -> None:
        if not cohort.pending:
            return
        due_s = now_s if cohort.pending.is_large else max(now_s, cohort.next_flush_s)
        cohort.due_s = due_s
        self._scheduled += 1
        heapq.heappush(self._due, (due_s, self._scheduled, cohort))

    def _flush(self, cohort: Cohort[Member], now_s: float) -> Delivery[Member]:
        cohort.next_flush_s = now_s + 1 / (cohort.topic.max_hz * self.rate)
        return cohort.take()

    def _seat(
        self,
        member: Member,
        topic: Topic,
        seat: Seat[Member],
        symbols: frozenset[str],
        now_s: float,
    ) -> list[Delivery[Member]]:
        """Put a member into the cohort of these symbols; return what is owed to whom before."""
        before = seat.cohort
        if symbols == seat.flowing():
            return []
        owed = []
        if before is not None:
            owed += [self._flush(before, now_s)] if before.pending else []
            seat.settle_missed()
        # Made before the old one is left: what is known of a symbol goes with its last cohort.
        cohort = self._cohort(topic, symbols) if symbols else None
        if before is not None:
            self._leave(member, before)
            seat.cohort = None
        if cohort is not None:
            owed += [self._flush(cohort, now_s)] if cohort.pending else []
            cohort.join(member)
            seat.cohort = cohort
            if isinstance(cohort.pending, QuotePending):
                cohort.pending.renew(seat.bare & symbols)
        return owed

    def _cohort(self, topic: Topic, symbols: frozenset[str]) -> Cohort[Member]:
        cohort = self._cohorts.get((topic, symbols))
        if cohort is None:
            for symbol in symbols & self._latest.keys():
                self._passed_on.setdefault(symbol, self._latest[symbol])
            cohort = Cohort(topic, symbols, self._pending(topic, symbols))
            self._cohorts[topic, symbols] = cohort
            for symbol in symbols:
                self._by_symbol.setdefault(symbol, {})[cohort] = None
        return cohort

    def _pending(self, topic: Topic, symbols: Iterable[str]) -> Pending:
        if topic.channel == "quotes":
            return QuotePending(self.rows, symbols, self._latest)
        latest = [self._passed_on[symbol] for symbol in symbols if symbol in self._passed_on]
        if topic.interval is None:
            return TradePending(latest)
        return BarPending(topic.interval, latest, has_indicators=bool(topic.indicators))

    def _leave(self, member: Member, cohort: Cohort[Member]) -> None:
        cohort.leave(member)
        if cohort.members or (cohort.topic, cohort.symbols) not in self._cohorts:
            return
        del self._cohorts[cohort.topic, cohort.symbols]
        for symbol in cohort.symbols:
            del self._by_symbol[symbol][cohort]
            if not self._by_symbol[symbol]:
                del self._by_symbol[symbol]
                self._passed_on.pop(symbol, None)
                self.rows.forget(symbol)

    def _forget_empty(self, member: Member) -> None:
        seats = self._seats.get(member, {})
        for topic in [topic for topic, seat in seats.items() if not seat.symbols()]:
            del seats[topic]
        if not seats:
            self._seats.pop(member, None)


def _earlier(one: Position, other: Position) -> Position:
    """Return the position further back; of different epochs one that no log goes on from."""
    if one.epoch != other.epoch:
        return Position("", 0)
    return min(one, other, key=lambda position: position.offset)


def _symbol(stored: StoredUpdate) -> str:
    return stored.update.quote.symbol
