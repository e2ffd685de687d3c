"""How each gateway does, told to all others through Redis; and how Redis itself does."""

import asyncio
import time
from collections import ChainMap
from collections.abc import Mapping
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.errors import BusError
from feed_server.protocol import GatewayReport, RedisState, encode

EXPIRES_MS = 6_000
"""A report that is not renewed for so long is no longer true, as is a lease."""

REFRESH_S = 1.5
"""Who asks more often is told the same again: each page that shows it asks every 2 s."""
SECTIONS = ("server", "clients", "memory", "stats", "replication")
"""Of Redis's ``INFO``: others, such as of each command, cost it more than all that we tell."""

log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(GatewayReport).decode


class GatewayReports:
    """What gateways say of themselves, for as long as they say it.

    Args:
        redis: The client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._asking = asyncio.Lock()
        self._told: tuple[RedisState, list[GatewayReport]] | None = None
        self._told_at = 0.0

    async def tell(self, report: GatewayReport) -> None:
        """Keep a gateway's account of itself.

        Raises:
            BusError: Redis could not be reached; the next one makes up for it.
        """
        with bus_errors("telling how a gateway does"):
            await self._redis.set(
                names.gateway_report(report.server), encode(report), px=EXPIRES_MS
            )

    async def all(self) -> tuple[RedisState, list[GatewayReport]]:
        """Return how Redis does, and all gateways that live, as of `REFRESH_S` ago at most.

        Where Redis is away, no gateway is told of.
        """
        async with self._asking:
            if self._told is None or time.monotonic() - self._told_at > REFRESH_S:
                self._told = await self._ask()
                self._told_at = time.monotonic()
            return self._told

    async def _ask(self) -> tuple[RedisState, list[GatewayReport]]:
        state = await self.redis_state()
        if not state.reachable:
            return state, []
        try:
            return state, await self.read()
        except BusError as error:
            log.info("other gateways are not told of", error=str(error))
            return state, []

    async def read(self) -> list[GatewayReport]:
        """Return what all gateways say that live, in order of their names.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("reading how gateways do"):
            servers = cast(list[bytes], await self._redis.zrange(names.SERVERS, 0, -1))
            if not servers:
                return []
            async with self._redis.pipeline(transaction=False) as pipe:
                for server in servers:
                    pipe.get(names.gateway_report(server.decode()))
                kept = cast(list[bytes | None], await pipe.execute())
        return sorted(filter(None, map(_report, kept)), key=lambda report: report.server)

    async def redis_state(self) -> RedisState:
        """Return how Redis does, also where it cannot be reached."""
        began_s = time.monotonic()
        try:
            with bus_errors("reaching Redis"):
                await self._redis.ping()
        except BusError as error:
            return RedisState(reachable=False, message=str(error))
        ping_ms = round((time.monotonic() - began_s) * 1000, 2)
        try:
            with bus_errors("reading how Redis does"):
                async with self._redis.pipeline(transaction=False) as pipe:
                    for section in SECTIONS:  # several at once are known from Redis 7 on only
                        pipe.info(section)
                    told = cast(list[Mapping[str, object]], await pipe.execute())
        except BusError as error:
            refused = isinstance(error.__cause__, ResponseError)
            message = "Redis may not be asked how it does" if refused else str(error)
            return RedisState(reachable=True, message=message, ping_ms=ping_ms)
        return redis_state(ChainMap(*map(dict, told)), ping_ms)


def redis_state(told: Mapping[str, object], ping_ms: float) -> RedisState:
    """Return what Redis's ``INFO`` tells, as redis-py reads it.

    Args:
        told: By the name of the field.
        ping_ms: How long an answer took.
    """

    def number(name: str) -> int | None:
        value = told.get(name)
        return int(value) if isinstance(value, (int, float)) else None

    def text(*names_: str) -> str | None:
        return next((str(told[name]) for name in names_ if told.get(name)), None)

    return RedisState(
        reachable=True,
        ping_ms=ping_ms,
        version=text("valkey_version", "redis_version"),
        role=text("role"),
        uptime_s=number("uptime_in_seconds"),
        clients=number("connected_clients"),
        used_memory_bytes=number("used_memory"),
        max_memory_bytes=number("maxmemory"),
        commands_per_s=number("instantaneous_ops_per_sec"),
        evicted_keys=number("evicted_keys"),
        channels=number("pubsub_channels"),
    )


def _report(text: bytes | None) -> GatewayReport | None:
    """Return a report; none where there is none, or it is of another version of this program."""
    if text is None:
        return None
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        log.warning("a gateway's report cannot be read", error=str(error))
        return None
