"""One way over which the feed talks by itself: its phase, its silence, its next try. Pure."""

from typing import Literal

from dashboard.client.core.actions import Close, Open
from dashboard.client.core.limits import backoff
from dashboard.client.core.situation import LinkWay, Situation


class Link:
    """The WebSocket, or the relay.

    Attributes:
        way: Which.
        phase: ``waiting`` for the next try; ``parked`` until the page is seen.
        at: When what it waits for is due, None where it waits for nothing.
        comes_back_ms: When the feed wants this client back, None where it said nothing.
        stale: Whether it was told that nothing is heard.
        failures: Tries in a row that failed.
    """

    def __init__(self, way: LinkWay, situation: Situation) -> None:
        self.way = way
        self.failures = 0
        self._situation = situation
        self._limits = situation.limits
        self._heartbeat_ms = self._welcomed_ms = self._heard_ms = 0.0
        self.off()

    def off(self) -> None:
        """Rest."""
        self.phase: Literal["off", "opening", "live", "waiting", "parked"] = "off"
        self.at: float | None = None
        self.comes_back_ms: float | None = None
        self.stale = False

    def open(self, now_ms: float) -> None:
        """Try it."""
        self.off()
        self.phase, self.at = "opening", now_ms + self._limits.connect_ms
        self._situation.do(Open(self.way))

    def close(self) -> None:
        """Give it up, and rest."""
        if self.is_open:
            self._situation.do(Close(self.way))
        self.off()

    def wait(self, now_ms: float) -> None:
        """Wait for the next try: until the feed wants this client back, else by the failures."""
        back_ms = self.comes_back_ms
        if self._has_proved_itself():
            self.failures = 0
        self.off()
        self.phase = "waiting"
        if back_ms is not None:
            self.comes_back_ms = self.at = max(now_ms, back_ms)
        else:
            self.failures += 1
            self.at = now_ms + backoff(self.failures, self._situation.random, self._limits)

    def welcomed(self, now_ms: float, heartbeat_ms: float) -> None:
        """Take note that it is live, and that it is never silent for longer than this."""
        self.phase, self.at = "live", None
        self._heartbeat_ms = heartbeat_ms
        self._welcomed_ms = self._heard_ms = now_ms

    def heard(self, now_ms: float) -> None:
        """Take note that a message came."""
        self._heard_ms = now_ms

    @property
    def is_open(self) -> bool:
        """Whether there is something to close."""
        return self.phase in ("opening", "live")

    def due(self) -> float | None:
        """Return when something is due, None where nothing is."""
        if self.phase != "live":
            return self.at
        grace_ms = self._limits.dead_ms if self.stale else self._limits.silent_ms
        return self._heard_ms + self._heartbeat_ms + grace_ms

    def is_dead(self, now_ms: float) -> bool:
        """Tell whether nothing was heard for too long."""
        return now_ms >= self._heard_ms + self._heartbeat_ms + self._limits.dead_ms

    def _has_proved_itself(self) -> bool:
        """Tell whether the feed talked over it for long enough."""
        return self.phase == "live" and self._heard_ms - self._welcomed_ms >= self._limits.proved_ms
