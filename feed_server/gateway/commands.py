"""What a client can ask for over a connection, and the answers.

Nothing here waits, but for the sources where a client asks for symbols that are not declared.
"""

from collections.abc import Awaitable, Mapping

import msgspec

from feed_server.gateway.auth import Authenticator, Grant
from feed_server.gateway.client import Client
from feed_server.gateway.hub import Hub
from feed_server.gateway.limits import CommandRate
from feed_server.gateway.lookup import Lookup, codes
from feed_server.gateway.requests import RequestError, parse_indicators, split_symbols
from feed_server.gateway.topics import Topic
from feed_server.protocol import (
    COMMANDS,
    Auth,
    Authenticated,
    ClientMessage,
    CloseCode,
    Error,
    ErrorCode,
    Interval,
    List,
    Listed,
    Ping,
    Pong,
    Subscribe,
    Subscribed,
    Subscription,
    Unsubscribe,
    Unsubscribed,
    decode_client_message,
    decode_envelope,
)

MIN_HZ = 0.1
"""A slower cohort would keep what is pending for too long after its members have gone."""

MAX_COMPUTED = 2_000
"""Symbols times indicators, of one connection."""

MAX_REFUSED = 1_000
"""A client that has sent so many commands more than it may is closed."""

MAX_EXPIRES_MS = 2**53 - 1
"""The largest whole number that JavaScript has; where no token is asked for."""


class Commands:
    """Handles one client's commands.

    Args:
        client: Who asks.
        hub: Where it subscribes.
        authenticator: Who may come in.
        lookup: Finds the symbols that are meant.
    """

    __slots__ = ("_authenticator", "_client", "_hub", "_lookup", "_rate", "_refused")

    def __init__(
        self, client: Client, hub: Hub, authenticator: Authenticator, lookup: Lookup
    ) -> None:
        self._client = client
        self._hub = hub
        self._authenticator = authenticator
        self._lookup = lookup
        self._rate = CommandRate(hub.settings.max_commands_per_s)
        self._refused = 0

    def receive(self, text: str | bytes) -> Awaitable[None] | None:
        """Handle one message of the client; whatever is wrong with it is answered.

        Returns:
            What must be awaited before the next message, for answers come in order; mostly nothing.
        """
        if self._client.is_closed:
            return None
        try:
            self._count()
            command = _decode(text)
        except RequestError as error:
            self._fail(error, _id_in(text))
            return None
        return self.run(command)

    def run(self, command: ClientMessage) -> Awaitable[None] | None:
        """Do what a command asks for, and answer it; one who was told to go is not served.

        Returns:
            As `receive`.
        """
        if self._client.is_closed:
            return None
        try:
            if isinstance(command, Subscribe) and self._must_look_up(command):
                return self._look_up(command)
            self._handle(command)
        except RequestError as error:
            self._fail(error, command.id)
        return None

    def receive_control(self) -> None:
        """Count a ping or a pong, which costs as much as a command; it has no answer of ours."""
        if not self._client.is_closed:
            self._is_allowed()

    def _handle(self, command: ClientMessage) -> None:
        match command:
            case Ping():
                self._client.say(Pong(command.id, self._hub.now_ms()))
            case Auth():
                self._authenticate(command)
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case List():
                self._list(command)

    def _authenticate(self, command: Auth) -> None:
        grant = self._authenticator.grant(command.token, self._hub.now_ms() / 1000)
        self._client.grant = grant
        for topic, gone in self._hub.restrict(self._client, grant).items():
            self._client.say(Unsubscribed(command.id, topic.channel, gone, topic.interval))
        expires_ms = min(grant.expires_s * 1000, MAX_EXPIRES_MS)
        self._client.say(Authenticated(command.id, int(expires_ms)))

    def _must_look_up(self, command: Subscribe) -> bool:
        """Tell whether only the sources know if there are such symbols."""
        view = self._hub.view
        check_subscribe(command, self._grant())
        return view.hears and bool(self._lookup.unknown(command.symbols, view.symbols))

    async def _look_up(self, command: Subscribe) -> None:
        """Subscribe when the sources have said which of the symbols there are."""
        try:
            allows = self._grant().allows_symbol
            why = await self._lookup.find(command.symbols, self._hub.view.symbols, allows)
            if not self._client.is_closed:
                self._subscribe(command, codes(why))
        except RequestError as error:
            self._fail(error, command.id)

    def _subscribe(self, command: Subscribe, why: Mapping[str, ErrorCode] | None = None) -> None:
        grant = self._grant()
        check_subscribe(command, grant)
        most = self._hub.settings.max_hz
        max_hz = min(command.max_hz, most) if command.max_hz else most
        symbols, failed = split_symbols(
            command.symbols,
            self._meaning,
            grant.allows_symbol,
            most=self._room_beside(command),
            why=why,
        )
        indicators = self._indicators(command, symbols)
        self._client.say(
            Subscribed(
                command.id,
                command.channel,
                symbols,
                failed,
                max_hz,
                command.interval,
                list(indicators),
            )
        )
        topic = Topic(command.channel, command.interval, max_hz, indicators)
        since = {self._name(text): position for text, position in command.since.items()}
        self._hub.subscribe(self._client, topic, symbols, since=since, snapshot=command.snapshot)

    def _unsubscribe(self, command: Unsubscribe) -> None:
        _check_channel(command)
        symbols = list(dict.fromkeys(map(self._name, command.symbols)))
        self._hub.unsubscribe(self._client, command.channel, command.interval, symbols)
        self._client.say(Unsubscribed(command.id, command.channel, symbols, command.interval))

    def _list(self, command: List) -> None:
        subscriptions = [
            Subscription(
                topic.channel, sorted(symbols), topic.max_hz, topic.interval, [*topic.indicators]
            )
            for topic, symbols in self._hub.subscriptions_of(self._client).items()
        ]
        self._client.say(Listed(command.id, subscriptions))

    def _count(self) -> None:
        if not self._is_allowed():
            raise RequestError(
                ErrorCode.TOO_MANY_COMMANDS,
                f"more than {self._hub.settings.max_commands_per_s} commands a second: "
                "send fewer, with more symbols each",
            )

    def _is_allowed(self) -> bool:
        if self._rate.take(self._hub.now_s()):
            self._refused = max(0, self._refused - 1)
            return True
        self._refused += 1
        if self._refused > MAX_REFUSED:
            self._client.close(CloseCode.TOO_MANY_COMMANDS)
        return False

    def _grant(self) -> Grant:
        if self._client.grant is None:
            raise RequestError(
                ErrorCode.AUTH_REQUIRED, 'send {"type":"auth","id":…,"token":…} first'
            )
        return self._client.grant

    def _room_beside(self, command: Subscribe) -> int:
        """Return how many symbols a client may ask for beside those that it has elsewhere."""
        elsewhere = sum(map(len, self._elsewhere(command).values()))
        return max(0, self._hub.settings.max_symbols - elsewhere)

    def _indicators(self, command: Subscribe, symbols: list[str]) -> tuple[str, ...]:
        """Return the canonical texts of the indicators that a client asks for."""
        indicators = tuple(spec.text for spec in parse_indicators(command.indicators))
        elsewhere = self._elsewhere(command).items()
        count = len(symbols) * len(indicators)
        if count + sum(len(s) * len(topic.indicators) for topic, s in elsewhere) > MAX_COMPUTED:
            raise RequestError(
                ErrorCode.BAD_PARAMETER,
                f"a connection can have {MAX_COMPUTED} indicators, each symbol's counted: "
                "ask for fewer, or of fewer symbols",
            )
        return indicators

    def _elsewhere(self, command: Subscribe) -> dict[Topic, set[str]]:
        """Return what a client has and will still have when it gets what it asks for."""
        stream = command.channel, command.interval
        asked = set(map(self._name, command.symbols))
        return {
            topic: symbols if (topic.channel, topic.interval) != stream else symbols - asked
            for topic, symbols in self._hub.subscriptions_of(self._client).items()
        }

    def _meaning(self, text: str) -> str | None:
        return self._lookup.meaning(text, self._hub.view.symbols)

    def _name(self, text: str) -> str:
        """Return how the feed names a symbol; where it has none, the text itself."""
        return self._meaning(text) or text

    def _fail(self, error: RequestError, request_id: int | None) -> None:
        self._hub.metrics.errors.labels(error.code.value).inc()
        self._client.say(Error(error.code, error.message, request_id))


def check_subscribe(command: Subscribe, grant: Grant) -> None:
    """Check what can be told without knowing who asks or what there is.

    Raises:
        RequestError: Nothing of it can be served.
    """
    _check_channel(command)
    if not grant.allows_channel(command.channel):
        raise RequestError(
            ErrorCode.FORBIDDEN, f"the token does not allow channel {command.channel!r}"
        )
    if command.max_hz != 0 and not command.max_hz >= MIN_HZ:
        raise RequestError(
            ErrorCode.BAD_PARAMETER, f"max_hz must be 0 or at least {MIN_HZ}, not {command.max_hz}"
        )
    if command.indicators and command.channel != "bars":
        raise RequestError(ErrorCode.BAD_PARAMETER, "only channel 'bars' has indicators")
    parse_indicators(command.indicators)


def _check_channel(command: Subscribe | Unsubscribe) -> None:
    if (command.channel == "bars") != bool(command.interval):
        raise RequestError(
            ErrorCode.BAD_PARAMETER,
            "channel 'bars' needs an interval, other channels take none",
        )


def _decode(text: str | bytes) -> ClientMessage:
    try:
        return decode_client_message(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _explained(text, str(error)) from None


def _explained(text: str | bytes, reason: str) -> RequestError:
    """Tell an unknown command from a malformed one, as far as one can."""
    try:
        known = decode_envelope(text).type in COMMANDS
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        known = True
    if not known:
        return RequestError(ErrorCode.UNKNOWN_COMMAND, reason)
    if reason.endswith("`$.interval`"):
        return RequestError(ErrorCode.UNKNOWN_INTERVAL, f"{reason}: one of {', '.join(Interval)}")
    return RequestError(ErrorCode.BAD_MESSAGE, reason)


def _id_in(text: str | bytes) -> int | None:
    """Return a request's number, where it can be found."""
    try:
        return decode_envelope(text).id
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
