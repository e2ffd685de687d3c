"""When an alert fires: at the crossing of its level, once. Pure; prices and clock come in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from feed_server.protocol import Alert, Condition

REST_MS = 60_000
"""An alert that stays is not armed again sooner after it has fired: prices dither at a level."""


def reading(condition: Condition, price: float, prev_close: float | None) -> float | None:
    """Return what is compared with an alert's level; `None` where it is not known.

    Args:
        condition: What of.
        price: The last price.
        prev_close: Last price of the session before, where it is known.
    """
    if not condition.is_change:
        return price
    if prev_close is None or prev_close <= 0:
        return None
    return (price - prev_close) / prev_close * 100


def is_met(condition: Condition, level: float, value: float) -> bool:
    """Tell whether a value has reached a level, or is beyond it."""
    return value >= level if condition.is_above else value <= level


@dataclass(slots=True)
class Watch:
    """One alert, and how it stands.

    Attributes:
        subject: Whose it is.
        alert: As it was set.
        armed: Whether the next crossing fires it.
        rests_until_ms: It is not armed before, by our clock.
    """

    subject: str
    alert: Alert
    armed: bool
    rests_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Arming:
    """The level was crossed back: the next crossing fires the alert."""

    watch: Watch


@dataclass(frozen=True, slots=True)
class Firing:
    """The level was crossed.

    Attributes:
        watch: Whose.
        price: The price that did.
        value: What was compared with the level.
    """

    watch: Watch
    price: float
    value: float


def turns(
    watch: Watch, prices: Iterable[float], prev_close: float | None, now_ms: int
) -> Iterator[Arming | Firing]:
    """Yield what some prices, one after another, do to an alert; it changes nothing by itself.

    Args:
        watch: The alert.
        prices: In their order.
        prev_close: Last price of the session before, where it is known.
        now_ms: Our clock.
    """
    alert, armed = watch.alert, watch.armed
    rests = now_ms < watch.rests_until_ms
    for price in prices:
        value = reading(alert.condition, price, prev_close)
        if value is None:
            return
        met = is_met(alert.condition, alert.level, value)
        if armed and met:
            yield Firing(watch, price, value)
            return  # one that stays rests now
        if not armed and not met and not rests:
            armed = True
            yield Arming(watch)


class AlertBoard:
    """All alerts that are set, by the symbol that they look at."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, dict[tuple[str, str], Watch]] = {}
        self._by_subject: dict[str, dict[str, Watch]] = {}

    @property
    def subjects(self) -> frozenset[str]:
        """Whose alerts there are."""
        return frozenset(self._by_subject)

    def counts(self) -> Counter[str]:
        """Return by symbol how many alerts look at it."""
        return Counter({symbol: len(some) for symbol, some in self._by_symbol.items()})

    def of(self, symbol: str) -> Sequence[Watch]:
        """Return the alerts that look at a symbol."""
        some = self._by_symbol.get(symbol)
        return list(some.values()) if some else ()

    def replace(self, subject: str, alerts: Iterable[Alert]) -> set[str]:
        """Take a user's alerts as they are now; return the symbols of those that are new."""
        before = self._by_subject.pop(subject, {})
        for watch in before.values():
            self._forget(watch)
        now = {}
        for alert in alerts:
            known = before.get(alert.id)
            rests_until_ms = known.rests_until_ms if known else 0
            watch = now[alert.id] = Watch(subject, alert, alert.armed, rests_until_ms)
            self._by_symbol.setdefault(alert.symbol, {})[subject, alert.id] = watch
        if now:
            self._by_subject[subject] = now
        return {watch.alert.symbol for name, watch in now.items() if name not in before}

    def take(self, turn: Arming | Firing, now_ms: int) -> None:
        """Note that a turn has happened."""
        watch = turn.watch
        watch.armed = isinstance(turn, Arming)
        if watch.armed:
            return
        if watch.alert.repeat:
            watch.rests_until_ms = now_ms + REST_MS
            return
        self._forget(watch)
        mine = self._by_subject.get(watch.subject, {})
        if mine.get(watch.alert.id) is watch:
            del mine[watch.alert.id]

    def _forget(self, watch: Watch) -> None:
        symbol, key = watch.alert.symbol, (watch.subject, watch.alert.id)
        some = self._by_symbol.get(symbol, {})
        if some.get(key) is watch:
            del some[key]
            if not some:
                del self._by_symbol[symbol]
