"""The ingest as a service: its providers, its connections to Redis, its worker."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from redis.asyncio import Redis

from feed_server.bus.connection import connect
from feed_server.bus.leases import WantedReader
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.requests import Answer, Request
from feed_server.bus.rpc import Responder
from feed_server.bus.subscriber import Subscriber
from feed_server.ingest.demand import Demand
from feed_server.ingest.vendor import quota_of
from feed_server.ingest.worker import IngestBus, IngestWorker, Serve
from feed_server.providers.base import Provider
from feed_server.providers.registry import ProviderOptions, open_provider
from feed_server.settings import FeedSettings


def open_providers(settings: FeedSettings) -> list[Provider]:
    """Return the providers that the settings ask for, the preferred first.

    Raises:
        ConfigurationError: What one needs is not there, or is malformed; nothing was published.
    """
    options = ProviderOptions.from_settings(settings)
    return [open_provider(name, options) for name in dict.fromkeys(settings.provider)]


async def run_ingest(settings: FeedSettings, providers: Sequence[Provider], redis_url: str) -> None:
    """Carry the providers' data to Redis until cancelled."""
    async with AsyncExitStack() as stack:
        redis, *listening = (connect(redis_url) for _ in range(3))
        for client in (redis, *listening):
            stack.push_async_callback(client.aclose)
        for provider in providers:
            stack.push_async_callback(provider.aclose)
        await IngestWorker(
            providers,
            _ingest_bus(settings, providers, redis, *listening),
            loop=settings.replay_loop,
            grace_ms=settings.bars_grace_ms,
        ).run()


def _ingest_bus(
    settings: FeedSettings,
    providers: Sequence[Provider],
    redis: Redis,
    hears_demand: Redis,
    hears_requests: Redis,
) -> IngestBus:
    name = f"ingest-{secrets.token_hex(4)}"
    return IngestBus(
        publisher=Publisher(
            redis,
            log_entries=settings.log_entries,
            log_expires_s=settings.log_expires_s,
            bars_kept=settings.bars_kept,
        ),
        reader=Reader(redis),
        quota=lambda provider: quota_of(redis, provider),
        demand=Demand(
            WantedReader(redis),
            lambda on_message, on_connected: Subscriber(
                hears_demand, name, on_message, on_connected
            ),
        ),
        lock=ProviderLock(redis, ",".join(provider.name for provider in providers)),
        serve=answering(redis, hears_requests, f"{name}-requests"),
    )


def answering(redis: Redis, listening: Redis, name: str) -> Serve:
    """Return what answers gateways' questions for as long as it runs."""

    async def serve(answer: Callable[[Request], Awaitable[Answer]]) -> None:
        responder = Responder(redis, answer)
        subscriber = Subscriber(
            listening, name, lambda _channel, payload: responder.take(payload), lambda: None
        )
        await subscriber.subscribe([responder.channel])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(subscriber.run())
            tasks.create_task(responder.run())

    return serve
