"""What can go wrong between a client and the feed, and a seeded plan of it. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

BEGIN_S = 3.0
CALM_S = 22.0
"""At the end nothing goes wrong: backoff's cap is 15 s, and what was missed has to be caught up."""

BLACKOUT_S = 17.0
"""Longer than a client may take to say that it is offline."""

SHORT_RUN_S = 120.0
SHORT_S = 2.0
"""In a short run few things last longer, so that more kinds have their turn."""

SILENCE_S = 4.5
"""Longer than a client that is live may take to say that nothing is heard, and to give up."""

OVERLAP = 0.15


class Kind(StrEnum):
    """What goes wrong. *Old* connections are those that were open when it began."""

    DROP = "drop"
    """All connections end."""
    RESET = "reset"
    """All connections are reset."""
    CUT = "cut"
    """All connections end in the middle of what is said next."""
    REFUSE = "refuse"
    """All connections are reset, and the port is closed."""
    STALL = "stall"
    """Nothing gets through, old or new; afterwards it does."""
    MUTE = "mute"
    """Nothing gets through from the server."""
    DEAF = "deaf"
    """Nothing gets through to the server."""
    HALF_OPEN = "half_open"
    """The server's side of old connections is gone; the client's stays open, and silent."""
    GHOST = "ghost"
    """The client's side of old connections is gone; the server's stays open."""
    LATE = "late"
    """What old connections say is held up until newer ones have told more."""
    SLOW = "slow"
    """So many bytes a second get through."""
    LAG = "lag"
    """Everything takes longer by so many seconds."""
    CORRUPT = "corrupt"
    """Frames and answers are broken, as can be seen from them."""
    BAD_GATEWAY = "bad_gateway"
    """Someone in between answers HTTP requests: 502, a portal's page, nothing."""
    NO_WEBSOCKET = "no_websocket"
    """Old WebSockets end, new ones are refused; HTTP passes."""
    BEHIND = "behind"
    """The same, and every other answer tells what was, as a gateway that lags or a cache would."""
    NO_HTTP = "no_http"
    """HTTP requests are reset; WebSockets pass."""


ONCE = frozenset({Kind.DROP, Kind.RESET, Kind.CUT})
"""Those that are over as soon as they have begun."""

NO_PUSH = frozenset({Kind.NO_WEBSOCKET, Kind.BEHIND})
"""Those while which HTTP alone passes."""

POLLS_PASS = NO_PUSH | ONCE | {Kind.GHOST}
"""Those after which a request gets its answer at once."""

ALL_CUT = frozenset({Kind.REFUSE, Kind.STALL, Kind.MUTE})
"""Those while which no client can hear anything."""

FIRST = (Kind.DROP, Kind.LATE, Kind.BEHIND, Kind.CORRUPT, Kind.SLOW)
"""What a short run has time for whatever its seed, in any order.

Before these comes a half-open connection, while clients are live for certain, and its blackout is a
stall."""

_LONGEST_S = {
    Kind.REFUSE: 8.0,
    Kind.STALL: 8.0,
    Kind.MUTE: 8.0,
    Kind.DEAF: 8.0,
    Kind.NO_WEBSOCKET: 15.0,
    Kind.BEHIND: 15.0,
}
_LONGEST_ELSE_S = 10.0
_SHORTEST_S = {Kind.BEHIND: 2.5}
"""Until a client has polled often enough to be told what was."""

_SHORTEST_ELSE_S = 0.5
_PAUSE_S = 4.0
_SHORT_PAUSE_S = 0.7


@dataclass(frozen=True, eq=False)
class Fault:
    """One thing that goes wrong for a while.

    Attributes:
        kind: What.
        seconds: For how long at most.
        amount: Of `Kind.SLOW` bytes a second, of `Kind.LAG` seconds.
    """

    kind: Kind
    seconds: float = 3600.0
    amount: float = 0.0


@dataclass(frozen=True)
class Spell:
    """A fault that was: from when to when, in milliseconds since the epoch."""

    kind: Kind
    begin_ms: float
    end_ms: float


@dataclass(frozen=True)
class Planned:
    """A fault, and when it begins, in seconds from the start."""

    at_s: float
    fault: Fault


def plan(seed: int, seconds: float) -> list[Planned]:
    """Return faults at random, each kind as often as any other; one of them a blackout.

    Args:
        seed: The same number is the same plan.
        seconds: How long the run is, its calm end included.
    """
    dice = random.Random(seed)
    is_short = seconds <= SHORT_RUN_S
    longest_s = SHORT_S if is_short else max(_LONGEST_S.values())
    pause_s = _SHORT_PAUSE_S if is_short else _PAUSE_S
    faults = _faults(dice, longest_s, is_short)
    blackout = Fault(Kind.STALL if is_short else dice.choice(sorted(ALL_CUT)), BLACKOUT_S)
    planned: list[Planned] = []
    at_s, end_s = BEGIN_S, seconds - CALM_S
    latest_s = end_s - BLACKOUT_S - max(longest_s, *_SHORTEST_S.values()) - pause_s
    dark_s = dice.uniform(0.2, 1.0) * latest_s if latest_s > 0 else None
    while at_s < end_s:
        is_dark = dark_s is not None and at_s >= dark_s
        fault, dark_s = (blackout, None) if is_dark else (next(faults), dark_s)
        if at_s + fault.seconds > end_s:
            break
        planned.append(Planned(at_s, fault))
        overlap = 0.5 if dice.random() < OVERLAP else 1.0
        at_s += fault.seconds * overlap + dice.uniform(0.2, pause_s)
    return planned


def _faults(dice: random.Random, longest_s: float, is_short: bool) -> Iterator[Fault]:
    if is_short:
        yield Fault(Kind.HALF_OPEN, SILENCE_S)
        yield from (_fault(dice, kind, longest_s) for kind in dice.sample(FIRST, len(FIRST)))
    while True:
        kinds = tuple(Kind)
        yield from (_fault(dice, kind, longest_s) for kind in dice.sample(kinds, len(kinds)))


def _fault(dice: random.Random, kind: Kind, longest_s: float) -> Fault:
    if kind in ONCE:
        return Fault(kind, 0.0)
    least_s = _SHORTEST_S.get(kind, _SHORTEST_ELSE_S)
    most_s = max(least_s, min(longest_s, _LONGEST_S.get(kind, _LONGEST_ELSE_S)))
    seconds = dice.uniform(least_s, most_s)
    amounts = {Kind.SLOW: dice.uniform(500, 8_000), Kind.LAG: dice.uniform(0.1, 1.5)}
    return Fault(kind, seconds, amounts.get(kind, 0.0))
