"""What is wanted, by whom how often, and what of it the feed was asked for. Pure.

Wants are intent: they are counted, outlive links and are replayed on each. Of one series the feed
keeps one subscription a connection, so that several wants of it become one: with all indicators,
at the highest rate.
"""

from collections.abc import Iterable, Mapping

import msgspec

from dashboard.client.core.actions import Failed
from dashboard.client.core.asks import Ask, Unask, asks, unasks
from dashboard.client.core.entries import Entry, Want, is_due
from feed_server.protocol import Channel, ErrorCode


class Forget(msgspec.Struct, frozen=True, tag_field="do", tag="forget"):
    """Let go what is held of this: nobody wants it any more."""

    channel: Channel
    interval: str | None
    symbol: str


SubscriptionAction = Ask | Unask | Forget | Failed

_Key = tuple[Channel, str | None, str]

_TOKEN_REFUSALS = {"forbidden", "auth_required", "auth_failed", "auth_expired"}


class Subscriptions:
    """All that is wanted of one feed.

    Args:
        max_hz: Rate of wants that do not say; 0 for the server's own default.
    """

    def __init__(self, max_hz: float = 0) -> None:
        self._max_hz = max_hz
        self._entries: dict[_Key, Entry] = {}
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
        entries = [self._entries.setdefault(key, Entry(*key)) for key in _keys(want)]
        for entry in entries:
            entry.want(want)
        return self._ask(entries)

    def unwant(self, now_ms: float, want: Want) -> list[SubscriptionAction]:
        """Count something as wanted once less; what is not wanted at all lingers."""
        self._changed = True
        held = [self._entries[key] for key in _keys(want) if key in self._entries]
        return self._ask([entry for entry in held if entry.unwant(now_ms, want)])

    def configure(self, max_hz: float) -> list[SubscriptionAction]:
        """Set the rate of wants that do not say."""
        self._max_hz = max_hz
        return self._ask(self._entries.values())

    def wanted(self, now_ms: float, channel: Channel) -> list[tuple[str, str | None]]:
        """Return symbols and intervals of a channel to poll: wanted, and not just refused."""
        return [
            (entry.symbol, entry.interval)
            for entry in self._entries.values()
            if entry.channel == channel and entry.served_wants() and entry.may_be_polled(now_ms)
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
        return any(entry.symbol == symbol and entry.wants for entry in self._entries.values())

    def failure(
        self,
        channel: Channel,
        interval: str | None,
        symbol: str,
        indicators: tuple[str, ...] = (),
    ) -> Failed | None:
        """Return why something is not given, None where it is, or was not asked for."""
        entry = self._entries.get((channel, interval, symbol))
        return None if entry is None else entry.failure(indicators)

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
        return self._ask(self._entries.values())

    def unlinked(self) -> None:
        """There is no link any more."""
        self._changed = True
        self._is_linked = False
        for entry in self._entries.values():
            entry.asked = None

    def rest(self) -> list[SubscriptionAction]:
        """End all at the feed, but want it still."""
        asked = [entry for entry in self._entries.values() if entry.asked is not None]
        self.unlinked()
        return [*unasks(asked)]

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
        answered = [self._entries[key] for key in keys if key in self._entries]
        for entry in answered:
            code = failed.get(entry.symbol)
            if code is None:
                entry.served(indicators)
            else:
                told += entry.refused(now_ms, code, reason, indicators)
        # Where an indicator was refused or tried, the rest is asked for.
        return told + self._ask(entry for entry in answered if entry.failed is None)

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
        forbidden = [e for e in self._entries.values() if e.failed in _TOKEN_REFUSALS]
        for entry in forbidden:
            entry.again_ms = None if self._is_linked else now_ms
        return self._ask(forbidden)

    def tick(self, now_ms: float) -> list[SubscriptionAction]:
        """Forget what has lingered, and ask again for what was refused a while ago."""
        self._changed = True
        gone = {k: e for k, e in self._entries.items() if is_due(e.forget_ms, now_ms)}
        for key in gone:
            del self._entries[key]
        again = []
        if self._is_linked:
            again = [e for e in self._entries.values() if is_due(e.again_ms, now_ms)]
        for entry in again:
            entry.again_ms = None
        asked = [entry for entry in gone.values() if entry.asked is not None]
        return [*unasks(asked), *(Forget(*key) for key in gone), *self._ask(again)]

    def _ask(self, entries: Iterable[Entry]) -> list[SubscriptionAction]:
        return [*asks(entries, self._max_hz)] if self._is_linked else []


def _keys(want: Want) -> list[_Key]:
    return [(want.channel, want.interval, symbol) for symbol in dict.fromkeys(want.symbols)]
