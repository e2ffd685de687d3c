"""The time, and one timer, for who must not be fooled by a machine that was busy or asleep."""

import asyncio
from collections.abc import Callable

LATE_S = 0.25
"""A timer that comes later than this tells of a loop that was held up."""
CATCH_UP_S = 0.05


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
