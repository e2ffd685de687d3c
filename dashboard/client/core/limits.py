"""How long a client waits for what, and how long before it tries again. Pure."""

from collections.abc import Callable

import msgspec

MOST_DOUBLINGS = 16


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The times of a session, in milliseconds.

    Attributes:
        connect_ms: From opening a link to the feed's welcome.
        login_ms: From the welcome to being let in.
        answer_ms: From a poll to its answer; the feed itself may take 5 s to ask sources.
        load_ms: From asking for history to the answer.
        proved_ms: A link over which messages came for so long has proved itself.
        silent_ms: After a heartbeat is due for so long, the link is stale.
        dead_ms: After a heartbeat is due for so long, the link is given up.
        backoff_base_ms: At most so long is waited after the first failure.
        backoff_cap_ms: At most so long is waited at all.
        relay_polls: After so many polls in a row that reached nobody, the relay is tried.
        idle_ms: A page hidden for so long does not reconnect.
        linger_ms: What nobody wants any more is kept for so long.
        unknown_base_ms: A symbol that the feed does not know is asked for again after so long.
        unknown_cap_ms: And not more seldom than that.
        ping_first_ms: Between pings, until there are enough.
        ping_ms: Between pings afterwards.
        pings: How many are enough.
    """

    connect_ms: float = 3_000
    login_ms: float = 10_000
    answer_ms: float = 10_000
    load_ms: float = 30_000
    proved_ms: float = 5_000
    silent_ms: float = 1_000
    dead_ms: float = 2_500
    backoff_base_ms: float = 500
    backoff_cap_ms: float = 15_000
    relay_polls: int = 2
    idle_ms: float = 60_000
    linger_ms: float = 2_000
    unknown_base_ms: float = 2_000
    unknown_cap_ms: float = 30_000
    ping_first_ms: float = 2_000
    ping_ms: float = 10_000
    pings: int = 16


LIMITS = Limits()


def backoff(failures: int, random: Callable[[], float], limits: Limits = LIMITS) -> float:
    """Return how long to wait after so many failures in a row: exponential, with full jitter."""
    doubled_ms = limits.backoff_base_ms * 2.0 ** min(failures - 1, MOST_DOUBLINGS)
    return random() * min(limits.backoff_cap_ms, doubled_ms)
