"""The gateway: one address, its connections, and what keeps them honest."""

import asyncio
import errno
import random
import secrets
from collections.abc import Iterable, Sequence

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.web import Application

from feed_server.bus import names
from feed_server.bus.alerts import AlertStore, decode_alert_note
from feed_server.bus.connection import connect
from feed_server.bus.control import ControlMessage, Disconnect, Drain
from feed_server.bus.gateways import GatewayReports
from feed_server.bus.leases import Leases, WantedReader
from feed_server.bus.notices import SourceError
from feed_server.bus.reader import Reader
from feed_server.bus.rpc import Caller
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.bus.user_settings import SettingsStore
from feed_server.errors import BusError, ConfigurationError
from feed_server.gateway.alert_notes import AlertNotes
from feed_server.gateway.auth import Authenticator, Grant
from feed_server.gateway.client import Client, Patience
from feed_server.gateway.frames import Frame
from feed_server.gateway.freshness import Freshness
from feed_server.gateway.gateways_api import keep_telling
from feed_server.gateway.history import History
from feed_server.gateway.hub import Hub
from feed_server.gateway.limits import ConnectionCount, SubjectRates, client_address
from feed_server.gateway.listener import Listener
from feed_server.gateway.lookup import Lookup
from feed_server.gateway.market_view import MarketView
from feed_server.gateway.metrics import Metrics
from feed_server.gateway.origins import Origins
from feed_server.gateway.present import Present
from feed_server.gateway.requests import NOT_BEGUN, RequestError
from feed_server.gateway.roll import SLOTS, Roll
from feed_server.gateway.routes import routes
from feed_server.gateway.subjects import Seen
from feed_server.gateway.table_api import AT_ONCE, WAITING
from feed_server.gateway.turns import Turns
from feed_server.protocol import (
    PROTOCOL_VERSION,
    CloseCode,
    Error,
    ErrorCode,
    GatewayStatus,
    Heartbeat,
    Shutdown,
    SourceState,
    SourceStatus,
    Status,
    Welcome,
)
from feed_server.settings import FeedSettings

log = structlog.get_logger(__name__)


class Gateway:
    """Serves one address. Make it inside a running event loop, `listen`, then `run` it."""

    def __init__(self, settings: FeedSettings, redis_url: str) -> None:
        self.settings = settings
        self.name = f"gateway-{secrets.token_hex(4)}"
        self.metrics = Metrics()
        self.origins = Origins(settings.allowed_origins)
        self.authenticator = Authenticator.from_settings(settings)
        self.admitted = ConnectionCount(
            settings.max_connections, settings.max_connections_per_address
        )
        self.patience = Patience(
            max_backlog_bytes=settings.max_backlog_bytes,
            stall_s=settings.stall_timeout_ms / 1000,
            auth_s=settings.auth_timeout_ms / 1000,
            grace_s=settings.auth_grace_ms / 1000,
        )
        self._redis = connect(redis_url)
        self._listening_redis = connect(redis_url)
        self.reader = Reader(self._redis)
        self.alerts = AlertStore(self._redis)
        self.user_settings = SettingsStore(self._redis)
        self.reports = GatewayReports(self._redis)
        caller = Caller(self._redis, self.name)
        self.wanted = WantedReader(self._redis)
        self.view = MarketView(
            self.reader,
            Leases(self._redis, self.name),
            lambda on_message, on_connected: Subscriber(
                self._listening_redis, self.name, on_message, on_connected
            ),
            self,
            linger_s=settings.linger_ms / 1000,
            also={caller.channel: caller.take, names.ALERTS: self._on_alert_note},
        )
        self.lookup = Lookup(caller, self.view)
        self.history = History(self.reader, caller)
        self.present = Present(self.history, self.view.latest, self.view.asked_s)
        self.freshness = Freshness(caller, self.view)
        self.hub = Hub(settings, self.reader, self.view, self.metrics, self.on_status, self.history)
        self.changes = SubjectRates(settings.max_commands_per_s)
        self.seen = Seen(
            self.hub.subjects, lambda subjects: self.alerts.see(subjects, self.hub.now_ms())
        )
        self._alert_notes = AlertNotes(self.hub.subjects, asyncio.get_running_loop().call_later)
        self.file_turns = Turns(AT_ONCE, WAITING)
        self._roll = Roll()
        self._drains = False
        self._sampled_ms = 0
        self.started_ms = self.hub.now_ms()
        self._server = Listener.of(self._application(), settings, self.metrics)

    def listen(self) -> None:
        """Take the port.

        Raises:
            ConfigurationError: It is taken, or the address is not this machine's.
        """
        host, port = self.settings.host, self.settings.feed_port
        try:
            self._server.listen(port, host)
        except OSError as error:
            reason = "is taken: stop what uses it," if error.errno == errno.EADDRINUSE else ""
            reason = reason or f"of {host} cannot be used ({error}): set QUOTEWIRE_HOST,"
            raise ConfigurationError(
                f"port {port} {reason} or set QUOTEWIRE_FEED_PORT to a free one"
            ) from None

    async def run(self) -> None:
        """Serve until cancelled; then say goodbye to the clients."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.view.run())
                tasks.create_task(self.hub.recover())
                tasks.create_task(self.hub.indicators.run())
                tasks.create_task(self._see_to_connections())
                tasks.create_task(self.seen.run())
                tasks.create_task(keep_telling(self))
        finally:
            await self._stop()

    def admit(self, request: HTTPServerRequest) -> str:
        """Count a new connection and return the address that it counts for.

        Raises:
            RequestError: This gateway takes no connection now.
        """
        if self._drains:
            raise RequestError(ErrorCode.NOT_READY, "this gateway takes no new connections")
        if not self.view.symbols:
            raise RequestError(ErrorCode.NOT_READY, NOT_BEGUN)
        address = client_address(
            request.remote_ip or "",
            ",".join(request.headers.get_list("X-Forwarded-For")) or None,
            frozenset(self.settings.trusted_proxies),
        )
        self.admitted.admit(address)
        return address

    def welcome(self, client: Client) -> None:
        """Greet a new client."""
        settings = self.settings
        if not self.authenticator.required:
            client.grant = Grant.EVERYTHING
        if client.grant is not None:
            self.hub.subjects.put(client, client.grant.subject)
        self._roll.add(client)
        self.metrics.connections.set(len(self._roll))
        client.say(
            Welcome(
                version=PROTOCOL_VERSION,
                server=self.name,
                time_ms=self.hub.now_ms(),
                heartbeat_ms=settings.heartbeat_ms,
                max_hz=settings.max_hz,
                max_symbols=settings.max_symbols,
                max_message_bytes=settings.max_message_bytes,
                max_commands_per_s=settings.max_commands_per_s,
                auth="required" if self.authenticator.required else "none",
            )
        )
        client.say(self.status())

    def forget(self, client: Client) -> None:
        """Let go of a client whose connection has ended; safe to call twice."""
        if self._roll.remove(client):
            self.metrics.connections.set(len(self._roll))
        self.hub.drop(client)

    def end(self, client: Client, reason: CloseCode) -> None:
        """Let go of a client whose connection we end."""
        self.metrics.closes.labels(reason.name.lower()).inc()
        self.forget(client)

    def status(self) -> Status:
        """Return how the sources and this gateway do."""
        return Status(self.view.statuses(), GatewayStatus(self.name, round(self.hub.rate, 3)))

    @property
    def clients(self) -> Iterable[Client]:
        """All that are connected now."""
        return self._roll

    def figures(self) -> bytes:
        """Return the gateway's figures in Prometheus's text format."""
        self.gauge()
        return self.metrics.text()

    def gauge(self) -> None:
        """Bring those figures up to date that are not counted as they change."""
        self.metrics.behind.set(sum(client.is_behind for client in self._roll))
        self.metrics.watched_symbols.set(len(self.view.interest.kept))
        self.metrics.symbols_behind.set(self.view.unsettled)

    async def not_ready_reasons(self) -> list[str]:
        """Return why this gateway is not fit for traffic; nothing when it is."""
        reasons = ["it is being drained"] if self._drains else []
        try:
            await self.reader.ping()
        except BusError as error:
            reasons.append(str(error))
        if not self.view.symbols:
            reasons.append(NOT_BEGUN)
        if not self.view.hears:
            reasons.append("the subscription to Redis does not hear its own messages")
        return reasons + sources_down(self.view.statuses())

    def on_update(self, stored: StoredUpdate) -> None:
        """Pass a symbol's next change on."""
        self.metrics.updates.inc()
        now_ms = self.hub.now_ms()
        # Without a trade it may tell of a bar's end alone, with the time of the trade before.
        if stored.update.trades and now_ms != self._sampled_ms:
            self._sampled_ms = now_ms
            self.metrics.passed((now_ms - stored.update.quote.received_ms) / 1000)
        self.hub.on_update(stored)

    def on_restated(self, stored: StoredUpdate) -> None:
        """Pass a symbol's state on."""
        self.metrics.restated.inc()
        self.hub.on_restated(stored)

    def on_status(self) -> None:
        """Tell all clients how the sources and this gateway do."""
        self.metrics.rate.set(self.hub.rate)
        frame = Frame(self.status())
        for client in self._roll:
            client.say_frame(frame)

    def on_source_error(self, error: SourceError) -> None:
        """Tell those whom it concerns what a source could not do."""
        log.warning("source error", source=error.source, symbol=error.symbol, text=error.message)
        if error.symbol is None:
            return
        message = f"{error.source}: {error.message}"
        frame = Frame(Error(ErrorCode.SOURCE, message, symbol=error.symbol))
        for client in self.hub.fanout.members_of(error.symbol):
            client.say_frame(frame)

    def _on_alert_note(self, payload: bytes) -> None:
        """Tell a user's connections that the user's alerts have changed."""
        try:
            note = decode_alert_note(payload)
        except ValueError as error:
            log.error("malformed note of an alert on the bus", error=str(error))
            return
        if note.subject or not self.authenticator.required:
            self._alert_notes.take(note)

    def on_control(self, message: ControlMessage) -> None:
        """Do what an operator wants."""
        match message:
            case Disconnect(subject=subject):
                # Tokens without a subject are of many.
                for client in self.hub.subjects.of(subject) if subject else ():
                    client.close(CloseCode.REVOKED)
            case Drain(server=server) if server == self.name:
                self._drains = True
                self._say_goodbye()

    def _application(self) -> Application:
        return Application(
            routes(self),
            log_function=lambda _handler: None,
            websocket_max_message_size=self.settings.max_message_bytes,
        )

    async def _see_to_connections(self) -> None:
        """Tell each client in turn that it is connected and what it was sent, or end it."""
        while True:
            await asyncio.sleep(self.settings.heartbeat_ms / 1000 / SLOTS)
            now_s, now_ms = self.hub.now_s(), self.hub.now_ms()
            for client in self._roll.turn():
                reason = client.overdue(now_s, now_ms / 1000)
                if reason is not None:
                    client.close(reason)
                elif client.is_free:
                    client.say(Heartbeat(now_ms, client.frames))

    def _say_goodbye(self) -> None:
        """Close all connections, each with its own time to come again."""
        clients = list(self._roll)
        share_ms = self.settings.shutdown_spread_ms / max(1, len(clients))
        for place, client in enumerate(clients):
            client.say(Shutdown(int((place + random.random()) * share_ms)))
            client.close(CloseCode.GOING_AWAY)

    async def _stop(self) -> None:
        self._server.stop()
        self.hub.stop()
        self._say_goodbye()
        await self._server.close_all_connections()
        await self._redis.aclose()
        await self._listening_redis.aclose()


def sources_down(sources: Sequence[SourceStatus]) -> list[str]:
    """Return why no source serves; nothing while one does, for it takes the place of others."""
    if not sources:
        return ["no source has said how it does"]
    if any(source.state != SourceState.DOWN for source in sources):
        return []
    return [f"source {source.source}: {source.message}" for source in sources]
