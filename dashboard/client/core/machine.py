"""The connection's state machine: which way data comes, and what is tried when none does. Pure.

What happens goes in by a method, with the time in milliseconds; what is to be done comes out. Links
(the WebSocket, the relay) and polls each have a phase of their own; the state is what they make of
the whole.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from dashboard.client.core.actions import Close, Mode, Open, State, StateChanged, Way
from dashboard.client.core.limits import LIMITS, Limits, backoff
from dashboard.client.core.links import Link, LinkWay, Polls
from feed_server.protocol import CloseCode


class Subscribe(msgspec.Struct, frozen=True, tag_field="do", tag="subscribe"):
    """Subscribe over this link to all that is wanted."""

    way: LinkWay


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="do", tag="unsubscribe"):
    """Unsubscribe over this link from everything."""

    way: LinkWay


class Poll(msgspec.Struct, frozen=True, tag_field="do", tag="poll"):
    """Poll now; an answer to a former poll is of no interest any more."""


MachineAction = Open | Close | Subscribe | Unsubscribe | Poll | StateChanged

_CLOSES = {code.number: code for code in CloseCode}
_RENEWED = (CloseCode.AUTH_REQUIRED, CloseCode.AUTH_EXPIRED)
_AWAY = ("unreachable", "timeout")


class Machine:
    """The state machine.

    Args:
        mode: Which ways it takes.
        poll_ms: How often it polls.
        relay: Whether there is a relay.
        renewable: Whether there can be another token where one has expired.
        random: Uniform in [0, 1), for the jitter.
        limits: Its times.

    Attributes:
        state: The state told last.
        way: The way told last.
    """

    def __init__(
        self,
        *,
        mode: Mode,
        poll_ms: float,
        relay: bool,
        renewable: bool,
        random: Callable[[], float],
        limits: Limits = LIMITS,
    ) -> None:
        self.mode = mode
        self.state: State = "connecting"
        self.way: Way = "websocket"
        self._poll_ms = poll_ms
        self._has_relay = relay
        self._renewable = renewable
        self._random = random
        self._limits = limits
        self._told = ""
        self._ended: Literal["", "idle", "stopped", "refused"] = "idle"
        self._hidden_ms: float | None = None
        self._socket = Link("websocket")
        self._relay = Link("relay")
        self._links = {"websocket": self._socket, "relay": self._relay}
        self._polls = Polls()
        self._actions: list[MachineAction] = []

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        due = [self._socket.due(self._limits), self._relay.due(self._limits), self._polls.at]
        return min((at for at in due if at is not None), default=None)

    def live_way(self) -> LinkWay | None:
        """Return which link data is asked for over now, None where none is."""
        for link in (self._socket, self._relay):
            if link.phase == "live":
                return link.way
        return None

    @property
    def is_hidden(self) -> bool:
        """Whether nobody sees the page."""
        return self._hidden_ms is not None

    @property
    def is_polling(self) -> bool:
        """Whether a poll is under way."""
        return self._polls.phase == "busy"

    # ---- what is asked of it

    def start(self, now_ms: float) -> list[MachineAction]:
        """Begin, or begin again after the end."""
        if self._ended:
            self._begin(now_ms, "starting", "opening the first connection")
        return self._done()

    def token(self, now_ms: float) -> list[MachineAction]:
        """There is another token: what was refused for good may be let in now."""
        if self._ended == "refused":
            self._begin(now_ms, "token", "trying another token")
        return self._done()

    def stop(self, now_ms: float) -> list[MachineAction]:
        """End all."""
        if self._ended != "stopped":
            self._end(now_ms, "stopped", "stopped", "stopped, as asked")
        return self._done()

    def denied(self, now_ms: float, code: str, reason: str) -> list[MachineAction]:
        """The feed does not let this client in, by no way."""
        if not self._ended:
            self._end(now_ms, "refused", code, reason)
        return self._done()

    def configure(
        self,
        now_ms: float,
        *,
        mode: Mode | None = None,
        poll_ms: float | None = None,
        relay: bool | None = None,
    ) -> list[MachineAction]:
        """Change settings; None leaves one as it is."""
        if relay is not None:
            self._has_relay = relay
            if not relay:
                self._leave_relay(now_ms)
        if poll_ms is not None:
            self._poll_ms = poll_ms
            if self._polls.phase == "waiting" and self._polls.at is not None:
                self._polls.at = min(self._polls.at, now_ms + poll_ms)
        if mode is not None and mode != self.mode:
            self.mode = mode
            if not self._ended:
                self._mode_changed(now_ms)
        return self._done()

    # ---- what happens to links

    def greeted(self, now_ms: float, way: LinkWay) -> list[MachineAction]:
        """The feed has answered, and asks who one is: that may take a while."""
        link = self._links[way]
        if link.phase == "opening":
            link.at = now_ms + self._limits.login_ms
        return self._done()

    def welcome(self, now_ms: float, way: LinkWay, heartbeat_ms: float) -> list[MachineAction]:
        """The feed takes commands over this link from now on."""
        link = self._links[way]
        if link.phase == "opening":
            link.phase, link.at = "live", None
            link.heartbeat_ms, link.welcomed_ms, link.heard_ms = heartbeat_ms, now_ms, now_ms
            if link is self._socket:
                self._close(self._relay)
                self._relay.failures = 0
            self._polls.off()
            if not self.is_hidden:
                self._actions.append(Subscribe(way))
            if link is self._socket:
                self._say(now_ms, "live", "welcomed", "connected by WebSocket", way)
            else:
                self._say(now_ms, "live", "relayed", "connected through the relay", way)
        return self._done()

    def heard(self, now_ms: float, way: LinkWay) -> list[MachineAction]:
        """A message came, of any kind."""
        link = self._links[way]
        if link.phase != "live":
            return []
        link.heard_ms = now_ms
        if not link.stale:
            return []
        link.stale = False
        self._say(now_ms, "live", "heard", "the feed is heard again", way)
        return self._done()

    def shutdown(self, now_ms: float, way: LinkWay, reconnect_ms: float) -> list[MachineAction]:
        """The feed is about to close this link, and wants this client back after a while."""
        if self._links[way].phase == "live":
            self._links[way].comes_back_ms = now_ms + reconnect_ms
        return self._done()

    def broken(self, now_ms: float, way: LinkWay, reason: str) -> list[MachineAction]:
        """A link has lost messages: it is of no use any more."""
        link = self._links[way]
        if link.is_open:
            self._actions.append(Close(way))
            self._link_failed(now_ms, link, "lost_messages", reason)
        return self._done()

    def closed(
        self, now_ms: float, way: LinkWay, number: int | None, reason: str
    ) -> list[MachineAction]:
        """A link has ended, with this close code, or could not be opened."""
        link = self._links[way]
        known = _CLOSES.get(number) if number is not None else None
        if link.is_open and known and not self._may_return(known):
            link.off()
            self._end(now_ms, "refused", known.name.lower(), reason or known.reason)
        elif link.is_open:
            plain = "refused" if link.phase == "opening" else "closed"
            self._link_failed(now_ms, link, known.name.lower() if known else plain, reason)
        return self._done()

    # ---- what happens to polls

    def poll_ok(self, now_ms: float) -> list[MachineAction]:
        """The poll under way was answered."""
        if self._polls.phase == "busy":
            self._polls.failures = self._polls.away = 0
            self._poll_again(now_ms + self._poll_ms)
            self._close(self._relay)
            if self.mode == "polling":
                self._say(now_ms, "polling", "polling_chosen", "polling, as set", "polling")
            else:
                reason = "the WebSocket is down, polling meanwhile"
                self._say(now_ms, "polling", "fell_back", reason, "polling")
        return self._done()

    def poll_failed(self, now_ms: float, code: str, reason: str) -> list[MachineAction]:
        """The poll under way was not answered, or by an error."""
        if self._polls.phase == "busy":
            self._poll_failed(now_ms, code, reason)
        return self._done()

    def repoll(self, now_ms: float) -> list[MachineAction]:
        """Poll again in place of the poll under way."""
        if self._polls.phase == "busy":
            self._poll(now_ms)
        return self._done()

    # ---- what happens to the page

    def online(self, now_ms: float) -> list[MachineAction]:
        """The network is back: try what waits, but for what the feed wants to come later."""
        for link in self._links.values():
            if link.phase == "waiting" and link.comes_back_ms is None:
                self._open(now_ms, link)
        if self._polls.phase == "waiting":
            self._poll(now_ms)
        return self._done()

    def visible(self, now_ms: float) -> list[MachineAction]:
        """The page is seen again."""
        if self.is_hidden:
            self._hidden_ms = None
            self._catch_up(now_ms)
        return self.online(now_ms)

    def hidden(self, now_ms: float) -> list[MachineAction]:
        """Nobody sees the page: it asks for nothing."""
        if not self.is_hidden:
            self._hidden_ms = now_ms
            way = self.live_way()
            if way:
                self._actions.append(Unsubscribe(way))
            if self._polls.phase == "waiting":
                self._polls.pause()
        return self._done()

    def tick(self, now_ms: float) -> list[MachineAction]:
        """Do what is due."""
        for link in self._links.values():
            due = link.due(self._limits)
            if due is not None and now_ms >= due:
                self._link_due(now_ms, link)
        if self._polls.at is not None and now_ms >= self._polls.at:
            if self._polls.phase == "busy":
                self._poll_failed(now_ms, "timeout", "the feed did not answer in time")
            else:
                self._poll(now_ms)
        return self._done()

    # ---- how

    def _done(self) -> list[MachineAction]:
        actions, self._actions = self._actions, []
        return actions

    def _begin(self, now_ms: float, code: str, reason: str) -> None:
        self._ended = ""
        self._socket.failures = self._relay.failures = 0
        self._say(now_ms, "connecting", code, reason, self._first_way())
        if self.mode == "polling":
            self._poll(now_ms)
        else:
            self._open(now_ms, self._socket)

    def _first_way(self) -> Way:
        return "polling" if self.mode == "polling" else "websocket"

    def _end(
        self, now_ms: float, how: Literal["stopped", "refused"], code: str, reason: str
    ) -> None:
        self._close(self._socket)
        self._close(self._relay)
        self._polls.off()
        self._ended = how
        self._say(now_ms, "closed", code, reason, self.way)

    def _mode_changed(self, now_ms: float) -> None:
        """Change over; what serves in the new mode too goes on."""
        if self._socket.phase == "live" and self.mode != "polling":
            return
        self._socket.failures = self._relay.failures = self._polls.failures = 0
        self._close(self._socket)
        if self._polls.phase == "off" or self.mode == "websocket":
            self._close(self._relay)
            self._polls.off()
            self._begin(now_ms, "mode_changed", f"switching to {self.mode}")
        elif self.mode == "auto":
            self._open(now_ms, self._socket)
        else:
            self._close(self._relay)
            if self.state == "polling":
                self._say(now_ms, "polling", "polling_chosen", "polling, as set", "polling")
        if self._polls.phase == "waiting":
            self._poll(now_ms)

    def _leave_relay(self, now_ms: float) -> None:
        was_live = self._relay.phase == "live"
        self._close(self._relay)
        if was_live:
            self._say(now_ms, "connecting", "closed", "the relay is gone", "polling")
            self._poll(now_ms)

    def _may_return(self, code: CloseCode) -> bool:
        return code.reconnect or (self._renewable and code in _RENEWED)

    def _open(self, now_ms: float, link: Link) -> None:
        link.off()
        link.phase, link.at = "opening", now_ms + self._limits.connect_ms
        self._actions.append(Open(link.way))

    def _close(self, link: Link) -> None:
        if link.is_open:
            self._actions.append(Close(link.way))
        link.off()

    def _link_due(self, now_ms: float, link: Link) -> None:
        if link.phase == "waiting":
            if self._is_idle(now_ms):
                self._park(now_ms, link)
            else:
                self._open(now_ms, link)
        elif link.phase == "opening":
            self._actions.append(Close(link.way))
            self._link_failed(now_ms, link, "timeout", "the feed did not answer in time")
        elif link.is_dead(now_ms, self._limits):
            self._actions.append(Close(link.way))
            self._link_failed(now_ms, link, "silent", "the feed fell silent")
        else:
            link.stale = True
            self._say(now_ms, "stale", "silent", "the feed has fallen silent", link.way)

    def _link_failed(self, now_ms: float, link: Link, code: str, reason: str) -> None:
        back_ms = link.comes_back_ms
        if link.has_proved_itself(self._limits):
            link.failures = 0
        link.off()
        link.phase = "waiting"
        if back_ms is not None:
            code, reason = "shutdown", "the server is shutting down"
            link.comes_back_ms = link.at = max(now_ms, back_ms)
        else:
            link.failures += 1
            link.at = now_ms + backoff(link.failures, self._random, self._limits)
        if self.mode == "websocket":
            self._say(now_ms, "offline", code, reason, link.way)
        elif self.state in ("live", "stale") and self.way == link.way:
            self._say(now_ms, "connecting", code, reason, link.way)
        if self._is_idle(now_ms):
            self._park(now_ms, link)
        if self.mode == "auto" and self._polls.phase == "off" and self.live_way() is None:
            self._poll(now_ms)

    def _is_idle(self, now_ms: float) -> bool:
        return self._hidden_ms is not None and now_ms - self._hidden_ms > self._limits.idle_ms

    def _park(self, now_ms: float, link: Link) -> None:
        link.off()
        if link is self._socket:
            link.phase = "parked"
        if self.live_way() is None:
            self._say(now_ms, "offline", "hidden", "not connected while nobody looks", link.way)

    def _catch_up(self, now_ms: float) -> None:
        way = self.live_way()
        if way:
            self._actions.append(Subscribe(way))
        if self._socket.phase == "parked":
            if self.state == "offline":
                self._say(now_ms, "connecting", "shown", "connecting again", "websocket")
            self._open(now_ms, self._socket)
        if self._polls.phase == "paused":
            self._poll(now_ms)

    def _poll(self, now_ms: float) -> None:
        if self.is_hidden:
            self._polls.pause()
            return
        self._polls.phase, self._polls.at = "busy", now_ms + self._limits.answer_ms
        self._actions.append(Poll())

    def _poll_again(self, at: float) -> None:
        if self.is_hidden:
            self._polls.pause()
        else:
            self._polls.phase, self._polls.at = "waiting", at

    def _poll_failed(self, now_ms: float, code: str, reason: str) -> None:
        self._polls.failures += 1
        self._polls.away = self._polls.away + 1 if code in _AWAY else 0
        self._poll_again(now_ms + backoff(self._polls.failures, self._random, self._limits))
        if self.state == "polling":
            self._say(now_ms, "stale", "poll_failed", reason, "polling")
        else:
            self._say(now_ms, "offline", code, reason, "polling")
        may_relay = self.mode == "auto" and self._has_relay and not self.is_hidden
        is_away = self._polls.away >= self._limits.relay_polls
        if may_relay and is_away and self._relay.phase == "off":
            self._open(now_ms, self._relay)

    def _say(self, now_ms: float, state: State, code: str, reason: str, way: Way) -> None:
        """Tell each change once; while nothing can be had it is no change why."""
        told = f"{state} {code} {way}"
        if told == self._told or (state == "offline" and self.state == "offline"):
            return
        self._told = told
        self.state, self.way = state, way
        self._actions.append(StateChanged(state, code, reason, way, now_ms))
