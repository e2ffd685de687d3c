"""How a session goes about its work."""

import msgspec

from dashboard.client.core.actions import Mode


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a session goes about its work.

    Attributes:
        mode: Which ways it takes.
        poll_ms: How often it polls.
        max_hz: Messages a second at most of a subscription that does not say; 0 for the server's
            own default.
        relay: Whether there is a relay.
        renewable: Whether the shell can get another token when one is asked for by `Renew`.
    """

    mode: Mode = "auto"
    poll_ms: int = 1000
    max_hz: float = 0
    relay: bool = False
    renewable: bool = False
