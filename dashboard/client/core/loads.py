"""History that is being loaded, one request at a time for each series. Pure."""

from collections.abc import Callable
from typing import Literal

import msgspec

from dashboard.client.core.limits import LIMITS, backoff

FAILED = 2
"""So many failures in a row are told."""
TIMEOUT = "timeout", "the feed did not answer in time"


class Series(msgspec.Struct, frozen=True):
    """Trades of a symbol, or its bars of one interval; ``older``: those before what is held."""

    channel: Literal["bars", "trades"]
    symbol: str
    interval: str | None
    older: bool = False


class Running:
    """One series that is being loaded, or will be again.

    Attributes:
        id: Number of the request under way, None between two.
        at: When the request has taken too long, or when it is to be made again.
        failures: How often in a row it has failed.
        why: Code and reason of the last time, None where it has not failed.
        again: Whether it is wanted once more after the request under way.
        start_ms: The start asked for.
        end_ms: The end asked for.
        indicators: The indicators asked for.
    """

    def __init__(self) -> None:
        self.id: int | None = None
        self.at: float | None = None
        self.failures = 0
        self.why: tuple[str, str] | None = None
        self.again = False
        self.start_ms: int | None = None
        self.end_ms: int | None = None
        self.indicators: tuple[str, ...] = ()


class Loads:
    """All that is being loaded.

    Args:
        random: Uniform in [0, 1), for the jitter of another try.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._last = 0
        self._running: dict[Series, Running] = {}
        self._by_id: dict[int, Series] = {}

    def __len__(self) -> int:
        return len(self._running)

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        if not self._running:
            return None
        return min((r.at for r in self._running.values() if r.at is not None), default=None)

    def need(self, series: Series) -> bool:
        """Want a series to be loaded; tell whether to ask for it now."""
        running = self._running.get(series)
        if running is None:
            return True
        running.again = running.id is not None
        return False

    def begin(
        self,
        now_ms: float,
        series: Series,
        span_ms: tuple[int | None, int | None],
        indicators: tuple[str, ...],
    ) -> int:
        """Ask now; return the request's number."""
        running = self._running.setdefault(series, Running())
        self._last += 1
        self._by_id[self._last] = series
        running.id, running.at, running.again = self._last, now_ms + LIMITS.load_ms, False
        running.start_ms, running.end_ms = span_ms
        running.indicators = indicators
        return self._last

    def take(self, number: int) -> tuple[Series, Running] | None:
        """Return what an answer is for, None where nobody waits for it."""
        series = self._by_id.pop(number, None)
        if series is None:
            return None
        running = self._running[series]
        running.id = None
        return series, running

    def failed(
        self, now_ms: float, series: Series, why: tuple[str, str] | None = None, times: int = 1
    ) -> None:
        """Ask once more after a while, that grows with every time."""
        running = self._running.setdefault(series, Running())
        running.failures += times
        running.why = why
        running.at = now_ms + backoff(running.failures, self._random)

    def drop(self, series: Series) -> None:
        """Wait for nothing of a series any more."""
        running = self._running.pop(series, None)
        if running is not None and running.id is not None:
            del self._by_id[running.id]

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._running.clear()
        self._by_id.clear()

    def tick(self, now_ms: float) -> list[Series]:
        """Return what to ask for now; requests that take too long have failed."""
        due = [s for s, r in self._running.items() if r.at is not None and now_ms >= r.at]
        ready = []
        for series in due:
            running = self._running[series]
            if running.id is None:
                ready.append(series)
            else:
                self.take(running.id)
                self.failed(now_ms, series, TIMEOUT)
        return ready

    def failure(self, series: Series) -> tuple[str, str] | None:
        """Return code and reason where a series has failed to be loaded more than once in a row."""
        running = self._running.get(series)
        return running.why if running is not None and running.failures >= FAILED else None
