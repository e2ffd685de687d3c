"""The feed server as one process: Redis, ingest and gateway as its role asks."""

import asyncio
import secrets
from enum import StrEnum

import structlog

from feed_server.bus.connection import connect, masked
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.leases import WantedReader
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.errors import BusError, ConfigurationError, QuotewireError
from feed_server.gateway.server import Gateway
from feed_server.ingest.demand import Demand
from feed_server.ingest.worker import IngestWorker
from feed_server.providers.base import Provider
from feed_server.providers.replay import open_replay
from feed_server.settings import FeedSettings

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a process does: everything, only fetch and publish, or only serve clients."""

    ALL = "all"
    INGEST = "ingest"
    GATEWAY = "gateway"


async def serve(settings: FeedSettings, role: Role) -> None:
    """Run until cancelled.

    Raises:
        ConfigurationError: Something that only a person can mend; nothing was published.
        QuotewireError: The embedded Valkey ended; a restart of the process mends it.
    """
    provider = None if role is Role.GATEWAY else _open_provider(settings)
    if settings.redis_url is not None:
        await _serve_with(settings, provider, role, settings.redis_url.get_secret_value())
        return
    valkey = EmbeddedValkey()
    try:
        valkey.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_watch(valkey))
            tasks.create_task(_serve_with(settings, provider, role, valkey.url))
    finally:
        valkey.stop()


async def _serve_with(
    settings: FeedSettings, provider: Provider | None, role: Role, redis_url: str
) -> None:
    redis = connect(redis_url)
    try:
        await _require(Reader(redis), redis_url)
        async with asyncio.TaskGroup() as tasks:
            if role is not Role.INGEST:
                gateway = Gateway(settings, redis_url)
                gateway.listen()
                tasks.create_task(gateway.run())
                log.info("gateway listens", address=f"http://{settings.host}:{settings.feed_port}")
            if provider is not None:
                tasks.create_task(_ingest(settings, provider, redis_url))
    finally:
        await redis.aclose()


async def _ingest(settings: FeedSettings, provider: Provider, redis_url: str) -> None:
    redis, listening = connect(redis_url), connect(redis_url)
    name = f"ingest-{secrets.token_hex(4)}"
    demand = Demand(
        WantedReader(redis),
        lambda on_message, on_connected: Subscriber(listening, name, on_message, on_connected),
    )
    publisher = Publisher(
        redis, log_entries=settings.log_entries, log_expires_s=settings.log_expires_s
    )
    try:
        await IngestWorker(provider, publisher, demand, loop=settings.replay_loop).run()
    finally:
        await redis.aclose()
        await listening.aclose()


async def _require(reader: Reader, redis_url: str) -> None:
    try:
        await reader.ping()
    except BusError as error:
        raise ConfigurationError(
            f"Redis at {masked(redis_url)} cannot be reached ({error}): start it, "
            "or unset QUOTEWIRE_REDIS_URL to use the embedded Valkey"
        ) from error


async def _watch(valkey: EmbeddedValkey) -> None:
    await asyncio.to_thread(valkey.wait)
    raise QuotewireError("the embedded Valkey has ended unexpectedly; restart the feed server")


def _open_provider(settings: FeedSettings) -> Provider:
    return open_replay(
        settings.replay_files,
        settings.replay_start,
        settings.replay_zone,
        settings.replay_speed,
    )
