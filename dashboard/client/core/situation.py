"""What is known of a connection as a whole, what was told of it, and what is to be done. Pure."""

from collections.abc import Callable
from typing import Literal

import msgspec

from dashboard.client.core.actions import Close, Mode, Open, State, StateChanged, Way
from dashboard.client.core.limits import Limits

LinkWay = Literal["websocket", "relay"]


class Subscribe(msgspec.Struct, frozen=True, tag_field="do", tag="subscribe"):
    """Subscribe over this link to all that is wanted."""

    way: LinkWay


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="do", tag="unsubscribe"):
    """Unsubscribe over this link from everything."""

    way: LinkWay


class Poll(msgspec.Struct, frozen=True, tag_field="do", tag="poll"):
    """Poll now; an answer to a former poll is of no interest any more."""


MachineAction = Open | Close | Subscribe | Unsubscribe | Poll | StateChanged


class Situation:
    """What the ways to the feed have in common.

    Args:
        mode: Which ways are taken.
        renewable: Whether there can be another token where one has expired.
        random: Uniform in [0, 1), for the jitter.
        limits: The times to keep to.

    Attributes:
        state: The state told last.
        way: The way told last.
        ended: Why nothing is tried; empty while something is.
        hidden_ms: Since when nobody sees the page, None while someone does.
    """

    def __init__(
        self, mode: Mode, renewable: bool, random: Callable[[], float], limits: Limits
    ) -> None:
        self.mode = mode
        self.renewable = renewable
        self.random = random
        self.limits = limits
        self.state: State = "connecting"
        self.way: Way = "websocket"
        self.ended: Literal["", "idle", "stopped", "refused"] = "idle"
        self.hidden_ms: float | None = None
        self._told = ""
        self._actions: list[MachineAction] = []

    @property
    def is_hidden(self) -> bool:
        """Whether nobody sees the page."""
        return self.hidden_ms is not None

    def is_idle(self, now_ms: float) -> bool:
        """Tell whether nobody has seen the page for so long that it does not reconnect."""
        return self.hidden_ms is not None and now_ms - self.hidden_ms > self.limits.idle_ms

    def do(self, action: MachineAction) -> None:
        """Let something be done."""
        self._actions.append(action)

    def say(self, now_ms: float, state: State, code: str, reason: str, way: Way) -> None:
        """Tell each change once; while nothing can be had it is no change why."""
        told = f"{state} {code} {way}"
        if told == self._told or (state == "offline" and self.state == "offline"):
            return
        self._told = told
        self.state, self.way = state, way
        self._actions.append(StateChanged(state, code, reason, way, now_ms))

    def done(self) -> list[MachineAction]:
        """Return what was to be done and told since the last time."""
        actions, self._actions = self._actions, []
        return actions
