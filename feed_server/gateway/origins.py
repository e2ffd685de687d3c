"""Which web pages may talk to the feed: one list for WebSocket origins and CORS."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Origins:
    """Pages served from this machine may always; others when their origin is listed."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)

    def allows(self, origin: str) -> bool:
        """Tell whether a page of this origin (``scheme://host:port``) may talk to the feed."""
        try:
            host = urlsplit(origin).hostname
        except ValueError:
            return False
        return host in LOOPBACK or origin.rstrip("/").lower() in self._allowed
