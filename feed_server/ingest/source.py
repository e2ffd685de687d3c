"""One source at work: it streams and polls what it is asked for, and tells how it does."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping

from feed_server.bus.quota import Quota
from feed_server.errors import NotOfferedError, ProviderError
from feed_server.ingest.poller import Poller
from feed_server.ingest.sink import Sink
from feed_server.ingest.streamer import Streamer
from feed_server.ingest.vendor import Vendor
from feed_server.protocol import SourceState, SourceStatus
from feed_server.providers.base import Provider, Watchlist

STREAMED_POLL_S = 1_800.0
"""What streams is polled now and then as well: no stream tells all of a session's figures."""


class Source:
    """Runs one provider.

    Args:
        provider: The provider.
        quota: Its vendor's limits.
        sink: Who takes what it tells.

    Attributes:
        name: The provider's.
        vendor: Its calls, within the limits.
    """

    def __init__(self, provider: Provider, quota: Quota, sink: Sink) -> None:
        self.name = provider.name
        self.provider = provider
        self.vendor = Vendor(provider, quota)
        self._watchlist = Watchlist()
        self._streamer = Streamer(provider, self._watchlist, sink)
        self._poller = Poller(self.vendor, sink)
        self._sink = sink
        self._trouble = ""
        self._list_again_s: float | None = None

    @property
    def symbols(self) -> frozenset[str]:
        """What it is asked for."""
        return self._watchlist.symbols

    @property
    def has_ended(self) -> bool:
        """Whether it has no more."""
        return self._streamer.has_ended

    @property
    def is_up(self) -> bool:
        """Whether something can be expected of it."""
        if self.has_ended:
            return False
        can = self.vendor.can
        streams = can.streams and not self._streamer.circuit.is_open
        return streams or (can.polls and not self._poller.circuit.is_open)

    def watch(self, symbols: Collection[str]) -> None:
        """Ask for these symbols and no others from now on."""
        self._watchlist.set(symbols)
        self.pace()

    def will_tell(self, symbols: Iterable[str]) -> set[str]:
        """Return of which of these symbols, new to it, it tells by itself how they stand."""
        tells = self.vendor.can.tells_state and self._streamer.flows
        return set(self.symbols - self._unstreamed).intersection(symbols) if tells else set()

    def pace(self) -> None:
        """Poll seldom what streams, and often what does not."""
        if not self.vendor.can.polls:
            return
        often_s = self.vendor.can.poll_s
        if self._streamer.flows:
            own = dict.fromkeys(self._unstreamed, often_s)
            self._poller.want(self.symbols, max(STREAMED_POLL_S, often_s), own)
        else:
            self._poller.want(self.symbols, often_s)

    def hand_over(self) -> None:
        """Give up what the stream does not carry and cannot be polled: another may have it."""
        if not self.vendor.can.polls:
            for symbol in sorted(self._unstreamed):
                error = NotOfferedError(f"{self.name} does not stream {symbol}")
                self._sink.refuse(self.name, symbol, error)

    @property
    def _unstreamed(self) -> frozenset[str]:
        return self._watchlist.refused & self.symbols

    def note_listing(self, error: ProviderError | None, next_try_s: float | None = None) -> None:
        """Note whether it could say what it has, and where not, when it is asked again."""
        self._trouble = "" if error is None else str(error)
        self._list_again_s = next_try_s

    async def run(self) -> None:
        """Work until cancelled, or until the source has no more."""
        async with asyncio.TaskGroup() as tasks:
            if self.vendor.can.streams:
                tasks.create_task(self._streamer.run())
            if self.vendor.can.polls:
                tasks.create_task(self._poller.run())

    async def refresh(self, symbol: str) -> None:
        """Return when a symbol's quote is as new as the source has it.

        Raises:
            ProviderError: It was not answered, or cannot be asked soon.
        """
        streams = self._streamer.flows and symbol not in self._unstreamed
        # A stream tells changes: what a symbol is that was not watched, only a poll does.
        if self.vendor.can.polls and (not streams or self._poller.owes(symbol)):
            await self._poller.refresh(symbol)

    def status(
        self, now_ms: int, market_ms: int | None, refused: Mapping[str, int]
    ) -> SourceStatus:
        """Return its own account of itself."""
        next_s = self._next_try_s()
        wait_ms = None if next_s is None else max(0, round((next_s - time.monotonic()) * 1000))
        return SourceStatus(
            source=self.name,
            label=self.provider.label,
            state=self._state(),
            message=self._message(),
            market_ms=market_ms,
            updated_ms=now_ms,
            next_try_ms=None if wait_ms is None else now_ms + wait_ms,
            failures=max(self._streamer.circuit.failures, self._poller.circuit.failures),
            symbols=len(self.symbols),
            budgets=self.vendor.budgets(),
            refused=dict(refused),
        )

    def _next_try_s(self) -> float | None:
        if self.has_ended:
            return None
        tries = [self._poller.next_try_s()] if self.vendor.can.polls else []
        if self._streamer.circuit.failures:
            tries.append(self._streamer.circuit.next_try_s)
        tries.append(self._list_again_s)
        return min((at_s for at_s in tries if at_s is not None), default=None)

    def _state(self) -> SourceState:
        if self.has_ended:
            return SourceState.CLOSED
        if not self.is_up or self._trouble:
            return SourceState.DOWN
        is_idle = self.vendor.can.open_list and not self.symbols
        is_live = self._streamer.flows or self._poller.has_answered or is_idle
        return SourceState.LIVE if is_live else SourceState.CONNECTING

    def _message(self) -> str:
        if self.has_ended:
            return "the source has come to its end"
        if self._streamer.flows:
            return "streaming"
        trouble = self._poller.trouble or self._streamer.trouble or self._trouble
        if trouble:
            return trouble
        if self._poller.has_answered:
            return "polling"
        return "connecting" if self.symbols or not self.vendor.can.open_list else "idle"
