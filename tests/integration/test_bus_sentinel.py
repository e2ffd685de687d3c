import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.publisher import Publisher
from feed_server.bus.subscriber import Subscriber
from feed_server.errors import BusError
from tests.harness import free_port, until, wait_for
from tests.servers import ValkeyServer
from tests.updates import update

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Watched:
    """Two servers that know nothing of each other, and a Sentinel that says which is the master."""

    first: ValkeyServer
    second: ValkeyServer
    sentinel: ValkeyServer

    @property
    def url(self) -> str:
        """With a Sentinel that is not there before the one that is."""
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}/market/0"

    def replace(self) -> None:
        """Name the second; the first goes on as if nothing were."""
        self.sentinel.ask("SENTINEL REMOVE market")
        self.sentinel.ask(f"SENTINEL MONITOR market 127.0.0.1 {self.second.port} 1")
        wait_for(
            "it is named",
            lambda: str(self.second.port) in str(self.sentinel.ask("SENTINEL MASTER market")),
        )


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with ValkeyServer(tmp_path) as first, ValkeyServer(tmp_path) as second:
        watching = [f"sentinel monitor market 127.0.0.1 {first.port} 1"]
        with ValkeyServer(tmp_path, sentinel=watching) as sentinel:
            yield Watched(first, second, sentinel)


def has_aapl(server: ValkeyServer) -> bool:
    return b":1" in server.ask(f"EXISTS {names.last_value('AAPL')}")


async def test_what_is_published_goes_to_the_master_as_it_is_now(watched: Watched) -> None:
    redis = connect(watched.url)
    publisher = Publisher(redis)
    await publisher.publish([update("AAPL")])
    assert has_aapl(watched.first)
    watched.replace()
    time_ms = 1_000

    async def is_in_the_second() -> bool:
        nonlocal time_ms
        time_ms += 1
        await publisher.publish([update("AAPL", time_ms=time_ms)])
        return has_aapl(watched.second)

    await until(is_in_the_second)
    await redis.aclose()


async def test_a_subscriber_leaves_a_master_that_was_replaced(watched: Watched) -> None:
    redis = connect(watched.url)
    connected: asyncio.Queue[None] = asyncio.Queue()
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    subscriber = Subscriber(
        redis,
        "test",
        lambda _channel, payload: heard.put_nowait(payload),
        lambda: connected.put_nowait(None),
    )
    await subscriber.subscribe([names.CONTROL])
    running = asyncio.create_task(subscriber.run())
    async with asyncio.timeout(30):
        await connected.get()
        watched.replace()
        await connected.get()
        watched.second.ask(f"PUBLISH {names.CONTROL} hello")
        assert await heard.get() == b"hello"
    running.cancel()
    await asyncio.wait([running])
    await redis.aclose()


async def test_a_service_that_no_sentinel_knows_is_a_bus_error(watched: Watched) -> None:
    redis = connect(watched.url.replace("market", "other"))
    with pytest.raises(BusError, match="Redis cannot be reached"):
        await Publisher(redis).publish([update("AAPL")])
    await redis.aclose()
