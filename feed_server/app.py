"""The feed server as one process: Redis, ingest and gateway as its role asks."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path

import structlog

from feed_server.bus.connection import connect, masked
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.reader import Reader
from feed_server.bus.user_file import UserFile
from feed_server.errors import BusError, ConfigurationError, QuotewireError
from feed_server.gateway.server import Gateway
from feed_server.settings import FeedSettings

Ingest = Callable[[str], Coroutine[None, None, None]]
"""Runs the ingest, given the address of Redis."""

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
    if role is not Role.ALL and settings.redis_url is None:
        raise ConfigurationError(
            f"role {role} needs a Redis that others use too: set QUOTEWIRE_REDIS_URL"
        )
    ingest = None if role is Role.GATEWAY else _prepare_ingest(settings)
    if settings.redis_url is not None:
        await _serve_with(settings, ingest, role, settings.redis_url.get_secret_value())
        return
    valkey = EmbeddedValkey()
    try:
        valkey.start()
        async with _users_kept(settings, valkey.url), asyncio.TaskGroup() as tasks:
            tasks.create_task(_watch(valkey))
            tasks.create_task(_serve_with(settings, ingest, role, valkey.url))
    finally:
        valkey.stop()


@asynccontextmanager
async def _users_kept(settings: FeedSettings, redis_url: str) -> AsyncIterator[None]:
    """Put back users' alerts and settings, and save them as long as it lasts."""
    if settings.state_folder == "none":
        yield
        return
    redis = connect(redis_url)
    try:
        kept = UserFile(redis, _users_file(settings))
        await kept.load()
        saving = asyncio.create_task(kept.run())
        try:
            yield
        finally:
            saving.cancel()
            await asyncio.wait([saving])
    finally:
        await redis.aclose()


def _users_file(settings: FeedSettings) -> Path:
    # Feeds of one machine have ports of their own.
    return Path(settings.state_folder).expanduser() / f"users-{settings.feed_port}.msgpack"


async def _serve_with(
    settings: FeedSettings, ingest: Ingest | None, role: Role, redis_url: str
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
            if ingest is not None:
                tasks.create_task(ingest(redis_url))
            # What is there now stays: not looked through again at each collection of garbage.
            gc.freeze()
    finally:
        await redis.aclose()


def _prepare_ingest(settings: FeedSettings) -> Ingest:
    # A gateway does without pandas and the providers: half of the memory, half of the start.
    from feed_server.ingest.service import open_providers, run_ingest

    providers = open_providers(settings)
    return lambda redis_url: run_ingest(settings, providers, redis_url)


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
