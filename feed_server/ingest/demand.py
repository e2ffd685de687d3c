"""Which symbols somebody wants, as the gateways lease them."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

import structlog

from feed_server.bus import names
from feed_server.bus.leases import WantedReader
from feed_server.bus.subscriber import Subscriber
from feed_server.errors import BusError

CHECK_EVERY_S = 1.0
"""How long a lease that expired, or a note that was not heard, may go unnoticed."""

AT_MOST_EVERY_S = 0.02
"""So that many gateways which say something at once are answered together."""

IDLE_SHARE = 4
"""So many times as long as a look at all leases took, others have their turn."""

GRACE_S = 3.0
"""A symbol stays wanted for so long after the last lease: if Redis has lost the leases, gateways
renew them within this time, and no trade goes missing."""

log = structlog.get_logger(__name__)


class Demand:
    """Follows the leases for as long as it runs.

    Args:
        reader: For what is wanted.
        make_subscriber: Makes the listener, given ``on_message`` and ``on_connected``.
        now_s: A clock that never steps, in seconds.

    Attributes:
        wanted: The symbols that somebody wants.
    """

    def __init__(
        self,
        reader: WantedReader,
        make_subscriber: Callable[[Callable[[str, bytes], None], Callable[[], None]], Subscriber],
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wanted: frozenset[str] = frozenset()
        self._reader = reader
        self._subscriber = make_subscriber(lambda _channel, _payload: self._look(), self._look)
        self._now_s = now_s
        self._noted = asyncio.Event()
        self._seen_s: dict[str, float] = {}

    async def run(
        self,
        on_change: Callable[[Collection[str], Collection[str]], None],
        on_seen: Callable[[Mapping[str, int]], None] = lambda _numbers: None,
    ) -> None:
        """Follow until cancelled.

        Args:
            on_change: Called with the symbols that came and those that went.
            on_seen: Called after it, with the numbers of the gateways' changes that are new.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._subscriber.run())
            tasks.create_task(self._follow(on_change, on_seen))

    async def _follow(
        self,
        on_change: Callable[[Collection[str], Collection[str]], None],
        on_seen: Callable[[Mapping[str, int]], None],
    ) -> None:
        seen: dict[str, int] = {}
        with suppress(BusError):
            # It is subscribed to at the latest when there is another connection.
            await self._subscriber.subscribe([names.SUBSCRIPTIONS])
        while True:
            self._noted.clear()
            began_s = time.monotonic()
            try:
                wanted = await self._reader.read()
                self._take(wanted.counts, on_change)
                before, seen = seen, wanted.numbers
                if new := dict(seen.items() - before.items()):
                    on_seen(new)
            except BusError as error:
                log.warning("what is wanted is not known; going on as before", error=str(error))
            took_s = time.monotonic() - began_s
            await asyncio.sleep(max(AT_MOST_EVERY_S, IDLE_SHARE * took_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_EVERY_S):
                    await self._noted.wait()

    def _look(self) -> None:
        self._noted.set()

    def _take(
        self,
        leased: Iterable[str],
        on_change: Callable[[Collection[str], Collection[str]], None],
    ) -> None:
        now_s = self._now_s()
        self._seen_s.update(dict.fromkeys(leased, now_s))
        self._seen_s = {s: at_s for s, at_s in self._seen_s.items() if now_s - at_s < GRACE_S}
        before, self.wanted = self.wanted, frozenset(self._seen_s)
        if before != self.wanted:
            on_change(self.wanted - before, before - self.wanted)
