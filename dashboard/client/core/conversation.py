"""What the feed says, and what comes of it: messages, answers to requests and to polls. Pure."""

from msgspec.structs import replace

from dashboard.client.core.actions import Action, Trouble, Way
from dashboard.client.core.login import DENIALS
from dashboard.client.core.parts import Parts
from dashboard.client.core.rounds import Part
from dashboard.client.core.situation import LinkWay
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
        parts: What takes what the feed says, and decides.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._machine = parts.machine
        self._login = parts.login
        self._wanted = parts.wanted
        self._books = parts.books
        self._history = parts.history
        self._requests = parts.requests
        self._rounds = parts.rounds
        self._troubles = Troubles()

    # ---- what the feed says

    def received(
        self, now_ms: float, way: Way, message: ServerMessage | None, size_bytes: int
    ) -> list[Action]:
        """Take a message of a link; see `Session.received`."""
        if way not in self._parts.frames or way == "polling":
            return []
        self._parts.frames[way] += 1
        self._books.meter.message(now_ms, size_bytes)
        heard = self._machine.heard(now_ms, way)
        actions = self._parts.perform(now_ms, heard) if heard else []
        if way != self._parts.way:
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

    def _greeted(self, now_ms: float, way: LinkWay, message: ServerMessage | None) -> list[Action]:
        """Take what is said over a link that is not in use yet."""
        match message:
            case Welcome():
                self._parts.heartbeats_ms[way] = message.heartbeat_ms
                self._requests.limit(message.max_message_bytes)
                required = message.auth == "required"
                if required:
                    self._machine.greeted(now_ms, way)
                steps = self._login.welcomed(now_ms, way, message.time_ms, required)
                return self._parts.admit(now_ms, steps)
            case Authenticated() | Error() | Status():
                return self._answered(now_ms, way, message)
        return []

    def _answered(self, now_ms: float, way: LinkWay, message: ServerMessage | None) -> list[Action]:
        match message:
            case Pong():
                self._books.meter.ponged(message.id, message.time_ms, now_ms)
            case Heartbeat() if way == "websocket" and message.frames >= self._parts.frames[way]:
                lost = message.frames - self._parts.frames[way] + 1
                reason = f"{lost} messages were lost on the way"
                return self._parts.perform(now_ms, self._machine.broken(now_ms, way, reason))
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
                actions = self._parts.admit(now_ms, steps)
                if was_in:
                    actions += self._parts.follow(self._wanted.allowed(now_ms))
                return actions
        return []

    def _subscribed(self, now_ms: float, way: LinkWay, message: Subscribed) -> list[Action]:
        asked = self._requests.take(way, message.id)
        if asked is None or asked.kind != "ask":
            return []
        failed = {symbol: str(code) for symbol, code in message.failed.items()}
        steps = self._wanted.answered(
            *(now_ms, asked.channel, asked.interval, asked.symbols, failed),
            indicators=asked.indicators,
        )
        served = [symbol for symbol in asked.symbols if symbol not in failed]
        actions = self._parts.follow(steps)
        return actions + self._history.subscribed(
            now_ms, asked.channel, asked.interval, served, self._parts.machine
        )

    def _unsubscribed(self, now_ms: float, way: LinkWay, message: Unsubscribed) -> list[Action]:
        asked = self._requests.find(way, message.id)
        channel, interval = message.channel, message.interval
        if asked is None or asked.kind != "unask":
            dropped = self._wanted.dropped(now_ms, channel, interval, message.symbols)
            return self._parts.follow(dropped)
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
                *(now_ms, asked.channel, asked.interval, asked.symbols, failed),
                reason=error.message,
                indicators=asked.indicators,
            )
            return self._parts.follow(steps)
        if code in DENIALS:
            shown = self._login.token if asked is None else asked.token
            refused = self._login.refused(now_ms, way, shown, code, error.message)
            return self._parts.admit(now_ms, refused)
        if error.id is None and error.symbol is not None and self._wanted.names(error.symbol):
            trouble = Trouble(error.symbol, code, error.message)
            return list(self._troubles.came(now_ms, trouble))
        return []

    def load_failed(self, now_ms: float, number: int, code: str, reason: str) -> list[Action]:
        """Take note that a load has failed; trouble is told where it is not the connection's."""
        actions: list[Action] = []
        for action in self._history.failed(now_ms, number, code, reason):
            if not isinstance(action, Trouble):
                actions.append(action)
            elif self._parts.state.state in _CONNECTED:
                actions += self._troubles.came(now_ms, action)
        return actions

    # ---- polls

    def polled(
        self, now_ms: float, number: int, quotes: Quotes | None, status: Status | None
    ) -> list[Action]:
        """Take the answer to a poll; see `Session.polled`."""
        if not self._is_polling(number):
            return []
        symbols = self._rounds.symbols
        self._login.accepted()
        self._books.meter.message(now_ms)
        actions = [] if status is None else self._books.status_came(status)
        if quotes is not None:
            held = [row for row in quotes.rows if self._wanted.holds("quotes", None, row.symbol)]
            actions += self._books.quotes_came(now_ms, replace(quotes, rows=held), polled=True)
        served = self._wanted.answered(now_ms, "quotes", None, symbols, {})
        actions += self._parts.follow(served)
        part = self._rounds.answered(None if quotes is None else quotes.cursor)
        return actions + self._poll_on(now_ms, part)

    def poll_failed(self, now_ms: float, number: int, code: str, reason: str) -> list[Action]:
        """Take note that a poll has failed; see `Session.poll_failed`."""
        if not self._is_polling(number):
            return []
        symbols = self._rounds.symbols
        if code in DENIALS:
            return self._poll_denied(now_ms, code, reason)
        if code not in _REFUSALS or not symbols:
            self._rounds.end()
            return self._parts.perform(now_ms, self._machine.poll_failed(now_ms, code, reason))
        actions: list[Action] = []
        if len(symbols) == 1:
            failed = {symbols[0]: code}
            refused = self._wanted.answered(now_ms, "quotes", None, symbols, failed, reason)
            actions = self._parts.follow(refused)
        return actions + self._poll_on(now_ms, self._rounds.refused())

    def _is_polling(self, number: int) -> bool:
        return self._rounds.is_current(number) and self._machine.is_polling

    def _poll_denied(self, now_ms: float, code: str, reason: str) -> list[Action]:
        shown = self._parts.polled_with
        if shown != self._login.token:
            return self._parts.perform(now_ms, self._machine.repoll(now_ms))
        # Until there is another token the poll counts as under way.
        self._rounds.hold()
        return self._parts.admit(now_ms, self._login.refused(now_ms, None, shown, code, reason))

    def _poll_on(self, now_ms: float, part: Part | None) -> list[Action]:
        if part is not None:
            return [self._parts.poll(part)]
        actions = self._parts.perform(now_ms, self._machine.poll_ok(now_ms))
        return actions + self._history.polled(now_ms, self._machine)
