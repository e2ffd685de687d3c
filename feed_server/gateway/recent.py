"""Percentiles of what was measured last. Pure."""

from collections import deque

SAMPLES = 512


class Recent:
    """The last samples of something, each of them in seconds."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=SAMPLES)

    def add(self, seconds: float) -> None:
        """Add a sample; beyond `SAMPLES` the oldest goes."""
        self._samples.append(seconds)

    def at_ms(self, percent: float) -> float | None:
        """Return a percentile by nearest rank, in milliseconds; None before the first sample."""
        if not self._samples:
            return None
        ordered = sorted(self._samples)
        rank = max(0, -int(-percent * len(ordered) // 100) - 1)
        return round(ordered[rank] * 1000, 3)
