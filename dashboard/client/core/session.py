"""The whole client but its I/O: a connection, what is wanted of it, and what came. Pure.

What happens goes in by a method, with the time; what is to be done comes out, as a list of
`actions`. It never waits: `deadline` says when `tick` is due. A shell opens links, sends requests
and holds one timer.
"""

import random as chance
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from dashboard.client.core.actions import (
    Action,
    Close,
    Failed,
    Mode,
    Open,
    Poll,
    Renew,
    StateChanged,
    Way,
)
from dashboard.client.core.bars import Bar
from dashboard.client.core.books import Books
from dashboard.client.core.history import History
from dashboard.client.core.latency import Meter
from dashboard.client.core.limits import LIMITS
from dashboard.client.core.links import LinkWay
from dashboard.client.core.login import DENIALS, Deny, Enter, Login, LoginAction, Show
from dashboard.client.core.machine import Machine, MachineAction, Subscribe, Unsubscribe
from dashboard.client.core.requests import Requests
from dashboard.client.core.rounds import Part, Rounds
from dashboard.client.core.staleness import Age
from dashboard.client.core.subscriptions import (
    Ask,
    Forget,
    SubscriptionAction,
    Subscriptions,
    Unask,
    Want,
)
from dashboard.client.core.trade_book import Trade
from feed_server.protocol import (
    Authenticated,
    Bars,
    BarSeries,
    Channel,
    Error,
    Heartbeat,
    Pong,
    Quote,
    Quotes,
    ServerMessage,
    Shutdown,
    Status,
    Subscribed,
    SymbolInfo,
    Trades,
    TradeSeries,
    Unsubscribed,
    Welcome,
)

__all__ = ["Session", "Settings", "Want"]

_REFUSALS = ("unknown_symbol", "forbidden")
"""Answers to a poll that are about one of its symbols."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a session goes about its work.

    Attributes:
        mode: Which ways it takes.
        poll_ms: How often it polls.
        max_hz: Messages a second at most of a subscription that does not say; 0 for the server's
            own default.
        relay: Whether there is a relay.
        renewable: Whether the shell can get another token when one is asked for by `Renew`.
    """

    mode: Mode = "auto"
    poll_ms: int = 1000
    max_hz: float = 0
    relay: bool = False
    renewable: bool = False


class Session:
    """A client of one feed.

    Every method that takes ``now_ms`` returns what is to be done, in order; each may be called at
    any time, in any order.

    Args:
        settings: How it goes about its work.
        random: Uniform in [0, 1), for the jitter.

    Attributes:
        settings: As they are now.
        state: The connection's state as it was told last.
    """

    def __init__(
        self, settings: Settings | None = None, random: Callable[[], float] = chance.random
    ) -> None:
        self.settings = settings or Settings()
        self.state = StateChanged("connecting", "idle", "not started yet", "websocket", 0)
        self._machine = Machine(
            mode=self.settings.mode,
            poll_ms=self.settings.poll_ms,
            relay=self.settings.relay,
            renewable=self.settings.renewable,
            random=random,
        )
        self._login = Login(self.settings.renewable)
        self._wanted = Subscriptions(self.settings.max_hz)
        self._books = Books()
        self._history = History(self._wanted, self._books, random)
        self._requests = Requests(self._books)
        self._rounds = Rounds()
        self._frames: dict[Way, int] = {}
        self._heartbeats_ms: dict[Way, float] = {}
        self._way: LinkWay | None = None
        self._ping_ms: float | None = None
        self._polled_with: str | None = None

    # ---- life

    def start(self, now_ms: float) -> list[Action]:
        """Begin, also after `stop` or after the feed has closed for good; else nothing."""
        actions = self._machine.start(now_ms)
        if actions:
            self._login.restart()
        return self._perform(now_ms, actions)

    def stop(self, now_ms: float) -> list[Action]:
        """End: links are closed, nothing is asked any more. What is wanted and held is kept."""
        return self._perform(now_ms, self._machine.stop(now_ms))

    def tick(self, now_ms: float) -> list[Action]:
        """Do what is due; nothing, where it is too early."""
        return [
            *self._perform(now_ms, self._machine.tick(now_ms)),
            *self._admit(now_ms, self._login.tick(now_ms)),
            *self._follow(now_ms, self._wanted.tick(now_ms)),
            *self._history.tick(now_ms, self._machine),
            *self._ping(now_ms),
        ]

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is.

        Most messages put it off. A shell need not move its timer then: a tick that comes too early
        does nothing, and the deadline after it says when to come again.
        """
        due = (
            self._machine.deadline(),
            self._login.deadline(),
            self._wanted.deadline(),
            None if self._machine.is_hidden else self._history.deadline(),
            self._ping_ms,
        )
        return min((at for at in due if at is not None), default=None)

    def configure(
        self,
        now_ms: float,
        *,
        mode: Mode | None = None,
        poll_ms: int | None = None,
        max_hz: float | None = None,
        relay: bool | None = None,
    ) -> list[Action]:
        """Change settings; None leaves one as it is."""
        given = {"mode": mode, "poll_ms": poll_ms, "max_hz": max_hz, "relay": relay}
        told = {name: value for name, value in given.items() if value is not None}
        self.settings = replace(self.settings, **told)
        steps = self._machine.configure(now_ms, mode=mode, poll_ms=poll_ms, relay=relay)
        actions = self._perform(now_ms, steps)
        if max_hz is not None:
            actions += self._follow(now_ms, self._wanted.configure(max_hz))
        return actions

    def online(self, now_ms: float) -> list[Action]:
        """Take note that the network is back: what waits is tried at once."""
        return self._perform(now_ms, self._machine.online(now_ms))

    def visible(self, now_ms: float) -> list[Action]:
        """Take note that the page is seen again: it catches up, and what waits is tried at once."""
        self._books.meter.seen(True)
        actions = self._perform(now_ms, self._machine.visible(now_ms))
        if self._way is not None and self._ping_ms is None:
            self._ping_ms = now_ms
        return actions

    def hidden(self, now_ms: float) -> list[Action]:
        """Take note that nobody sees the page: nothing is asked for until `visible`."""
        self._books.meter.seen(False)
        self._ping_ms = None
        return self._perform(now_ms, self._machine.hidden(now_ms))

    def token(self, now_ms: float, token: str) -> list[Action]:
        """Show this token from now on; also before `start`, and as the answer to `Renew`.

        An open link is kept and shows it; a session that was closed for want of it starts again.
        """
        actions = self._admit(now_ms, self._login.take(token))
        again = self._machine.token(now_ms)
        if again:
            self._login.restart()
        actions += self._perform(now_ms, again)
        if self._way is None:
            actions += self._follow(now_ms, self._wanted.allowed(now_ms))
            if self._rounds.is_held:
                actions += self._perform(now_ms, self._machine.repoll(now_ms))
        return actions

    # ---- what is wanted

    def want(self, now_ms: float, want: Want) -> list[Action]:
        """Begin to get something; wants are counted, and kept across all that happens.

        What is held already of it is not told again: see `quote` and `bars`.
        """
        actions = self._follow(now_ms, self._wanted.want(want))
        if want.history and want.interval is not None:
            held = self._books.positions("bars", want.interval, want.symbols)
            actions += self._history.wanted(now_ms, want.interval, held, self._machine)
        return actions

    def unwant(self, now_ms: float, want: Want) -> list[Action]:
        """End what the same want began. The feed is told, and what is held is let go, 2 s later."""
        return self._follow(now_ms, self._wanted.unwant(now_ms, want))

    # ---- what came

    def received(
        self, now_ms: float, way: Way, message: ServerMessage | None, size_bytes: int = 0
    ) -> list[Action]:
        """Take a message of a link; None is one of a kind that is not known here."""
        if way not in self._frames or way == "polling":
            return []
        self._frames[way] += 1
        self._books.meter.message(now_ms, size_bytes)
        heard = self._machine.heard(now_ms, way)
        actions = self._perform(now_ms, heard) if heard else []
        if way != self._way:
            return actions + self._greeted(now_ms, way, message)
        match message:
            case Quotes():
                data = self._books.quotes_came(now_ms, message)
                return actions + data if actions else data
            case Trades():
                actions += self._books.trades_came(now_ms, message)
                return actions + self._history.mend(now_ms, self._machine)
            case Bars():
                actions += self._books.bars_came(now_ms, message)
                return actions + self._history.mend(now_ms, self._machine)
            case _:
                return actions + self._answered(now_ms, way, message)

    def closed(self, now_ms: float, way: Way, number: int | None, reason: str) -> list[Action]:
        """Take note that a link has ended, or could not be opened.

        Args:
            now_ms: The time.
            way: Which link.
            number: The WebSocket's close code, None where there is none.
            reason: Why, for a person.
        """
        if way not in self._frames or way == "polling":
            return []
        self._unlink(way)
        return self._perform(now_ms, self._machine.closed(now_ms, way, number, reason))

    def polled(
        self, now_ms: float, id: int, quotes: Quotes | None, status: Status | None = None
    ) -> list[Action]:
        """Take the answer to a `Poll`; ``quotes`` is None where none were asked for."""
        if not self._is_polling(id):
            return []
        symbols = self._rounds.symbols
        self._login.accepted()
        self._books.meter.message(now_ms)
        actions = [] if status is None else self._books.status_came(status)
        if quotes is not None:
            held = [row for row in quotes.rows if self._wanted.holds("quotes", None, row.symbol)]
            actions += self._books.quotes_came(now_ms, replace(quotes, rows=held), polled=True)
        served = self._wanted.answered(now_ms, "quotes", None, symbols, {})
        actions += self._follow(now_ms, served)
        part = self._rounds.answered(None if quotes is None else quotes.cursor)
        return actions + self._poll_on(now_ms, part)

    def poll_failed(self, now_ms: float, id: int, code: str, reason: str) -> list[Action]:
        """Take note that a `Poll` has failed.

        Args:
            now_ms: The time.
            id: The poll's.
            code: The feed's `ErrorCode`; ``unreachable`` where it did not answer.
            reason: Why, for a person.
        """
        if not self._is_polling(id):
            return []
        symbols = self._rounds.symbols
        if code in DENIALS:
            return self._poll_denied(now_ms, code, reason)
        if code not in _REFUSALS or not symbols:
            self._rounds.end()
            return self._perform(now_ms, self._machine.poll_failed(now_ms, code, reason))
        actions: list[Action] = []
        if len(symbols) == 1:
            refused = self._wanted.answered(now_ms, "quotes", None, symbols, {symbols[0]: code})
            actions = self._follow(now_ms, refused)
        return actions + self._poll_on(now_ms, self._rounds.refused())

    def loaded(self, now_ms: float, id: int, series: BarSeries | TradeSeries) -> list[Action]:
        """Take the answer to a `Load`."""
        return self._history.loaded(now_ms, id, series, self._machine)

    def load_failed(self, now_ms: float, id: int, code: str, reason: str) -> list[Action]:
        """Take note that a `Load` has failed; arguments as for `poll_failed`."""
        return self._history.failed(now_ms, id, code, reason)

    def painted(self, now_ms: float) -> None:
        """Take note that quotes told of so far have been painted, or handed over."""
        self._books.meter.shown(now_ms)

    def symbols(self, symbols: Iterable[SymbolInfo]) -> None:
        """Take what instruments there are: which source tells each, and which are replayed."""
        self._books.symbols_came(symbols)

    # ---- what is known

    @property
    def meter(self) -> Meter:
        """What is measured and counted."""
        return self._books.meter

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol that is wanted, None where there is none yet."""
        return self._books.quote(symbol)

    def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """Return the bars held of a series, oldest first; not to be changed."""
        return self._books.bars(symbol, interval)

    def failure(self, channel: Channel, interval: str | None, symbol: str) -> Failed | None:
        """Return why the feed does not give something that is wanted, None where it does.

        It is told once: who comes later to want the same has to ask.
        """
        return self._wanted.failure(channel, interval, symbol)

    def trades(self, symbol: str) -> list[Trade]:
        """Return the last trades of a symbol that is wanted, oldest first."""
        return self._books.trades(symbol)

    def outputs(self, indicator: str) -> Sequence[str]:
        """Return the names of an indicator's outputs; empty before history told them."""
        return self._books.outputs(indicator)

    def age(self, symbol: str, now_ms: float) -> Age:
        """Tell how old a symbol's quote is, and whether it is too old."""
        return self._books.age(symbol, now_ms)

    def is_loaded(self, symbol: str, interval: str) -> bool:
        """Tell whether the history of a series is there that was wanted."""
        return self._books.is_loaded(symbol, interval)

    def sizes(self) -> dict[str, int]:
        """Return how much is held of what comes and goes, to see that nothing grows."""
        return {
            "wanted": len(self._wanted),
            "requests": len(self._requests),
            "loads": len(self._history),
            "links": len(self._frames),
            "books": len(self._books),
        }

    # ---- how: what the parts decide becomes actions

    def _perform(self, now_ms: float, steps: Sequence[MachineAction]) -> list[Action]:
        actions: list[Action] = []
        for step in steps:
            match step:
                case Subscribe(way=way):
                    actions += self._follow(now_ms, self._wanted.linked())
                case Unsubscribe(way=way):
                    actions += self._rest(way)
                case StateChanged():
                    self._state_changed(step)
                    actions.append(step)
                case Open(way=way):
                    self._frames[way] = 0
                    actions.append(step)
                case Close(way=way):
                    self._unlink(way)
                    actions.append(step)
                case _:
                    symbols = [s for s, _ in self._wanted.wanted(now_ms, "quotes")]
                    actions.append(self._poll(self._rounds.begin(symbols)))
        return actions

    def _follow(self, now_ms: float, steps: Iterable[SubscriptionAction]) -> list[Action]:
        actions: list[Action] = []
        for step in steps:
            match step:
                case Failed():
                    actions.append(step)
                case Forget(channel=channel, interval=interval, symbol=symbol):
                    self._history.forget(channel, interval, symbol)
                case Ask() if self._way is not None:
                    actions += self._requests.subscribe(self._way, step)
                case Unask() if self._way is not None:
                    actions += self._requests.unsubscribe(self._way, step)
        return actions

    def _admit(self, now_ms: float, steps: Iterable[LoginAction]) -> list[Action]:
        actions: list[Action] = []
        for step in steps:
            match step:
                case Show(way=way) if self._login.token is not None:
                    actions.append(self._requests.authenticate(way, self._login.token))
                case Enter(way=way):
                    actions += self._enter(now_ms, way)
                case Deny(code=code, reason=reason):
                    actions += self._perform(now_ms, self._machine.denied(now_ms, code, reason))
                case Renew():
                    actions.append(step)
        return actions

    def _enter(self, now_ms: float, way: LinkWay) -> list[Action]:
        if self._way is not None:
            self._requests.unlinked(self._way)
        self._way = way
        self._rounds.end()
        self._books.unlinked()
        self._books.meter.welcomed()
        self._ping_ms = None if self._machine.is_hidden else now_ms
        steps = self._machine.welcome(now_ms, way, self._heartbeats_ms[way])
        return [*self._perform(now_ms, steps), *self._ping(now_ms)]

    def _unlink(self, way: Way) -> None:
        if way == "polling":
            return
        self._frames.pop(way, None)
        self._login.closed(way)
        self._requests.unlinked(way)
        if way == self._way:
            self._way = self._ping_ms = None
            self._wanted.unlinked()
            self._books.unlinked()

    def _rest(self, way: LinkWay) -> list[Action]:
        actions: list[Action] = []
        for step in self._wanted.rest():
            if isinstance(step, Unask):
                actions += self._requests.unsubscribe(way, step)
        self._books.unlinked()
        return actions

    def _state_changed(self, changed: StateChanged) -> None:
        self.state = changed
        self._books.connection(changed.state)
        if changed.state == "closed":
            self._rounds.end()
            self._history.stop()

    # ---- how: what the feed says but data

    def _greeted(self, now_ms: float, way: LinkWay, message: ServerMessage | None) -> list[Action]:
        """Take what is said over a link that is not in use yet."""
        match message:
            case Welcome():
                self._heartbeats_ms[way] = message.heartbeat_ms
                self._requests.limit(message.max_message_bytes)
                required = message.auth == "required"
                if required:
                    self._machine.greeted(now_ms, way)
                steps = self._login.welcomed(now_ms, way, message.time_ms, required)
                return self._admit(now_ms, steps)
            case Authenticated() | Error() | Status():
                return self._answered(now_ms, way, message)
        return []

    def _answered(self, now_ms: float, way: LinkWay, message: ServerMessage | None) -> list[Action]:
        match message:
            case Pong():
                self._books.meter.ponged(message.id, message.time_ms, now_ms)
            case Heartbeat() if way == "websocket" and message.frames >= self._frames[way]:
                reason = f"{message.frames - self._frames[way] + 1} messages were lost on the way"
                return self._perform(now_ms, self._machine.broken(now_ms, way, reason))
            case Status():
                return self._books.status_came(message)
            case Subscribed():
                return self._subscribed(now_ms, way, message)
            case Unsubscribed():
                return self._unsubscribed(now_ms, way, message)
            case Error():
                return self._failed(now_ms, way, message)
            case Shutdown():
                self._machine.shutdown(now_ms, way, message.reconnect_ms)
            case Authenticated():
                self._requests.take(way, message.id)
                was_in = self._login.is_in(way)
                steps = self._login.authenticated(now_ms, way, message.expires_ms)
                actions = self._admit(now_ms, steps)
                if was_in:
                    actions += self._follow(now_ms, self._wanted.allowed(now_ms))
                return actions
        return []

    def _subscribed(self, now_ms: float, way: LinkWay, message: Subscribed) -> list[Action]:
        asked = self._requests.take(way, message.id)
        if asked is None or asked.kind != "ask":
            return []
        failed = {symbol: str(code) for symbol, code in message.failed.items()}
        steps = self._wanted.answered(now_ms, asked.channel, asked.interval, asked.symbols, failed)
        served = [symbol for symbol in asked.symbols if symbol not in failed]
        actions = self._follow(now_ms, steps)
        return actions + self._history.subscribed(
            now_ms, asked.channel, asked.interval, served, self._machine
        )

    def _unsubscribed(self, now_ms: float, way: LinkWay, message: Unsubscribed) -> list[Action]:
        asked = self._requests.find(way, message.id)
        channel, interval = message.channel, message.interval
        if asked is None or asked.kind != "unask":
            dropped = self._wanted.dropped(now_ms, channel, interval, message.symbols)
            return self._follow(now_ms, dropped)
        self._requests.take(way, message.id)
        for symbol in asked.symbols:
            # What came since it was forgotten is let go, too.
            if not self._wanted.holds(asked.channel, asked.interval, symbol):
                self._history.forget(asked.channel, asked.interval, symbol)
        return []

    def _failed(self, now_ms: float, way: LinkWay, error: Error) -> list[Action]:
        asked = self._requests.take(way, error.id)
        code = str(error.code)
        if asked is not None and asked.kind == "ask":
            failed = dict.fromkeys(asked.symbols, code)
            steps = self._wanted.answered(
                now_ms, asked.channel, asked.interval, asked.symbols, failed
            )
            return self._follow(now_ms, steps)
        if code in DENIALS:
            shown = self._login.token if asked is None else asked.token
            refused = self._login.refused(now_ms, way, shown, code, error.message)
            return self._admit(now_ms, refused)
        return []

    # ---- how: polls and pings

    def _is_polling(self, number: int) -> bool:
        return self._rounds.is_current(number) and self._machine.is_polling

    def _poll_denied(self, now_ms: float, code: str, reason: str) -> list[Action]:
        shown = self._polled_with
        if shown != self._login.token:
            return self._perform(now_ms, self._machine.repoll(now_ms))
        # Until there is another token the poll counts as under way.
        self._rounds.hold()
        return self._admit(now_ms, self._login.refused(now_ms, None, shown, code, reason))

    def _poll(self, part: Part) -> Poll:
        self._polled_with = self._login.token
        return Poll(part.id, part.symbols, part.since)

    def _poll_on(self, now_ms: float, part: Part | None) -> list[Action]:
        if part is not None:
            return [self._poll(part)]
        actions = self._perform(now_ms, self._machine.poll_ok(now_ms))
        return actions + self._history.polled(now_ms, self._machine)

    def _ping(self, now_ms: float) -> list[Action]:
        if self._ping_ms is None or self._way is None or now_ms < self._ping_ms:
            return []
        number, send = self._requests.ping(self._way)
        self._books.meter.pinged(number, now_ms)
        enough = self._books.meter.answered_pings >= LIMITS.pings
        self._ping_ms = now_ms + (LIMITS.ping_ms if enough else LIMITS.ping_first_ms)
        return [send]
