"""Which symbols there are: what sources list, what gateways ask for, what another has left."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import structlog

from feed_server.errors import BusError, ProviderError, RateLimitedError, UnavailableError
from feed_server.ingest.circuit import Circuit
from feed_server.ingest.floor import Floor
from feed_server.ingest.seed import session_so_far
from feed_server.ingest.source import Source
from feed_server.ingest.writer import Writer, until_done
from feed_server.market.session import DAY_MS
from feed_server.market.symbols import match
from feed_server.protocol import Interval, SymbolInfo

if TYPE_CHECKING:
    from feed_server.ingest.worker import IngestBus

MAX_SYMBOLS = 50_000
"""Of all sources together; what strangers ask for must not grow without bound."""
SEEDS_AT_ONCE = 4
MANY_SEEDS = 100
"""More are learnt one by one: what is live must not be late for what was before."""
SEED_RETRY_S = 30.0
RESOLVED_AT_ONCE = 4
"""A vendor that is slow to answer should not keep other symbols from being found."""

log = structlog.get_logger(__name__)


class Listing:
    """Opens lines for symbols, and declares them.

    Args:
        sources: The preferred first.
        floor: Where the lines are.
        writer: Begins their epochs.
        bus: Where they are declared.
        now_ms: The clock, UTC epoch milliseconds.

    Attributes:
        noted: Set where there is something new to learn; who sees to it clears it.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        floor: Floor,
        writer: Writer,
        bus: "IngestBus",
        now_ms: Callable[[], int],
    ) -> None:
        self.noted = asyncio.Event()
        self._sources = {source.name: source for source in sources}
        self._run = ",".join(f"{s.name}:{s.provider.run}" for s in sources)
        self._name = ",".join(self._sources)
        self._floor = floor
        self._writer = writer
        self._bus = bus
        self._now_ms = now_ms
        self._listed: dict[str, dict[str, SymbolInfo]] = {}
        self._circuits = {source.name: Circuit() for source in sources}
        self._unseeded: dict[str, None] = {}
        self._seed_again_s = 0.0
        self._resolving = asyncio.Semaphore(RESOLVED_AT_ONCE)

    def offered(self, source: str, symbols: Iterable[str]) -> set[str]:
        """Return those symbols that a source has, or may have."""
        if self._sources[source].vendor.can.open_list:
            return set(symbols)
        return {symbol for symbol in symbols if symbol in self._listed.get(source, {})}

    async def begin(self, *, resume: bool) -> None:
        """Open all symbols that are listed, and go on where another has left off.

        Returns when at least one source has told what it has.
        """
        while not self._listed:
            for name in self._sources:
                await self._list(name)
            if not self._listed:
                await asyncio.sleep(0.2)
        left = await until_done(self._left_behind) if resume else {}
        infos = {**self._infos(), **left}
        for info in infos.values():
            self._floor.open(info)
        await self._resume(left)
        for symbol in infos.keys() - left.keys():
            await self._seed_from_past(symbol)
        await self._writer.begin(self._floor.lines)
        await until_done(lambda: self._bus.publisher.set_run(self._name, self._run))

    async def complete(self) -> None:
        """List what could not be listed before, and learn what sessions were like so far."""
        for name in self._sources.keys() - self._listed.keys():
            await self._list(name)
            if name in self._listed:
                await self._open(
                    [i for s, i in self._listed[name].items() if s not in self._floor.lines]
                )
        if time.monotonic() >= self._seed_again_s:
            at_once = SEEDS_AT_ONCE if len(self._unseeded) <= MANY_SEEDS else 1
            for symbol in list(self._unseeded)[:at_once]:
                await self._seed(symbol)

    async def resolve(self, symbol: str) -> SymbolInfo | None:
        """Return a symbol that some source knows, and declare it; `None` where none does.

        Raises:
            ProviderError: None knows it, and not all could be asked.
            BusError: Redis could not be reached.
        """
        async with self._resolving:
            line = self._floor.lines.get(symbol)
            if line is not None:
                return line.info
            failure: ProviderError | None = None
            for source in self._sources.values():
                if not source.vendor.can.open_list:
                    continue
                try:
                    found = await source.vendor.search(symbol)
                except ProviderError as error:
                    failure = failure or error
                    continue
                infos = {info.symbol: info for info in found}
                meant = match(symbol, infos)
                if meant is not None and len(self._floor.lines) < MAX_SYMBOLS:
                    if meant not in self._floor.lines:
                        await self._open([infos[meant]])
                    return self._floor.lines[meant].info
            if failure is not None:
                raise failure
            return None

    def note_wanted(self, symbols: Collection[str]) -> None:
        """Learn what the sessions of these symbols were like before they were wanted."""
        for symbol in symbols:
            line = self._floor.lines.get(symbol)
            if line is None:
                continue
            can = self._sources[line.info.source].vendor.can
            if can.streams and not can.resumable:
                line.lack(self._now_ms())
            if self._may_seed(line.info.source):
                self._unseeded[symbol] = None
                self._bus_since([symbol])
                self.noted.set()

    def note_gap(self, source: str) -> None:
        """Note that trades of a source may be missing until now."""
        can = self._sources[source].vendor.can
        if not (can.resumable or can.heals):
            self._bus_since(
                s for s, line in self._floor.lines.items() if line.info.source == source
            )

    def _bus_since(self, symbols: Iterable[str]) -> None:
        self._writer.set_since(symbols, self._now_ms())

    async def _list(self, name: str) -> None:
        circuit, source = self._circuits[name], self._sources[name]
        if not circuit.may_try(time.monotonic()):
            return
        try:
            infos = await source.vendor.symbols()
        except ProviderError as error:
            circuit.fail(time.monotonic())
            source.note_listing(error, circuit.next_try_s)
            log.warning("a source does not tell its symbols", source=name, error=str(error))
            return
        source.note_listing(None)
        self._listed[name] = {info.symbol: info for info in infos}

    def _infos(self) -> dict[str, SymbolInfo]:
        """Return all that is listed; of the preferred source where several list a symbol."""
        infos: dict[str, SymbolInfo] = {}
        for name in self._sources:
            for symbol, info in self._listed.get(name, {}).items():
                infos.setdefault(symbol, info)
        return infos

    async def _left_behind(self) -> dict[str, SymbolInfo]:
        """Return what another has declared that did as we do."""
        if await self._bus.reader.run(self._name) != self._run:
            return {}
        known = await self._bus.reader.symbols()
        return {symbol: info for symbol, info in known.items() if info.source in self._sources}

    async def _resume(self, left: Collection[str]) -> None:
        symbols = list(left)
        await until_done(lambda: self._bus.publisher.claim(symbols))
        stored = await until_done(lambda: self._bus.reader.last_values(symbols))
        finals = await until_done(lambda: self._bus.reader.final_starts(list(stored)))
        for symbol, kept in stored.items():
            self._floor.lines[symbol].resume(kept, finals.get(symbol, {}))
        if stored:
            log.info("going on where another has left off", symbols=len(stored))

    async def _open(self, infos: Sequence[SymbolInfo]) -> None:
        await self._writer.add([self._floor.open(info) for info in infos])

    def _may_seed(self, source: str) -> bool:
        can = self._sources[source].vendor.can
        told = can.polls and can.tells_sessions
        return can.streams and not can.resumable and bool(can.intervals) and not told

    async def _seed_from_past(self, symbol: str) -> None:
        """Take the close before from a source that has no limits: of those its own clock counts."""
        line = self._floor.lines[symbol]
        vendor = self._sources[line.info.source].vendor
        if not vendor.can.resumable or Interval.DAY not in vendor.can.intervals:
            return
        try:
            days = await vendor.history(symbol, Interval.DAY, 0, self._now_ms() + DAY_MS)
        except ProviderError as error:
            log.info("no session before is known", symbol=symbol, error=str(error))
        else:
            if len(days):
                line.seed(float(days["close"].iloc[-1]), None)

    async def _seed(self, symbol: str) -> None:
        del self._unseeded[symbol]
        line = self._floor.lines[symbol]
        vendor = self._sources[line.info.source].vendor
        try:
            so_far = await session_so_far(vendor, line.info, self._now_ms())
        except (RateLimitedError, UnavailableError, BusError) as error:
            log.info("a session's beginning is not known yet", symbol=symbol, error=str(error))
            self._unseeded[symbol] = None
            self._seed_again_s = time.monotonic() + SEED_RETRY_S
            return
        except ProviderError as error:
            log.info("a session's beginning is not known", symbol=symbol, error=str(error))
            return
        line.seed(so_far.prev_close, so_far.today)
        line.complete(so_far.ended, so_far.until_ms)
        # Also of a symbol that nothing is traded of now.
        self._writer.note(symbol)
