"""Who may carry a provider's data: one at a time, and what an earlier one still sends is refused.

A lock alone does not do: who holds it may be paused, and go on when it is another's. So each time
it is taken it gets a higher number, which is kept with all that is published: `Publisher.fence`.
"""

import asyncio
import secrets
import time
from typing import cast

import structlog
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.errors import BusError, FencedError

LOCK_MS = 6_000
"""Who has not renewed the lock for so long has ended, or cannot reach Redis."""
RENEW_EVERY_S = 2.0
TRY_EVERY_S = 1.0
RETRY_S = 0.5

# KEYS: 1 lock, 2 the highest number. ARGV: 1 token, 2 milliseconds, 3 number held, 0 for a new one.
# Returns the number; 0 where the lock is another's, or was since. Numbers are times where that is
# higher, so that they rise also when Redis has lost the highest.
_HOLD = """
local holder = redis.call('GET', KEYS[1])
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
local number = tonumber(ARGV[3])
if (holder and holder ~= ARGV[1]) or (number > 0 and number < last) then
  return 0
end
if number == 0 then
  local now = redis.call('TIME')
  number = math.max(last + 1, tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000))
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], string.format('%d', number))
return number
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""

log = structlog.get_logger(__name__)


class ProviderLock:
    """One ingest's claim to a provider.

    Args:
        redis: The client.
        provider: The provider's name.
    """

    def __init__(self, redis: Redis, provider: str) -> None:
        self._redis = redis
        self._provider = provider
        self._keys = (names.lock(provider), names.fence(provider))
        self._token = secrets.token_hex(8)
        self._number = 0
        self._until_s = 0.0

    @property
    def holds(self) -> bool:
        """Whether it is certain that nobody else has taken the lock."""
        return time.monotonic() < self._until_s

    async def acquire(self) -> int:
        """Wait until the lock is ours; return its new number."""
        self._number, self._until_s = 0, 0.0
        told = False
        while True:
            try:
                if await self._hold():
                    return self._number
                if not told:
                    told = True
                    log.warning("another ingest is at work; waiting", provider=self._provider)
            except BusError as error:
                log.warning("redis is away; trying again", error=str(error))
            await asyncio.sleep(TRY_EVERY_S)

    async def keep(self) -> None:
        """Renew the lock until cancelled.

        Raises:
            FencedError: It is another's now, or was.
        """
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            while True:
                try:
                    if await self._hold():
                        break
                except BusError as error:
                    log.warning("the lock could not be renewed", error=str(error))
                    await asyncio.sleep(RETRY_S)
                    continue
                self._until_s = 0.0
                raise FencedError(f"another ingest has taken over {self._provider}")

    async def release(self) -> None:
        """Let another have it at once.

        Raises:
            BusError: Redis could not be reached; the lock will expire.
        """
        self._until_s = 0.0
        with bus_errors("releasing a lock"):
            await self._redis.eval(_RELEASE, 1, self._keys[0], self._token)

    async def _hold(self) -> bool:
        began_s = time.monotonic()
        with bus_errors("taking a lock"):
            number = cast(
                int,
                await self._redis.eval(
                    _HOLD, 2, *self._keys, self._token, str(LOCK_MS), str(self._number)
                ),
            )
        if number:
            self._number, self._until_s = number, began_s + LOCK_MS / 1000
        return bool(number)
