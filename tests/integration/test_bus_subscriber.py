"""A subscriber whose connection fails at the worst moment."""

import asyncio
from collections.abc import Awaitable

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from feed_server.bus import names
from feed_server.bus import subscriber as module
from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.subscriber import Subscriber
from feed_server.errors import BusError
from tests.harness import until

pytestmark = pytest.mark.integration


async def has(condition: object) -> bool:
    return bool(condition)


class Running:
    """A subscriber that runs, and how often it connected."""

    def __init__(self, url: str) -> None:
        self.redis = connect(url)
        self.connected = 0
        self.messages: list[str] = []
        self.subscriber = Subscriber(
            self.redis,
            "test",
            lambda channel, _payload: self.messages.append(channel),
            self._on_connected,
        )

    def _on_connected(self) -> None:
        self.connected += 1

    async def __aenter__(self) -> "Running":
        self._task = asyncio.create_task(self.subscriber.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.redis.aclose()

    async def hears(self, channel: str) -> bool:
        """Tell whether what is published on a channel comes."""
        self.messages.clear()
        await self.redis.publish(channel, b"")
        await asyncio.sleep(0.02)
        return channel in self.messages

    async def until_connected(self, times: int = 1) -> None:
        async def connected() -> bool:
            return self.connected >= times

        await until(connected)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.05)


def fail_once(monkeypatch: pytest.MonkeyPatch, command: str, *, silently: bool) -> None:
    """Let sending a command fail, or be swallowed, one time."""
    original, failed = AbstractConnection.send_command, asyncio.Event()

    async def send(self: AbstractConnection, *args: str, **options: object) -> None:
        if args[0] == command and not failed.is_set():
            failed.set()
            if silently:
                return
            raise ConnectionError("broken pipe")
        await original(self, *args, **options)

    monkeypatch.setattr(AbstractConnection, "send_command", send)


async def test_what_could_not_be_subscribed_to_is_so_after_a_reconnection(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Running(valkey.url) as running:
        await running.until_connected()
        fail_once(monkeypatch, "SUBSCRIBE", silently=False)
        with pytest.raises(BusError):
            await running.subscriber.subscribe(["news"])
        await until(lambda: running.hears("news"))
        assert running.connected == 2


async def test_a_connection_that_fails_to_unsubscribe_is_made_anew(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Running(valkey.url) as running:
        await running.until_connected()
        await running.subscriber.subscribe(["news", "gossip"])
        fail_once(monkeypatch, "UNSUBSCRIBE", silently=False)
        with pytest.raises(BusError):
            await running.subscriber.unsubscribe(["gossip"])
        await running.until_connected(2)
        assert await running.hears("news")
        assert not await running.hears("gossip")
        assert running.subscriber.channels == {"news"}


async def test_a_connection_lost_between_two_commands_is_no_more_than_lost(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    async with Running(valkey.url) as running:
        await running.until_connected()
        await running.subscriber.subscribe(["a", "b"])
        original = AbstractConnection.send_command

        async def send(self: AbstractConnection, *args: str, **options: object) -> None:
            await original(self, *args, **options)
            if args[0] == "UNSUBSCRIBE" and running.connected == 1:
                await self.disconnect(nowait=True)
                await asyncio.sleep(0.02)

        monkeypatch.setattr(AbstractConnection, "send_command", send)
        with pytest.raises(BusError):
            await running.subscriber.unsubscribe(["a", "b"])
        await running.until_connected(2)
        assert running.subscriber.channels == set()


async def test_a_subscription_that_is_never_confirmed_is_made_anew(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEAF_AFTER_S", 0.2)
    monkeypatch.setattr(module, "PROBE_EVERY_S", 0.05)
    fail_once(monkeypatch, "SUBSCRIBE", silently=True)
    async with Running(valkey.url) as running:
        await running.subscriber.subscribe(["news"])
        async with asyncio.timeout(30):
            await running.until_connected()
        assert await running.hears("news")


async def test_the_lag_is_told_also_where_it_is_longer_than_from_probe_to_probe(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    late_s, publish = 0.5, Redis.publish

    def publish_late(self: Redis, channel: str, message: str) -> Awaitable[int]:
        loop = asyncio.get_running_loop()
        loop.call_later(late_s, lambda: asyncio.ensure_future(publish(self, channel, message)))
        return asyncio.sleep(0, 1)

    monkeypatch.setattr(module, "PROBE_EVERY_S", 0.05)
    monkeypatch.setattr(Redis, "publish", publish_late)
    async with Running(valkey.url) as running:
        await running.until_connected()
        await until(lambda: has(running.subscriber.lag_s))
        assert (running.subscriber.lag_s or 0) >= late_s
        late_s = 0.0
        await until(lambda: has((running.subscriber.lag_s or 1) < 0.4))


async def test_what_is_no_probe_harms_nothing(valkey: EmbeddedValkey) -> None:
    async with Running(valkey.url) as running:
        await running.until_connected()
        await running.redis.publish(names.probe("test"), b"boo")
        await running.subscriber.subscribe(["news"])
        await until(lambda: running.hears("news"))
        assert running.connected == 1
