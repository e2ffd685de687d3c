"""The listening side: what is published, and the proof that we hear it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from feed_server.bus import names, sentinel
from feed_server.bus.connection import bus_errors
from feed_server.errors import BusError

PROBE_EVERY_S = 1.0
DEAF_AFTER_S = 4.0
RETRY_S = 0.5
BATCH = 500
"""Channels subscribed to in one command."""
YIELD_EVERY_S = 0.001
"""How long messages that keep coming may keep other tasks from running."""

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
        self._unconfirmed: set[str] = set()
        self._confirmed = asyncio.Event()
        self._connection: AbstractConnection | None = None
        self._heard_at = -DEAF_AFTER_S
        self._lag_s: float | None = None

    @property
    def hears(self) -> bool:
        """Whether the probe was heard lately."""
        return time.monotonic() - self._heard_at < DEAF_AFTER_S

    @property
    def lag_s(self) -> float | None:
        """How long the probe heard last took; None before the first, and while deaf."""
        return self._lag_s if self.hears else None

    @property
    def channels(self) -> frozenset[str]:
        """What is listened to, now or when there is a connection."""
        return frozenset(self._channels)

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Listen to more channels, now and after each reconnection.

        Returns when the server has confirmed: what is published from then on is heard. Without a
        connection it returns at once, and ``on_connected`` tells when there is one.

        Raises:
            BusError: The connection was lost meanwhile, or does not answer: the next one subscribes
                to these channels too.
        """
        added = [channel for channel in channels if channel not in self._channels]
        self._channels.update(added)
        connection = self._connection
        if connection is not None and added:
            async with _given_up_on_failure(connection):
                await self._subscribe(connection, added)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Listen to these channels no more.

        Raises:
            BusError: The connection was lost meanwhile: the next one does not listen to them.
        """
        removed = [channel for channel in channels if channel in self._channels]
        self._channels.difference_update(removed)
        connection = self._connection
        if connection is None:
            return
        for batch in _batches(removed):
            async with _given_up_on_failure(connection):
                await self._send(connection, "UNSUBSCRIBE", batch)

    async def run(self) -> None:
        """Listen until cancelled; reconnect after every failure."""
        while True:
            try:
                await self._listen()
            except BusError as error:
                log.warning("bus subscription lost", error=str(error))
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        pool = self._redis.connection_pool
        with bus_errors("connecting"):
            connection = await pool.get_connection()
        try:
            self._connection = connection
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(connection))
                await self._subscribe(connection, [self._probe_channel, *sorted(self._channels)])
                self._heard_at = time.monotonic()
                self._on_connected()
                tasks.create_task(self._probe(connection))
        except* BusError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._connection = None
            self._heard_at = -DEAF_AFTER_S
            self._unconfirmed.clear()
            self._confirmed.set()
            await connection.disconnect(nowait=True)
            await pool.release(connection)

    async def _subscribe(self, connection: AbstractConnection, channels: list[str]) -> None:
        self._unconfirmed.update(channels)
        self._confirmed.clear()
        for batch in _batches(channels):
            await self._send(connection, "SUBSCRIBE", batch)
        if channels:
            with bus_errors("subscribing"):
                async with asyncio.timeout(DEAF_AFTER_S):
                    await self._confirmed.wait()
        if self._connection is not connection:
            raise BusError("subscribing: the connection was lost")

    async def _send(self, connection: AbstractConnection, command: str, batch: list[str]) -> None:
        # One that is closed would be opened again by sending, and nobody would read it.
        if self._connection is not connection or not connection.is_connected:
            raise BusError(f"sending {command}: the connection was lost")
        with bus_errors(f"sending {command}"):
            await connection.send_command(command, *batch)

    async def _read(self, connection: AbstractConnection) -> None:
        """Take what comes; not by redis-py's ``PubSub``, whose messages cost four times as much."""
        yielded_s = time.monotonic()
        with bus_errors("listening"):
            while True:
                kind, channel, payload = await connection.read_response(timeout=math.inf)
                self._take(kind, channel.decode(), payload)
                # What has arrived already is read without a pause.
                if time.monotonic() - yielded_s > YIELD_EVERY_S:
                    await asyncio.sleep(0)
                    yielded_s = time.monotonic()

    def _take(self, kind: bytes, channel: str, payload: bytes) -> None:
        if kind == b"message":
            if channel == self._probe_channel:
                self._hear_probe(payload)
            else:
                self._on_message(channel, payload)
        elif kind == b"subscribe":
            self._unconfirmed.discard(channel)
            if not self._unconfirmed:
                self._confirmed.set()

    def _hear_probe(self, payload: bytes) -> None:
        try:
            sent_at = float(payload)
        except ValueError:
            log.error("malformed probe on the bus", payload=payload[:100])
            return
        self._heard_at = time.monotonic()
        self._lag_s = self._heard_at - sent_at

    async def _probe(self, connection: AbstractConnection) -> None:
        while True:
            # Each tells when it was sent: where one takes long, others are sent before it comes.
            with bus_errors("probing"):
                await self._redis.publish(self._probe_channel, repr(time.monotonic()))
            if sentinel.leads_elsewhere(self._redis, connection):
                raise BusError("probing: there is another master now")
            await asyncio.sleep(PROBE_EVERY_S)
            if not self.hears:
                raise BusError(f"deaf: own messages not heard for {DEAF_AFTER_S:g} s")


@asynccontextmanager
async def _given_up_on_failure(connection: AbstractConnection) -> AsyncIterator[None]:
    """End a connection that fails: whoever reads it makes another, and subscribes to all."""
    try:
        yield
    except BusError:
        await connection.disconnect(nowait=True)
        raise


def _batches(channels: list[str]) -> Iterator[list[str]]:
    return (channels[start : start + BATCH] for start in range(0, len(channels), BATCH))
