"""What this gateway knows of the market: current for the symbols that are watched."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec
import structlog

from feed_server.bus import names
from feed_server.bus.publisher import STATUS_EXPIRES_MS
from feed_server.bus.reader import Reader, decode_status
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.errors import BusError
from feed_server.protocol import SourceState, SourceStatus, SymbolInfo

RETRY_S = 0.5
SILENCE_CHECK_S = 1.0

log = structlog.get_logger(__name__)


class MarketView:
    """Last values of the watched symbols, the list of symbols, and the sources' status.

    Subscribing and then reading closes the race between the two: what arrives in between is kept,
    and of two values the one with the higher offset stays.

    Args:
        reader: For last values.
        make_subscriber: Makes the listener, given ``on_message`` and ``on_connected``.
        on_update: Called with each newer value of a watched symbol as it is published.
        on_read: Called with values that were read instead: what came before them may be missed.
        on_status: Called when a source's status changed.
    """

    def __init__(
        self,
        reader: Reader,
        make_subscriber: Callable[[Callable[[str, bytes], None], Callable[[], None]], Subscriber],
        on_update: Callable[[StoredUpdate], None],
        on_read: Callable[[list[StoredUpdate]], None],
        on_status: Callable[[], None],
    ) -> None:
        self.latest: dict[str, StoredUpdate] = {}
        self.symbols: dict[str, SymbolInfo] = {}
        self.malformed = 0
        self._reader = reader
        self._subscriber = make_subscriber(self._on_message, self._read_again)
        self._on_update = on_update
        self._on_read = on_read
        self._on_status = on_status
        self._watchers: Counter[str] = Counter()
        self._statuses: dict[str, SourceStatus] = {}
        self._heard_s: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._status_changed = asyncio.Event()
        self._to_read: set[str] = set()
        self._heard: set[str] = set()
        self._listened: set[str] = set()
        self._reload = True

    @property
    def hears(self) -> bool:
        """Whether what is published reaches us."""
        return self._subscriber.hears

    @property
    def watched(self) -> int:
        """Number of symbols kept current."""
        return len(self._watchers)

    def watch(self, symbols: Iterable[str]) -> None:
        """Keep these symbols current; once more for each call."""
        for symbol in symbols:
            self._watchers[symbol] += 1
            if self._watchers[symbol] == 1:
                self._changed.set()

    def unwatch(self, symbols: Iterable[str]) -> None:
        """Take one `watch` of each symbol back."""
        for symbol in symbols:
            self._watchers[symbol] -= 1
            if self._watchers[symbol] <= 0:
                del self._watchers[symbol]
                self._changed.set()

    def statuses(self) -> list[SourceStatus]:
        """Return how each source does; one that has not renewed its word in time is down."""
        now_s = time.monotonic()
        return [
            status if now_s - self._heard_s[source] < STATUS_EXPIRES_MS / 1000 else _down(status)
            for source, status in sorted(self._statuses.items())
        ]

    async def run(self) -> None:
        """Keep everything current until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._subscriber.run())
            tasks.create_task(self._follow_watchers())
            tasks.create_task(self._watch_statuses())

    async def _follow_watchers(self) -> None:
        await self._subscriber.subscribe([names.STATUS_CHANNEL, names.SYMBOLS_CHANNEL])
        while True:
            self._changed.clear()
            # Taken before it is served: what is asked for meanwhile is another round.
            reload, self._reload = self._reload, False
            try:
                await self._reconcile(reload=reload)
            except BusError as error:
                log.warning("market view is behind", error=str(error))
                self._reload = self._reload or reload
                await asyncio.sleep(RETRY_S)
                continue
            await self._changed.wait()

    async def _reconcile(self, *, reload: bool) -> None:
        """Make what we listen to what is watched, and read what we may have missed."""
        if reload:
            self.symbols = await self._reader.symbols()
            for status in await self._reader.statuses():
                self._take_status(status)
            self._to_read |= self._listened
        wanted = set(self._watchers)
        added, removed = wanted - self._listened, self._listened - wanted
        await self._subscriber.subscribe(map(names.updates, sorted(added)))
        await self._subscriber.unsubscribe(map(names.updates, sorted(removed)))
        self._listened = wanted
        for symbol in removed:
            self.latest.pop(symbol, None)
        self._to_read = (self._to_read | added) & wanted
        self._heard = set()
        read = await self._reader.last_values(sorted(self._to_read))
        self._on_read([stored for stored in read.values() if self._keep_read(stored)])
        self._to_read.clear()

    async def _watch_statuses(self) -> None:
        """Tell of changes at once, and of a source's silence within a second."""
        before: list[tuple[str, str, SourceState, str]] = []
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENCE_CHECK_S):
                    await self._status_changed.wait()
            self._status_changed.clear()
            if (now := [_told(status) for status in self.statuses()]) != before:
                before = now
                self._on_status()

    def _read_again(self) -> None:
        """Read everything anew: something may have been missed."""
        self._reload = True
        self._changed.set()

    def _on_message(self, channel: str, payload: bytes) -> None:
        try:
            if channel == names.STATUS_CHANNEL:
                self._take_status(decode_status(payload))
            elif channel == names.SYMBOLS_CHANNEL:
                self._read_again()
            elif self._keep(stored := StoredUpdate.from_message(payload)):
                self._heard.add(stored.update.quote.symbol)
                self._on_update(stored)
        except (ValueError, msgspec.DecodeError) as error:
            self.malformed += 1
            log.error("malformed message on the bus", channel=channel, error=str(error))

    def _keep(self, stored: StoredUpdate) -> bool:
        """Keep a value if it is wanted and newer than what is kept; tell whether it was."""
        symbol = stored.update.quote.symbol
        wanted = symbol in self._watchers or symbol in self._listened
        if not wanted or not stored.follows(self.latest.get(symbol)):
            return False
        self.latest[symbol] = stored
        return True

    def _keep_read(self, stored: StoredUpdate) -> bool:
        """Keep a value that was read, unless what was heard meanwhile began another epoch."""
        symbol = stored.update.quote.symbol
        overtaken = symbol in self._heard and self.latest[symbol].epoch != stored.epoch
        return not overtaken and self._keep(stored)

    def _take_status(self, status: SourceStatus) -> None:
        self._statuses[status.source] = status
        self._heard_s[status.source] = time.monotonic()
        self._status_changed.set()


def _told(status: SourceStatus) -> tuple[str, str, SourceState, str]:
    """Return what is told at once when it changes; the rest changes with every renewal."""
    return status.source, status.label, status.state, status.message


def _down(status: SourceStatus) -> SourceStatus:
    return msgspec.structs.replace(
        status, state=SourceState.DOWN, message="the source has fallen silent"
    )
