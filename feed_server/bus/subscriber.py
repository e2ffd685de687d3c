"""The listening side: what is published, and the proof that we hear it."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.errors import BusError

PROBE_EVERY_S = 1.0
DEAF_AFTER_S = 4.0
RETRY_S = 0.5
BATCH = 500
"""Channels subscribed to in one command."""

log = structlog.get_logger(__name__)


class Subscriber:
    """Listens to channels of Redis for as long as it runs; subscriptions survive reconnects.

    It publishes to itself and must hear it: a connection that is open but deaf is given up and made
    anew.

    Args:
        redis: Used for this subscriber alone.
        server: Names the probe's channel.
        on_message: Called with channel and payload.
        on_connected: Called after each (re)connection, when all channels are subscribed to: what
            was published before may have been missed.
    """

    def __init__(
        self,
        redis: Redis,
        server: str,
        on_message: Callable[[str, bytes], None],
        on_connected: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._probe_channel = names.probe(server)
        self._on_message = on_message
        self._on_connected = on_connected
        self._channels: set[str] = set()
        self._pubsub: PubSub | None = None
        self._heard_at = -DEAF_AFTER_S

    @property
    def hears(self) -> bool:
        """Whether the probe was heard lately."""
        return time.monotonic() - self._heard_at < DEAF_AFTER_S

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Listen to more channels, now and after each reconnection."""
        added = [channel for channel in channels if channel not in self._channels]
        self._channels.update(added)
        if self._pubsub is not None:
            await self._send(self._pubsub.subscribe, added)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Listen to these channels no more."""
        removed = [channel for channel in channels if channel in self._channels]
        self._channels.difference_update(removed)
        if self._pubsub is not None:
            await self._send(self._pubsub.unsubscribe, removed)

    async def run(self) -> None:
        """Listen until cancelled; reconnect after every failure."""
        while True:
            try:
                await self._listen()
            except BusError as error:
                log.warning("bus subscription lost", error=str(error))
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        pubsub = self._redis.pubsub()
        try:
            with bus_errors("subscribing"):
                await pubsub.subscribe(self._probe_channel)
            await self._send(pubsub.subscribe, sorted(self._channels))
            self._pubsub = pubsub
            self._heard_at = time.monotonic()
            self._on_connected()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(pubsub))
                tasks.create_task(self._probe())
        except* BusError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._pubsub = None
            self._heard_at = -DEAF_AFTER_S
            await pubsub.aclose()

    async def _read(self, pubsub: PubSub) -> None:
        while True:
            with bus_errors("listening"):
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is None:
                continue
            channel = message["channel"].decode()
            if channel == self._probe_channel:
                self._heard_at = time.monotonic()
            else:
                self._on_message(channel, message["data"])

    async def _probe(self) -> None:
        while True:
            with bus_errors("probing"):
                await self._redis.publish(self._probe_channel, b"")
            await asyncio.sleep(PROBE_EVERY_S)
            if not self.hears:
                raise BusError(f"deaf: own messages not heard for {DEAF_AFTER_S:g} s")

    async def _send(self, command: Callable[..., object], channels: list[str]) -> None:
        for start in range(0, len(channels), BATCH):
            with bus_errors("subscribing"):
                await command(*channels[start : start + BATCH])  # type: ignore[misc]
