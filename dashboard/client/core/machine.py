"""The connection's state machine: which way data comes, and what is tried when none does. Pure.

What happens goes in by a method, with the time in milliseconds; what is to be done comes out. Links
(the WebSocket, the relay) and polls each have a phase of their own; the state is what they make of
the whole.
"""

from collections.abc import Callable

from dashboard.client.core.actions import Mode
from dashboard.client.core.limits import LIMITS, Limits
from dashboard.client.core.situation import LinkWay, MachineAction, Situation, Unsubscribe
from dashboard.client.core.ways import Ways


class Machine:
    """The state machine.

    Args:
        mode: Which ways it takes.
        poll_ms: How often it polls.
        relay: Whether there is a relay.
        renewable: Whether there can be another token where one has expired.
        random: Uniform in [0, 1), for the jitter.
        limits: Its times.
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
        self._situation = Situation(mode, renewable, random, limits)
        self._ways = Ways(self._situation, poll_ms, relay)

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        return self._ways.deadline()

    def live_way(self) -> LinkWay | None:
        """Return which link data is asked for over now, None where none is."""
        return self._ways.live

    @property
    def is_hidden(self) -> bool:
        """Whether nobody sees the page."""
        return self._situation.is_hidden

    @property
    def is_polling(self) -> bool:
        """Whether a poll is under way."""
        return self._ways.polls.phase == "busy"

    # ---- what is asked of it

    def start(self, now_ms: float) -> list[MachineAction]:
        """Begin, or begin again after the end."""
        if self._situation.ended:
            self._ways.begin(now_ms, "starting", "opening the first connection")
        return self._situation.done()

    def token(self, now_ms: float) -> list[MachineAction]:
        """There is another token: what was refused for good may be let in now."""
        if self._situation.ended == "refused":
            self._ways.begin(now_ms, "token", "trying another token")
        return self._situation.done()

    def stop(self, now_ms: float) -> list[MachineAction]:
        """End all."""
        if self._situation.ended != "stopped":
            self._ways.end(now_ms, "stopped", "stopped", "stopped, as asked")
        return self._situation.done()

    def denied(self, now_ms: float, code: str, reason: str) -> list[MachineAction]:
        """The feed does not let this client in, by no way."""
        if not self._situation.ended:
            self._ways.end(now_ms, "refused", code, reason)
        return self._situation.done()

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
            self._ways.set_relay(now_ms, relay)
        if poll_ms is not None:
            self._ways.polls.pace(now_ms, poll_ms)
        if mode is not None and mode != self._situation.mode:
            self._situation.mode = mode
            if not self._situation.ended:
                self._ways.change_over(now_ms)
        return self._situation.done()

    # ---- what happens to links

    def greeted(self, now_ms: float, way: LinkWay) -> list[MachineAction]:
        """The feed has answered, and asks who one is: that may take a while."""
        self._ways.greeted(now_ms, way)
        return self._situation.done()

    def welcome(self, now_ms: float, way: LinkWay, heartbeat_ms: float) -> list[MachineAction]:
        """The feed takes commands over this link from now on."""
        self._ways.welcome(now_ms, way, heartbeat_ms)
        return self._situation.done()

    def heard(self, now_ms: float, way: LinkWay) -> list[MachineAction]:
        """A message came, of any kind."""
        self._ways.heard(now_ms, way)
        return self._situation.done()

    def shutdown(self, now_ms: float, way: LinkWay, reconnect_ms: float) -> list[MachineAction]:
        """The feed is about to close this link, and wants this client back after a while."""
        self._ways.shutdown(now_ms, way, reconnect_ms)
        return self._situation.done()

    def broken(self, now_ms: float, way: LinkWay, reason: str) -> list[MachineAction]:
        """A link has lost messages: it is of no use any more."""
        self._ways.broken(now_ms, way, reason)
        return self._situation.done()

    def closed(
        self, now_ms: float, way: LinkWay, number: int | None, reason: str
    ) -> list[MachineAction]:
        """A link has ended, with this close code, or could not be opened."""
        self._ways.closed(now_ms, way, number, reason)
        return self._situation.done()

    # ---- what happens to polls

    def poll_ok(self, now_ms: float) -> list[MachineAction]:
        """The poll under way was answered."""
        if self.is_polling:
            self._ways.relay.close()
            self._ways.polls.answered(now_ms)
        return self._situation.done()

    def poll_failed(self, now_ms: float, code: str, reason: str) -> list[MachineAction]:
        """The poll under way was not answered, or by an error."""
        if self.is_polling:
            self._ways.poll_failed(now_ms, code, reason)
        return self._situation.done()

    def repoll(self, now_ms: float) -> list[MachineAction]:
        """Poll again in place of the poll under way."""
        if self.is_polling:
            self._ways.polls.poll(now_ms)
        return self._situation.done()

    # ---- what happens to the page

    def online(self, now_ms: float) -> list[MachineAction]:
        """The network is back: try what waits, but for what the feed wants to come later."""
        self._ways.try_waiting(now_ms)
        return self._situation.done()

    def visible(self, now_ms: float) -> list[MachineAction]:
        """The page is seen again."""
        if self.is_hidden:
            self._situation.hidden_ms = None
            self._ways.catch_up(now_ms)
        return self.online(now_ms)

    def hidden(self, now_ms: float) -> list[MachineAction]:
        """Nobody sees the page: it asks for nothing."""
        if not self.is_hidden:
            self._situation.hidden_ms = now_ms
            way = self._ways.live
            if way:
                self._situation.do(Unsubscribe(way))
            if self._ways.polls.phase == "waiting":
                self._ways.polls.pause()
        return self._situation.done()

    def tick(self, now_ms: float) -> list[MachineAction]:
        """Do what is due."""
        self._ways.tick(now_ms)
        return self._situation.done()
