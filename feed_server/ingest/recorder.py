"""``record``: writes to files what the feed publishes, as one more of its readers."""

import asyncio
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import structlog

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.leases import RENEW_EVERY_S, Leases
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.errors import BusError, ConfigurationError, QuotewireError
from feed_server.ingest.record_files import Journals, Row, part_names, recover
from feed_server.ingest.record_track import BEGIN, Gap, Taken, Track

WRITE_EVERY_S = 1.0
ROLL_ROWS = 1_000_000
ROLL_S = 3_600.0
"""A journal so large or so old is divided into files; more often, and the files would be small."""

LOOK_EVERY_S = 0.1
MISSED_AT_ONCE = 500
WAIT_S = 1.0

log = structlog.get_logger(__name__)


async def record(redis_url: str, folder: Path, symbols: Sequence[str]) -> None:
    """Record until cancelled.

    Args:
        redis_url: Of the feed's Redis.
        folder: Where to write; it is made where there is none.
        symbols: What to record; all that are declared where it is empty.

    Raises:
        ConfigurationError: A symbol is not declared.
        QuotewireError: A file cannot be written.
    """
    redis, listening = connect(redis_url), connect(redis_url)
    try:
        for path in await asyncio.to_thread(recover, folder):
            log.warning("put in order what a recorder left that was killed", journal=str(path))
        recorder = Recorder(Reader(redis), folder, symbols)
        name = f"recorder-{secrets.token_hex(4)}"
        leases = Leases(redis, name)
        subscriber = Subscriber(listening, name, recorder.on_message, recorder.on_connected)
        await recorder.run(subscriber, leases)
    except OSError as error:
        raise QuotewireError(f"cannot record to {folder}: {error}") from error
    finally:
        await redis.aclose()
        await listening.aclose()


class Recorder:
    """Takes what is published, fetches what it missed, and writes it down.

    Args:
        reader: Of Redis.
        folder: Where to write.
        symbols: What to record; all where it is empty.
    """

    def __init__(self, reader: Reader, folder: Path, symbols: Sequence[str]) -> None:
        self._reader = reader
        self._folder = folder
        self._named = frozenset(symbols)
        self._tracks: dict[str, Track] = {}
        self._incoming: deque[StoredUpdate] = deque()
        self._caught_up = False
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._parts = part_names(datetime.now(UTC))
        self._journals: Journals | None = None
        self._began_s = 0.0

    def on_message(self, channel: str, message: bytes) -> None:
        """Take what was published; see `Subscriber`."""
        try:
            self._incoming.append(StoredUpdate.from_message(message))
        except ValueError as error:
            log.error("a message cannot be used", channel=channel, error=str(error))

    def on_connected(self) -> None:
        """Look for what was published while nobody listened; see `Subscriber`."""
        self._caught_up = False

    async def run(self, subscriber: Subscriber, leases: Leases) -> None:
        """Record until cancelled; then all that was published is in files.

        Raises:
            ConfigurationError: A symbol is not declared.
            OSError: A file cannot be written.
        """
        wanted = await self._declared()
        log.info("recording", symbols=len(wanted), folder=str(self._folder))
        try:
            await self._record(subscriber, leases, wanted)
        except asyncio.CancelledError:
            await self._finish()
            raise
        finally:
            if self._journals is not None:
                self._journals.abandon()
            with suppress(BusError):
                await leases.release()

    async def _record(self, subscriber: Subscriber, leases: Leases, wanted: frozenset[str]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(subscriber.run())
                tasks.create_task(self._hold(subscriber, leases, wanted))
                tasks.create_task(self._write(tasks))
        except* OSError as errors:
            raise errors.exceptions[0] from None

    async def _declared(self) -> frozenset[str]:
        """Return what to record; wait until a source has declared something."""
        told = False
        while True:
            known = frozenset(await self._reader.symbols())
            if known:
                break
            if not told:
                log.warning("no symbols are declared yet: waiting for a source")
                told = True
            await asyncio.sleep(WAIT_S)
        for symbol in sorted(self._named - known):
            close = get_close_matches(symbol, known) or sorted(known)[:10]
            raise ConfigurationError(f"{symbol} is not declared; there are {', '.join(close)}")
        return self._named or known

    async def _hold(self, subscriber: Subscriber, leases: Leases, wanted: frozenset[str]) -> None:
        """Want the symbols, and listen to them, for as long as it runs."""
        while True:
            try:
                await subscriber.subscribe(names.updates(symbol) for symbol in sorted(wanted))
                await leases.hold(dict.fromkeys(wanted, 1))
                if wanted - self._tracks.keys():
                    self._tracks |= {s: Track(s) for s in wanted - self._tracks.keys()}
                    self._caught_up = False
                await asyncio.sleep(RENEW_EVERY_S)
                if not self._named:
                    wanted |= frozenset(await self._reader.symbols())
            except BusError as error:
                log.warning("cannot hold on to the symbols", error=str(error))
                await asyncio.sleep(WAIT_S)

    async def _write(self, tasks: asyncio.TaskGroup) -> None:
        written_s = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._take_all()
            except BusError as error:
                log.warning("cannot read what was missed", error=str(error))
                await asyncio.sleep(WAIT_S)
            if time.monotonic() - written_s >= WRITE_EVERY_S:
                written_s = time.monotonic()
                self._append()
            if (full := self._full_journals()) is not None:
                tasks.create_task(asyncio.to_thread(full.finish))

    def _append(self) -> None:
        """Write what has come to the journals."""
        if not any(self._rows.values()):
            return
        rows, self._rows = self._rows, defaultdict(list)
        if self._journals is None:
            self._journals = Journals(self._folder, next(self._parts))
            self._began_s = time.monotonic()
        self._journals.append(rows)
        self._counts.update({name: len(of_table) for name, of_table in rows.items()})

    def _full_journals(self) -> Journals | None:
        """Give the journals away where they are large or old: the next rows begin others."""
        journals = self._journals
        if journals is None:
            return None
        if journals.rows < ROLL_ROWS and time.monotonic() - self._began_s < ROLL_S:
            return None
        self._journals = None
        return journals

    async def _finish(self) -> None:
        """Put all that has been published into files."""
        self._caught_up = False  # what was published last may still be on its way
        with suppress(BusError):
            await self._take_all()
        while self._incoming:
            stored = self._incoming.popleft()
            self._keep(self._track(stored.update.quote.symbol).take(stored))
        self._append()
        if self._journals is not None:
            self._journals.finish()
            self._journals = None
        log.info("recorded", **self._counts)

    async def _take_all(self) -> None:
        """Take what has come, after what was published before and was not heard."""
        if not self._caught_up:
            self._caught_up = True
            try:
                await self._catch_up()
            except BusError:
                self._caught_up = False
                raise
        while self._incoming:
            stored = self._incoming[0]
            track = self._track(stored.update.quote.symbol)
            after = track.missed_after(stored)
            if after is not None:
                await self._take_missed(track, stored, after)
            self._incoming.popleft()
            self._keep(track.take(stored))

    def _track(self, symbol: str) -> Track:
        return self._tracks.setdefault(symbol, Track(symbol))

    async def _catch_up(self) -> None:
        for symbol, newest in (await self._reader.last_values(list(self._tracks))).items():
            track = self._track(symbol)
            if not track.begun:
                self._keep_gaps([track.begin(newest)])
            elif (after := track.behind(newest)) is not None:
                await self._take_missed(track, newest, after)

    async def _take_missed(self, track: Track, newest: StoredUpdate, after: int) -> None:
        """Take from the symbol's log what leads to an update."""
        while after < newest.offset:
            found = await self._reader.updates_since({track.symbol: after}, limit=MISSED_AT_ONCE)
            page = found[track.symbol]
            for stored in page:
                if stored.epoch == newest.epoch:
                    self._keep(track.take(stored))
            if not page:
                return
            after = page[-1].offset

    def _keep(self, taken: Taken | None) -> None:
        if taken is None:
            return
        self._keep_gaps(taken.gaps)
        stored = taken.stored
        quote, epoch = stored.update.quote, stored.epoch
        symbol, received_ms = quote.symbol, quote.received_ms
        for offset, trade in enumerate(taken.trades, taken.first_offset):
            place = (received_ms, epoch, offset)
            self._rows["trades"].append((symbol, trade.time_ms, trade.price, trade.size, *place))
        self._rows["quotes"].append(
            (
                *(symbol, quote.time_ms, quote.bid, quote.ask, quote.last, quote.size),
                *(quote.volume, quote.open, quote.high, quote.low, quote.prev_close),
                *(quote.session, received_ms, epoch, stored.offset),
            )
        )

    def _keep_gaps(self, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            if gap.reason != BEGIN:
                log.warning("not recorded", **gap._asdict())
            self._rows["gaps"].append(
                (
                    *(gap.symbol, gap.time_ms, gap.reason, gap.after, gap.until),
                    *(gap.received_ms, gap.epoch),
                )
            )
