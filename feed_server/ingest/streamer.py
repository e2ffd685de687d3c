"""Keeps one provider's stream going."""

import asyncio
import time
from contextlib import aclosing

import structlog

from feed_server.errors import (
    FencedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from feed_server.ingest.circuit import Circuit
from feed_server.ingest.sink import Sink
from feed_server.providers.base import Provider, Watchlist

KEY_RETRY_S = 300.0
PROVEN_S = 10.0
"""A stream that lasts for less has proved nothing."""
YIELD_EVERY_S = 0.001
"""How long a stream that is never short of events may keep others from running."""

log = structlog.get_logger(__name__)


class Streamer:
    """Begins a stream, and begins it again, ever later, when it has failed.

    Args:
        provider: The provider.
        watchlist: What it shall carry.
        sink: Who takes its events.

    Attributes:
        circuit: When it is tried again.
        flows: Whether it streams now.
        has_ended: Whether the source has no more.
        trouble: Why it does not stream, for a person.
    """

    def __init__(self, provider: Provider, watchlist: Watchlist, sink: Sink) -> None:
        self.circuit = Circuit()
        self.flows = False
        self.has_ended = False
        self.trouble = ""
        self._provider = provider
        self._watchlist = watchlist
        self._sink = sink
        self._began_s = 0.0
        self._failures_before = 0

    async def run(self) -> None:
        """Stream until cancelled, or until the source has no more."""
        while not self.has_ended:
            await self._ready()
            try:
                await self._stream()
            except ProviderError as error:
                self._fail(error)
            except FencedError:
                raise
            except Exception:
                # A fault of one source must not end the others.
                log.exception("a source has a fault of its own", source=self._provider.name)
                self._fail(UnavailableError("it has a fault of its own; the log has it"))
            else:
                self.has_ended = True
            finally:
                self.flows = False
                self._sink.on_health(self._provider.name)

    async def _ready(self) -> None:
        await asyncio.sleep(max(0.0, self.circuit.next_try_s - time.monotonic()))
        if self._provider.capabilities.open_list:
            await self._watchlist.changed(frozenset())

    async def _stream(self) -> None:
        name = self._provider.name
        yielded_s = time.monotonic()
        async with aclosing(
            self._provider.stream(self._watchlist, self._sink.taken(name))
        ) as stream:
            async for events in stream:
                if not self.flows:
                    self._begin()
                await self._sink.take(name, events)
                if time.monotonic() - yielded_s > YIELD_EVERY_S:
                    await asyncio.sleep(0)
                    yielded_s = time.monotonic()

    def _begin(self) -> None:
        self.flows, self.trouble = True, ""
        self._began_s, self._failures_before = time.monotonic(), self.circuit.failures
        self.circuit.succeed()
        self._sink.on_gap(self._provider.name)
        self._sink.on_health(self._provider.name)

    def _fail(self, error: ProviderError) -> None:
        if not self._watchlist.symbols and self._provider.capabilities.open_list:
            return  # Nothing was asked of it: an idle connection may be closed.
        if time.monotonic() - self._began_s < PROVEN_S:
            # One that begins and breaks at once is tried ever later, too.
            self.circuit.failures = self._failures_before
            self._began_s = 0.0
        is_refused = isinstance(error, UnauthorizedError)
        hint_s = error.retry_after_s if isinstance(error, RateLimitedError) else None
        self.circuit.fail(time.monotonic(), KEY_RETRY_S if is_refused else hint_s)
        if is_refused:
            self.circuit.open()
        self.trouble = str(error)
        log.warning("a stream has failed", source=self._provider.name, error=str(error))
