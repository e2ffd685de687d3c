"""The time, and one timer, for who must not be fooled by a machine that was busy or asleep."""

import asyncio
import time
from collections.abc import Callable

LATE_S = 0.25
"""A timer that comes later than this tells of a loop that was held up."""
CATCH_UP_S = 0.05
ASLEEP_S = 1.0
"""Clocks that are apart by less are let be."""


class Clock:
    """UTC, which is never set back while it is used.

    It goes by the event loop's clock. That one may stand still while the machine sleeps, which is
    made up for; where the machine's clock is set forward this one follows.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoch_s = time.time() - self._loop.time()

    @property
    def now_ms(self) -> float:
        """UTC epoch milliseconds."""
        now_s = self._loop.time()
        epoch_s = time.time() - now_s
        if epoch_s > self._epoch_s + ASLEEP_S:
            self._epoch_s = epoch_s
        return (now_s + self._epoch_s) * 1000

    def loop_s(self, time_ms: float) -> float:
        """Return when it is this time by the event loop's clock."""
        return time_ms / 1000 - self._epoch_s


class Alarm:
    """Calls a function when it is due, by the event loop's clock.

    Where the loop was held up, what came meanwhile waits in the sockets, and is let be read before
    the function is called: once for each time that is due, for a loop can be late again and again.

    Args:
        ring: The function. It may be called too early.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0

    def set(self, due_s: float) -> None:
        """Call at this time; where it is set to an earlier one, at that."""
        if self._timer is None or due_s < self._due_s:
            self.stop()
            self._due_s = due_s
            self._timer = self._loop.call_at(due_s, self._due)

    def stop(self) -> None:
        """Call no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        now_s = self._loop.time()
        if now_s > self._due_s + LATE_S:
            self._timer = self._loop.call_at(now_s + CATCH_UP_S, self._call)
        else:
            self._call()

    def _call(self) -> None:
        self._timer = None
        self._ring()
