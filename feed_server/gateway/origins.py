"""Which web pages may talk to the feed: one list for WebSocket origins and CORS."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}

_Origin = tuple[str, str, int]


class Origins:
    """Pages served from this machine may always; others when their origin is listed."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(map(_parse, allowed))

    def allows(self, origin: str) -> bool:
        """Tell whether a page of this origin (``scheme://host:port``) may talk to the feed."""
        parsed = _parse(origin)
        return parsed is not None and (parsed[1] in LOOPBACK or parsed in self._allowed)


def _parse(origin: str) -> _Origin | None:
    """Return scheme, host and port, the scheme's own where none is given; None for no page's."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
