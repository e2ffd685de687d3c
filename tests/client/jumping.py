"""An event loop whose clock jumps to the next timer as soon as nothing else is to do.

Sockets are real; time is not. What goes between two ends in one such loop arrives before the clock
moves on, for the kernel hands it over at once.
"""

import asyncio
import selectors
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")


class JumpingSelector(selectors.DefaultSelector):
    """Waits for no time to pass: it adds it to ``now_s``."""

    now_s = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now_s += max(timeout, 0)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """Runs on a `JumpingSelector`'s clock."""

    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    @override
    def time(self) -> float:
        return self.jumping.now_s

    @override
    async def getaddrinfo(self, *arguments: Any, **named: Any) -> Any:
        # Not in a thread, for the clock would not wait for it.
        return socket.getaddrinfo(*arguments, **named)


def run_jumping(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in such a loop."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)
