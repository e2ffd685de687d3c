"""The lock of a provider: whose it is, also when Redis loses it or hears late of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import pytest
from redis.asyncio import Redis

from feed_server.bus import lock as locks
from feed_server.bus import names
from feed_server.bus.lock import ProviderLock
from feed_server.errors import FencedError
from tests.harness import PATIENCE_S, until

pytestmark = pytest.mark.integration

T = TypeVar("T")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long, for a machine that has much to do may keep whoever renews it waiting.
    monkeypatch.setattr(locks, "LOCK_MS", 60_000)
    monkeypatch.setattr(locks, "RENEW_EVERY_S", 0.1)
    monkeypatch.setattr(locks, "TRY_EVERY_S", 0.1)


async def test_a_lock_that_redis_lost_stays_with_who_had_it(redis: Redis) -> None:
    lock, other = ProviderLock(redis, "tape"), ProviderLock(redis, "tape")
    number = await lock.acquire()
    async with running(lock.keep()) as kept:
        await redis.flushall()
        await until(lambda: exists(redis, names.lock("tape")))
        async with running(other.acquire()) as trying:
            done, _ = await asyncio.wait([kept, trying], timeout=0.5)
            assert not done
            await lock.release()
            assert await within(trying) > number
        with pytest.raises(FencedError):
            await within(kept)
    assert not lock.holds


@pytest.mark.parametrize("redis_knows", ["first", "last"])
async def test_a_lock_that_was_released_is_not_taken_again_by_a_renewal_under_way(
    redis: Redis, *, redis_knows: str
) -> None:
    """In both orders in which Redis may see them: they go over two connections."""
    slow = SlowRenewals(redis, reply_only=redis_knows == "first")
    lock, other = ProviderLock(cast(Redis, slow), "tape"), ProviderLock(redis, "tape")
    number = await lock.acquire()
    async with running(lock.keep()) as kept:
        await within(slow.begun.wait())
        await lock.release()
        slow.go_on.set()
        with pytest.raises(FencedError):
            await within(kept)
    assert not lock.holds
    assert await within(other.acquire()) > number


async def test_who_has_released_may_take_the_lock_again(redis: Redis) -> None:
    lock = ProviderLock(redis, "tape")
    number = await lock.acquire()
    async with running(lock.keep()) as earlier:
        await lock.release()
        assert await within(lock.acquire()) > number
        with pytest.raises(FencedError):
            await within(earlier)
        assert lock.holds


class SlowRenewals:
    """A client of which the second command, the first renewal, or its reply, is under way long."""

    def __init__(self, redis: Redis, *, reply_only: bool) -> None:
        self._redis = redis
        self._reply_only = reply_only
        self._asked = 0
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def eval(self, script: str, count: int, *arguments: str) -> object:
        self._asked += 1
        slow = self._asked == 2
        if not slow or self._reply_only:
            reply = await self._redis.eval(script, count, *arguments)
        if slow:
            self.begun.set()
            await self.go_on.wait()
        if slow and not self._reply_only:
            reply = await self._redis.eval(script, count, *arguments)
        return reply


@asynccontextmanager
async def running(doing: Coroutine[object, object, T]) -> AsyncIterator[asyncio.Task[T]]:
    task = asyncio.create_task(doing)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def within(awaited: Awaitable[T]) -> T:
    """Return a result that must come."""
    async with asyncio.timeout(PATIENCE_S):
        return await awaited


async def exists(redis: Redis, key: str) -> bool:
    return bool(await redis.exists(key))


async def test_numbers_rise_also_when_redis_has_lost_the_highest(redis: Redis) -> None:
    lock = ProviderLock(redis, "tape")
    first = await lock.acquire()
    await redis.flushall()
    await asyncio.sleep(0.005)
    assert await ProviderLock(redis, "tape").acquire() > first
