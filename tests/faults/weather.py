"""What can go wrong between a client and the feed, and a seeded plan of it. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

BEGIN_S = 3.0
CALM_S = 22.0
"""At the end nothing goes wrong: backoff's cap is 15 s, and what was missed has to be caught up."""

BLACKOUT_S = 17.0
"""Longer than a client may take to say that it is offline."""

SHORT_RUN_S = 120.0
SHORT_S = 3.0
"""In a short run nothing but the blackout lasts longer, so that more kinds have their turn."""

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
    NO_HTTP = "no_http"
    """HTTP requests are reset; WebSockets pass."""


ONCE = frozenset({Kind.DROP, Kind.RESET, Kind.CUT})
"""Those that are over as soon as they have begun."""

ALL_CUT = frozenset({Kind.REFUSE, Kind.STALL, Kind.MUTE})
"""Those while which no client can hear anything."""

_LONGEST_S = {
    Kind.REFUSE: 8.0,
    Kind.STALL: 8.0,
    Kind.MUTE: 8.0,
    Kind.DEAF: 8.0,
    Kind.NO_WEBSOCKET: 15.0,
}
_LONGEST_ELSE_S = 10.0
_PAUSE_S = 4.0
_SHORT_PAUSE_S = 1.0


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


def plan(seed: int, seconds: float, kinds: Sequence[Kind] = tuple(Kind)) -> list[Planned]:
    """Return faults at random, each kind as often as any other; one of them a blackout.

    Args:
        seed: The same number is the same plan.
        seconds: How long the run is, its calm end included.
        kinds: What may go wrong.
    """
    dice = random.Random(seed)
    cut = sorted(ALL_CUT.intersection(kinds))
    next_kind = _shuffled(dice, kinds)
    is_short = seconds <= SHORT_RUN_S
    longest_s = SHORT_S if is_short else max(_LONGEST_S.values())
    pause_s = _SHORT_PAUSE_S if is_short else _PAUSE_S
    planned: list[Planned] = []
    at_s, end_s = BEGIN_S, seconds - CALM_S
    latest_s = end_s - BLACKOUT_S - longest_s - pause_s
    dark_s = dice.uniform(0.2, 1.0) * latest_s if cut and latest_s > 0 else None
    while at_s < end_s:
        if dark_s is not None and at_s >= dark_s:
            fault, dark_s = Fault(dice.choice(cut), BLACKOUT_S), None
        else:
            fault = _fault(dice, next(next_kind), longest_s)
        if at_s + fault.seconds > end_s:
            break
        planned.append(Planned(at_s, fault))
        at_s += fault.seconds * (0.5 if dice.random() < OVERLAP else 1.0) + dice.uniform(
            0.2, pause_s
        )
    return planned


def _shuffled(dice: random.Random, kinds: Sequence[Kind]) -> Iterator[Kind]:
    while True:
        yield from dice.sample(kinds, len(kinds))


def _fault(dice: random.Random, kind: Kind, longest_s: float) -> Fault:
    if kind in ONCE:
        return Fault(kind, 0.0)
    seconds = dice.uniform(0.5, min(longest_s, _LONGEST_S.get(kind, _LONGEST_ELSE_S)))
    amounts = {Kind.SLOW: dice.uniform(500, 8_000), Kind.LAG: dice.uniform(0.1, 1.5)}
    return Fault(kind, seconds, amounts.get(kind, 0.0))
