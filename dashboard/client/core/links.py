"""In what phase the ways to the feed are. Pure."""

from typing import Literal

from dashboard.client.core.limits import Limits

LinkWay = Literal["websocket", "relay"]


class Link:
    """One way over which the feed talks by itself.

    Attributes:
        way: Which.
        phase: ``waiting`` for the next try; ``parked`` until the page is seen.
        at: When what it waits for is due, None where it waits for nothing.
        comes_back_ms: When the feed wants this client back, None where it said nothing.
        stale: Whether it was told that nothing is heard.
        failures: Tries in a row that failed.
    """

    def __init__(self, way: LinkWay) -> None:
        self.way = way
        self.failures = 0
        self.heartbeat_ms = self.welcomed_ms = self.heard_ms = 0.0
        self.off()

    def off(self) -> None:
        """Rest."""
        self.phase: Literal["off", "opening", "live", "waiting", "parked"] = "off"
        self.at: float | None = None
        self.comes_back_ms: float | None = None
        self.stale = False

    @property
    def is_open(self) -> bool:
        """Whether there is something to close."""
        return self.phase in ("opening", "live")

    def due(self, limits: Limits) -> float | None:
        """Return when something is due, None where nothing is."""
        if self.phase != "live":
            return self.at
        grace_ms = limits.dead_ms if self.stale else limits.silent_ms
        return self.heard_ms + self.heartbeat_ms + grace_ms

    def is_dead(self, now_ms: float, limits: Limits) -> bool:
        """Tell whether nothing was heard for too long."""
        return now_ms >= self.heard_ms + self.heartbeat_ms + limits.dead_ms

    def has_proved_itself(self, limits: Limits) -> bool:
        """Tell whether the feed talked over it for long enough."""
        return self.phase == "live" and self.heard_ms - self.welcomed_ms >= limits.proved_ms


class Polls:
    """Requests in place of a link.

    Attributes:
        phase: ``paused`` until the page is seen.
        at: When the next is due, or its answer; None where nothing is.
        failures: Polls in a row that failed.
        away: Those of them, at the end, that reached nobody.
    """

    def __init__(self) -> None:
        self.off()

    def off(self) -> None:
        """Rest."""
        self.phase: Literal["off", "busy", "waiting", "paused"] = "off"
        self.at: float | None = None
        self.failures = self.away = 0

    def pause(self) -> None:
        """Wait for the page to be seen."""
        self.phase, self.at = "paused", None
