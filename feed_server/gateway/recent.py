"""Percentiles of what was measured last. Pure."""

import time
from collections import deque
from collections.abc import Callable

SAMPLES = 512
LASTS_S = 30.0
"""What is older tells nothing of now."""


class Recent:
    """The last samples of something, each of them in seconds.

    Args:
        now_s: A clock that never steps, in seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)

    def add(self, seconds: float) -> None:
        """Add a sample; beyond `SAMPLES` the oldest goes."""
        self._samples.append((self._now_s(), seconds))

    def at_ms(self, percent: float) -> float | None:
        """Return a percentile by nearest rank, in milliseconds; None where nothing is recent."""
        since_s = self._now_s() - LASTS_S
        ordered = sorted(seconds for at_s, seconds in self._samples if at_s >= since_s)
        if not ordered:
            return None
        rank = max(0, -int(-percent * len(ordered) // 100) - 1)
        return round(ordered[rank] * 1000, 3)
