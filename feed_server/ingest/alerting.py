"""Evaluates users' alerts with every price, before it is published.

So what has been published has been evaluated: where this process is killed in between, the next one
evaluates the same prices when it publishes them, and Redis lets each alert fire once.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial

import structlog

from feed_server.alerts import REST_MS, AlertBoard, Arming, Firing, turns
from feed_server.bus import names
from feed_server.bus.alerts import AlertStore, AlertWriter, decode_alert_note
from feed_server.bus.leases import RENEW_EVERY_S, Leases
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import SymbolUpdate
from feed_server.errors import BusError
from feed_server.ingest.writer import until_done
from feed_server.protocol import Fired, Quote

READ_ALL_EVERY_S = 30.0
"""How long a change may go unnoticed whose note was not heard."""
AT_ONCE = 100
"""Users whose alerts are read in one step."""

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
        self._subscriber = make_subscriber(self._on_message, self._read_all)
        self._fence = fence
        self._now_ms = now_ms
        self._board = AlertBoard()
        # Reading and evaluating take turns: what is read holds until it is in the board.
        self._turn = asyncio.Lock()
        self._changed: set[str] = set()
        self._all_changed = False
        self._to_do = asyncio.Event()

    async def load(self) -> None:
        """Take all alerts as they are.

        Raises:
            BusError: Redis could not be reached.
        """
        await self._load(self._board.subjects.union(await self._store.users()))

    async def consider(self, updates: Sequence[SymbolUpdate]) -> None:
        """Fire what is crossed; it returns when Redis has it.

        Raises:
            FencedError: Another ingest is at work.
        """
        for update in updates:
            symbol = update.quote.symbol
            if self._board.of(symbol):
                prices = [trade.price for trade in update.trades]
                async with self._turn:
                    await self._evaluate(update.quote, [*prices, update.quote.last])

    async def run(self, quote_of: Callable[[str], Quote | None]) -> None:
        """Follow what users do to their alerts, until cancelled.

        Args:
            quote_of: Gives a symbol's last quote.

        Raises:
            FencedError: Another ingest is at work.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._subscriber.run())
                tasks.create_task(self._follow(quote_of))
                tasks.create_task(self._want())
        finally:
            with suppress(BusError):
                await self._leases.release()

    def _on_message(self, _channel: str, payload: bytes) -> None:
        try:
            note = decode_alert_note(payload)
        except ValueError as error:
            log.error("malformed note of an alert on the bus", error=str(error))
            return
        self._changed.add(note.subject)
        self._to_do.set()

    def _read_all(self) -> None:
        self._all_changed = True
        self._to_do.set()

    async def _follow(self, quote_of: Callable[[str], Quote | None]) -> None:
        with suppress(BusError):
            # It is subscribed to at the latest when there is another connection.
            await self._subscriber.subscribe([names.ALERTS])
        while True:
            await until_done(partial(self._read_changed, quote_of))
            try:
                async with asyncio.timeout(READ_ALL_EVERY_S):
                    await self._to_do.wait()
            except TimeoutError:
                self._read_all()

    async def _read_changed(self, quote_of: Callable[[str], Quote | None]) -> None:
        self._to_do.clear()
        subjects, everyone = self._changed, self._all_changed
        self._changed, self._all_changed = set(), False
        try:
            if everyone:
                subjects = subjects.union(self._board.subjects, await self._store.users())
            symbols = await self._load(subjects)
            await self._leases.hold(self._board.counts())
        except BusError:
            self._changed |= subjects
            self._all_changed |= everyone
            raise
        for symbol in symbols:
            quote = quote_of(symbol)
            if quote is not None:
                # What was crossed while an alert was on its way here.
                async with self._turn:
                    await self._evaluate(quote, [quote.last])

    async def _load(self, subjects: Iterable[str]) -> set[str]:
        """Take some users' alerts as they are; return the symbols of those that are new."""
        symbols: set[str] = set()
        asked = sorted(subjects)
        for start in range(0, len(asked), AT_ONCE):
            async with self._turn:
                found = await self._store.alerts_of(asked[start : start + AT_ONCE])
                for subject, alerts in found.items():
                    symbols |= self._board.replace(subject, alerts)
        return symbols

    async def _want(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._leases.hold(self._board.counts())
            except BusError as error:
                log.warning("the symbols of alerts could not be wanted", error=str(error))

    async def _evaluate(self, quote: Quote, prices: Sequence[float]) -> None:
        for watch in self._board.of(quote.symbol):
            now_ms = self._now_ms()
            for turn in list(turns(watch, prices, quote.prev_close, now_ms)):
                if not await until_done(partial(self._do, turn, quote, now_ms)):
                    break
                self._board.take(turn, now_ms)

    async def _do(self, turn: Arming | Firing, quote: Quote, now_ms: int) -> bool:
        """Let a turn happen in Redis; tell whether what comes after it can."""
        subject, alert, fence = turn.watch.subject, turn.watch.alert, self._fence()
        if isinstance(turn, Arming):
            return await self._writer.arm(subject, alert, fence)
        fired = Fired(
            id=alert.id,
            symbol=alert.symbol,
            condition=alert.condition,
            level=alert.level,
            repeat=alert.repeat,
            note=alert.note,
            price=turn.price,
            value=turn.value,
            time_ms=quote.time_ms,
            fired_ms=now_ms,
        )
        if await self._writer.fire(subject, fired, fence, rest_ms=REST_MS):
            log.info("an alert has fired", symbol=alert.symbol, condition=alert.condition)
        # If not, it has fired already, or the user has changed it and a note tells how.
        return True
