"""The ways to the feed: which is open, which is tried, and which is taken where one fails. Pure.

The WebSocket is preferred; where it fails polls take its place, and the relay where these reach
nobody.
"""

from typing import Literal

from dashboard.client.core.actions import Close, Way
from dashboard.client.core.links import Link
from dashboard.client.core.polling import Polling
from dashboard.client.core.situation import LinkWay, Situation, Subscribe
from feed_server.protocol import CloseCode

_CLOSES = {code.number: code for code in CloseCode}
_RENEWED = (CloseCode.AUTH_REQUIRED, CloseCode.AUTH_EXPIRED)


class Ways:
    """All of them; `Machine` says what each method is told.

    Args:
        situation: Of the whole connection.
        poll_ms: How often is polled.
        has_relay: Whether there is a relay.

    Attributes:
        socket: The WebSocket.
        relay: The relay.
        polls: Requests in place of both.
    """

    def __init__(self, situation: Situation, poll_ms: float, has_relay: bool) -> None:
        self._situation = situation
        self._has_relay = has_relay
        self.socket = Link("websocket", situation)
        self.relay = Link("relay", situation)
        self.polls = Polling(situation, poll_ms)
        self._links: dict[LinkWay, Link] = {"websocket": self.socket, "relay": self.relay}

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        due = (self.socket.due(), self.relay.due(), self.polls.at)
        return min((at for at in due if at is not None), default=None)

    @property
    def live(self) -> LinkWay | None:
        """Which link data is asked for over now, None where none is."""
        for link in (self.socket, self.relay):
            if link.phase == "live":
                return link.way
        return None

    # ---- what happens to links

    def greeted(self, now_ms: float, way: LinkWay) -> None:
        """Have patience with a link that asks who one is."""
        link = self._links[way]
        if link.phase == "opening":
            link.at = now_ms + self._situation.limits.login_ms

    def welcome(self, now_ms: float, way: LinkWay, heartbeat_ms: float) -> None:
        """Take a link for live, in place of others."""
        link = self._links[way]
        if link.phase != "opening":
            return
        link.welcomed(now_ms, heartbeat_ms)
        if link is self.socket:
            self.relay.close()
            self.relay.failures = 0
        self.polls.off()
        if not self._situation.is_hidden:
            self._situation.do(Subscribe(way))
        if link is self.socket:
            self._situation.say(now_ms, "live", "welcomed", "connected by WebSocket", way)
        else:
            self._situation.say(now_ms, "live", "relayed", "connected through the relay", way)

    def heard(self, now_ms: float, way: LinkWay) -> None:
        """Take a link for live still, or again."""
        link = self._links[way]
        if link.phase != "live":
            return
        link.heard(now_ms)
        if link.stale:
            link.stale = False
            self._situation.say(now_ms, "live", "heard", "the feed is heard again", way)

    def shutdown(self, now_ms: float, way: LinkWay, reconnect_ms: float) -> None:
        """Know when the feed wants this client back."""
        if self._links[way].phase == "live":
            self._links[way].comes_back_ms = now_ms + reconnect_ms

    def broken(self, now_ms: float, way: LinkWay, reason: str) -> None:
        """Give up a link that has lost messages."""
        link = self._links[way]
        if link.is_open:
            self._give_up(now_ms, link, "lost_messages", reason)

    def closed(self, now_ms: float, way: LinkWay, number: int | None, reason: str) -> None:
        """Go on without a link, or end where the feed closed it for good."""
        link = self._links[way]
        known = _CLOSES.get(number) if number is not None else None
        if link.is_open and known and not self._may_return(known):
            link.off()
            self.end(now_ms, "refused", known.name.lower(), reason or known.reason)
        elif link.is_open:
            plain = "refused" if link.phase == "opening" else "closed"
            self._failed(now_ms, link, known.name.lower() if known else plain, reason)

    # ---- what is done with them

    def begin(self, now_ms: float, code: str, reason: str) -> None:
        """Try the first way, from the beginning."""
        way: Way = "polling" if self._situation.mode == "polling" else "websocket"
        self._situation.ended = ""
        self.socket.failures = self.relay.failures = 0
        self._situation.say(now_ms, "connecting", code, reason, way)
        if way == "polling":
            self.polls.poll(now_ms)
        else:
            self.socket.open(now_ms)

    def end(
        self, now_ms: float, how: Literal["stopped", "refused"], code: str, reason: str
    ) -> None:
        """Leave all of them."""
        self.socket.close()
        self.relay.close()
        self.polls.off()
        self._situation.ended = how
        self._situation.say(now_ms, "closed", code, reason, self._situation.way)

    def change_over(self, now_ms: float) -> None:
        """Go by another mode; what serves in that mode too goes on."""
        mode = self._situation.mode
        if self.socket.phase == "live" and mode != "polling":
            return
        self.socket.failures = self.relay.failures = self.polls.failures = 0
        self.socket.close()
        if self.polls.phase == "off" or mode == "websocket":
            self.relay.close()
            self.polls.off()
            self.begin(now_ms, "mode_changed", f"switching to {mode}")
        elif mode == "auto":
            self.socket.open(now_ms)
        else:
            self.relay.close()
            if self._situation.state == "polling":
                self.polls.say_chosen(now_ms)
        if self.polls.phase == "waiting":
            self.polls.poll(now_ms)

    def set_relay(self, now_ms: float, has_relay: bool) -> None:
        """Know whether there is a relay, and leave one that is gone."""
        self._has_relay = has_relay
        if has_relay:
            return
        was_live = self.relay.phase == "live"
        self.relay.close()
        if was_live:
            self._situation.say(now_ms, "connecting", "closed", "the relay is gone", "polling")
            self.polls.poll(now_ms)

    def try_waiting(self, now_ms: float) -> None:
        """Try at once what waits, but for what the feed wants to come later, or nobody sees."""
        idle = self._situation.is_idle(now_ms)
        for link in self._links.values():
            if link.phase == "waiting" and link.comes_back_ms is None and not idle:
                link.open(now_ms)
        if self.polls.phase == "waiting":
            self.polls.poll(now_ms)

    def catch_up(self, now_ms: float) -> None:
        """Go on where nobody saw the page."""
        if self.live:
            self._situation.do(Subscribe(self.live))
        if self.socket.phase == "parked":
            if self._situation.state == "offline":
                self._situation.say(now_ms, "connecting", "shown", "connecting again", "websocket")
            self.socket.open(now_ms)
        if self.polls.phase == "paused":
            self.polls.poll(now_ms)

    def poll_failed(self, now_ms: float, code: str, reason: str) -> None:
        """Go on without an answer to the poll under way."""
        self.polls.failed(now_ms, code, reason)
        may_relay = self._situation.mode == "auto" and not self._situation.is_hidden
        is_there = self._has_relay and self.relay.phase == "off"
        if may_relay and is_there and self.polls.reaches_nobody:
            self.relay.open(now_ms)

    def tick(self, now_ms: float) -> None:
        """Do what is due."""
        for link in self._links.values():
            due = link.due()
            if due is not None and now_ms >= due:
                self._link_due(now_ms, link)
        if self.polls.at is not None and now_ms >= self.polls.at:
            if self.polls.phase == "busy":
                self.poll_failed(now_ms, "timeout", "the feed did not answer in time")
            else:
                self.polls.poll(now_ms)

    # ---- how

    def _may_return(self, code: CloseCode) -> bool:
        return code.reconnect or (self._situation.renewable and code in _RENEWED)

    def _link_due(self, now_ms: float, link: Link) -> None:
        if link.phase == "waiting":
            if self._situation.is_idle(now_ms):
                self._park(now_ms, link)
            else:
                link.open(now_ms)
        elif link.phase == "opening":
            self._give_up(now_ms, link, "timeout", "the feed did not answer in time")
        elif link.is_dead(now_ms):
            self._give_up(now_ms, link, "silent", "the feed fell silent")
        else:
            link.stale = True
            reason = "the feed has fallen silent"
            self._situation.say(now_ms, "stale", "silent", reason, link.way)

    def _give_up(self, now_ms: float, link: Link, code: str, reason: str) -> None:
        self._situation.do(Close(link.way))
        self._failed(now_ms, link, code, reason)

    def _failed(self, now_ms: float, link: Link, code: str, reason: str) -> None:
        situation = self._situation
        link.wait(now_ms)
        if link.comes_back_ms is not None:
            code, reason = "shutdown", "the server is shutting down"
        if situation.mode == "websocket":
            situation.say(now_ms, "offline", code, reason, link.way)
        elif situation.state in ("live", "stale") and situation.way == link.way:
            situation.say(now_ms, "connecting", code, reason, link.way)
        if situation.is_idle(now_ms):
            self._park(now_ms, link)
        if situation.mode == "auto" and self.polls.phase == "off" and self.live is None:
            self.polls.poll(now_ms)

    def _park(self, now_ms: float, link: Link) -> None:
        link.off()
        if link is self.socket:
            link.phase = "parked"
        if self.live is None:
            reason = "not connected while nobody looks"
            self._situation.say(now_ms, "offline", "hidden", reason, link.way)
