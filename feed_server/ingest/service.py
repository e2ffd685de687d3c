"""The ingest as a service: its providers, its connections to Redis, its worker."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from feed_server.bus.alert_writer import AlertWriter
from feed_server.bus.alerts import AlertStore
from feed_server.bus.connection import connect
from feed_server.bus.leases import Leases, WantedReader
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.bus.quota import Quotas
from feed_server.bus.quota_file import QuotaFile
from feed_server.bus.reader import Reader
from feed_server.bus.rpc import respond
from feed_server.bus.subscriber import Subscriber
from feed_server.ingest.alerting import Alerting
from feed_server.ingest.demand import Demand
from feed_server.ingest.worker import IngestBus, IngestWorker
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
        for provider in providers:
            stack.push_async_callback(provider.aclose)
        worker = IngestWorker(
            providers,
            _ingest_bus(settings, providers, redis_url, stack),
            loop=settings.replay_loop,
            grace_ms=settings.bars_grace_ms,
        )
        limited = [provider.name for provider in providers if provider.capabilities.rates]
        if settings.redis_url is not None or settings.state_folder == "none" or not limited:
            await worker.run()
            return
        redis = connect(redis_url)
        stack.push_async_callback(redis.aclose)
        spent = QuotaFile(redis, _spent_file(settings), limited)
        await spent.load()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(spent.run())
            tasks.create_task(worker.run())


def _spent_file(settings: FeedSettings) -> Path:
    return Path(settings.state_folder).expanduser() / "spent.json"


def _ingest_bus(
    settings: FeedSettings, providers: Sequence[Provider], redis_url: str, stack: AsyncExitStack
) -> IngestBus:
    redis, hears_demand, hears_requests, hears_alerts = (connect(redis_url) for _ in range(4))
    for client in (redis, hears_demand, hears_requests, hears_alerts):
        stack.push_async_callback(client.aclose)
    name = f"ingest-{secrets.token_hex(4)}"
    sources = ",".join(provider.name for provider in providers)
    publisher = Publisher(
        redis,
        log_entries=settings.log_entries,
        log_expires_s=settings.log_expires_s,
        bars_kept=settings.bars_kept,
    )
    return IngestBus(
        publisher=publisher,
        reader=Reader(redis),
        quotas=Quotas(redis),
        demand=Demand(
            WantedReader(redis),
            lambda on_message, on_connected: Subscriber(
                hears_demand, name, on_message, on_connected
            ),
        ),
        lock=ProviderLock(redis, sources),
        serve=lambda answer: respond(redis, hears_requests, f"{name}-requests", answer),
        alerts=Alerting(
            AlertStore(redis),
            AlertWriter(redis, sources),
            Leases(redis, name),
            lambda on_message, on_connected: Subscriber(
                hears_alerts, f"{name}-alerts", on_message, on_connected
            ),
            fence=lambda: publisher.fence,
        ),
    )
