"""The parts of a session, and how what one of them decides is done. Pure.

Each (the machine, the login, subscriptions, history, requests) decides for itself; what one decides
is passed on to those that it concerns, and what is left are actions for the shell.
"""

from collections.abc import Callable, Iterable, Sequence

from dashboard.client.core.actions import (
    Action,
    Close,
    Failed,
    Open,
    Poll,
    Renew,
    StateChanged,
    Way,
)
from dashboard.client.core.asks import Ask, Unask
from dashboard.client.core.books import Books
from dashboard.client.core.history import History
from dashboard.client.core.limits import LIMITS
from dashboard.client.core.login import Deny, Enter, Login, LoginAction, Show
from dashboard.client.core.machine import Machine
from dashboard.client.core.requests import Requests
from dashboard.client.core.rounds import Part, Rounds
from dashboard.client.core.settings import Settings
from dashboard.client.core.situation import LinkWay, MachineAction, Subscribe, Unsubscribe
from dashboard.client.core.subscriptions import Forget, SubscriptionAction, Subscriptions


class Parts:
    """The parts of a session.

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
        heartbeats_ms: By link how often it says something, as its welcome told.
        way: The link over which commands are sent.
        ping_ms: When the next ping is due.
        polled_with: The token that the poll under way shows.
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
        self.heartbeats_ms: dict[Way, float] = {}
        self.way: LinkWay | None = None
        self.ping_ms: float | None = None
        self.polled_with: str | None = None

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
                    actions.append(self.poll(self.rounds.begin(symbols)))
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
        steps = self.machine.welcome(now_ms, way, self.heartbeats_ms[way])
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

    def poll(self, part: Part) -> Poll:
        """Ask for a part of a round."""
        self.polled_with = self.login.token
        return Poll(part.id, part.symbols, part.since)

    def ping(self, now_ms: float) -> list[Action]:
        """Ask for the feed's clock, where it is time."""
        if self.ping_ms is None or self.way is None or now_ms < self.ping_ms:
            return []
        number, send = self.requests.ping(self.way)
        self.books.meter.pinged(number, now_ms)
        enough = self.books.meter.answered_pings >= LIMITS.pings
        self.ping_ms = now_ms + (LIMITS.ping_ms if enough else LIMITS.ping_first_ms)
        return [send]
