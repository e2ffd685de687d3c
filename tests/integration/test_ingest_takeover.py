"""Two ingests of one provider on one Redis: one works, the other waits and takes over."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from feed_server.bus import lock as locks
from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.errors import FencedError
from feed_server.ingest.worker import IngestWorker
from feed_server.protocol import SourceState
from tests.harness import PATIENCE_S, FeedProcess, until, wait_for
from tests.integration.test_ingest_flow import until_last
from tests.servers import ValkeyServer
from tests.tape import Tape, ingest_bus
from tests.updates import update

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long, for a machine that has much to do may keep whoever renews it waiting.
    monkeypatch.setattr(locks, "LOCK_MS", 60_000)
    monkeypatch.setattr(locks, "RENEW_EVERY_S", 0.1)
    monkeypatch.setattr(locks, "TRY_EVERY_S", 0.1)


@pytest.fixture
def expires_soon(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_MS", 600)


class Ingest:
    """A worker with a connection of its own."""

    def __init__(self, url: str) -> None:
        self.tape = Tape()
        self.redis = connect(url)
        self.publisher = Publisher(self.redis)
        self.lock = ProviderLock(self.redis, self.tape.name)
        bus = ingest_bus(self.redis, self.publisher, lock=self.lock)
        self._worker = IngestWorker([self.tape], bus, loop=False)
        self.task = asyncio.create_task(self._worker.run())

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.redis.aclose()

    async def die(self) -> None:
        """End without a word, as when killed."""
        self.lock.release = asyncio.Event().wait  # type: ignore[assignment,method-assign]
        self.task.cancel()
        await asyncio.sleep(0)
        await self.redis.aclose()


@asynccontextmanager
async def two(valkey: EmbeddedValkey) -> AsyncIterator[tuple[Ingest, Ingest]]:
    """Two of which the first is at work."""
    started = [Ingest(valkey.url)]
    try:
        await until(lambda: holds(started[0].lock))
        started.append(Ingest(valkey.url))
        yield started[0], started[1]
    finally:
        for ingest in reversed(started):
            await ingest.end()


async def holds(lock: ProviderLock) -> bool:
    return lock.holds


async def streams(redis: Redis) -> bool:
    return [status.state for status in await Reader(redis).statuses()] == [SourceState.LIVE]


@asynccontextmanager
async def heard(valkey: EmbeddedValkey) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Keep what is published of BAC and of the sources."""
    messages: list[tuple[str, bytes]] = []
    redis, connected = connect(valkey.url), asyncio.Event()
    subscriber = Subscriber(
        redis, "test", lambda channel, payload: messages.append((channel, payload)), connected.set
    )
    await subscriber.subscribe([names.updates("BAC"), names.STATUS_CHANNEL])
    task = asyncio.create_task(subscriber.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await connected.wait()
        yield messages
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()


async def test_of_two_only_one_publishes_and_its_data_stays(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async with two(valkey) as (first, second):
        first.tape.trade("BAC", 1)
        await until(lambda: streams(redis))
        async with heard(valkey) as messages:
            for price in range(2, 17):
                for ingest in (first, second):
                    ingest.tape.trade("BAC", price)
                await until_last(redis, "BAC", price)
                await asyncio.sleep(0.1)
        assert not second.lock.holds
        assert second.tape.streamed == 0
    updates = [StoredUpdate.from_message(m) for c, m in messages if c == names.updates("BAC")]
    assert [u.offset for u in updates] == list(range(2, 17))
    assert len({u.epoch for u in updates}) == 1
    times = [u.update.quote.time_ms for u in updates]
    assert times == sorted(times)
    statuses = [payload for channel, payload in messages if channel == names.STATUS_CHANNEL]
    assert all(b"streaming" in status for status in statuses)


@pytest.mark.usefixtures("expires_soon")
async def test_the_other_takes_over_when_the_working_one_is_killed(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async with two(valkey) as (first, second):
        first.tape.trade("BAC", 1)
        before = await until_last(redis, "BAC", 1)
        await first.die()
        second.tape.trade("BAC", 2)
        after = await until_last(redis, "BAC", 2)
        assert (after.epoch, after.offset) == (before.epoch, before.offset + 1)
        assert second.tape.taken == {"BAC": 1, "IBM": 0}
        assert second.publisher.fence > first.publisher.fence
        await until(lambda: streams(redis))


async def test_one_that_ends_properly_lets_the_other_in_at_once(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async with two(valkey) as (first, second):
        await first.end()
        second.tape.trade("BAC", 2)
        await until_last(redis, "BAC", 2)


@pytest.mark.usefixtures("expires_soon")
async def test_one_that_was_paused_publishes_nothing_after_the_other_took_over(
    redis: Redis, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(valkey) as (first, second):
        first.tape.trade("BAC", 1)
        await until_last(redis, "BAC", 1)
        # As if the first were paused, but for what it still sends.
        monkeypatch.setattr(first.lock, "_hold", lambda _number: asyncio.Event().wait())
        second.tape.trade("BAC", 5)
        kept = await until_last(redis, "BAC", 5)
        first.tape.trade("BAC", 2)
        first.tape.trade("BAC", 3)
        with pytest.raises(FencedError):
            await first.publisher.publish([update("BAC", 9, time_ms=10**15)])
        with pytest.raises(FencedError):
            await first.publisher.begin_epoch("BAC", "mine", [])
        await asyncio.sleep(0.5)
        after = (await Reader(redis).last_values(["BAC"]))["BAC"]
        assert after == kept
        second.tape.trade("BAC", 6)
        assert (await until_last(redis, "BAC", 6)).epoch == kept.epoch


async def test_two_without_a_lock_do_not_wipe_each_other(redis: Redis) -> None:
    one, other = Tape(), Tape()
    for _ in range(5):
        other.trade("IBM", 1)
    workers = [IngestWorker([tape], ingest_bus(redis), loop=False) for tape in (one, other)]
    first = asyncio.create_task(workers[0].run())
    one.trade("BAC", 1)
    await until_last(redis, "BAC", 1)
    second = asyncio.create_task(workers[1].run())
    other.trade("BAC", 2)
    kept = await until_last(redis, "BAC", 2)
    one.trade("BAC", 3)
    await asyncio.wait([first], timeout=PATIENCE_S)
    second.cancel()
    await asyncio.wait([second])
    assert first.done()
    assert isinstance(first.exception(), BaseExceptionGroup)
    assert (await Reader(redis).last_values(["BAC"]))["BAC"] == kept


def test_a_process_that_is_frozen_and_replaced_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server:
        settings = {"redis_url": server.url, "replay_speed": "3000"}
        first = FeedProcess(settings, role="ingest")
        second = FeedProcess(settings, role="ingest")
        key = names.last_value("AAPL")
        try:
            first.spawn()
            wait_for("the first works", lambda: b"AAPL" in server.ask("HGET", key, "update"))
            fence = server.ask("HGET", key, "fence")
            second.spawn()
            time.sleep(3)
            assert server.ask("HGET", key, "fence") == fence, "the second waits"
            assert first.process is not None
            first.process.send_signal(signal.SIGSTOP)
            wait_for(
                "the second works",
                lambda: server.ask("HGET", key, "fence") not in (fence, b"$-1\r\n"),
            )
            wait_for("its data is there", lambda: b"AAPL" in server.ask("HGET", key, "update"))
            epoch = server.ask("HGET", key, "epoch")
            first.process.send_signal(signal.SIGCONT)
            time.sleep(3)
            assert server.ask("HGET", key, "epoch") == epoch
        finally:
            first.stop()
            second.stop()
