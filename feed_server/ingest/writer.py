"""Brings what changes to Redis, and puts back what Redis loses."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import structlog

from feed_server.bus.leases import Seen
from feed_server.bus.publisher import REFUSED, Beginning, Kept, Publisher, new_epoch
from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.errors import BusError, FencedError
from feed_server.ingest.line import Line
from feed_server.ingest.outbox import Outbox
from feed_server.protocol import Position, SymbolInfo

RETRY_S = 0.5
MAX_WAITING = 10_000
"""Changes that may wait for being published; beyond them the source has to wait."""

MAX_UPDATES = 500
"""Symbols published in one pipeline: few enough for Redis to answer others in between."""

SLICE = 100
"""Symbols looked at or begun in one pipeline, between which others are published."""

LOOK_AT = 1_000
"""Symbols looked at each time whether Redis has lost them."""

MAX_BARS = 20_000
"""Bars of history written in one pipeline; a symbol that has more goes alone."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Writer:
    """Publishes lines for as long as it runs; it repeats what Redis did not take.

    Where another writer has taken over, all that it does ends with a `FencedError`.

    Args:
        publisher: Where to.
        consider: Awaited with all that is to be published, once, before it is.
    """

    def __init__(
        self,
        publisher: Publisher,
        consider: Callable[[Sequence[StoredUpdate]], Awaitable[None]] | None = None,
    ) -> None:
        self._publisher = publisher
        self._consider = consider
        self._lines: Mapping[str, Line] = {}
        self._outbox = Outbox(MAX_WAITING)
        self._to_write = asyncio.Event()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writing = asyncio.Lock()
        self._in_doubt = False
        self._looked_at = 0
        self._unsaid: deque[tuple[int, Seen]] = deque()
        self._since_ms: dict[str, int] = {}
        self._since_unsaid: set[str] = set()

    async def begin(self, lines: Mapping[str, Line]) -> None:
        """Begin epochs of all lines that do not go on, then declare them.

        What is declared can be asked for.

        Args:
            lines: By symbol; those that are added later have to be told by `add`.
        """
        async with self._writing:
            self._lines = {}
            await self._begin_fresh(lines.values())
            await until_done(lambda: self._publisher.declare_symbols(_infos(lines)))
            self._lines = lines
        self._to_write.set()

    async def add(self, lines: Sequence[Line]) -> None:
        """Begin epochs of more lines, then declare them."""
        async with self._writing:
            await self._begin_fresh(lines)
            infos = [line.info for line in lines]
            await until_done(lambda: self._publisher.add_symbols(infos))
        self._to_write.set()

    async def _begin_fresh(self, lines: Iterable[Line]) -> None:
        for some in _batches(line for line in lines if line.last_update is None):
            await until_done(partial(self._begin_epochs, some))

    def set_since(self, symbols: Iterable[str], since_ms: int) -> None:
        """Note that symbols' bars are whole from a market time on, and may not be before."""
        for symbol in symbols:
            self._since_ms[symbol] = since_ms
            self._since_unsaid.add(symbol)
        self._to_write.set()

    def note(self, symbol: str) -> None:
        """Note that a line is due; it is published as soon as what goes before it is."""
        self._outbox.add(symbol)
        self._idle.clear()
        self._to_write.set()

    def remind(self, symbol: str) -> None:
        """Note a line whose change was noted before, or that has bars that ended by themselves."""
        self._outbox.remind(symbol)
        self._idle.clear()
        self._to_write.set()

    def acknowledge(self, seen: Seen) -> None:
        """Tell gateways, when all is published that was noted until now."""
        self._unsaid.append((self._outbox.entered, seen))
        self._to_write.set()

    @property
    def full(self) -> bool:
        """Whether too much waits."""
        return self._outbox.full

    async def room(self) -> None:
        """Return when no more waits than may."""
        while self._outbox.full:
            self._room.clear()
            await self._room.wait()

    async def flush(self) -> None:
        """Return when everything is published."""
        await self._idle.wait()

    async def run(self) -> None:
        """Publish what is due until cancelled."""
        while True:
            await self._to_write.wait()
            while symbols := self._outbox.take(MAX_UPDATES):
                self._room.set()
                async with self._writing:
                    await self._write([self._lines[s] for s in symbols if s in self._lines])
                await self._acknowledge()
            self._to_write.clear()
            await self._say_since()
            await self._acknowledge()
            if not self._outbox:
                self._idle.set()

    async def restore_if_lost(self) -> None:
        """See to symbols that do not trade: their loss shows in no answer.

        Where nothing is lost it looks at some of them, and at others the next time.

        Raises:
            BusError: Redis could not be reached.
            FencedError: Another writer is at work.
        """
        async with self._writing:
            if self._lines and await self._publisher.count_symbols() != len(self._lines):
                await self._publisher.declare_symbols(_infos(self._lines))
                self._in_doubt = True
        symbols = list(self._lines)
        if not self._in_doubt:
            begin = self._looked_at if self._looked_at < len(symbols) else 0
            self._looked_at = begin + LOOK_AT
            await self._look_at(symbols[begin : self._looked_at])
        if self._in_doubt:
            # Where one is lost, others may be.
            await self._look_at(symbols)
            self._in_doubt = False

    async def _look_at(self, symbols: Sequence[str]) -> None:
        for start in range(0, len(symbols), SLICE):
            async with self._writing:
                await self._restore_lost(symbols[start : start + SLICE])

    async def _say_since(self) -> None:
        symbols, self._since_unsaid = self._since_unsaid & self._lines.keys(), set()
        if symbols:
            since_ms = {symbol: self._since_ms[symbol] for symbol in symbols}
            await until_done(partial(self._publisher.mark_since, since_ms))

    async def _acknowledge(self) -> None:
        # Before the lines are there, nothing is published of what is wanted.
        while self._lines and self._unsaid and self._unsaid[0][0] <= self._outbox.left:
            _, seen = self._unsaid.popleft()
            await until_done(partial(self._publisher.publish_seen, seen))

    async def _write(self, lines: Sequence[Line]) -> None:
        updates = [u for line in lines if (u := line.take_update()) is not None]
        if not updates:
            return
        await self._let_consider(updates)
        positions = await until_done(lambda: self._publisher.publish(updates))
        if any(position.offset == REFUSED for position in positions.values()):
            # Sources give their trades in order: it is not ours what this is older than.
            raise FencedError("another writer has published newer data")
        if positions != self._advance(updates):
            await until_done(partial(self._restore_lost, list(positions)))

    async def _let_consider(self, updates: Sequence[SymbolUpdate]) -> None:
        if self._consider is None or not updates:
            return
        stored = []
        for update in updates:
            quote = update.quote
            before = self._lines[quote.symbol].position
            stored.append(StoredUpdate(before.epoch, before.offset + quote.count, update))
        await self._consider(stored)

    def _advance(self, updates: Sequence[SymbolUpdate]) -> dict[str, Position]:
        """Return where these updates' symbols should stand now that they are published."""
        expected = {}
        for update in updates:
            line = self._lines[update.quote.symbol]
            offset = line.position.offset + update.quote.count
            line.position = expected[line.symbol] = Position(line.position.epoch, offset)
        return expected

    async def _restore_lost(self, symbols: Sequence[str]) -> None:
        """Put back what Redis has lost (flushed, evicted, restarted, failed over), as new epochs.

        A place that Redis has gone back to must not be passed again with other data: who was there
        before would take these for what is known.
        """
        lines = [self._lines[s] for s in symbols if s in self._lines]
        kept = await self._publisher.kept([line.symbol for line in lines])
        if any(found.fence > self._publisher.fence for found in kept.values()):
            raise FencedError("a later writer has written")
        lost = [line for line in lines if _is_lost(line, kept.get(line.symbol))]
        if not lost:
            return
        self._in_doubt = True
        log.warning("redis had lost symbols; restoring them", symbols=len(lost))
        for some in _batches(lost):
            await self._restore(some)

    async def _restore(self, lines: Sequence[Line]) -> None:
        for line in lines:
            line.position = Position(new_epoch(), 0)
        await self._begin_epochs(lines)
        fresh = [u for line in lines if (u := line.take_update()) is not None]
        await self._let_consider(fresh)
        updates = [line.last_update for line in lines if line.last_update is not None]
        # Should publishing fail, they stand elsewhere than they should, and are restored again.
        self._advance(updates)
        await self._publisher.publish(updates)

    async def _begin_epochs(self, lines: Sequence[Line]) -> None:
        await self._publisher.begin_epochs(
            [
                Beginning(
                    line.symbol,
                    line.position.epoch,
                    [bar for bars in line.final_bars.values() for bar in bars],
                    self._since_ms.get(line.symbol, 0),
                )
                for line in lines
            ]
        )


def _is_lost(line: Line, kept: Kept | None) -> bool:
    return (
        kept is None
        or kept.position != line.position
        or kept.bars < sum(map(bool, line.final_bars.values()))
    )


def _infos(lines: Mapping[str, Line]) -> list[SymbolInfo]:
    return [line.info for line in lines.values()]


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Give lines together whose history is not too much for one pipeline."""
    batch: list[Line] = []
    bars = 0
    for line in lines:
        length = sum(map(len, line.final_bars.values()))
        if batch and (len(batch) == SLICE or bars + length > MAX_BARS):
            yield batch
            batch, bars = [], 0
        batch.append(line)
        bars += length
    if batch:
        yield batch


async def until_done(write: Callable[[], Awaitable[T]]) -> T:
    """Repeat a write until Redis has taken it: nothing is lost while Redis is away."""
    while True:
        try:
            return await write()
        except BusError as error:
            log.warning("redis is away; trying again", error=str(error))
            await asyncio.sleep(RETRY_S)
