"""One connection to Coinbase's WebSocket: only moves messages, wishes and trades that were found.

What they mean is decided in `coinbase_messages`, `coinbase_trades` and `coinbase_subscription`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

import structlog

from feed_server.errors import MalformedError
from feed_server.market.events import MarketEvent, TopOfBook
from feed_server.protocol import Trade
from feed_server.providers.base import Watchlist
from feed_server.providers.coinbase_messages import Refused, Subscribed, decode
from feed_server.providers.coinbase_subscription import Subscription
from feed_server.providers.coinbase_trades import Hole, TradeOrder
from feed_server.providers.vendor_socket import VendorSocket

MAX_BATCH = 500
"""Messages that are told at once, so that others run in between."""
COMPLAIN_EVERY_S = 60.0

Find = Callable[[Hole], Coroutine[None, None, Sequence[Trade]]]
"""Asks for missing trades; what it cannot get it leaves out."""

log = structlog.get_logger(__name__)


class Complaints:
    """Counts messages that cannot be understood, and tells of them now and then."""

    def __init__(self) -> None:
        self.count = 0
        self._next_s = 0.0

    def take(self, error: MalformedError, now_s: float) -> None:
        """Count one."""
        self.count += 1
        if now_s >= self._next_s:
            self._next_s = now_s + COMPLAIN_EVERY_S
            log.warning("messages left aside", count=self.count, error=str(error)[:300])


class CoinbaseSession:
    """Carries a watchlist over one connection.

    Args:
        socket: The connection.
        order: Of the trades, also those of connections before.
        find: Asks for missing trades.
        complaints: Of messages.
    """

    def __init__(
        self, socket: VendorSocket, order: TradeOrder, find: Find, complaints: Complaints
    ) -> None:
        self._socket = socket
        self._order = order
        self._find = find
        self._complaints = complaints
        self._subscription = Subscription()
        self._receiving: asyncio.Task[bytes] | None = None
        self._changing: asyncio.Task[frozenset[str]] | None = None
        self._filling: dict[asyncio.Task[Sequence[Trade]], Hole] = {}

    async def run(self, watchlist: Watchlist) -> AsyncGenerator[Sequence[MarketEvent]]:
        """Yield what happens until nothing is wanted any more.

        Raises:
            ProviderError: The connection has failed.
        """
        symbols = watchlist.symbols
        try:
            while symbols:
                for symbol in self._subscription.want(symbols):
                    self._order.drop(symbol)
                if request := self._subscription.next(time.monotonic()):
                    await self._socket.send(request)
                await self._wait(watchlist, symbols)
                # First of all, for if it fails nothing may have been taken that is not yielded.
                events = self._heard() + self._found()
                watchlist.refused = self._subscription.refused
                self._fill_holes()
                symbols = watchlist.symbols
                if events:
                    yield events
        finally:
            await self._end()

    async def _wait(self, watchlist: Watchlist, known: frozenset[str]) -> None:
        self._receiving = self._receiving or asyncio.create_task(self._socket.receive())
        if self._changing is None or self._changing.done():
            self._changing = asyncio.create_task(watchlist.changed(known))
        await asyncio.wait(
            {self._receiving, self._changing, *self._filling},
            return_when=asyncio.FIRST_COMPLETED,
        )

    def _heard(self) -> list[MarketEvent]:
        if self._receiving is None or not self._receiving.done():
            return []
        first = self._receiving.result()
        self._receiving = None
        events: list[MarketEvent] = []
        for message in (first, *self._socket.received(MAX_BATCH - 1)):
            try:
                said = decode(message)
            except MalformedError as error:
                self._complaints.take(error, time.monotonic())
                continue
            if isinstance(said, Trade | TopOfBook):
                if said.symbol in self._subscription.wanted:
                    events += self._order.take(said)
            elif isinstance(said, Subscribed):
                self._subscription.confirm(said)
            elif isinstance(said, Refused):
                self._subscription.refuse(said)
        return events

    def _found(self) -> list[MarketEvent]:
        events: list[MarketEvent] = []
        for task in [task for task in self._filling if task.done()]:
            events += self._order.fill(self._filling.pop(task), task.result())
        return events

    def _fill_holes(self) -> None:
        for hole in self._order.new_holes():
            self._filling[asyncio.create_task(self._find(hole))] = hole

    async def _end(self) -> None:
        self._order.give_up()
        tasks = [task for task in (self._receiving, self._changing, *self._filling) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
