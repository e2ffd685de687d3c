"""What this gateway knows of the market: current for the symbols that somebody wants."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from feed_server.bus import names
from feed_server.bus.control import ControlMessage, decode_control
from feed_server.bus.leases import RENEW_EVERY_S, Leases, Seen, decode_seen
from feed_server.bus.notices import SourceError, decode_error
from feed_server.bus.publisher import ADDED
from feed_server.bus.reader import Reader, decode_status
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.errors import BusError
from feed_server.gateway.continuity import Flow
from feed_server.gateway.interest import Interest
from feed_server.gateway.source_board import SourceBoard
from feed_server.protocol import SourceStatus, SymbolInfo

RETRY_S = 0.5
CHECK_S = 1.0
"""How often what is wanted, and silence of sources and lingering symbols are looked at."""
MOMENT_S = 1.0
"""So long a symbol may wait for being read before it is worth a word."""
SYMBOLS_A_READ = 50
UPDATES_A_READ = 100
"""Of each symbol: with it, decoding what a read brings takes some milliseconds."""
POLL_PATIENCE_S = 2.0
ASK_PATIENCE_S = 1.0
"""How long a source has to publish how a symbol stands that it was not asked for before."""
FIRST_PATIENCE_S = 0.3
"""How long who subscribes waits for the same; who is connected hears of it anyway."""

NOTICES = (
    names.STATUS_CHANNEL,
    names.SYMBOLS_CHANNEL,
    names.SEEN,
    names.ERRORS,
    names.CONTROL,
)
"""What is listened to whatever is wanted."""

log = structlog.get_logger(__name__)

_Notice = StoredUpdate | SourceStatus | Seen | SourceError | ControlMessage | None
_DECODERS: dict[str, Callable[[bytes], _Notice]] = {
    names.STATUS_CHANNEL: decode_status,
    names.SYMBOLS_CHANNEL: lambda _payload: None,
    names.SEEN: decode_seen,
    names.ERRORS: decode_error,
    names.CONTROL: decode_control,
}
"""How the messages of `NOTICES` are read; those of other channels are updates."""


class ViewListener(Protocol):
    """What a `MarketView` tells; nothing of it may wait."""

    def on_update(self, stored: StoredUpdate) -> None:
        """Take the next change of a symbol; none is missing before it."""

    def on_restated(self, stored: StoredUpdate) -> None:
        """Take a symbol's state; what came before it may be missing."""

    def on_status(self) -> None:
        """Note that a source's status changed."""

    def on_source_error(self, error: SourceError) -> None:
        """Take what a source could not do."""

    def on_control(self, message: ControlMessage) -> None:
        """Take what an operator wants of the gateways."""


@dataclass(slots=True)
class Asked:
    """When a symbol's source was asked for it.

    Attributes:
        at_s: On a clock that never steps.
        number: Of the leases' change that asked; None until Redis has it.
    """

    at_s: float
    number: int | None = None


class MarketView:
    """Last values of the wanted symbols, the list of symbols, and the sources' status.

    Args:
        reader: For last values and the log.
        leases: Tells the ingest what is wanted here.
        make_subscriber: Makes the listener, given ``on_message`` and ``on_connected``.
        listener: Who is told.
        linger_s: How long a symbol is kept current that nobody watches any more.
        also: By further channels that are listened to, who takes what is published there.

    Attributes:
        latest: By wanted symbol its newest update.
        symbols: All instruments that can be asked for.
        interest: What is wanted; call `changed` after changing it.
        malformed: Messages on the bus that could not be read.
    """

    def __init__(
        self,
        reader: Reader,
        leases: Leases,
        make_subscriber: Callable[[Callable[[str, bytes], None], Callable[[], None]], Subscriber],
        listener: ViewListener,
        *,
        linger_s: float,
        also: Mapping[str, Callable[[bytes], None]] | None = None,
    ) -> None:
        self.latest: dict[str, StoredUpdate] = {}
        self.symbols: dict[str, SymbolInfo] = {}
        self.interest = Interest(linger_s)
        self.malformed = 0
        self._reader = reader
        self._leases = leases
        self._subscriber = make_subscriber(self._on_message, self._on_connected)
        self._listener = listener
        self._also = also or {}
        self._notices = frozenset({*NOTICES, *self._also})
        self._board = SourceBoard()
        self._flows: dict[str, Flow] = {}
        self._asked: dict[str, Asked] = {}
        self._seen: dict[str, int] = {}
        self._waits_since_s: dict[str, float] = {}
        self._changes = 0
        self._changed_at: dict[str, int] = {}
        self._to_do = asyncio.Event()
        self._status_heard = asyncio.Event()
        self._read = asyncio.Event()
        self._reload = True

    @property
    def hears(self) -> bool:
        """Whether what is published reaches us."""
        return self._subscriber.hears

    @property
    def redis_lag_s(self) -> float | None:
        """How long our last message to ourselves took through Redis; None where none came."""
        return self._subscriber.lag_s

    def declare(self, infos: Iterable[SymbolInfo]) -> None:
        """Take instruments that a source has just declared, and of which Redis will tell soon."""
        self.symbols.update({info.symbol: info for info in infos})

    def changed(self) -> None:
        """Note that `interest` has changed."""
        if self.interest.kept != self._flows.keys():
            self._to_do.set()

    def statuses(self) -> list[SourceStatus]:
        """Return how each source does; one that has not renewed its word in time is down."""
        return self._board.statuses(time.monotonic())

    def changed_at(self, symbol: str) -> int:
        """Return the number of this gateway's change that a symbol's newest update is."""
        return self._changed_at.get(symbol, 0)

    def asked_s(self, symbol: str) -> float:
        """Return since when a symbol is wanted, on a clock that never steps; 0 where it is not."""
        asked = self._asked.get(symbol)
        return 0.0 if asked is None else asked.at_s

    def is_settled(self, symbols: Iterable[str]) -> bool:
        """Tell whether all that was published of these symbols until now is in `latest`."""
        return all(symbol in self._flows and not self._flows[symbol].waits for symbol in symbols)

    @property
    def unsettled(self) -> int:
        """How many wanted symbols wait for longer than a moment to become current."""
        long_ago_s = time.monotonic() - MOMENT_S
        return sum(
            since_s <= long_ago_s and symbol in self._flows and self._flows[symbol].waits
            for symbol, since_s in self._waits_since_s.items()
        )

    async def next_read(self, timeout_s: float = CHECK_S) -> None:
        """Return when something more was read from Redis, or after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._read.wait()

    async def want(self, symbols: Sequence[str]) -> bool:
        """Keep symbols current for a while, as one who polls wants; tell whether they are now.

        A source publishes only what is wanted, so what nobody wanted before can be of any age until
        its source has seen that it is wanted. One that does not answer is not waited for long: its
        status and the time of the last value tell of it.
        """
        self.interest.touch(symbols, time.monotonic(), at_least_s=POLL_PATIENCE_S)
        self.changed()
        deadline_s = time.monotonic() + POLL_PATIENCE_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            if self.is_settled(symbols):
                left_s = min(left_s, self._answer_due_s(symbols))
            if left_s <= 0:
                break
            await self.next_read(left_s)
        return self.hears and self.is_settled(symbols)

    def _answer_due_s(self, symbols: Iterable[str]) -> float:
        """Return for how long to wait for sources that have not seen yet what they were asked."""
        now_s = time.monotonic()
        waits = (
            asked.at_s + ASK_PATIENCE_S - now_s
            for symbol in symbols
            if (asked := self._asked.get(symbol)) is not None and not self._is_seen(symbol, asked)
        )
        return max(waits, default=0.0)

    def _is_seen(self, symbol: str, asked: Asked) -> bool:
        info = self.symbols.get(symbol)
        if info is None:
            return True
        return asked.number is not None and self._seen.get(info.source, 0) >= asked.number

    async def run(self) -> None:
        """Keep everything current until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._subscriber.run())
                tasks.create_task(self._keep_up())
                tasks.create_task(self._renew_leases())
                tasks.create_task(self._watch_statuses())
        finally:
            with suppress(BusError):
                await self._leases.release()

    async def _keep_up(self) -> None:
        with suppress(BusError):
            # They are subscribed to at the latest when there is another connection.
            await self._subscriber.subscribe(sorted(self._notices))
        while True:
            self._to_do.clear()
            self._note_waiting()
            try:
                await self._reload_if_asked()
                await self._follow_interest()
                await self._mend()
            except BusError as error:
                log.warning("market view is behind", error=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            awaited = any(self._is_awaited(s, flow) for s, flow in self._flows.items())
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_PATIENCE_S if awaited else CHECK_S):
                    await self._to_do.wait()

    async def _renew_leases(self) -> None:
        """However long reading takes, what is wanted stays so."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._leases.renew()
            except BusError as error:
                log.warning("leases could not be renewed", error=str(error))

    async def _reload_if_asked(self) -> None:
        if not self._reload:
            return
        # Taken before it is served: what is asked for meanwhile is another round.
        self._reload = False
        try:
            self.symbols = await self._reader.symbols()
            for status in await self._reader.statuses():
                self._take_status(status)
        except BusError:
            self._reload = True
            raise

    async def _follow_interest(self) -> None:
        """Make what we listen to what is wanted: subscribe first, the read follows."""
        now_s = time.monotonic()
        self.interest.expire(now_s)
        wanted = self.interest.kept
        added, removed = wanted - self._flows.keys(), self._flows.keys() - wanted
        for symbol in removed:
            del self._flows[symbol]
            del self._asked[symbol]
            self.latest.pop(symbol, None)
            self._changed_at.pop(symbol, None)
        for symbol in added:
            self._flows[symbol] = Flow()
            self._asked[symbol] = Asked(now_s)
        # Lost connections are no failure here: whoever connects again subscribes to all.
        channels = set(map(names.updates, wanted))
        await self._subscriber.subscribe(sorted(channels))
        await self._subscriber.unsubscribe(
            sorted(self._subscriber.channels - channels - self._notices)
        )
        await self._leases.hold({s: n for s, n in self.interest.counts.items() if s in wanted})
        self._note_waiting()
        for asked in self._asked.values():
            if asked.number is None:
                asked.number = self._leases.number

    async def _mend(self) -> None:
        """Read what may have been missed: a little of some symbols at a time.

        Others have their turn in between, and what has been read is not read again should the next
        read fail.
        """
        waiting = sorted(
            symbol
            for symbol, flow in self._flows.items()
            if flow.waits and not self._is_awaited(symbol, flow)
        )
        for start in range(0, len(waiting), SYMBOLS_A_READ):
            await self._mend_some(waiting[start : start + SYMBOLS_A_READ])
        if any(self._flows[symbol].waits for symbol in waiting if symbol in self._flows):
            # There is more to read, but what has become wanted meanwhile does not wait for it.
            self._to_do.set()

    def _is_awaited(self, symbol: str, flow: Flow) -> bool:
        """Tell whether a symbol's first read waits for its source to publish where it stands.

        What is there may be of any age: who subscribes would begin with it, and be told in the next
        moment that trades are missing.
        """
        asked = self._asked[symbol]
        recent = time.monotonic() - asked.at_s < FIRST_PATIENCE_S
        return flow.latest is None and recent and not self._is_seen(symbol, asked)

    async def _mend_some(self, symbols: Sequence[str]) -> None:
        flows = {s: flow for s in symbols if (flow := self._flows.get(s)) is not None}
        since = {symbol: flow.begin_read() for symbol, flow in flows.items()}
        newest = await self._reader.last_values(list(flows))
        log_since = {symbol: offset for symbol, offset in since.items() if offset is not None}
        logs = {}
        if log_since:
            logs = await self._reader.updates_since(log_since, limit=UPDATES_A_READ)
        for symbol, flow in flows.items():
            if self._flows.get(symbol) is flow:
                self._end_read(symbol, flow, newest.get(symbol), logs.get(symbol, []))
            if not flow.waits:
                self._waits_since_s.pop(symbol, None)
        self._tell_read()

    def _note_waiting(self) -> None:
        """Remember since when symbols wait that do."""
        now_s = time.monotonic()
        self._waits_since_s = {
            symbol: self._waits_since_s.get(symbol, now_s)
            for symbol, flow in self._flows.items()
            if flow.waits
        }

    def _end_read(
        self, symbol: str, flow: Flow, newest: StoredUpdate | None, log_: list[StoredUpdate]
    ) -> None:
        mended = flow.end_read(newest, log_)
        for stored in mended.updates:
            self._pass_on(symbol, stored)
        if mended.restated is not None:
            self._keep(symbol, mended.restated)
            self._listener.on_restated(mended.restated)
        elif flow.latest is None:
            self.latest.pop(symbol, None)

    def _pass_on(self, symbol: str, stored: StoredUpdate) -> None:
        self._keep(symbol, stored)
        self._listener.on_update(stored)

    def _keep(self, symbol: str, stored: StoredUpdate) -> None:
        self.latest[symbol] = stored
        self._changes += 1
        self._changed_at[symbol] = self._changes

    def _tell_read(self) -> None:
        self._read.set()
        self._read = asyncio.Event()

    async def _watch_statuses(self) -> None:
        """Tell of changes at once, and of a source's silence within a second."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await self._status_heard.wait()
            self._status_heard.clear()
            if self._board.has_changed(time.monotonic()):
                self._listener.on_status()

    def _on_connected(self) -> None:
        """Read everything anew: something may have been missed."""
        for flow in self._flows.values():
            flow.interrupt()
        self._reload = True
        self._to_do.set()

    def _on_message(self, channel: str, payload: bytes) -> None:
        if channel in self._also:
            self._also[channel](payload)
            return
        if channel == names.SYMBOLS_CHANNEL and payload == ADDED:
            self._reload = True
            self._to_do.set()
            return
        try:
            message = _DECODERS.get(channel, StoredUpdate.from_message)(payload)
        except ValueError as error:
            self.malformed += 1
            log.error("malformed message on the bus", channel=channel, error=str(error))
            return
        match message:
            case StoredUpdate():
                self._hear(message)
            case SourceStatus():
                self._take_status(message)
            case Seen():
                self._take_seen(message)
            case SourceError():
                self._listener.on_source_error(message)
            case None:
                self._on_connected()
            case _:
                self._listener.on_control(message)

    def _hear(self, stored: StoredUpdate) -> None:
        symbol = stored.update.quote.symbol
        flow = self._flows.get(symbol)
        if flow is None:
            return
        if flow.hear(stored):
            self._pass_on(symbol, stored)
        elif flow.waits:
            self._to_do.set()

    def _take_status(self, status: SourceStatus) -> None:
        self._board.take(status, time.monotonic())
        self._status_heard.set()

    def _take_seen(self, seen: Seen) -> None:
        number = seen.numbers.get(self._leases.server, 0)
        if number > self._seen.get(seen.source, 0):
            self._seen[seen.source] = number
            self._tell_read()
            self._to_do.set()
