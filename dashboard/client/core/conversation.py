"""What the parts of a session decide, put together: what is done, and what came of it. Pure.

Each part (the machine, the login, subscriptions, history, requests) decides for itself; what one
decides is passed on to those that it concerns, and what is left are actions for the shell.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from dashboard.client.core.actions import (
    Action,
    Close,
    Failed,
    Open,
    Poll,
    Renew,
    StateChanged,
    Trouble,
    Way,
)
from dashboard.client.core.asks import Ask, Unask
from dashboard.client.core.books import Books
from dashboard.client.core.history import History
from dashboard.client.core.limits import LIMITS
from dashboard.client.core.login import DENIALS, Deny, Enter, Login, LoginAction, Show
from dashboard.client.core.machine import Machine
from dashboard.client.core.requests import Requests
from dashboard.client.core.rounds import Part, Rounds
from dashboard.client.core.settings import Settings
from dashboard.client.core.situation import LinkWay, MachineAction, Subscribe, Unsubscribe
from dashboard.client.core.subscriptions import Forget, SubscriptionAction, Subscriptions
from dashboard.client.core.troubles import Troubles
from feed_server.protocol import (
    Authenticated,
    Bars,
    Error,
    Heartbeat,
    Pong,
    Quotes,
    ServerMessage,
    Shutdown,
    Status,
    Subscribed,
    Trades,
    Unsubscribed,
    Welcome,
)

_REFUSALS = ("unknown_symbol", "forbidden")
"""Answers to a poll that are about one of its symbols."""
_CONNECTED = ("live", "polling", "stale")


class Conversation:
    """A client's talk with one feed.

    Args:
        settings: How it goes about its work.
        random: Uniform in [0, 1), for the jitter.

    Attributes:
        state: The connection's state as it was told last.
        machine: Which way data comes.
        login: How the client is let in.
        wanted: What is wanted.
        books: What came.
        history: What is loaded.
        requests: What is said, and waits for an answer.
        rounds: Polls.
        frames: By link how many messages came.
        way: The link over which commands are sent.
        ping_ms: When the next ping is due.
    """

    def __init__(self, settings: Settings, random: Callable[[], float]) -> None:
        self.state = StateChanged("connecting", "idle", "not started yet", "websocket", 0)
        self.machine = Machine(
            mode=settings.mode,
            poll_ms=settings.poll_ms,
            relay=settings.relay,
            renewable=settings.renewable,
            random=random,
        )
        self.login = Login(settings.renewable)
        self.wanted = Subscriptions(settings.max_hz)
        self.books = Books()
        self.history = History(self.wanted, self.books, random)
        self.requests = Requests(self.books)
        self.rounds = Rounds()
        self.frames: dict[Way, int] = {}
        self._heartbeats_ms: dict[Way, float] = {}
        self.way: LinkWay | None = None
        self.ping_ms: float | None = None
        self._polled_with: str | None = None
        self._troubles = Troubles()

    # ---- what the parts decide becomes actions

    def perform(self, now_ms: float, steps: Sequence[MachineAction]) -> list[Action]:
        """Do what the machine decides."""
        actions: list[Action] = []
        for step in steps:
            match step:
                case Subscribe(way=way):
                    actions += self.follow(self.wanted.linked())
                case Unsubscribe(way=way):
                    actions += self._rest(way)
                case StateChanged():
                    self._state_changed(step)
                    actions.append(step)
                case Open(way=way):
                    self.frames[way] = 0
                    actions.append(step)
                case Close(way=way):
                    self.unlink(way)
                    actions.append(step)
                case _:
                    symbols = [s for s, _ in self.wanted.wanted(now_ms, "quotes")]
                    actions.append(self._poll(self.rounds.begin(symbols)))
        return actions

    def follow(self, steps: Iterable[SubscriptionAction]) -> list[Action]:
        """Do what subscriptions ask for."""
        actions: list[Action] = []
        for step in steps:
            match step:
                case Failed():
                    actions.append(step)
                case Forget(channel=channel, interval=interval, symbol=symbol):
                    self.history.forget(channel, interval, symbol)
                case Ask() if self.way is not None:
                    actions += self.requests.subscribe(self.way, step)
                case Unask() if self.way is not None:
                    actions += self.requests.unsubscribe(self.way, step)
        return actions

    def admit(self, now_ms: float, steps: Iterable[LoginAction]) -> list[Action]:
        """Do what the login asks for."""
        actions: list[Action] = []
        for step in steps:
            match step:
                case Show(way=way) if self.login.token is not None:
                    actions.append(self.requests.authenticate(way, self.login.token))
                case Enter(way=way):
                    actions += self._enter(now_ms, way)
                case Deny(code=code, reason=reason):
                    actions += self.perform(now_ms, self.machine.denied(now_ms, code, reason))
                case Renew():
                    actions.append(step)
        return actions

    def _enter(self, now_ms: float, way: LinkWay) -> list[Action]:
        if self.way is not None:
            self.requests.unlinked(self.way)
        self.way = way
        self.rounds.end()
        self.books.unlinked()
        self.books.meter.welcomed()
        self.ping_ms = None if self.machine.is_hidden else now_ms
        steps = self.machine.welcome(now_ms, way, self._heartbeats_ms[way])
        return [*self.perform(now_ms, steps), *self.ping(now_ms)]

    def unlink(self, way: Way) -> None:
        """Take note that there is no link any more."""
        if way == "polling":
            return
        self.frames.pop(way, None)
        self.login.closed(way)
        self.requests.unlinked(way)
        if way == self.way:
            self.way = self.ping_ms = None
            self.wanted.unlinked()
            self.books.unlinked()

    def _rest(self, way: LinkWay) -> list[Action]:
        actions: list[Action] = []
        for step in self.wanted.rest():
            if isinstance(step, Unask):
                actions += self.requests.unsubscribe(way, step)
        self.books.unlinked()
        return actions

    def _state_changed(self, changed: StateChanged) -> None:
        self.state = changed
        self.books.connection(changed.state)
        if changed.state == "closed":
            self.rounds.end()
            self.history.stop()

    # ---- what the feed says

    def received(
        self, now_ms: float, way: Way, message: ServerMessage | None, size_bytes: int
    ) -> list[Action]:
        """Take a message of a link; see `Session.received`."""
        if way not in self.frames or way == "polling":
            return []
        self.frames[way] += 1
        self.books.meter.message(now_ms, size_bytes)
        heard = self.machine.heard(now_ms, way)
        actions = self.perform(now_ms, heard) if heard else []
        if way != self.way:
            return actions + self._greeted(now_ms, way, message)
        match message:
            case Quotes():
                data = self.books.quotes_came(now_ms, message)
                return actions + data if actions else data
            case Trades():
                actions += self.books.trades_came(now_ms, message)
                return actions + self.history.mend(now_ms, self.machine)
            case Bars():
                actions += self.books.bars_came(now_ms, message)
                return actions + self.history.mend(now_ms, self.machine)
            case _:
                return actions + self._answered(now_ms, way, message)

    def _greeted(self, now_ms: float, way: LinkWay, message: ServerMessage | None) -> list[Action]:
        """Take what is said over a link that is not in use yet."""
        match message:
            case Welcome():
                self._heartbeats_ms[way] = message.heartbeat_ms
                self.requests.limit(message.max_message_bytes)
                required = message.auth == "required"
                if required:
                    self.machine.greeted(now_ms, way)
                steps = self.login.welcomed(now_ms, way, message.time_ms, required)
                return self.admit(now_ms, steps)
            case Authenticated() | Error() | Status():
                return self._answered(now_ms, way, message)
        return []

    def _answered(self, now_ms: float, way: LinkWay, message: ServerMessage | None) -> list[Action]:
        match message:
            case Pong():
                self.books.meter.ponged(message.id, message.time_ms, now_ms)
            case Heartbeat() if way == "websocket" and message.frames >= self.frames[way]:
                reason = f"{message.frames - self.frames[way] + 1} messages were lost on the way"
                return self.perform(now_ms, self.machine.broken(now_ms, way, reason))
            case Status():
                return self.books.status_came(message)
            case Subscribed():
                return self._subscribed(now_ms, way, message)
            case Unsubscribed():
                return self._unsubscribed(now_ms, way, message)
            case Error():
                return self._failed(now_ms, way, message)
            case Shutdown():
                self.machine.shutdown(now_ms, way, message.reconnect_ms)
            case Authenticated():
                self.requests.take(way, message.id)
                was_in = self.login.is_in(way)
                steps = self.login.authenticated(now_ms, way, message.expires_ms)
                actions = self.admit(now_ms, steps)
                if was_in:
                    actions += self.follow(self.wanted.allowed(now_ms))
                return actions
        return []

    def _subscribed(self, now_ms: float, way: LinkWay, message: Subscribed) -> list[Action]:
        asked = self.requests.take(way, message.id)
        if asked is None or asked.kind != "ask":
            return []
        failed = {symbol: str(code) for symbol, code in message.failed.items()}
        steps = self.wanted.answered(
            *(now_ms, asked.channel, asked.interval, asked.symbols, failed),
            indicators=asked.indicators,
        )
        served = [symbol for symbol in asked.symbols if symbol not in failed]
        actions = self.follow(steps)
        return actions + self.history.subscribed(
            now_ms, asked.channel, asked.interval, served, self.machine
        )

    def _unsubscribed(self, now_ms: float, way: LinkWay, message: Unsubscribed) -> list[Action]:
        asked = self.requests.find(way, message.id)
        channel, interval = message.channel, message.interval
        if asked is None or asked.kind != "unask":
            dropped = self.wanted.dropped(now_ms, channel, interval, message.symbols)
            return self.follow(dropped)
        self.requests.take(way, message.id)
        for symbol in asked.symbols:
            # What came since it was forgotten is let go, too.
            if not self.wanted.holds(asked.channel, asked.interval, symbol):
                self.history.forget(asked.channel, asked.interval, symbol)
        return []

    def _failed(self, now_ms: float, way: LinkWay, error: Error) -> list[Action]:
        asked = self.requests.take(way, error.id)
        code = str(error.code)
        if asked is not None and asked.kind == "ask":
            failed = dict.fromkeys(asked.symbols, code)
            steps = self.wanted.answered(
                *(now_ms, asked.channel, asked.interval, asked.symbols, failed),
                reason=error.message,
                indicators=asked.indicators,
            )
            return self.follow(steps)
        if code in DENIALS:
            shown = self.login.token if asked is None else asked.token
            refused = self.login.refused(now_ms, way, shown, code, error.message)
            return self.admit(now_ms, refused)
        if error.id is None and error.symbol is not None and self.wanted.names(error.symbol):
            trouble = Trouble(error.symbol, code, error.message)
            return list(self._troubles.came(now_ms, trouble))
        return []

    def load_failed(self, now_ms: float, number: int, code: str, reason: str) -> list[Action]:
        """Take note that a load has failed; trouble is told where it is not the connection's."""
        actions: list[Action] = []
        for action in self.history.failed(now_ms, number, code, reason):
            if not isinstance(action, Trouble):
                actions.append(action)
            elif self.state.state in _CONNECTED:
                actions += self._troubles.came(now_ms, action)
        return actions

    # ---- polls and pings

    def polled(
        self, now_ms: float, number: int, quotes: Quotes | None, status: Status | None
    ) -> list[Action]:
        """Take the answer to a poll; see `Session.polled`."""
        if not self._is_polling(number):
            return []
        symbols = self.rounds.symbols
        self.login.accepted()
        self.books.meter.message(now_ms)
        actions = [] if status is None else self.books.status_came(status)
        if quotes is not None:
            held = [row for row in quotes.rows if self.wanted.holds("quotes", None, row.symbol)]
            actions += self.books.quotes_came(now_ms, replace(quotes, rows=held), polled=True)
        served = self.wanted.answered(now_ms, "quotes", None, symbols, {})
        actions += self.follow(served)
        part = self.rounds.answered(None if quotes is None else quotes.cursor)
        return actions + self._poll_on(now_ms, part)

    def poll_failed(self, now_ms: float, number: int, code: str, reason: str) -> list[Action]:
        """Take note that a poll has failed; see `Session.poll_failed`."""
        if not self._is_polling(number):
            return []
        symbols = self.rounds.symbols
        if code in DENIALS:
            return self._poll_denied(now_ms, code, reason)
        if code not in _REFUSALS or not symbols:
            self.rounds.end()
            return self.perform(now_ms, self.machine.poll_failed(now_ms, code, reason))
        actions: list[Action] = []
        if len(symbols) == 1:
            failed = {symbols[0]: code}
            refused = self.wanted.answered(now_ms, "quotes", None, symbols, failed, reason)
            actions = self.follow(refused)
        return actions + self._poll_on(now_ms, self.rounds.refused())

    def _is_polling(self, number: int) -> bool:
        return self.rounds.is_current(number) and self.machine.is_polling

    def _poll_denied(self, now_ms: float, code: str, reason: str) -> list[Action]:
        shown = self._polled_with
        if shown != self.login.token:
            return self.perform(now_ms, self.machine.repoll(now_ms))
        # Until there is another token the poll counts as under way.
        self.rounds.hold()
        return self.admit(now_ms, self.login.refused(now_ms, None, shown, code, reason))

    def _poll(self, part: Part) -> Poll:
        self._polled_with = self.login.token
        return Poll(part.id, part.symbols, part.since)

    def _poll_on(self, now_ms: float, part: Part | None) -> list[Action]:
        if part is not None:
            return [self._poll(part)]
        actions = self.perform(now_ms, self.machine.poll_ok(now_ms))
        return actions + self.history.polled(now_ms, self.machine)

    def ping(self, now_ms: float) -> list[Action]:
        """Ask for the feed's clock, where it is time."""
        if self.ping_ms is None or self.way is None or now_ms < self.ping_ms:
            return []
        number, send = self.requests.ping(self.way)
        self.books.meter.pinged(number, now_ms)
        enough = self.books.meter.answered_pings >= LIMITS.pings
        self.ping_ms = now_ms + (LIMITS.ping_ms if enough else LIMITS.ping_first_ms)
        return [send]
