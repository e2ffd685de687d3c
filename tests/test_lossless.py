"""Whatever happens, in whichever order: who gets what is exactly what was published.

The real core (`Fanout`, `Recovery`, `Flow`) between a model of Redis, whose pub/sub loses messages
and whose log forgets, and models of clients, who come, go, resume and stop reading. A client checks
every message against what was published. ``HYPOTHESIS_PROFILE=long`` looks much longer.
"""

import os
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.gateway.cohort import Delivery
from feed_server.gateway.continuity import Flow
from feed_server.gateway.fanout import Fanout
from feed_server.gateway.recovery import Recovery
from feed_server.gateway.seat import BEGINNING
from feed_server.gateway.topics import Topic
from feed_server.protocol import (
    Bar,
    Bars,
    Interval,
    Position,
    Quote,
    Quotes,
    TradePrint,
    Trades,
)
from tests.desk import DAILY, MINUTES, QUOTES, SLOW_QUOTES, TRADES
from tests.updates import bar

SYMBOLS = ["A", "B"]
MEMBERS = ["ann", "bob", "cid"]
TOPICS = [QUOTES, SLOW_QUOTES, TRADES, DAILY, MINUTES]
INTERVALS = [Interval.MINUTE, Interval.DAY]
some_intervals = st.sets(st.sampled_from(INTERVALS))

Stream = tuple[str, Interval | None]
"""What a client has at one rate at a time: a channel and, of bars, an interval."""

settings.register_profile("suite", max_examples=400, stateful_step_count=50)
settings.register_profile("long", max_examples=3_000, stateful_step_count=80)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


class RedisModel:
    """What Redis keeps of one symbol, and all that was ever published of it."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.epoch = f"{symbol}0"
        self.last: StoredUpdate | None = None
        self.log: list[StoredUpdate] = []
        self.untold = 0
        """Offset in the epoch up to which trades were told nowhere."""
        self.trimmed = 0
        """Offset in the epoch up to which the log has forgotten."""
        self.lasts: dict[tuple[str, int], float] = {}
        self.prices: dict[tuple[str, int], float] = {}
        """Of the trades that were told."""
        self.holes: list[tuple[str, int]] = []
        """Where trades were told nowhere, all there ever were."""
        self.finals: dict[tuple[str, Interval, int], list[int]] = {}
        """Starts of the bars that became final with an update."""
        self.open: dict[Interval, list[Bar]] = {interval: [] for interval in INTERVALS}
        self.open_at: dict[tuple[str, Interval, int], list[Bar]] = {}
        """Those that were open after an update."""
        self._begun = dict.fromkeys(INTERVALS, 0)
        self._epochs = 0
        self._published = 0

    def publish(
        self,
        trades: int,
        *,
        missing: int = 0,
        quotes: int = 0,
        begins: Collection[Interval] = (),
        ends: Collection[Interval] = (),
        late: bool = False,
    ) -> StoredUpdate:
        """Publish changes.

        Args:
            trades: Trades that are told.
            missing: Trades that are told nowhere.
            quotes: Changes of the best prices alone.
            begins: Intervals of which the trades begin a new bar.
            ends: Intervals of which the oldest open bar becomes final.
            late: Whether the trades change the oldest open bars, not the newest.
        """
        before = self.last.offset if self.last is not None else 0
        offset = before + missing + quotes + trades
        self._published += missing
        prints = []
        for number in range(offset - trades + 1, offset + 1):
            self._published += 1
            self.prices[self.epoch, number] = float(self._published)
            prints.append(TradePrint(self._published, float(self._published), 1.0))
        self.lasts[self.epoch, offset] = float(self._published)
        if missing:
            self.untold = before + missing
            self.holes.append((self.epoch, self.untold))
        if trades or missing:
            for interval in INTERVALS:
                self._trade_in(interval, begins=interval in begins, late=late)
        bars = [self._end(interval, offset) for interval in ends if self.open[interval]]
        bars += [bar for interval in INTERVALS for bar in self.open[interval]]
        quote = Quote(
            *(self.symbol, float(self._published), 1.0, None, None, 1.0, 1.0, 1.0, 1.0, None, ""),
            *(self._published, self._published, offset - before),
        )
        for interval in INTERVALS:
            self.open_at[self.epoch, interval, offset] = list(self.open[interval])
        self.last = StoredUpdate(self.epoch, offset, SymbolUpdate(quote, bars, prints, missing))
        self.log.append(self.last)
        return self.last

    def _trade_in(self, interval: Interval, *, begins: bool, late: bool) -> None:
        bars = self.open[interval]
        if begins or not bars:
            bars.append(bar(self.symbol, day=self._begun[interval], interval=interval))
            self._begun[interval] += 1
        which = 0 if late else -1
        bars[which] = replace(bars[which], close=float(self._published))

    def _end(self, interval: Interval, offset: int) -> Bar:
        ended = replace(self.open[interval].pop(0), final=True)
        self.finals.setdefault((self.epoch, interval, offset), []).append(ended.start_ms)
        return ended

    def begin_epoch(self) -> None:
        self._epochs += 1
        self.epoch, self.last, self.log = f"{self.symbol}{self._epochs}", None, []
        self.untold = self.trimmed = 0

    def trim(self, keep: int) -> None:
        gone = self.log[: max(0, len(self.log) - keep)]
        self.log = self.log[len(gone) :]
        self.trimmed = gone[-1].offset if gone else self.trimmed

    def since(self, offset: int, limit: int) -> list[StoredUpdate]:
        return [kept for kept in self.log if kept.offset > offset][:limit]

    def can_follow(self, at: Position, *, trades: bool) -> bool:
        """Tell whether one who stands there can be brought to the present without a gap."""
        forgotten = max(self.trimmed, self.untold if trades else 0)
        return at.epoch == self.epoch and at.offset >= forgotten

    def closed_between(self, interval: Interval, after: Position, to: Position) -> list[int]:
        """Return the starts of the bars that became final in ``(after, to]``."""
        return [
            start
            for (epoch, of, offset), starts in self.finals.items()
            if (epoch, of) == (to.epoch, interval) and after.offset < offset <= to.offset
            for start in starts
        ]

    def has_hole_between(self, after: Position, to: Position) -> bool:
        """Tell whether trades in ``(after, to]`` were told nowhere."""
        return any(e == to.epoch and after.offset < at <= to.offset for e, at in self.holes)

    def traded_between(self, after: Position, to: Position) -> list[tuple[int, float]]:
        """Return offset and price of the trades in ``(after, to]`` that were told."""
        return [
            (offset, price)
            for (epoch, offset), price in self.prices.items()
            if epoch == to.epoch and after.offset < offset <= to.offset
        ]


@dataclass
class Held:
    """What a client knows of one symbol of one channel."""

    at: Position | None = None
    asked: bool = False
    """Whether it has asked to go on from there and has no answer yet."""
    open: dict[int, Bar] = field(default_factory=dict)
    """By start the bars that are not final."""


@dataclass
class ClientModel:
    """A reader that checks what it gets."""

    redis: dict[str, RedisModel]
    held: dict[tuple[Stream, str], Held] = field(default_factory=dict)
    topics: dict[tuple[Stream, str], Topic] = field(default_factory=dict)
    room: int | None = None
    """How many frames it still takes; None for any number."""
    is_behind: bool = False

    def take(self) -> bool:
        """Tell whether it takes a frame: none after the first that it did not."""
        if self.is_behind or self.room == 0:
            self.is_behind = True
            return False
        if self.room is not None:
            self.room -= 1
        return True

    def receive(self, topic: Topic, message: Quotes | Trades | Bars) -> None:
        match message:
            case Quotes():
                self._receive_quotes(message)
            case Trades():
                self._receive_trades(message)
            case Bars():
                self._receive_bars(message)

    def _of(self, stream: Stream, symbol: str) -> Held:
        assert (stream, symbol) in self.topics, f"{stream} of {symbol} was not asked for"
        return self.held[stream, symbol]

    def _receive_quotes(self, message: Quotes) -> None:
        for row in message.rows:
            held = self._of(("quotes", None), row.symbol)
            details = message.details.get(row.symbol)
            assert details is not None or (held.at is not None and not message.snapshot)
            epoch = details.epoch if details is not None else (held.at or Position("", 0)).epoch
            if held.at is not None and held.at.epoch == epoch:
                assert row.offset >= held.at.offset, "a quote went back"
                if not message.snapshot:
                    assert row.count == row.offset - held.at.offset, "a gap, or a value told twice"
            assert row.last == self.redis[row.symbol].lasts[epoch, row.offset]
            held.at = Position(epoch, row.offset)

    def _receive_trades(self, message: Trades) -> None:
        told = {row.symbol for row in message.rows} | {*message.positions, *message.recovered}
        assert told, "a message that says nothing"
        for symbol in told:
            held = self._of(("trades", None), symbol)
            rows = [(row.offset, row.price) for row in message.rows if row.symbol == symbol]
            at = self._begin(("trades", None), symbol, message.recovered.get(symbol))
            after = message.positions.get(symbol)
            if at is None and after is None:
                assert not rows, "trades of which nobody knows where they stand"
                continue
            if at is None or after is None:
                epoch = (at or after or BEGINNING).epoch
                at = at or Position(epoch, min((offset for offset, _ in rows), default=1) - 1)
                after = after or Position(epoch, rows[-1][0])
            if rows or held.at is not None:
                assert rows == self.redis[symbol].traded_between(at, after)
                assert not self.redis[symbol].has_hole_between(at, after), "a loss was not told"
            held.at = after

    def _receive_bars(self, message: Bars) -> None:
        told = {row.symbol for row in message.rows} | {*message.offsets, *message.recovered}
        assert told, "a message that says nothing"
        for symbol in told:
            stream = ("bars", message.interval)
            held = self._of(stream, symbol)
            at = self._begin(stream, symbol, message.recovered.get(symbol))
            rows = [row for row in message.rows if row.symbol == symbol]
            closed = [row.start_ms for row in rows if row.final]
            offset = message.offsets.get(symbol)
            if offset is None:
                assert not closed, "bars of which nobody knows where they stand"
                continue
            assert rows or at is None or message.snapshot, "a message for nothing"
            epoch = message.epochs.get(symbol) or (at.epoch if at is not None else None)
            assert epoch is not None, "offsets of an epoch that was never told"
            after = Position(epoch, offset)
            if at is not None:
                assert at.epoch == epoch, "an epoch ended and that was not told"
                known = self.redis[symbol].closed_between(message.interval, at, after)
                assert closed == sorted(known)
                same = [row for row in rows if held.open.get(row.start_ms) == row]
                assert message.snapshot or not same, "what has not changed was told again"
            held.open.update((row.start_ms, row) for row in rows)
            held.open = {start: kept for start, kept in sorted(held.open.items()) if not kept.final}
            assert (
                list(held.open.values())
                == self.redis[symbol].open_at[epoch, message.interval, offset]
            ), "other bars than were open"
            held.at = after

    def _begin(self, stream: Stream, symbol: str, recovered: bool | None) -> Position | None:
        """Return from where on the rows must follow."""
        held = self._of(stream, symbol)
        if recovered is not None:
            held.asked = False
        if recovered is False:
            assert held.at is None or not self.redis[symbol].can_follow(
                held.at, trades=stream[0] == "trades"
            ), "a loss was told for nothing"
            held.at = None
        if held.at is None:
            held.open.clear()
        return held.at


def stream_of(topic: Topic) -> Stream:
    return topic.channel, topic.interval


@dataclass
class Read:
    """A read of Redis under way: first the last values, then the log."""

    flows: dict[str, Flow]
    since: dict[str, int | None]
    newest: dict[str, StoredUpdate | None] | None = None
    logs: dict[str, list[StoredUpdate]] | None = None


class Lossless(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.redis = {symbol: RedisModel(symbol) for symbol in SYMBOLS}
        self.wire: deque[StoredUpdate] = deque()
        self.flows = {symbol: Flow() for symbol in SYMBOLS}
        self.latest: dict[str, StoredUpdate] = {}
        self.fanout: Fanout[str] = Fanout(self.latest)
        self.clients = {member: ClientModel(self.redis) for member in MEMBERS}
        self.reading: Read | None = None
        self.paging: tuple[Recovery[str], dict[str, list[StoredUpdate]]] | None = None
        self.now_s = 0.0
        self.has_lost = False

    @initialize(asked=st.lists(st.sampled_from(TOPICS), min_size=len(MEMBERS)))
    def begin(self, asked: list[Topic]) -> None:
        """Begin where something goes on, for what is most interesting happens there."""
        for redis in self.redis.values():
            redis.publish(1)
            redis.publish(1, begins=INTERVALS)
        self.read(4)
        for member, topic in zip(MEMBERS, asked, strict=False):
            self.subscribe(member, topic, SYMBOLS, resumes=False, snapshot=True)

    # ---- the market ------------------------------------------------------------------------

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        trades=st.integers(1, 3),
        quotes=st.sampled_from([0, 0, 1]),
        begins=some_intervals,
        ends=some_intervals,
        late=st.booleans(),
        heard=st.booleans(),
    )
    def publish(
        self,
        symbol: str,
        trades: int,
        quotes: int,
        begins: set[Interval],
        ends: set[Interval],
        late: bool,
        heard: bool,
    ) -> None:
        redis = self.redis[symbol]
        self._send(redis.publish(trades, quotes=quotes, begins=begins, ends=ends, late=late), heard)

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        quotes=st.integers(1, 3),
        ends=some_intervals,
        heard=st.booleans(),
    )
    def publish_quotes_alone(
        self, symbol: str, quotes: int, ends: set[Interval], heard: bool
    ) -> None:
        self._send(self.redis[symbol].publish(0, quotes=quotes, ends=ends), heard)

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        trades=st.integers(0, 2),
        missing=st.integers(1, 3),
        heard=st.booleans(),
    )
    def publish_unwatched(self, symbol: str, trades: int, missing: int, heard: bool) -> None:
        self._send(self.redis[symbol].publish(trades, missing=missing), heard)

    def _send(self, stored: StoredUpdate, heard: bool) -> None:
        self.wire.append(stored)
        if heard:
            self.hear(len(self.wire))

    @rule(symbol=st.sampled_from(SYMBOLS), keep=st.integers(-1, 5))
    def forget(self, symbol: str, keep: int) -> None:
        """Trim the log, or forget everything and begin an epoch."""
        if keep < 0:
            self.redis[symbol].begin_epoch()
        else:
            self.redis[symbol].trim(keep)

    # ---- what the gateway hears and reads --------------------------------------------------

    @precondition(lambda self: self.wire)
    @rule(messages=st.integers(1, 5))
    def hear(self, messages: int) -> None:
        for _ in range(min(messages, len(self.wire))):
            stored = self.wire.popleft()
            symbol = stored.update.quote.symbol
            if self.flows[symbol].hear(stored):
                self._pass_on(stored)

    @precondition(lambda self: self.wire)
    @rule(messages=st.integers(1, 3))
    def lose(self, messages: int) -> None:
        """Lose messages, which the connection's end will tell."""
        self.has_lost = True
        for _ in range(min(messages, len(self.wire))):
            self.wire.popleft()

    @precondition(lambda self: self.has_lost or self.wire)
    @rule()
    def reconnect(self) -> None:
        self.has_lost = False
        self.wire.clear()
        for flow in self.flows.values():
            flow.interrupt()

    @precondition(lambda self: self.reading or any(flow.waits for flow in self.flows.values()))
    @rule(steps=st.integers(1, 4))
    def read(self, steps: int) -> None:
        """Take the next steps of a read, or begin one; it has four."""
        for _ in range(steps):
            self._read()

    def _read(self) -> None:
        reading = self.reading
        if reading is None:
            flows = {symbol: flow for symbol, flow in self.flows.items() if flow.waits}
            self.reading = Read(
                flows, {symbol: flow.begin_read() for symbol, flow in flows.items()}
            )
        elif reading.newest is None:
            reading.newest = {symbol: self.redis[symbol].last for symbol in reading.flows}
        elif reading.logs is None:
            reading.logs = {
                symbol: self.redis[symbol].since(offset, 1000) if offset is not None else []
                for symbol, offset in reading.since.items()
            }
        else:
            self.reading = None
            for symbol, flow in reading.flows.items():
                self._end_read(symbol, flow, reading.newest[symbol], reading.logs[symbol])

    def _end_read(
        self, symbol: str, flow: Flow, newest: StoredUpdate | None, log: list[StoredUpdate]
    ) -> None:
        mended = flow.end_read(newest, log)
        for stored in mended.updates:
            self._pass_on(stored)
        if mended.restated is not None:
            self.latest[symbol] = mended.restated
            self.fanout.restate(mended.restated, self.now_s)
        elif flow.latest is None:
            self.latest.pop(symbol, None)

    def _pass_on(self, stored: StoredUpdate) -> None:
        self.latest[stored.update.quote.symbol] = stored
        self.fanout.offer(stored, self.now_s)

    # ---- what the clients do ---------------------------------------------------------------

    @rule(
        member=st.sampled_from(MEMBERS),
        topic=st.sampled_from(TOPICS),
        symbols=st.lists(st.sampled_from(SYMBOLS), unique=True, min_size=1),
        resumes=st.booleans(),
        snapshot=st.booleans(),
    )
    def subscribe(
        self, member: str, topic: Topic, symbols: list[str], resumes: bool, snapshot: bool
    ) -> None:
        client = self.clients[member]
        stream = stream_of(topic)
        fresh = [symbol for symbol in symbols if (stream, symbol) not in client.topics]
        since = {}
        for symbol in fresh:
            client.topics[stream, symbol] = topic
            held = client.held.setdefault((stream, symbol), Held())
            if resumes and held.at is not None:
                since[symbol] = held.at
                held.asked = topic.lossless
            else:
                held.at = None
        self._deliver(
            self.fanout.subscribe(
                member, topic, fresh, self.now_s, since=since, snapshot=snapshot or resumes
            )
        )

    @rule(
        member=st.sampled_from(MEMBERS),
        topic=st.sampled_from(TOPICS),
        symbols=st.lists(st.sampled_from(SYMBOLS), unique=True, min_size=1),
    )
    def unsubscribe(self, member: str, topic: Topic, symbols: list[str]) -> None:
        client = self.clients[member]
        stream = stream_of(topic)
        mine = [s for s in symbols if client.topics.get((stream, s)) == topic]
        self._deliver(self.fanout.unsubscribe(member, topic, mine, self.now_s))
        for symbol in mine:
            del client.topics[stream, symbol]
            client.held[stream, symbol].asked = False

    @rule(member=st.sampled_from(MEMBERS))
    def drop(self, member: str) -> None:
        """End a connection; what the client holds it keeps, to resume from."""
        client = self.clients[member]
        self.fanout.remove(member)
        client.topics.clear()
        client.room, client.is_behind = None, False
        for held in client.held.values():
            held.asked = False

    @rule(member=st.sampled_from(MEMBERS))
    def come_back(self, member: str) -> None:
        """Lose the connection and ask on the next one to go on with all there was."""
        had = dict(self.clients[member].topics)
        self.drop(member)
        for topic in dict.fromkeys(had.values()):
            symbols = [s for (_, s), of in had.items() if of == topic]
            self.subscribe(member, topic, symbols, resumes=True, snapshot=True)

    @rule(member=st.sampled_from(MEMBERS), room=st.integers(0, 3))
    def stall(self, member: str, room: int) -> None:
        self.clients[member].room = room

    @rule(member=st.sampled_from(MEMBERS))
    def drain(self, member: str) -> None:
        client = self.clients[member]
        client.room = None
        if client.is_behind:
            client.is_behind = False
            self._deliver(self.fanout.catch_up(member, self.now_s))

    # ---- what the gateway sends ------------------------------------------------------------

    @rule(after_s=st.sampled_from([0.0, 0.01, 0.1, 1.0]))
    def flush(self, after_s: float) -> None:
        self.now_s += after_s
        self._deliver(self.fanout.take_due(self.now_s))

    @precondition(
        lambda self: self.paging or any(self.fanout.recoveries_of(member) for member in MEMBERS)
    )
    @rule(which=st.integers(0, 5), page=st.integers(1, 3))
    def advance(self, which: int, page: int) -> None:
        """End the read of a recovery's page, or begin one."""
        if self.paging is not None:
            (recovery, log), self.paging = self.paging, None
            self._deliver(self.fanout.advance(recovery, log, self.now_s))
            return
        ready = [
            recovery
            for member in MEMBERS
            for recovery in self.fanout.recoveries_of(member)
            if not any(self.flows[symbol].waits for symbol in recovery.since)
        ]
        if ready:
            recovery = ready[which % len(ready)]
            log = {s: self.redis[s].since(at.offset, page) for s, at in recovery.since.items()}
            self.paging = recovery, log

    def _deliver(self, deliveries: Iterable[Delivery[str]]) -> None:
        for delivery in deliveries:
            for member in delivery.members:
                if self.clients[member].take():
                    self.clients[member].receive(delivery.topic, delivery.batch.message)
                else:
                    self.fanout.missed(member, delivery)

    # ---- what must hold --------------------------------------------------------------------

    @invariant()
    def subscriptions_are_as_asked_for(self) -> None:
        for member, client in self.clients.items():
            asked: dict[Topic, set[str]] = {}
            for (_, symbol), topic in client.topics.items():
                asked.setdefault(topic, set()).add(symbol)
            assert self.fanout.subscriptions_of(member) == asked

    def teardown(self) -> None:
        self._settle()
        for member, client in self.clients.items():
            for (stream, symbol), held in client.held.items():
                if (stream, symbol) in client.topics:
                    self._is_current(member, stream, symbol, held)
        for member in MEMBERS:
            self.fanout.remove(member)
        assert self.fanout.cohorts == 0
        for symbol in SYMBOLS:
            assert self.fanout.members_of(symbol) == set()

    def _is_current(self, member: str, stream: Stream, symbol: str, held: Held) -> None:
        assert not held.asked, f"{member} was not told whether {symbol} was recovered"
        last = self.latest.get(symbol)
        # Without a snapshot nothing was said yet where nothing has changed since.
        if last is None or held.at is None:
            return
        redis, (channel, interval) = self.redis[symbol], stream
        assert held.at.epoch == last.epoch
        if channel == "trades":
            assert not redis.traded_between(held.at, last.position), f"{member} lacks trades"
            assert not redis.has_hole_between(held.at, last.position), f"{member} knows of no loss"
        elif interval is None:
            assert held.at == last.position, f"{member} does not have the last quote"
        else:
            assert not redis.closed_between(interval, held.at, last.position)
            kept = [bar for bar in last.update.bars if bar.interval == interval and not bar.final]
            assert held.open == {bar.start_ms: bar for bar in kept}, f"{member} has other bars"

    def _is_reading(self) -> bool:
        return self.reading is not None

    def _settle(self) -> None:
        """Let all that is under way end, with nothing new."""
        if self.has_lost:
            self.reconnect()
        if self.wire:
            self.hear(len(self.wire))
        for _ in range(100):
            while self._is_reading() or any(flow.waits for flow in self.flows.values()):
                self._read()
            for member in MEMBERS:
                self.drain(member)
            if self.paging is None and not any(map(self.fanout.recoveries_of, MEMBERS)):
                break
            self.advance(0, 1000)
        else:
            raise AssertionError("recoveries do not end")
        while (due_s := self.fanout.next_due_s()) is not None:
            self.now_s = max(self.now_s, due_s)
            self.flush(0.0)
        for symbol, redis in self.redis.items():
            # Of an epoch that has only begun nobody is told.
            assert redis.last is None or self.latest.get(symbol) == redis.last


TestLossless = Lossless.TestCase
TestLossless.settings = PROFILE
