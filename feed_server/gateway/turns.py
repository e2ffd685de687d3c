"""Turns at work of which little can be done at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class BusyError(Exception):
    """So many wait already that one more would wait for too long."""


class Turns:
    """Lets few do a thing at a time, and few others wait for it, in order.

    Args:
        at_once: Who have their turn.
        waiting: Who wait for it, at most.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it.

        Raises:
            BusyError: Too many wait.
        """
        if not self._room:
            raise BusyError
        self._room -= 1
        try:
            async with self._turns:
                yield
        finally:
            self._room += 1
