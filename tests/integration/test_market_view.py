import asyncio
from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.gateway.market_view import MarketView
from feed_server.protocol import SourceState, SourceStatus, SymbolInfo
from tests.harness import wait_for

pytestmark = pytest.mark.integration


class SlowReader(Reader):
    """A reader whose answers about symbols take a while: long enough to be overtaken."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()

    async def symbols(self) -> dict[str, SymbolInfo]:
        found = await super().symbols()
        self.reading.set()
        await self.go_on.wait()
        return found


async def test_symbols_declared_while_they_are_read_are_not_missed(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    reader = SlowReader(redis)
    listening = connect(valkey.url)

    def subscriber(
        on_message: Callable[[str, bytes], None], on_connected: Callable[[], None]
    ) -> Subscriber:
        return Subscriber(listening, "test", on_message, on_connected)

    view = MarketView(reader, subscriber, lambda _: None, lambda _: None, lambda: None)
    running = asyncio.create_task(view.run())
    await asyncio.to_thread(wait_for, "it hears", lambda: view.hears)
    await reader.reading.wait()
    info = SymbolInfo("AAPL", "Apple Inc.", "USD", 2, "replay", "REPLAY")
    await Publisher(redis).declare_symbols([info])
    # Heard after it, on the same connection.
    status = SourceStatus("replay", "REPLAY", SourceState.LIVE, "streaming", None, 0)
    await Publisher(redis).publish_status(status)
    await asyncio.to_thread(wait_for, "the news was heard", view.statuses)
    reader.go_on.set()
    await asyncio.to_thread(wait_for, "the symbols are known", lambda: "AAPL" in view.symbols)
    running.cancel()
    await asyncio.wait([running])
    await listening.aclose()
