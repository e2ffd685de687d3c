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
# KEYS as above. ARGV: 1 token, 2 number held. No renewal with that number is good after it: one may
# be under way on another connection, and its sender be gone.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
local number = tonumber(ARGV[2])
if number > 0 and number >= tonumber(redis.call('GET', KEYS[2]) or 0) then
  redis.call('SET', KEYS[2], string.format('%d', number + 1))
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
        self._number = 0  # of the claim that goes on; 0 where none does
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
                began_s = time.monotonic()
                if number := await self._hold(0):
                    self._number, self._until_s = number, began_s + LOCK_MS / 1000
                    return number
                if not told:
                    told = True
                    log.warning("another ingest is at work; waiting", provider=self._provider)
            except BusError as error:
                log.warning("redis is away; trying again", error=str(error))
            await asyncio.sleep(TRY_EVERY_S)

    async def keep(self) -> None:
        """Renew the lock until cancelled.

        Raises:
            FencedError: It is another's now, or was, or has been released.
        """
        number = self._number
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            if not await self._renew(number):
                break
        if number == 0 or number != self._number:
            raise FencedError(f"{self._provider} has been released")
        self._until_s = 0.0
        raise FencedError(f"another ingest has taken over {self._provider}")

    async def _renew(self, number: int) -> bool:
        """Hold on to the claim of a number; tell whether it goes on."""
        while number and self._number == number:
            began_s = time.monotonic()
            try:
                held = await self._hold(number)
            except BusError as error:
                log.warning("the lock could not be renewed", error=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            # Released meanwhile, it is not ours, whatever Redis said before it knew.
            if not held or self._number != number:
                return False
            self._until_s = began_s + LOCK_MS / 1000
            return True
        return False

    async def release(self) -> None:
        """Let another have it at once; who keeps it stops.

        Raises:
            BusError: Redis could not be reached; the lock will expire.
        """
        number, self._number, self._until_s = self._number, 0, 0.0
        with bus_errors("releasing a lock"):
            await self._redis.eval(_RELEASE, 2, *self._keys, self._token, str(number))

    async def _hold(self, number: int) -> int:
        with bus_errors("taking a lock"):
            return cast(
                int,
                await self._redis.eval(
                    _HOLD, 2, *self._keys, self._token, str(LOCK_MS), str(number)
                ),
            )
