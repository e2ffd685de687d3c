"""What is wanted, by whom how often, and what of it the feed was asked for. Pure.

Wants are intent: they are counted, outlive links and are replayed on each. Of one series the feed
keeps one subscription a connection, so that several wants of it become one: with all indicators,
at the highest rate.
"""

from collections.abc import Iterable, Mapping

import msgspec

from dashboard.client.core.actions import Failed
from dashboard.client.core.limits import LIMITS
from dashboard.client.core.trials import Trials
from feed_server.protocol import Channel, ErrorCode


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What one user of a session wants; given back as it is to end it.

    Attributes:
        channel: Which channel.
        symbols: Which instruments, as the feed names them.
        interval: Which bars; for channel ``bars`` only.
        indicators: To be computed at each bar, such as ``SMA(20)``.
        max_hz: Messages a second at most, 0 for what the settings say. Of several wants of a symbol
            the highest counts.
        history: Bars to be loaded before the live ones, 0 for none. Of several wants of a series
            the most counts.
    """

    channel: Channel
    symbols: tuple[str, ...]
    interval: str | None = None
    indicators: tuple[str, ...] = ()
    max_hz: float = 0
    history: int = 0


class Ask(msgspec.Struct, frozen=True, tag_field="do", tag="ask"):
    """Subscribe to these; attributes as in `feed_server.protocol.Subscribe`."""

    channel: Channel
    interval: str | None
    indicators: tuple[str, ...]
    max_hz: float
    symbols: list[str]


class Unask(msgspec.Struct, frozen=True, tag_field="do", tag="unask"):
    """Unsubscribe from these."""

    channel: Channel
    interval: str | None
    symbols: list[str]


class Forget(msgspec.Struct, frozen=True, tag_field="do", tag="forget"):
    """Let go what is held of this: nobody wants it any more."""

    channel: Channel
    interval: str | None
    symbol: str


SubscriptionAction = Ask | Unask | Forget | Failed

_Key = tuple[Channel, str | None, str]
_Terms = tuple[tuple[str, ...], float]

_ASKED_AGAIN = {"unknown_symbol"} | {str(code) for code in ErrorCode if code.retry}
_TOKEN_REFUSALS = {"forbidden", "auth_required", "auth_failed", "auth_expired"}
_BAD_INDICATOR = ErrorCode.BAD_PARAMETER.value
_REASONS = {str(code): code.reason for code in ErrorCode}


class _Entry:
    """One symbol of a channel, and of bars one interval."""

    def __init__(self) -> None:
        self.wants: dict[tuple[tuple[str, ...], float, int], int] = {}
        self.asked: _Terms | None = None
        self.forget_ms: float | None = None
        self.failed: str | None = None
        self.reason = ""
        self.wait_ms = 0.0
        self.again_ms: float | None = None
        self.trials = Trials()

    def served_wants(self) -> list[tuple[tuple[str, ...], float, int]]:
        """Return the wants that the feed does not refuse for one of their indicators."""
        return [want for want in self.wants if self.trials.refusal(want[0]) is None]

    def terms(self, max_hz: float) -> _Terms:
        """Return with which indicators and at what rate it is to be asked for."""
        wants = self.served_wants()
        indicators = {name for names, _, _ in wants for name in names}
        rates = [hz or max_hz for _, hz, _ in wants]
        return self.trials.choose(indicators), 0 if 0 in rates else max(rates, default=0)

    def may_be_polled(self, now_ms: float) -> bool:
        """Tell whether it is of use to ask for it now."""
        return self.failed is None or _is_due(self.again_ms, now_ms)

    def served(self, indicators: Iterable[str]) -> None:
        """It is there."""
        self.failed, self.wait_ms, self.again_ms = None, 0.0, None
        self.trials.took(indicators)


class Subscriptions:
    """All that is wanted of one feed.

    Args:
        max_hz: Rate of wants that do not say; 0 for the server's own default.
    """

    def __init__(self, max_hz: float = 0) -> None:
        self._max_hz = max_hz
        self._entries: dict[_Key, _Entry] = {}
        self._is_linked = False
        self._due_ms: float | None = None
        self._changed = False

    def __len__(self) -> int:
        return len(self._entries)

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        if self._changed:
            self._changed = False
            entries = self._entries.values()
            due = [e.forget_ms for e in entries if e.forget_ms is not None]
            if self._is_linked:
                due += [e.again_ms for e in entries if e.again_ms is not None]
            self._due_ms = min(due, default=None)
        return self._due_ms

    # ---- what is wanted

    def want(self, want: Want) -> list[SubscriptionAction]:
        """Count something as wanted once more."""
        self._changed = True
        keys = _keys(want)
        for key in keys:
            entry = self._entries.setdefault(key, _Entry())
            terms = (want.indicators, want.max_hz, want.history)
            entry.wants[terms] = entry.wants.get(terms, 0) + 1
            entry.forget_ms = None
        return self._ask(keys)

    def unwant(self, now_ms: float, want: Want) -> list[SubscriptionAction]:
        """Count something as wanted once less; what is not wanted at all lingers."""
        self._changed = True
        terms = (want.indicators, want.max_hz, want.history)
        changed = []
        for key in _keys(want):
            entry = self._entries.get(key)
            if entry is None or terms not in entry.wants:
                continue
            entry.wants[terms] -= 1
            if not entry.wants[terms]:
                del entry.wants[terms]
                entry.trials.keep({name for names, _, _ in entry.wants for name in names})
                changed.append(key)
            if not entry.wants:
                entry.forget_ms = now_ms + LIMITS.linger_ms
        return self._ask(changed)

    def configure(self, max_hz: float) -> list[SubscriptionAction]:
        """Set the rate of wants that do not say."""
        self._max_hz = max_hz
        return self._ask(self._entries)

    def wanted(self, now_ms: float, channel: Channel) -> list[tuple[str, str | None]]:
        """Return symbols and intervals of a channel to poll: wanted, and not just refused."""
        return [
            (symbol, interval)
            for (of, interval, symbol), entry in self._entries.items()
            if of == channel and entry.served_wants() and entry.may_be_polled(now_ms)
        ]

    def holds(self, channel: Channel, interval: str | None, symbol: str) -> bool:
        """Tell whether something is wanted, or was a moment ago."""
        return (channel, interval, symbol) in self._entries

    def is_wanted(self, channel: Channel, interval: str | None, symbol: str) -> bool:
        """Tell whether something is wanted."""
        entry = self._entries.get((channel, interval, symbol))
        return entry is not None and bool(entry.wants)

    def names(self, symbol: str) -> bool:
        """Tell whether a symbol is wanted of any channel."""
        return any(key[2] == symbol and entry.wants for key, entry in self._entries.items())

    def failure(
        self,
        channel: Channel,
        interval: str | None,
        symbol: str,
        indicators: tuple[str, ...] = (),
    ) -> Failed | None:
        """Return why something is not given, None where it is, or was not asked for."""
        key = channel, interval, symbol
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.failed is not None:
            return _failed(key, entry.failed, entry.reason)
        refusal = entry.trials.refusal(indicators)
        return None if refusal is None else _failed(key, _BAD_INDICATOR, refusal, indicators)

    def history(self, interval: str | None, symbol: str) -> int:
        """Return how many bars are wanted before the live ones."""
        entry = self._entries.get(("bars", interval, symbol))
        return max((most for _, _, most in entry.served_wants()), default=0) if entry else 0

    def indicators(self, interval: str | None, symbol: str) -> tuple[str, ...]:
        """Return the indicators that are wanted of a series."""
        entry = self._entries.get(("bars", interval, symbol))
        return entry.terms(self._max_hz)[0] if entry else ()

    # ---- what is asked for

    def linked(self) -> list[SubscriptionAction]:
        """Ask for all that is wanted, over a link that knows nothing of it."""
        self._changed = True
        self._is_linked = True
        for entry in self._entries.values():
            entry.asked = entry.again_ms = None
            entry.trials.linked()
        return self._ask(self._entries)

    def unlinked(self) -> None:
        """There is no link any more."""
        self._changed = True
        self._is_linked = False
        for entry in self._entries.values():
            entry.asked = None

    def rest(self) -> list[SubscriptionAction]:
        """End all at the feed, but want it still."""
        asked = [key for key, entry in self._entries.items() if entry.asked is not None]
        self.unlinked()
        return _unasks(asked)

    def answered(
        self,
        now_ms: float,
        channel: Channel,
        interval: str | None,
        symbols: Iterable[str],
        failed: Mapping[str, str],
        reason: str = "",
        indicators: tuple[str, ...] = (),
    ) -> list[SubscriptionAction]:
        """Take the answer to an `Ask`.

        Args:
            now_ms: The time.
            channel: As asked.
            interval: As asked.
            symbols: As asked.
            failed: By symbol the code, of those that cannot be had.
            reason: What the feed says of it, where it does.
            indicators: As asked.
        """
        self._changed = True
        told: list[SubscriptionAction] = []
        keys: list[_Key] = [(channel, interval, symbol) for symbol in symbols]
        answered = [key for key in keys if key in self._entries]
        for key in answered:
            entry = self._entries[key]
            code = failed.get(key[2])
            if code is None:
                entry.served(indicators)
            else:
                told += self._refused(now_ms, key, entry, (code, reason, indicators))
        # Where an indicator was refused or tried, the rest is asked for.
        return told + self._ask(key for key in answered if self._entries[key].failed is None)

    def dropped(
        self, now_ms: float, channel: Channel, interval: str | None, symbols: Iterable[str]
    ) -> list[SubscriptionAction]:
        """The feed has ended these by itself: the token does not allow them."""
        return self.answered(
            now_ms, channel, interval, symbols, dict.fromkeys(symbols, ErrorCode.FORBIDDEN.value)
        )

    def allowed(self, now_ms: float) -> list[SubscriptionAction]:
        """Another token was taken: ask again for what was forbidden."""
        self._changed = True
        forbidden = [k for k, e in self._entries.items() if e.failed in _TOKEN_REFUSALS]
        for key in forbidden:
            self._entries[key].again_ms = None if self._is_linked else now_ms
        return self._ask(forbidden)

    def tick(self, now_ms: float) -> list[SubscriptionAction]:
        """Forget what has lingered, and ask again for what was refused a while ago."""
        self._changed = True
        gone = [k for k, e in self._entries.items() if _is_due(e.forget_ms, now_ms)]
        asked = [key for key in gone if self._entries[key].asked is not None]
        for key in gone:
            del self._entries[key]
        again = []
        if self._is_linked:
            again = [k for k, e in self._entries.items() if _is_due(e.again_ms, now_ms)]
        for key in again:
            self._entries[key].again_ms = None
        return [*_unasks(asked), *(Forget(*key) for key in gone), *self._ask(again)]

    def _refused(
        self, now_ms: float, key: _Key, entry: _Entry, answer: tuple[str, str, tuple[str, ...]]
    ) -> list[SubscriptionAction]:
        code, reason, indicators = answer
        bad = entry.trials.refuse(indicators, reason) if code == _BAD_INDICATOR else None
        if bad is not None:
            if entry.asked is not None and entry.asked[0] == indicators:
                entry.asked = None
            return [_failed(key, code, reason, (name,)) for name in bad]
        entry.asked = None
        entry.again_ms = None
        if code in _ASKED_AGAIN:
            doubled_ms = 2 * entry.wait_ms or LIMITS.unknown_base_ms
            entry.wait_ms = min(doubled_ms, LIMITS.unknown_cap_ms)
            entry.again_ms = now_ms + entry.wait_ms
        if code == entry.failed or not entry.wants:
            return []
        entry.failed, entry.reason = code, reason
        return [_failed(key, code, reason)]

    def _ask(self, keys: Iterable[_Key]) -> list[SubscriptionAction]:
        """Ask for those of some entries that are wanted on other terms than was asked for."""
        if not self._is_linked:
            return []
        groups: dict[tuple[Channel, str | None, _Terms], list[str]] = {}
        for channel, interval, symbol in keys:
            entry = self._entries[channel, interval, symbol]
            terms = entry.terms(self._max_hz)
            if not entry.served_wants() or entry.asked == terms or entry.again_ms is not None:
                continue
            entry.asked = terms
            groups.setdefault((channel, interval, terms), []).append(symbol)
        return [
            Ask(channel, interval, indicators, max_hz, symbols)
            for (channel, interval, (indicators, max_hz)), symbols in groups.items()
        ]


def _failed(key: _Key, code: str, reason: str, indicators: tuple[str, ...] = ()) -> Failed:
    channel, interval, symbol = key
    said = reason or f"{symbol}: {_REASONS.get(code, code)}"
    return Failed(channel, symbol, interval, code, said, indicators)


def _keys(want: Want) -> list[_Key]:
    return [(want.channel, want.interval, symbol) for symbol in dict.fromkeys(want.symbols)]


def _is_due(at: float | None, now_ms: float) -> bool:
    return at is not None and now_ms >= at


def _unasks(keys: Iterable[_Key]) -> list[SubscriptionAction]:
    groups: dict[tuple[Channel, str | None], list[str]] = {}
    for channel, interval, symbol in keys:
        groups.setdefault((channel, interval), []).append(symbol)
    return [Unask(channel, interval, symbols) for (channel, interval), symbols in groups.items()]
