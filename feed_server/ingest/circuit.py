"""When to try a source again that has failed. Pure; the clock is passed in."""

import random
from collections.abc import Callable

OPENS_AFTER = 3
"""Failures in a row after which others should serve what the source was asked for."""
FIRST_S = 1.0
MOST_S = 300.0
HINT_JITTER = 0.1
MOST_JITTER_S = 10.0
"""A hint of hours is not to become one of hours more."""


class Circuit:
    """Counts a source's failures in a row: the more there were, the later it is tried again.

    It opens after some: nothing is expected of the source until a probe, a single try when its time
    has come, succeeds.

    Args:
        jitter: Gives numbers from 0 to 1, so that processes do not try together.

    Attributes:
        failures: In a row.
        next_try_s: Not before this.
    """

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self.failures = 0
        self.next_try_s = 0.0
        self._jitter = jitter

    @property
    def is_open(self) -> bool:
        """Whether the source is given up until a probe succeeds."""
        return self.failures >= OPENS_AFTER

    def may_try(self, now_s: float) -> bool:
        """Tell whether it is time."""
        return now_s >= self.next_try_s

    def succeed(self) -> None:
        """Note that the source has answered."""
        self.failures = 0
        self.next_try_s = 0.0

    def fail(self, now_s: float, hint_s: float | None = None) -> None:
        """Note that it has not.

        Args:
            now_s: The time.
            hint_s: When to try again, as the vendor said; else the wait doubles each time.
        """
        self.failures += 1
        if hint_s is not None:
            wait_s = hint_s + min(HINT_JITTER * hint_s, MOST_JITTER_S) * self._jitter()
        else:
            most_s = min(MOST_S, FIRST_S * 2 ** min(self.failures - 1, 16))
            wait_s = most_s * (0.5 + 0.5 * self._jitter())
        self.next_try_s = max(self.next_try_s, now_s + wait_s)

    def wait(self, now_s: float, for_s: float) -> None:
        """Try not before a while has passed, though nothing has failed."""
        self.next_try_s = max(self.next_try_s, now_s + for_s)

    def open(self) -> None:
        """Give the source up at once: more tries would not help."""
        self.failures = max(self.failures, OPENS_AFTER)
