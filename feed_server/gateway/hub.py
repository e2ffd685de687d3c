"""Puts the market view and the fan-out together, and hands what is due to the clients."""

import asyncio
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from math import inf

import structlog

from feed_server.bus.reader import Reader
from feed_server.bus.update import StoredUpdate
from feed_server.errors import BusError
from feed_server.gateway.auth import Grant
from feed_server.gateway.client import Client
from feed_server.gateway.cohort import Delivery
from feed_server.gateway.fanout import Fanout
from feed_server.gateway.frame_writer import write_to_all
from feed_server.gateway.frames import Frame
from feed_server.gateway.governor import RateGovernor
from feed_server.gateway.indicator_board import BarSource, Computed, IndicatorBoard
from feed_server.gateway.market_view import CHECK_S, MarketView
from feed_server.gateway.metrics import Metrics
from feed_server.gateway.recovery import Recovery, bounded
from feed_server.gateway.subjects import Subjects
from feed_server.gateway.topics import Topic
from feed_server.protocol import Bar, Bars, Channel, Interval, Position
from feed_server.settings import FeedSettings

PAGE = 2_000
"""Updates and trades in one step of a recovery: so many are read, decoded and sent at once."""
RETRY_S = 0.5
SOON_S = 0.05
"""How often it is looked whether the indicators are there that a recovery waits for."""
SLICE_S = 0.003
"""After so long a flush lets others have their turn, such as pings and what Redis publishes."""

log = structlog.get_logger(__name__)


class Hub:
    """Who has subscribed to what, and the flow of data to them.

    Args:
        settings: The limits.
        reader: For the log.
        view: What is known of the market.
        metrics: The gateway's figures.
        on_rate: Called when the share of the asked rate that all get has changed.
        history: Where indicators begin.

    Attributes:
        fanout: Who gets what.
        indicators: What is computed for them.
    """

    def __init__(
        self,
        settings: FeedSettings,
        reader: Reader,
        view: MarketView,
        metrics: Metrics,
        on_rate: Callable[[], None],
        history: BarSource,
    ) -> None:
        self.settings = settings
        self.view = view
        self.metrics = metrics
        self.fanout: Fanout[Client] = Fanout(view.latest)
        self.subjects = Subjects()
        self.indicators = IndicatorBoard(
            history, view.latest, lambda: view.symbols, self._on_indicators
        )
        self._reader = reader
        self._on_rate = on_rate
        self._governor = RateGovernor()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._flush_due_s = inf
        self._recovering: dict[Recovery[Client], None] = {}
        self._to_recover = asyncio.Event()

    @property
    def rate(self) -> float:
        """Share of the asked update rate that all get now."""
        return self._governor.rate

    def now_ms(self) -> int:
        """Return the server's clock, UTC epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def now_s(self) -> float:
        """Return a clock that never steps, in seconds."""
        return time.monotonic()

    def subscriptions_of(self, client: Client) -> dict[Topic, set[str]]:
        """Return what a client gets."""
        return self.fanout.subscriptions_of(client)

    def subscribe(
        self,
        client: Client,
        topic: Topic,
        symbols: list[str],
        *,
        since: Mapping[str, Position],
        snapshot: bool,
    ) -> None:
        """Let a client have a topic of some symbols.

        Those that it has are left as they are, but for those that it names a position of. What it
        had at another rate ends; of trades and bars it goes on where it stands.
        """
        before = self._wants(client)
        # From before anything is sent, so that it is noted what is sent without values.
        indicators = _indicators_of({topic: set(symbols)})
        self.indicators.watch(indicators)
        standing = self._move(client, topic, symbols, anew=since)
        self._deliver(
            self.fanout.subscribe(
                client, topic, symbols, self.now_s(), since={**standing, **since}, snapshot=snapshot
            )
        )
        self._follow(client, before)
        self.indicators.unwatch(indicators)
        self._queue_recoveries(client)

    def unsubscribe(
        self, client: Client, channel: Channel, interval: Interval | None, symbols: Iterable[str]
    ) -> None:
        """End it, at whatever rate the client had it."""
        before = self._wants(client)
        self._end(client, channel, interval, symbols)
        self._follow(client, before)

    def restrict(self, client: Client, grant: Grant) -> dict[Topic, list[str]]:
        """Note whose a client is, and end what its new token does not allow; return that."""
        self.subjects.put(client, grant.subject)
        ended = {}
        for topic, symbols in self.fanout.subscriptions_of(client).items():
            gone = sorted(s for s in symbols if not grant.allows(topic.channel, s))
            if gone:
                self.unsubscribe(client, topic.channel, topic.interval, gone)
                ended[topic] = gone
        return ended

    def drop(self, client: Client) -> None:
        """Forget a client; safe to call twice."""
        self.subjects.drop(client)
        before = self._wants(client)
        self.fanout.remove(client)
        self._follow(client, before)

    def catch_up(self, client: Client) -> None:
        """Give a client that can read again what it has missed."""
        if client.is_closed or not client.is_behind:
            return
        client.is_behind = False
        self._deliver(self.fanout.catch_up(client, self.now_s()))
        self._queue_recoveries(client)

    def on_update(self, stored: StoredUpdate) -> None:
        """Pass a symbol's next change on."""
        self.indicators.on_update(stored)
        self.fanout.offer(stored, self.now_s())
        self._schedule_flush()

    def on_restated(self, stored: StoredUpdate) -> None:
        """Pass on a symbol's state, where what came before it may be missing."""
        self.indicators.on_restated(stored)
        self.fanout.restate(stored, self.now_s())
        self._schedule_flush()

    async def recover(self) -> None:
        """Bring those who asked to go on from somewhere to the present, until cancelled."""
        while True:
            await self._to_recover.wait()
            self._to_recover.clear()
            while self._recovering:
                ready = [r for r in self._recovering if self._is_ready(r)]
                for recovery in ready:
                    del self._recovering[recovery]
                    await self._advance(recovery)
                if not ready:
                    waits = any(self.view.is_settled(r.since) for r in self._recovering)
                    await self.view.next_read(SOON_S if waits else CHECK_S)

    def stop(self) -> None:
        """Flush nothing any more."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()

    async def _advance(self, recovery: Recovery[Client]) -> None:
        since = {symbol: position.offset for symbol, position in recovery.since.items()}
        try:
            limit = max(1, PAGE // max(1, len(since)))
            pages = bounded(await self._reader.updates_since(since, limit=limit), PAGE)
        except BusError as error:
            log.warning("a recovery waits for Redis", error=str(error))
            await asyncio.sleep(RETRY_S)
            pages = None
        if pages is not None:
            self._deliver(self.fanout.advance(recovery, pages, self.now_s()))
        if recovery.since and not recovery.member.is_behind:
            self._recovering[recovery] = None

    def _queue_recoveries(self, client: Client) -> None:
        self._recovering.update(dict.fromkeys(self.fanout.recoveries_of(client)))
        if self._recovering:
            self._to_recover.set()

    def _move(
        self, client: Client, topic: Topic, symbols: list[str], *, anew: Container[str]
    ) -> dict[str, Position]:
        """End what a client has elsewhere of what it asks for here; return where it stands."""
        standing: dict[str, Position] = {}
        for other in self.fanout.topics_of(client):
            if (other.channel, other.interval) == (topic.channel, topic.interval):
                moved = [s for s in symbols if other != topic or s in anew]
                owed, stood = self.fanout.leave(client, other, moved, self.now_s())
                self._deliver(owed)
                standing |= stood
        return standing

    def _end(
        self, client: Client, channel: Channel, interval: Interval | None, symbols: Iterable[str]
    ) -> None:
        for topic in self.fanout.topics_of(client):
            if (topic.channel, topic.interval) == (channel, interval):
                self._deliver(self.fanout.unsubscribe(client, topic, symbols, self.now_s()))

    def _wants(self, client: Client) -> tuple[set[str], set[Computed]]:
        """Return the symbols that a client has, and what is computed for it."""
        topics = self.fanout.subscriptions_of(client)
        return {s for symbols in topics.values() for s in symbols}, _indicators_of(topics)

    def _follow(self, client: Client, before: tuple[set[str], set[Computed]]) -> None:
        """Keep current what the client has now, and no longer what only it had."""
        symbols, indicators = self._wants(client)
        interest = self.view.interest
        interest.watch(symbols - before[0])
        interest.unwatch(before[0] - symbols, self.now_s())
        self.indicators.watch(indicators - before[1])
        self.indicators.unwatch(before[1] - indicators)
        self.view.changed()
        self.metrics.cohorts.set(self.fanout.cohorts)

    def _on_indicators(self, symbol: str, interval: Interval, bare: Sequence[Bar]) -> None:
        """Send again what lacked values, and what has others now."""
        self.fanout.tell_again(symbol, interval, bare, self.now_s())
        self._schedule_flush()

    def _is_ready(self, recovery: Recovery[Client]) -> bool:
        """Tell whether a client can be brought to the present, with all that it shall get."""
        topic = recovery.topic
        awaited = topic.interval is not None and any(
            self.indicators.is_awaited(symbol, topic.interval)
            for symbol in (recovery.since if topic.indicators else ())
        )
        return not awaited and self.view.is_settled(recovery.since)

    def _schedule_flush(self) -> None:
        """Flush when the next cohort is due: after all that arrived together has been offered."""
        due_s = self.fanout.next_due_s()
        if due_s is None or due_s >= self._flush_due_s:
            return
        self.stop()
        self._flush_due_s = due_s
        loop = asyncio.get_running_loop()
        self._flush_timer = loop.call_later(max(0.0, due_s - self.now_s()), self._flush)

    def _flush(self) -> None:
        began_s = self.now_s()
        late_s = began_s - self._flush_due_s
        self._flush_timer, self._flush_due_s = None, inf
        self._deliver(self._slice(began_s))
        ended_s = self.now_s()
        self.metrics.flushed(ended_s - began_s)
        if self._governor.flushed(ended_s - began_s, ended_s, late_s):
            self.fanout.rate = self._governor.rate
            self._on_rate()
        self._schedule_flush()

    def _slice(self, began_s: float) -> Iterator[Delivery[Client]]:
        """Yield what is due, for a while: what is left has its turn after others had theirs."""
        for delivery in self.fanout.take_due(began_s):
            yield delivery
            if self.now_s() - began_s > SLICE_S:
                return

    def _deliver(self, deliveries: Iterable[Delivery[Client]]) -> None:
        """Hand out what is due; what it took is counted at once, for counting takes time too."""
        written, bytes_, left_out = 0, 0, 0
        for delivery in deliveries:
            message = delivery.batch.message
            if delivery.topic.indicators and isinstance(message, Bars):
                message = self.indicators.annotated(message, delivery.topic.indicators)
            frame = Frame(message)
            missed = write_to_all(delivery.members, frame)
            if missed and delivery.topic.lossless:
                missed = [client for client in missed if not client.queue(frame)]
            for client in missed:
                client.is_behind = True
                self.fanout.missed(client, delivery)
            got = len(delivery.members) - len(missed)
            written += got
            bytes_ += got * len(frame.payload)
            left_out += len(missed)
        self.metrics.frames.inc(written)
        self.metrics.sent_bytes.inc(bytes_)
        self.metrics.missed.inc(left_out)


def _indicators_of(topics: Mapping[Topic, set[str]]) -> set[Computed]:
    return {
        (symbol, topic.interval, text)
        for topic, symbols in topics.items()
        if topic.interval is not None
        for text in topic.indicators
        for symbol in symbols
    }
