"""Connections to Redis."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from feed_server.bus import sentinel
from feed_server.errors import BusError, ConfigurationError

CONNECT_TIMEOUT_S = 3.0

log = structlog.get_logger(__name__)

_OPTIONS: sentinel.Options = {
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "socket_timeout": CONNECT_TIMEOUT_S,
    "socket_keepalive": True,
    "retry": Retry(NoBackoff(), 0),
    # What is published comes as a push message in RESP3, which redis-py reads more slowly.
    "protocol": 2,
}


def connect(url: str) -> Redis:
    """Return a client of the server at ``url``; nothing is sent yet.

    It does not retry by itself: who calls knows what a failure means and when to try again.

    Args:
        url: ``redis://…``, ``rediss://…``, ``unix://…``, or ``redis+sentinel://…``, see
            `feed_server.bus.sentinel`.

    Raises:
        ConfigurationError: It is no Redis address.
    """
    try:
        if url.startswith(sentinel.SCHEME):
            return sentinel.connect(url, _OPTIONS)
        return Redis.from_url(url, **_OPTIONS)
    except ValueError as error:
        raise ConfigurationError(
            f"QUOTEWIRE_REDIS_URL is no Redis address ({error}): expected redis://host:port/0 "
            f"or {sentinel.EXPECTED}"
        ) from None


def masked(url: str) -> str:
    """Return a Redis address that can be shown: without user, password and options."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        parts = parts._replace(netloc="***@" + parts.netloc.rsplit("@", 1)[1])
    return parts._replace(query="***" if parts.query else "").geturl()


def _reason(error: Exception) -> str:
    if isinstance(error, ResponseError):
        return "Redis refused it"
    if isinstance(error, (RedisTimeoutError, TimeoutError)):
        return "Redis does not answer in time"
    return "Redis cannot be reached"


@contextmanager
def bus_errors(doing: str) -> Iterator[None]:
    """Turn what the Redis library raises into `BusError`; wrap every call of it in a task.

    The error's text is fit for strangers, with no address in it; the log has the details.

    It also ends the task where the library has swallowed its cancellation: redis-py 8.1 does when
    that comes while a connection is being made, and who waited for the task would wait for ever.
    """
    task = asyncio.current_task()
    cancelled_before = task.cancelling() if task is not None else 0
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        # What the library says names servers; our own text goes to strangers.
        log.info("redis failed", doing=doing, error=str(error) or type(error).__name__)
        raise BusError(f"{doing}: {_reason(error)}") from error
    finally:
        if task is not None and task.cancelling() > cancelled_before:
            raise asyncio.CancelledError
