"""The gateway: ties the market view, the fan-out and Tornado together."""

import asyncio
import errno
import secrets
import time
from collections.abc import Iterable

import structlog
from tornado.httpserver import HTTPServer
from tornado.web import Application

from feed_server.bus.connection import connect
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.errors import BusError, ConfigurationError
from feed_server.gateway import http_api
from feed_server.gateway.fanout import Delivery, Fanout, Topic
from feed_server.gateway.market_view import MarketView
from feed_server.gateway.metrics import Metrics
from feed_server.gateway.origins import Origins
from feed_server.gateway.websocket import FeedSocket
from feed_server.protocol import CloseCode, Heartbeat, Interval, SourceState, Status, encode
from feed_server.settings import FeedSettings

HOST = "127.0.0.1"
MAX_INBOUND_BYTES = 64 * 1024

log = structlog.get_logger(__name__)


class Gateway:
    """Serves one address. `start` it inside a running event loop, `stop` it at the end."""

    def __init__(self, settings: FeedSettings, redis_url: str) -> None:
        self.settings = settings
        self.name = f"gateway-{secrets.token_hex(4)}"
        self.metrics = Metrics()
        self.origins = Origins(settings.allowed_origins)
        self.fanout: Fanout[FeedSocket] = Fanout()
        self.connections: dict[FeedSocket, None] = {}
        self._redis = connect(redis_url)
        self._listening_redis = connect(redis_url)
        self.reader = Reader(self._redis)
        self.view = MarketView(
            self.reader,
            lambda on_message, on_connected: Subscriber(
                self._listening_redis, self.name, on_message, on_connected
            ),
            self._on_update,
            lambda read: self._deliver(self.fanout.restate(read)),
            self._on_status,
        )
        self._server = HTTPServer(self._application(), xheaders=False)
        self._flush_timer: asyncio.TimerHandle | None = None

    def listen(self) -> None:
        """Take the port.

        Raises:
            ConfigurationError: It is taken.
        """
        try:
            self._server.listen(self.settings.feed_port, HOST)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken: stop what uses it," if taken else f"cannot be used ({error}):"
            raise ConfigurationError(
                f"port {self.settings.feed_port} {reason} or set QUOTEWIRE_FEED_PORT to a free one"
            ) from None

    async def run(self) -> None:
        """Serve until cancelled; then say goodbye to the clients."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.view.run())
                tasks.create_task(self._beat())
        finally:
            await self._stop()

    def now_ms(self) -> int:
        """Return the server's clock, UTC epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def now_s(self) -> float:
        """Return a clock that never steps, in seconds."""
        return time.monotonic()

    def subscribe(self, member: FeedSocket, topic: Topic, symbols: list[str]) -> None:
        """Let a client have a topic of some symbols, beginning with what is known of them."""
        self.unsubscribe(member, topic.interval, symbols)
        before = self.fanout.symbols_of(member)
        latest = [self.view.latest[s] for s in symbols if s in self.view.latest]
        self._deliver(self.fanout.subscribe(member, topic, symbols, latest, self.now_s()))
        self.view.watch(self.fanout.symbols_of(member) - before)
        self._count_cohorts()

    def unsubscribe(
        self, member: FeedSocket, interval: Interval | None, symbols: list[str]
    ) -> None:
        """End it, at whatever rate the client had it."""
        before = self.fanout.symbols_of(member)
        for topic in self.fanout.topics_of(member):
            if topic.interval == interval:
                self._deliver(self.fanout.unsubscribe(member, topic, symbols, self.now_s()))
        self.view.unwatch(before - self.fanout.symbols_of(member))
        self._count_cohorts()

    def drop(self, member: FeedSocket) -> None:
        """Forget a client's subscriptions; safe to call twice."""
        self.view.unwatch(self.fanout.symbols_of(member))
        self.fanout.remove(member)
        self._count_cohorts()

    async def not_ready_reasons(self) -> list[str]:
        """Return why this gateway is not fit for traffic; nothing when it is."""
        reasons = []
        try:
            await self.reader.ping()
        except BusError as error:
            reasons.append(str(error))
        if not self.view.hears:
            reasons.append("the subscription to Redis does not hear its own messages")
        sources = self.view.statuses()
        if not sources:
            reasons.append("no source has said how it does")
        reasons += [
            f"source {s.source}: {s.message}" for s in sources if s.state == SourceState.DOWN
        ]
        return reasons

    def _application(self) -> Application:
        own = {"gateway": self}
        return Application(
            [
                ("/ws", FeedSocket, own),
                ("/api/symbols", http_api.SymbolsHandler, own),
                ("/api/status", http_api.StatusHandler, own),
                ("/api/quotes", http_api.QuotesHandler, own),
                ("/api/bars", http_api.BarsHandler, own),
                ("/healthz", http_api.HealthHandler, own),
                ("/readyz", http_api.ReadyHandler, own),
                ("/metrics", http_api.MetricsHandler, own),
            ],
            default_handler_class=http_api.NotFoundHandler,
            default_handler_args=own,
            log_function=lambda _handler: None,
            websocket_max_message_size=MAX_INBOUND_BYTES,
        )

    def _on_update(self, stored: StoredUpdate) -> None:
        self.metrics.updates.inc()
        self.metrics.latency.observe((self.now_ms() - stored.update.quote.received_ms) / 1000)
        self.fanout.offer(stored, self.now_s())
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        """Flush when the next cohort is due: after all that arrived together has been offered."""
        due_s = self.fanout.next_due_s()
        if due_s is None:
            return
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        loop = asyncio.get_running_loop()
        self._flush_timer = loop.call_later(max(0.0, due_s - self.now_s()), self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        self._deliver(self.fanout.take_due(self.now_s()))
        self._schedule_flush()

    def _deliver(self, deliveries: Iterable[Delivery[FeedSocket]]) -> None:
        for delivery in list(deliveries):
            frame = encode(delivery.message)
            for member in delivery.members:
                member.send_frame(frame)

    def _on_status(self) -> None:
        frame = encode(Status(self.view.statuses()))
        for connection in list(self.connections):
            connection.send_frame(frame)

    def _count_cohorts(self) -> None:
        self.metrics.cohorts.set(self.fanout.cohorts)
        self.metrics.watched_symbols.set(self.view.watched)

    async def _beat(self) -> None:
        """Break every silence, so that clients can tell a quiet market from a dead connection."""
        every_s = self.settings.heartbeat_ms / 1000
        while True:
            await asyncio.sleep(every_s / 2)
            frame = encode(Heartbeat(self.now_ms()))
            quiet_since_s = self.now_s() - every_s / 2
            for connection in list(self.connections):
                if connection.last_sent_s < quiet_since_s:
                    connection.send_frame(frame)

    async def _stop(self) -> None:
        self._server.stop()
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        for connection in list(self.connections):
            connection.end(CloseCode.GOING_AWAY)
        await self._server.close_all_connections()
        await self._redis.aclose()
        await self._listening_redis.aclose()
