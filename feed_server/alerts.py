"""When an alert fires: at the crossing of its level, once. Pure; prices and clock come in."""

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


@dataclass(frozen=True, slots=True)
class Tick:
    """A symbol's last price, and where in the symbol's run of prices it is.

    Attributes:
        time_ms: Event time of the trade that made it.
        price: The price.
        epoch: Names the run: times of different epochs cannot be compared.
    """

    time_ms: int
    price: float
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stands, as it is kept.

    Attributes:
        armed: Whether the next crossing fires it.
        rests_until_ms: It is not armed before, by our clock; 0 where it has never fired.
        epoch: In which run of prices it was armed or fired last; empty where it never was.
        time_ms: Up to which event time of that run prices have been evaluated for it at least.
        writer: Who did.
    """

    armed: bool = False
    rests_until_ms: int = 0
    epoch: str = ""
    time_ms: int = 0
    writer: str = ""


class Watch:
    """One alert that is evaluated, and how it stands.

    Args:
        subject: Whose it is.
        alert: As it was set.
        standing: As it is kept.
        writer: Who evaluates it here.

    Attributes:
        armed: Whether the next crossing fires it.
        rests_until_ms: As `Standing.rests_until_ms`.
    """

    __slots__ = ("_done", "alert", "armed", "rests_until_ms", "subject")

    def __init__(self, subject: str, alert: Alert, standing: Standing, writer: str) -> None:
        self.subject = subject
        self.alert = alert
        self.armed = standing.armed
        self.rests_until_ms = standing.rests_until_ms
        # What another has evaluated; to us prices come in order.
        other = bool(standing.epoch) and standing.writer != writer
        self._done: Standing | None = standing if other else None

    def turn(self, tick: Tick, prev_close: float | None, now_ms: int) -> "Arming | Firing | None":
        """Return what a price does to it; nothing where another has evaluated that price before.

        Who takes over is given the prices again that were not published.
        """
        done = self._done
        if done is not None and done.epoch == tick.epoch and tick.time_ms <= done.time_ms:
            return None
        alert = self.alert
        value = reading(alert.condition, tick.price, prev_close)
        if value is None or is_met(alert.condition, alert.level, value) is not self.armed:
            return None
        return Firing(self, tick, value, now_ms + REST_MS) if self.armed else Arming(self, tick)

    def take(self, turn: "Arming | Firing") -> None:
        """Note that a turn happens."""
        self.armed = isinstance(turn, Arming)
        if isinstance(turn, Firing):
            self.rests_until_ms = turn.rests_until_ms
        self._done = None


@dataclass(frozen=True, slots=True)
class Arming:
    """The level was crossed back: the next crossing fires the alert.

    Attributes:
        watch: Which.
        tick: The price that was on the other side.
    """

    watch: Watch
    tick: Tick


@dataclass(frozen=True, slots=True)
class Firing:
    """The level was crossed.

    Attributes:
        watch: Which.
        tick: The price that did.
        value: What was compared with the level.
        rests_until_ms: It is not armed again before, where it stays.
    """

    watch: Watch
    tick: Tick
    value: float
    rests_until_ms: int


Turn = Arming | Firing
