"""Which symbols somebody wants: what gateways say, for as long as they live."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.pipeline import Argument

LEASE_MS = 6_000
"""A gateway that has not renewed its lease for so long has ended: what it wanted is not wanted."""

RENEW_EVERY_S = 2.0
"""So that two renewals may fail before a lease is lost."""

FORGET_MS = 3_600_000
"""The names of gateways that said nothing for so long are removed; only their names remained."""

NUMBER_FIELD = ""
"""Where a lease says which change it is; no symbol is called so."""


class Seen(msgspec.Struct, frozen=True):
    """A source has seen what gateways want, and has published how that stands.

    Attributes:
        source: The provider's name.
        numbers: By gateway the number of its last change that was seen, see `Leases.number`.
    """

    source: str
    numbers: dict[str, int]


encode_seen = msgspec.json.Encoder().encode
decode_seen = msgspec.json.Decoder(Seen).decode


class Leases:
    """What one gateway wants: a hash in Redis that expires unless it is renewed.

    Args:
        redis: The client.
        server: The gateway's name.

    Attributes:
        server: The gateway's name.
        number: Of the last change of what is held; `Seen` tells which one a source has seen.
    """

    def __init__(self, redis: Redis, server: str) -> None:
        self.server = server
        self.number = 0
        self._redis = redis
        self._changing = asyncio.Lock()
        self._key = names.server(server)
        self._held: dict[str, int] = {}
        self._certain = False

    async def hold(self, counts: Mapping[str, int]) -> None:
        """Want these symbols and no others, and renew the lease.

        Where one comes or goes, it says so on the channel `names.SUBSCRIPTIONS`.

        Args:
            counts: By symbol how many want it; 0 where it is kept current although nobody does.

        Raises:
            BusError: Redis could not be reached; the next call makes up for it.
        """
        async with self._changing:
            await self._hold(counts)

    async def _hold(self, counts: Mapping[str, int]) -> None:
        changed = counts.keys() != self._held.keys()
        self.number += changed
        certain, self._certain = self._certain, False
        before, self._held = self._held, dict(counts)
        with bus_errors("holding leases"):
            if not certain or await self._change(before) != len(counts) + 1:
                await self._rewrite()
                changed = True
            if changed:
                await self._redis.publish(names.SUBSCRIPTIONS, b"")
        self._certain = True

    async def renew(self) -> None:
        """Hold on to what is held, at a cost that does not grow with it.

        Raises:
            BusError: Redis could not be reached; the next call makes up for it.
        """
        async with self._changing:
            await self._hold(self._held)

    async def release(self) -> None:
        """Want nothing any more, and be forgotten.

        Raises:
            BusError: Redis could not be reached; the lease will expire.
        """
        self._held, self._certain = {}, False
        with bus_errors("releasing leases"):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(self._key)
                pipe.zrem(names.SERVERS, self.server)
                pipe.publish(names.SUBSCRIPTIONS, b"")
                await pipe.execute()

    async def _change(self, before: Mapping[str, int]) -> int:
        """Write what differs; return how many symbols there are now: others if Redis lost some."""
        changed = _fields(self._held.items() - before.items())
        removed = before.keys() - self._held.keys()
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key, mapping={**changed, NUMBER_FIELD: self.number})
            if removed:
                pipe.hdel(self._key, *removed)
            self._stay(pipe)
            pipe.hlen(self._key)
            *_, length = await pipe.execute()
        return cast(int, length)

    async def _rewrite(self) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._key)
            fields = _fields(self._held.items())
            pipe.hset(self._key, mapping={**fields, NUMBER_FIELD: self.number})
            self._stay(pipe)
            await pipe.execute()

    def _stay(self, pipe: Pipeline) -> None:
        now_ms = time.time_ns() // 1_000_000
        pipe.pexpire(self._key, LEASE_MS)
        pipe.zadd(names.SERVERS, {self.server: now_ms})
        pipe.zremrangebyscore(names.SERVERS, "-inf", now_ms - FORGET_MS)


def _fields(counts: Iterable[tuple[str, int]]) -> dict[Argument, Argument]:
    """Return counts as the fields of a hash, as redis-py types them."""
    return {symbol: count for symbol, count in counts}  # noqa: C416


class Wanted(msgspec.Struct, frozen=True):
    """What all gateways that live want together.

    Attributes:
        counts: By wanted symbol how many want it.
        numbers: By gateway the number of its last change.
    """

    counts: dict[str, int]
    numbers: dict[str, int]


class WantedReader:
    """What all gateways want together."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def counts(self) -> dict[str, int]:
        """Return by wanted symbol how many want it, summed over the gateways that live.

        Raises:
            BusError: Redis could not be reached.
        """
        return (await self.read()).counts

    async def read(self) -> Wanted:
        """Return what is wanted, and which change of it that is.

        Raises:
            BusError: Redis could not be reached.
        """
        total: Counter[str] = Counter()
        numbers: dict[str, int] = {}
        with bus_errors("reading leases"):
            servers = cast(list[bytes], await self._redis.zrange(names.SERVERS, 0, -1))
            if not servers:
                return Wanted({}, {})
            async with self._redis.pipeline(transaction=False) as pipe:
                for server in servers:
                    pipe.hgetall(names.server(server.decode()))
                leases = cast(list[dict[bytes, bytes]], await pipe.execute())
        for server, lease in zip(servers, leases, strict=True):
            counts = {symbol.decode(): int(count) for symbol, count in lease.items()}
            if NUMBER_FIELD in counts:
                numbers[server.decode()] = counts.pop(NUMBER_FIELD)
            total.update(counts)
        return Wanted(dict(total), numbers)
