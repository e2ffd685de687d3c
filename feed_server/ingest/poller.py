"""Asks one provider for quotes: all symbols in turn, within its vendor's limits."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import structlog

from feed_server.errors import (
    BusError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnknownSymbolError,
)
from feed_server.ingest.circuit import Circuit
from feed_server.ingest.poll_schedule import PollSchedule
from feed_server.ingest.sink import Sink
from feed_server.ingest.vendor import PATIENCE_S, Vendor

KEY_RETRY_S = 300.0
RETRY_S = 0.5
LONG_WAIT_S = 120.0
"""A source that may not ask for longer is given up until then: others serve meanwhile."""
FORGET_S = 600.0
"""A symbol that the source cannot serve is asked for again after so long."""

log = structlog.get_logger(__name__)


class Poller:
    """Polls what is wanted, the stalest first.

    Args:
        vendor: Who is asked.
        sink: Who takes the quotes.

    Attributes:
        circuit: When the vendor is asked again after a failure.
        has_answered: Whether the last call was answered.
        trouble: Why not, for a person.
    """

    def __init__(self, vendor: Vendor, sink: Sink) -> None:
        self.circuit = Circuit()
        self.has_answered = False
        self.trouble = ""
        self._vendor = vendor
        self._sink = sink
        self._schedule = PollSchedule(vendor.can.poll_s)
        self._wake = asyncio.Event()
        self._asking: Sequence[str] = ()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def want(
        self, symbols: Collection[str], poll_s: float, own: Mapping[str, float] | None = None
    ) -> None:
        """Poll these symbols and no others, see `PollSchedule.pace`."""
        self._schedule.want(symbols)
        self._schedule.pace(poll_s, own)
        for symbol in self._waiting.keys() - set(symbols):
            self._tell(symbol, UnknownSymbolError(f"{symbol} is not asked for any more"))
        self._wake.set()

    def next_try_s(self) -> float | None:
        """Return when the vendor is asked next; `None` where nothing is wanted."""
        due_s = self._schedule.due_s()
        return None if due_s is None else max(due_s, self.circuit.next_try_s)

    def owes(self, symbol: str) -> bool:
        """Tell whether a symbol's first answer since it is wanted is still to come."""
        return self._schedule.is_new(symbol) or symbol in self._asking

    async def refresh(self, symbol: str) -> None:
        """Return when a symbol was polled; who asks meanwhile waits for the same answer.

        Raises:
            ProviderError: It was not answered, or cannot be asked soon.
        """
        wait_s = self.circuit.next_try_s - time.monotonic()
        if wait_s > PATIENCE_S:
            reason = self.trouble or "its limits are reached"
            raise RateLimitedError(f"{self._vendor.name} cannot be asked now: {reason}", wait_s)
        if symbol not in self._schedule.symbols:
            raise UnknownSymbolError(f"{symbol} is not asked of {self._vendor.name}")
        if symbol not in self._waiting:
            self._waiting[symbol] = asyncio.get_running_loop().create_future()
            if symbol not in self._asking:
                self._schedule.urge(symbol)
                self._wake.set()
        await asyncio.shield(self._waiting[symbol])

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._until_due()
                try:
                    await self._poll()
                except BusError as error:
                    log.warning("a budget is not known; waiting", error=str(error))
                    await asyncio.sleep(RETRY_S)
        finally:
            for waiting in self._waiting.values():
                waiting.cancel()

    async def _until_due(self) -> None:
        while True:
            self._wake.clear()
            next_s = self.next_try_s()
            wait_s = None if next_s is None else next_s - time.monotonic()
            if wait_s is not None and wait_s <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _poll(self) -> None:
        can = self._vendor.can
        # After a failure a single symbol is the probe.
        most = 1 if self.circuit.failures else can.batch
        symbols = self._schedule.next(time.monotonic(), most)
        if not symbols:
            return
        grant = await self._vendor.spend(len(symbols) if can.per_symbol else 1)
        if not grant.credits:
            self._pause(grant.wait_s)
            return
        if can.per_symbol:
            symbols = symbols[: grant.credits]
        await self._ask(symbols)
        self.circuit.wait(time.monotonic(), self._vendor.pause_s(grant.credits))

    def _pause(self, wait_s: float) -> None:
        self.circuit.wait(time.monotonic(), max(0.05, wait_s))
        if wait_s > LONG_WAIT_S:
            self._fail(RateLimitedError("its budget is used up", wait_s))
        elif wait_s > PATIENCE_S:
            for symbol in list(self._waiting):
                self._tell(symbol, RateLimitedError("the budget is used up for now", wait_s))

    async def _ask(self, symbols: Sequence[str]) -> None:
        # Before the answer: one that never comes must not keep its symbols in front.
        self._schedule.asked(symbols, time.monotonic())
        self._asking = symbols
        try:
            answers = await self._vendor.quotes(symbols)
        except ProviderError as error:
            # Asked again as soon as the vendor is, not only when their time comes round.
            self._schedule.failed(symbols, time.monotonic())
            self._fail(error)
            return
        finally:
            self._asking = ()
        was_down, self.has_answered, self.trouble = self.circuit.failures, True, ""
        self.circuit.succeed()
        if was_down:
            self._sink.on_health(self._vendor.name)
        events = [answer for answer in answers.values() if not isinstance(answer, ProviderError)]
        await self._sink.take(self._vendor.name, events)
        for symbol in symbols:
            answer = answers.get(symbol)
            # Told first: what is refused may be asked of another source, and of this no more.
            self._tell(symbol, answer if isinstance(answer, ProviderError) else None)
            if isinstance(answer, ProviderError):
                self._refuse(symbol, answer)

    def _refuse(self, symbol: str, error: ProviderError) -> None:
        if isinstance(error, (UnknownSymbolError, NotOfferedError)):
            self._schedule.postpone(symbol, time.monotonic() + FORGET_S)
        self._sink.refuse(self._vendor.name, symbol, error)

    def _fail(self, error: ProviderError) -> None:
        hint_s = None
        if isinstance(error, RateLimitedError):
            hint_s = error.retry_after_s
        elif isinstance(error, (UnauthorizedError, NotOfferedError)):
            hint_s = KEY_RETRY_S
        self.circuit.fail(time.monotonic(), hint_s)
        if hint_s is not None and hint_s > LONG_WAIT_S:
            self.circuit.open()
        self.has_answered, self.trouble = False, str(error)
        log.warning("a source has not answered", source=self._vendor.name, error=str(error))
        for symbol in list(self._waiting):
            self._tell(symbol, error)
        self._sink.on_health(self._vendor.name)

    def _tell(self, symbol: str, error: ProviderError | None) -> None:
        """Let those go on who wait for a symbol."""
        waiting = self._waiting.pop(symbol, None)
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)
            waiting.exception()  # Those who asked may have gone: it is no error that nobody hears.
