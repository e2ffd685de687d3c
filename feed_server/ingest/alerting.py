"""Evaluates users' alerts with every price, before it is published.

So what has been published has been evaluated: where this process is killed in between, the next one
is given the same prices, and Redis knows of each alert up to which it has been evaluated.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial

import structlog

from feed_server.alert_board import AlertBoard
from feed_server.alerts import Firing, Tick, Turn
from feed_server.bus import names
from feed_server.bus.alert_writer import AlertWriter
from feed_server.bus.alerts import EXPIRES_MS, AlertStore, decode_alert_note, decode_alerts
from feed_server.bus.leases import RENEW_EVERY_S, Leases
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.errors import BusError
from feed_server.ingest.line import Line
from feed_server.ingest.writer import until_done
from feed_server.protocol import Interval

LOOK_EVERY_S = 30.0
"""How long a change may go unnoticed whose note was not heard."""
FORGET_EVERY_S = 600.0
"""How often it is looked for users who were not seen for long."""
AT_ONCE = 20
"""Users whose alerts are read in one step: between steps others have their turn."""

log = structlog.get_logger(__name__)


class Alerting:
    """Follows and evaluates all alerts; while it runs, their symbols are wanted.

    Args:
        store: Where the alerts are.
        writer: Arms and fires them.
        leases: By which their symbols are wanted.
        make_subscriber: Makes the listener, given ``on_message`` and ``on_connected``.
        fence: Gives the number of the lock under which this process writes.
        now_ms: The clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        store: AlertStore,
        writer: AlertWriter,
        leases: Leases,
        make_subscriber: Callable[[Callable[[str, bytes], None], Callable[[], None]], Subscriber],
        *,
        fence: Callable[[], int],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._writer = writer
        self._leases = leases
        self._is_wanting = False
        self._subscriber = make_subscriber(self._on_message, self._look)
        self._fence = fence
        self._now_ms = now_ms
        self._board = AlertBoard(writer.name)
        self._lines: Callable[[str], Line | None] = lambda _symbol: None
        # What happens is written in the order in which it happened.
        self._writing = asyncio.Lock()
        self._unwritten: Counter[str] = Counter()
        self._touched: set[str] = set()
        self._version = -1
        self._changed: set[str] = set()
        self._to_look = False
        self._to_do = asyncio.Event()

    async def load(self) -> None:
        """Take all alerts as they are; what another has still to say of them is refused.

        Raises:
            BusError: Redis could not be reached.
            FencedError: Another ingest is at work.
        """
        await self._writer.claim(self._fence())
        self._board, self._unwritten = AlertBoard(self._writer.name), Counter()
        self._lines = lambda _symbol: None
        self._version = await self._store.version()
        await self._load(await self._store.users())

    def begin(self, lines: Callable[[str], Line | None]) -> None:
        """Take the prices that symbols stand at: those that come after them are evaluated.

        Args:
            lines: Gives a symbol's line.
        """
        self._lines = lines
        for symbol in self._board.symbols:
            self._meet(symbol)

    async def consider(self, updates: Sequence[StoredUpdate]) -> None:
        """Fire what is crossed; it returns when Redis has it.

        Args:
            updates: As they will be published.

        Raises:
            FencedError: Another ingest is at work.
        """
        turns: list[Turn] = []
        now_ms = self._now_ms()
        for stored in updates:
            if self._board.of(stored.update.quote.symbol) is not None:
                turns += self._evaluate(stored.update, stored.epoch, now_ms)
        if turns:
            await self._write(turns, now_ms)

    async def run(self) -> None:
        """Follow what users do to their alerts, until cancelled.

        Raises:
            FencedError: Another ingest is at work.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._subscriber.run())
                tasks.create_task(self._follow())
                tasks.create_task(self._want_always())
                tasks.create_task(self._forget_always())
        finally:
            with suppress(BusError):
                await self._leases.release()

    def _on_message(self, _channel: str, payload: bytes) -> None:
        try:
            note = decode_alert_note(payload)
        except ValueError as error:
            log.error("malformed note of an alert on the bus", error=str(error))
            return
        if note.version == self._version + 1:
            self._version = note.version
        self._changed.add(note.subject)
        self._to_do.set()

    def _look(self) -> None:
        self._to_look = True
        self._to_do.set()

    async def _follow(self) -> None:
        with suppress(BusError):
            # It is subscribed to at the latest when there is another connection.
            await self._subscriber.subscribe([names.ALERTS])
        while True:
            await until_done(self._read_changed)
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._to_do.wait()
            except TimeoutError:
                self._look()

    async def _read_changed(self) -> None:
        self._to_do.clear()
        subjects, look = self._changed, self._to_look
        self._changed, self._to_look = set(), False
        try:
            version = await self._store.version() if look else self._version
            if version != self._version:
                # Something was not heard of, and nobody knows whose it was.
                subjects = subjects.union(self._board.subjects, await self._store.users())
            symbols = await self._load(subjects)
            self._version = version if look else self._version
            await self._want()
        except BusError:
            self._changed |= subjects
            self._to_look |= look
            raise
        await self._catch_up(symbols)

    async def _load(self, subjects: Iterable[str]) -> set[str]:
        """Take some users' alerts as they are; return the symbols of those that are new."""
        symbols: set[str] = set()
        asked = sorted(subjects)
        for start in range(0, len(asked), AT_ONCE):
            # What is read meanwhile may be of before or after what happens to it meanwhile.
            self._touched = set(self._unwritten)
            kept = await self._store.kept(asked[start : start + AT_ONCE])
            for subject, texts in kept.items():
                if subject in self._touched:
                    self._changed.add(subject)
                    self._to_do.set()
                    continue
                for symbol in self._board.replace(subject, decode_alerts(texts)):
                    symbols.add(symbol)
                    self._meet(symbol)
        return symbols

    def _meet(self, symbol: str) -> None:
        """Take the price that a symbol stands at, where none of it was evaluated yet."""
        alerts, line = self._board.of(symbol), self._lines(symbol)
        if alerts is not None and alerts.last is None and line is not None and line.last_update:
            alerts.last = last_of(line.last_update, line.position.epoch)

    async def _catch_up(self, symbols: Iterable[str]) -> None:
        """Evaluate what was crossed while an alert was on its way here."""
        turns: list[Turn] = []
        now_ms = self._now_ms()
        for symbol in symbols:
            line = self._lines(symbol)
            if line is not None and line.last_update is not None:
                last = last_of(line.last_update, line.position.epoch)
                prev_close = line.last_update.quote.prev_close
                turns += self._board.evaluate(symbol, (), last, prev_close, now_ms)
        if turns:
            await self._write(turns, now_ms)

    def _evaluate(self, update: SymbolUpdate, epoch: str, now_ms: int) -> Sequence[Turn]:
        quote = update.quote
        trades = (Tick(trade.time_ms, trade.price, epoch) for trade in update.trades)
        last = last_of(update, epoch)
        return self._board.evaluate(quote.symbol, trades, last, quote.prev_close, now_ms)

    async def _write(self, turns: Sequence[Turn], now_ms: int) -> None:
        """Let turns happen in Redis that have happened on the board."""
        packed = self._writer.pack(turns, self._fence(), now_ms)
        subjects = Counter(turn.watch.subject for turn in turns)
        self._touched.update(subjects)
        self._unwritten += subjects
        async with self._writing:
            done = await until_done(partial(self._writer.write, packed))
        self._unwritten -= subjects
        for turn, is_done in zip(turns, done, strict=True):
            if not is_done:
                # The user has changed it.
                self._changed.add(turn.watch.subject)
                self._to_do.set()
        fired = [turn.watch.alert.symbol for turn in turns if isinstance(turn, Firing)]
        if fired:
            log.info("alerts have fired", alerts=len(fired), symbols=sorted(set(fired))[:10])

    async def _want(self) -> None:
        """Want the symbols that we have; where there are several ingests, others want theirs."""
        counts = self._board.counts()
        ours = {symbol: n for symbol, n in counts.items() if self._lines(symbol) is not None}
        if ours:
            await self._leases.hold(ours)
        elif self._is_wanting:
            await self._leases.release()
        self._is_wanting = bool(ours)

    async def _want_always(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._want()
            except BusError as error:
                log.warning("the symbols of alerts could not be wanted", error=str(error))

    async def _forget_always(self) -> None:
        while True:
            try:
                taken = await self._store.forget_unseen(self._now_ms() - EXPIRES_MS)
            except BusError as error:
                log.warning("no alerts could be forgotten", error=str(error))
            else:
                if taken:
                    log.info("alerts were forgotten of users not seen for long", alerts=taken)
            await asyncio.sleep(FORGET_EVERY_S)


def last_of(update: SymbolUpdate, epoch: str) -> Tick:
    """Return the price of an update's quote, and when it was made.

    Args:
        update: The quote, and what led to it.
        epoch: Of the symbol's run of prices.
    """
    # The quote's own time is that of its best prices too.
    days = [bar.time_ms for bar in update.bars if bar.interval is Interval.DAY]
    return Tick(days[-1] if days else update.quote.time_ms, update.quote.last, epoch)
