"""Whose connections a gateway has, and when their users were seen."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator

import structlog

from feed_server.errors import BusError
from feed_server.gateway.client import Client

SAY_EVERY_S = 60.0
"""How soon it is told at the latest that a user was seen."""
CONNECTED_EVERY = 30
"""How often that is told again of those who stay connected: each so many times."""

log = structlog.get_logger(__name__)


class Subjects:
    """Clients by the subject of their tokens. Pure."""

    def __init__(self) -> None:
        self._subject_of: dict[Client, str] = {}
        self._clients: dict[str, dict[Client, None]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._clients)

    def put(self, client: Client, subject: str) -> None:
        """Note whose a client is, now that it has said so, or says so anew."""
        self.drop(client)
        self._subject_of[client] = subject
        self._clients.setdefault(subject, {})[client] = None

    def drop(self, client: Client) -> None:
        """Forget a client; safe to call twice."""
        subject = self._subject_of.pop(client, None)
        if subject is None:
            return
        mine = self._clients[subject]
        del mine[client]
        if not mine:
            del self._clients[subject]

    def of(self, subject: str) -> Collection[Client]:
        """Return a user's clients."""
        return list(self._clients.get(subject, ()))


class Seen:
    """Tells now and then which users were there.

    Args:
        subjects: Those who are connected.
        say: Awaited with users who were seen.
    """

    def __init__(self, subjects: Subjects, say: Callable[[list[str]], Awaitable[None]]) -> None:
        self._subjects = subjects
        self._say = say
        self._noted: set[str] = set()

    def note(self, subject: str) -> None:
        """Note that a user was there."""
        self._noted.add(subject)

    async def run(self) -> None:
        """Tell until cancelled; a failure is made up for."""
        times = 0
        while True:
            await asyncio.sleep(SAY_EVERY_S)
            if times % CONNECTED_EVERY == 0:
                self._noted.update(self._subjects)
            times += 1
            noted, self._noted = self._noted, set()
            try:
                await self._say(sorted(noted))
            except BusError as error:
                self._noted |= noted
                log.warning("it is not noted who was seen", error=str(error))
