"""Does what a `Session` asks for: a link, requests, one timer; fills sinks with what comes."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from msgspec.structs import replace

from dashboard.client.answers import answer, failed
from dashboard.client.core import actions as do
from dashboard.client.core.session import Session, Settings
from dashboard.client.core.staleness import Age
from dashboard.client.credentials import Credentials
from dashboard.client.delivery import Delivery
from dashboard.client.errors import (
    UNREADABLE,
    FeedAccessError,
    FeedError,
    FeedUnavailableError,
    no_feed,
)
from dashboard.client.http_api import HttpApi
from dashboard.client.listeners import Listeners
from dashboard.client.names import Names
from dashboard.client.stats import Stats
from dashboard.client.streams import Sink
from dashboard.client.timing import Alarm, Clock
from dashboard.client.websocket_link import LinkError, WebSocketLink
from feed_server.protocol import SourceStatus, decode_server_message, encode

TURNS = 20
"""For readers to catch up, before more is read from the link."""

NO_TOKEN = "the feed asks for a token: set QUOTEWIRE_TOKEN, or FeedClient(token=…)"

log = logging.getLogger(__name__)


class Runner:
    """Runs a session, in the loop that it is made in.

    Args:
        http: Where polls and history are asked for.
        credentials: What lets it in.
        settings: Of the session.
        listeners: Called with each change of the connection's state.
        on_trouble: Called with each trouble that a source has with a symbol.

    Attributes:
        session: What decides.
        sources: What the feed says of its sources, by their names.
    """

    def __init__(
        self,
        http: HttpApi,
        credentials: Credentials,
        settings: Settings,
        listeners: Listeners[do.StateChanged],
        on_trouble: Listeners[do.Trouble],
    ) -> None:
        self.session = Session(settings)
        self.sources: Mapping[str, SourceStatus] = {}
        self._on_trouble = on_trouble
        self._listeners = listeners
        self._loop = asyncio.get_running_loop()
        self._clock = Clock()
        self._http = http
        self._credentials = credentials
        self._delivery = Delivery(self.session)
        self._names = Names(http)
        self._link: WebSocketLink | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm = Alarm(lambda: self._perform(self.session.tick(self.now_ms)))
        self._beginning: asyncio.Task[None] | None = None
        self._reached = False
        self._handlers: dict[type[do.Action], Callable[[Any], object]] = {
            do.QuotesChanged: self._quotes_changed,
            do.TradesChanged: self._delivery.trades_changed,
            do.BarsChanged: self._delivery.bars_changed,
            do.Lost: self._delivery.lost,
            do.Failed: self._delivery.failed,
            do.StateChanged: self._state_changed,
            do.Trouble: self._trouble_came,
            do.StatusChanged: self._status_changed,
            do.Open: self._open,
            do.Close: lambda _close: self._drop_link(),
            do.Send: self._send,
            do.Poll: lambda poll: self._spawn(self._ask(poll)),
            do.Load: lambda load: self._spawn(self._ask(load)),
            do.Renew: lambda _renew: self._spawn(self._renew()),
        }

    @property
    def now_ms(self) -> float:
        """UTC epoch milliseconds."""
        return self._clock.now_ms

    def age(self, symbol: str) -> Age:
        """Return how old a symbol's quote is."""
        return self.session.age(self._names.known(symbol), self.now_ms)

    def stats(self) -> Stats:
        """Return what is measured and counted."""
        meter = self.session.meter
        return Stats(meter.facts(self.now_ms), dataclasses.replace(meter.counts))

    async def aclose(self) -> None:
        """End all that was begun; safe to repeat."""
        for sink in self._delivery:
            sink.end()
            self.detach(sink)
        for task in self._tasks:
            task.cancel()
        try:
            self._perform(self.session.stop(self.now_ms))
            while self._tasks:
                await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            self._alarm.stop()

    # ---- sinks

    def attach(self, sink: Sink[Any]) -> None:
        """Begin to fill a sink; the first one begins everything."""
        self._delivery.add(sink)
        if self.session.state.state == "offline" and not self._reached:
            sink.trouble(self._unreached(self.session.state))
        if self._beginning is None or self.session.state.state == "closed":
            self._beginning = self._spawn(self._begin())
        if self._names.knows(sink.want.symbols):
            self._want(sink)
        else:
            self._spawn(self._name(sink))

    def detach(self, sink: Sink[Any]) -> None:
        """End that; does nothing where it has ended."""
        if sink in self._delivery and self._delivery.remove(sink):
            self._perform(self.session.unwant(self.now_ms, sink.want))

    async def _name(self, sink: Sink[Any]) -> None:
        """Want what is asked for by the feed's names, for by these it answers."""
        symbols = await self._names.of(sink.want.symbols)
        self.session.symbols(self._names.listed)
        if sink in self._delivery:
            sink.want = replace(sink.want, symbols=symbols)
            self._want(sink)

    def _want(self, sink: Sink[Any]) -> None:
        self._delivery.begin(sink)
        self._perform(self.session.want(self.now_ms, sink.want))

    # ---- what the session tells

    def _perform(self, actions: list[do.Action]) -> None:
        for action in actions:
            self._handlers[type(action)](action)
        due_ms = self.session.deadline()
        if due_ms is not None:
            self._alarm.set(self._clock.loop_s(due_ms))

    def _quotes_changed(self, changed: do.QuotesChanged) -> None:
        self._delivery.quotes_changed(changed)
        self._loop.call_soon(self._handed_over)

    def _handed_over(self) -> None:
        """Come after the readers, and measure when they have read all."""
        if self._delivery.is_read:
            self.session.painted(self.now_ms)

    def _trouble_came(self, trouble: do.Trouble) -> None:
        log.warning("%s: %s", trouble.symbol, trouble.reason)
        self._on_trouble(trouble, self._loop.call_soon)

    def _status_changed(self, changed: do.StatusChanged) -> None:
        self.sources = dict(changed.sources)

    def _state_changed(self, state: do.StateChanged) -> None:
        self._reached = self._reached or state.state in ("live", "polling")
        if state.state == "closed" and state.code != "stopped":
            has_none = state.code == "auth_required" and not self._credentials.given
            self._refuse(FeedAccessError(NO_TOKEN if has_none else state.reason))
        elif state.state == "offline" and not self._reached:
            for sink in self._delivery:
                sink.trouble(self._unreached(state))
        self._listeners(state, self._loop.call_soon)

    def _refuse(self, error: FeedError) -> None:
        for sink in self._delivery:
            sink.fail(error)
            self.detach(sink)

    def _unreached(self, state: do.StateChanged) -> FeedUnavailableError:
        return no_feed(self._http.url, state.reason)

    # ---- what the session wants done

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failure = FeedError(f"the client has failed: {error!r}")
            failure.__cause__ = error
            self._refuse(failure)

    async def _begin(self) -> None:
        try:
            token = await self._credentials.token()
        except FeedAccessError as error:
            self._refuse(error)
            self._beginning = None
            return
        if token is not None:
            self._perform(self.session.token(self.now_ms, token))
        self._perform(self.session.start(self.now_ms))

    async def _renew(self) -> None:
        try:
            token = await self._credentials.token()
        except FeedAccessError as error:
            log.warning("%s", error)
            return
        if token is not None:
            self._perform(self.session.token(self.now_ms, token))

    def _open(self, _open: do.Open) -> None:
        self._drop_link()
        address = f"{self._http.url.replace('http', 'ws', 1)}/ws"
        # Kept before it is open, for the feed's first words come before `connect` has returned.
        self._link = WebSocketLink(address, self._heard, self._link_closed)
        self._opening = self._spawn(self._connect(self._link))

    async def _connect(self, link: WebSocketLink) -> None:
        try:
            await link.connect()
        except LinkError as error:
            self._opening = None
            self._link_closed(None, str(error))

    def _drop_link(self) -> None:
        if self._link is None:
            return
        if self._opening is not None:
            self._opening.cancel()
        self._link.mute()
        self._spawn(self._link.close())
        self._link = self._opening = None

    def _send(self, send: do.Send) -> None:
        if self._link is not None:
            self._link.send(encode(send.message))

    def _heard(self, text: str | bytes) -> Coroutine[Any, Any, None] | None:
        try:
            message = decode_server_message(text)
        except UNREADABLE as error:
            self._drop_link()
            self._link_closed(None, f"the feed said what cannot be understood: {error}")
            return None
        self._perform(self.session.received(self.now_ms, "websocket", message, len(text)))
        return self._let_read() if self._delivery.crowded else None

    async def _let_read(self) -> None:
        """Let readers run who could keep up, were they given the time."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
            if not self._delivery.crowded:
                return

    def _link_closed(self, code: int | None, reason: str) -> None:
        self._link = self._opening = None
        self._perform(self.session.closed(self.now_ms, "websocket", code, reason))

    async def _ask(self, asked: do.Poll | do.Load) -> None:
        try:
            told = await answer(self._http, asked)
            actions = told(self.session, self.now_ms)
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not end the streams)
            log.warning("an answer of the feed makes no sense: %r", error)
            told = failed(asked, "internal", f"the feed's answer makes no sense: {error!r}")
            actions = told(self.session, self.now_ms)
        self._perform(actions)
