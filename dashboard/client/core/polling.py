"""Requests in place of a link: when the next is due, and how they fare. Pure."""

from typing import Literal

from dashboard.client.core.limits import backoff
from dashboard.client.core.situation import Poll, Situation

_AWAY = ("unreachable", "timeout")
FALLEN_BACK = "the WebSocket is down, polling meanwhile"


class Polling:
    """The polls.

    Args:
        situation: Of the whole connection.
        poll_ms: How often is polled.

    Attributes:
        phase: ``paused`` until the page is seen.
        at: When the next is due, or its answer; None where nothing is.
        failures: Polls in a row that failed.
    """

    def __init__(self, situation: Situation, poll_ms: float) -> None:
        self._situation = situation
        self._poll_ms = poll_ms
        self.off()

    def off(self) -> None:
        """Rest."""
        self.phase: Literal["off", "busy", "waiting", "paused"] = "off"
        self.at: float | None = None
        self.failures = self._away = 0

    def pause(self) -> None:
        """Wait for the page to be seen."""
        self.phase, self.at = "paused", None

    def pace(self, now_ms: float, poll_ms: float) -> None:
        """Poll so often from now on."""
        self._poll_ms = poll_ms
        if self.phase == "waiting" and self.at is not None:
            self.at = min(self.at, now_ms + poll_ms)

    def poll(self, now_ms: float) -> None:
        """Poll now, if someone sees the page."""
        if self._situation.is_hidden:
            self.pause()
            return
        self.phase, self.at = "busy", now_ms + self._situation.limits.answer_ms
        self._situation.do(Poll())

    def answered(self, now_ms: float) -> None:
        """Take note that the poll under way was."""
        self.failures = self._away = 0
        self._wait(now_ms + self._poll_ms)
        if self._situation.mode == "polling":
            self.say_chosen(now_ms)
        else:
            self._situation.say(now_ms, "polling", "fell_back", FALLEN_BACK, "polling")

    def say_chosen(self, now_ms: float) -> None:
        """Tell that data comes by polls, and is to."""
        self._situation.say(now_ms, "polling", "polling_chosen", "polling, as set", "polling")

    def failed(self, now_ms: float, code: str, reason: str) -> None:
        """Take note that the poll under way was not answered, or by an error."""
        situation = self._situation
        self.failures += 1
        self._away = self._away + 1 if code in _AWAY else 0
        self._wait(now_ms + backoff(self.failures, situation.random, situation.limits))
        if situation.state == "polling":
            situation.say(now_ms, "stale", "poll_failed", reason, "polling")
        else:
            situation.say(now_ms, "offline", code, reason, "polling")

    @property
    def reaches_nobody(self) -> bool:
        """Whether the last polls did not, so many that the relay is worth a try."""
        return self._away >= self._situation.limits.relay_polls

    def _wait(self, at: float) -> None:
        if self._situation.is_hidden:
            self.pause()
        else:
            self.phase, self.at = "waiting", at
