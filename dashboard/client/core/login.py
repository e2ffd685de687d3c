"""How a client is let in, and stays in. Pure; the clock is passed in.

A link is in once it needs no token, or its token was taken. Another token is asked for at half of
the life of the one that was taken, and where one is refused; a second one that is refused ends it.
"""

import msgspec

from dashboard.client.core.actions import Renew
from dashboard.client.core.situation import LinkWay

DENIALS = frozenset({"auth_required", "auth_failed", "auth_expired"})
"""Errors that mean: the feed does not let this client in, whatever it asks."""

PATIENCE_MS = 10_000
"""A token that was asked for and did not come in this time is asked for again."""
LEAST_MS = 1_000
"""Another token is asked for no sooner than this after one was taken."""
REFUSALS = 2
"""So many different tokens refused in a row are the end."""

NO_TOKEN = "the feed asks for a token, and there is none"


class Show(msgspec.Struct, frozen=True, tag_field="do", tag="show"):
    """Show the token over this link."""

    way: LinkWay


class Enter(msgspec.Struct, frozen=True, tag_field="do", tag="enter"):
    """Commands may be sent over this link."""

    way: LinkWay


class Deny(msgspec.Struct, frozen=True, tag_field="do", tag="deny"):
    """The client is not let in, by no way."""

    code: str
    reason: str


LoginAction = Show | Enter | Deny | Renew


class _Stay:
    """One link, from its welcome to its end."""

    def __init__(self, ahead_ms: float, required: bool) -> None:
        self.ahead_ms = ahead_ms
        self.required = required
        self.is_in = not required


class Login:
    """The token, and the links over which it is shown.

    Args:
        renewable: Whether there can be another token.

    Attributes:
        token: The token, None where there is none.
    """

    def __init__(self, renewable: bool) -> None:
        self.token: str | None = None
        self._renewable = renewable
        self._stays: dict[LinkWay, _Stay] = {}
        self._is_new = False
        self._refusals = 0
        self._asked_ms: float | None = None
        self._expires_ms: float | None = None
        self._renew_ms: float | None = None

    def __repr__(self) -> str:
        return f"Login({'***' if self.token else 'none'})"

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        return self._renew_ms

    def is_in(self, way: LinkWay) -> bool:
        """Tell whether commands may be sent over a link."""
        return way in self._stays and self._stays[way].is_in

    def restart(self) -> None:
        """Begin anew: what was refused before may be taken now."""
        self._stays.clear()
        self._refusals = 0
        self._is_new = self.token is not None
        self._asked_ms = self._renew_ms = None

    def welcomed(
        self, now_ms: float, way: LinkWay, server_ms: float, required: bool
    ) -> list[LoginAction]:
        """The feed has answered over a link.

        Args:
            now_ms: The time.
            way: Which link.
            server_ms: The server's time.
            required: Whether a token must be shown.
        """
        self._stays[way] = _Stay(server_ms - now_ms, required)
        if not required:
            return [Enter(way)]
        if self.token is not None:
            return [Show(way)]
        if self._renewable:
            return self._ask(now_ms)
        return [Deny("auth_required", NO_TOKEN)]

    def authenticated(self, now_ms: float, way: LinkWay, expires_ms: float) -> list[LoginAction]:
        """The token was taken; it is good until then by the server's clock."""
        stay = self._stays.get(way)
        if stay is None:
            return []
        self.accepted()
        self._asked_ms = None
        self._expires_ms = expires_ms - stay.ahead_ms
        self._plan(now_ms)
        if stay.is_in:
            return []
        stay.is_in = True
        return [Enter(way)]

    def accepted(self) -> None:
        """The token was good enough for a request."""
        self._refusals = 0
        self._is_new = False

    def refused(
        self, now_ms: float, way: LinkWay | None, token: str | None, code: str, reason: str
    ) -> list[LoginAction]:
        """A token was refused, over a link or by a request (None).

        Who is in already stays until the feed closes the link; that one was refused in place of
        which there is another by now says nothing of that.
        """
        if token != self.token:
            return []
        if way is not None:
            stay = self._stays.get(way)
            if stay is None or stay.is_in:
                self._is_new = False
                return []
        self._refusals += self._is_new
        self._is_new = False
        if not self._renewable or self._refusals >= REFUSALS:
            return [Deny(code, reason)]
        return self._ask(now_ms)

    def take(self, token: str) -> list[LoginAction]:
        """Show this token from now on. One that is held and was taken is no news."""
        self._asked_ms = None
        is_same = token == self.token
        self.token = token
        self._is_new = True
        return [
            Show(way)
            for way, stay in self._stays.items()
            if stay.required and not (is_same and stay.is_in)
        ]

    def closed(self, way: LinkWay) -> None:
        """A link has ended."""
        self._stays.pop(way, None)
        if not self._stays:
            self._renew_ms = None

    def tick(self, now_ms: float) -> list[LoginAction]:
        """Ask for another token where it is time."""
        if self._renew_ms is None or now_ms < self._renew_ms:
            return []
        self._asked_ms = None
        actions = self._ask(now_ms)
        self._plan(now_ms)
        return actions

    def _plan(self, now_ms: float) -> None:
        """Ask for another token at half of what is left of this one."""
        self._renew_ms = None
        if self._renewable and self._expires_ms is not None and self._expires_ms > now_ms:
            self._renew_ms = now_ms + max((self._expires_ms - now_ms) / 2, LEAST_MS)

    def _ask(self, now_ms: float) -> list[LoginAction]:
        if self._asked_ms is not None and now_ms - self._asked_ms < PATIENCE_MS:
            return []
        self._asked_ms = now_ms
        return [Renew()]
