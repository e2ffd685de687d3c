"""The faults that are at work now, and who has to wait for them."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.weather import Fault, Kind

Way = Literal["to_client", "to_server"]

_STILL: dict[Way, frozenset[Kind]] = {
    "to_client": frozenset({Kind.STALL, Kind.MUTE}),
    "to_server": frozenset({Kind.STALL, Kind.DEAF}),
}


@dataclass(eq=False)
class Gust:
    """A fault at work.

    Attributes:
        fault: Which.
        begun_s: When it began, by the loop's clock.
        begun_ms: The same in milliseconds since the epoch.
        over: Set when it has ended.
    """

    fault: Fault
    begun_s: float
    begun_ms: float
    over: asyncio.Event = field(default_factory=asyncio.Event)


KEPT = 4
"""Answers to a request that `Kind.BEHIND` may give once more."""


class Sky:
    """All faults at work.

    Args:
        dice: For what is left to chance.
    """

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.gusts: set[Gust] = set()
        self._answers: dict[bytes, deque[bytes]] = {}
        self._behind: set[bytes] = set()

    def add(self, fault: Fault) -> Gust:
        """Begin a fault."""
        gust = Gust(fault, asyncio.get_running_loop().time(), time.time() * 1000)
        self.gusts.add(gust)
        return gust

    def remove(self, gust: Gust) -> None:
        """End a fault."""
        self.gusts.discard(gust)
        gust.over.set()

    def has(self, *kinds: Kind) -> bool:
        """Tell whether a fault of one of some kinds is at work."""
        return any(gust.fault.kind in kinds for gust in self.gusts)

    def answer(self, request: bytes, answer: bytes) -> bytes:
        """Return what a client is told for an answer: itself, or every other time one of before.

        Args:
            request: To which requests alike have the same answer.
            answer: What the feed says.
        """
        answers = self._answers.setdefault(request, deque(maxlen=KEPT))
        oldest = answers[0] if answers else answer
        answers.append(answer)
        if self.has(Kind.BEHIND) and request not in self._behind:
            self._behind.add(request)
            return oldest
        self._behind.discard(request)
        return answer

    async def passage(self, way: Way, since_s: float) -> None:
        """Return when bytes get through.

        Args:
            way: Where they go.
            since_s: When their connection was opened, or their request came.
        """
        lags = [gust.fault.amount for gust in self.gusts if gust.fault.kind is Kind.LAG]
        if lags:
            await asyncio.sleep(max(lags))
        while (gust := self._in_the_way(way, since_s)) is not None:
            await gust.over.wait()

    def bytes_per_s(self) -> float | None:
        """Return how fast bytes get through; None for at once."""
        slow = [gust.fault.amount for gust in self.gusts if gust.fault.kind is Kind.SLOW]
        return min(slow, default=None)

    def _in_the_way(self, way: Way, since_s: float) -> Gust | None:
        for gust in self.gusts:
            late = gust.fault.kind is Kind.LATE and since_s < gust.begun_s
            if late or gust.fault.kind in _STILL[way]:
                return gust
        return None
