"""The ingest as a service: its provider, its connections to Redis, its worker."""

import secrets

from feed_server.bus.connection import connect
from feed_server.bus.leases import WantedReader
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.bus.subscriber import Subscriber
from feed_server.ingest.demand import Demand
from feed_server.ingest.worker import IngestWorker
from feed_server.providers.base import Provider
from feed_server.providers.replay import open_replay
from feed_server.settings import FeedSettings


def open_provider(settings: FeedSettings) -> Provider:
    """Return the provider that the settings ask for.

    Raises:
        ConfigurationError: What it needs is not there, or is malformed; nothing was published.
    """
    return open_replay(
        settings.replay_files,
        settings.replay_start,
        settings.replay_zone,
        settings.replay_speed,
    )


async def run_ingest(settings: FeedSettings, provider: Provider, redis_url: str) -> None:
    """Carry a provider's data to Redis until cancelled."""
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
        await IngestWorker(
            provider,
            publisher,
            demand,
            loop=settings.replay_loop,
            lock=ProviderLock(redis, provider.name),
        ).run()
    finally:
        await redis.aclose()
        await listening.aclose()
