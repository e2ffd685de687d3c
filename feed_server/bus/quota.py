"""A vendor's limits, kept to by all processes together and over restarts."""

import secrets
from collections.abc import Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.scripts import Script

MARGIN_MS = 250
"""Requests reach the vendor sooner or later than they were sent: its stretches are taken longer."""

_SPEND = Script.of_file("quota.lua")
# KEYS: 1 until when nothing may be spent. ARGV: 1 milliseconds. A longer block stays.
_BLOCK = Script("""
local clock = redis.call('TIME')
local until_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000) + ARGV[1]
if until_ms > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], string.format('%d', until_ms), 'PX', ARGV[1])
end
""")


class Grant(msgspec.Struct, frozen=True):
    """What may be spent now.

    Attributes:
        credits: How many, of those asked for.
        wait_s: Where there are none: in how many seconds there will be one.
        left: What is left of each limit.
    """

    credits: int
    wait_s: float
    left: list[int]


class Quota:
    """One vendor's limits; every stretch of time counts, so that no clock has to agree with ours.

    Args:
        redis: The client.
        provider: The provider's name.
        limits: Pairs of how many credits and the stretch's length in seconds.
    """

    def __init__(self, redis: Redis, provider: str, limits: Sequence[tuple[int, float]]) -> None:
        self._redis = redis
        self._keys = (names.quota(provider), names.quota_blocked(provider))
        self._limits: list[int] = []
        for limit, per_s in limits:
            self._limits += (limit, round(per_s * 1000) + MARGIN_MS)
        self._redis = redis

    async def take(self, at_most: int) -> Grant:
        """Spend as many credits as there are, ``at_most``; 0 only asks what is left.

        Raises:
            BusError: Redis could not be reached: whether they are spent is not known.
        """
        arguments: list[str | int] = [at_most, secrets.token_hex(8), *self._limits]
        with bus_errors("spending a quota"):
            answer = await _SPEND.run(self._redis, self._keys, *arguments)
        granted, wait_ms, *left = cast(list[int], answer)
        return Grant(granted, wait_ms / 1000, left)

    async def block(self, for_s: float) -> None:
        """Let nobody spend for a while: the vendor said so.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("blocking a quota"):
            await _BLOCK.run(self._redis, self._keys[1:], max(1, round(for_s * 1000)))


class Quotas:
    """Gives vendors' budgets in one Redis.

    Args:
        redis: The client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def of(self, provider: str, limits: Sequence[tuple[int, float]]) -> Quota:
        """Return the budget of a provider, see `Quota`."""
        return Quota(self._redis, provider, limits)
