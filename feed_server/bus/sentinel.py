"""Redis behind Sentinels: they say which of several servers is the master now.

The address is ``redis+sentinel://user:password@host:port,host:port/service/0``: the Sentinels, the
name that they know the servers by, and the database. User and password are the servers'; Sentinels
that want their own have them at the end: ``?sentinel_username=…&sentinel_password=…``.
"""

import time
from typing import TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

SCHEME = "redis+sentinel://"
EXPECTED = f"{SCHEME}host:port,host:port/service/0"
DEFAULT_PORT = 26_379
LOOK_EVERY_S = 1.0
LOOK_AFTER_FAILURE_S = 5.0


class Options(TypedDict):
    """Options of every connection, see `redis.asyncio.Redis`."""

    socket_connect_timeout: float
    socket_timeout: float
    socket_keepalive: bool
    retry: Retry
    protocol: int


class _FollowingPool(SentinelConnectionPool):
    """Connections to the master as it is now.

    One that was replaced but still answers, because it was cut off or has yet to be told, takes
    what is written there, and loses it: a connection that works is no proof.
    """

    _look_again_s = 0.0

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        now_s = time.monotonic()
        if now_s >= self._look_again_s:
            self._look_again_s = now_s + LOOK_EVERY_S
            try:
                await self.get_master_address()
            except MasterNotFoundError:
                # Nobody says that there is another.
                self._look_again_s = now_s + LOOK_AFTER_FAILURE_S
        if connection.is_connected and self.leads_elsewhere(connection):
            await connection.disconnect()
        await super().ensure_connection(connection)

    def leads_elsewhere(self, connection: AbstractConnection) -> bool:
        """Tell whether a connection leads to another server than the Sentinels named last."""
        address = (getattr(connection, "host", None), getattr(connection, "port", None))
        return self.master_address is not None and self.master_address != address


class _SentinelRedis(Redis):
    """A client that closes the connections to the Sentinels with its own."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        pool = self.connection_pool
        assert isinstance(pool, _FollowingPool)
        await pool.sentinel_manager.aclose()


def connect(url: str, options: Options) -> Redis:
    """Return a client of the master that the Sentinels name; nothing is sent yet.

    Args:
        url: See above.
        options: Of the connections, to the servers and to the Sentinels.

    Raises:
        ValueError: The address is malformed.
    """
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("the service is missing")
    query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    of_sentinels = {name: query.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    if query:
        raise ValueError(f"unknown option {next(iter(query))!r}")
    username, _, password = map(unquote, credentials.partition(":"))
    sentinels = Sentinel(
        [_address(text) for text in hosts.split(",")],
        sentinel_kwargs={**options, **of_sentinels},
        **options,
    )
    client: Redis = sentinels.master_for(
        service,
        redis_class=_SentinelRedis,
        connection_pool_class=_FollowingPool,
        db=int(database or 0),
        username=username or None,
        password=password or None,
    )
    return client


def leads_elsewhere(redis: Redis, connection: AbstractConnection) -> bool:
    """Tell whether a connection of a client is to a server that is not the master any more.

    What the Sentinels say is asked when the client is used.
    """
    pool = redis.connection_pool
    return isinstance(pool, _FollowingPool) and pool.leads_elsewhere(connection)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text, str(DEFAULT_PORT)
    if not host.strip("[]"):
        raise ValueError("a Sentinel's host is missing")
    return host.strip("[]"), int(port)
