import re

import pytest
from redis.asyncio import Redis
from redis.asyncio.sentinel import SentinelConnectionPool

from feed_server.bus.connection import connect, masked
from feed_server.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@host:6379/0", "redis://***@host:6379/0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://host:6379/0?password=secret", "redis://host:6379/0?***"),
        (
            "redis+sentinel://user:secret@one:26379,two:26380/market/0?sentinel_password=secret",
            "redis+sentinel://***@one:26379,two:26380/market/0?***",
        ),
    ],
)
def test_a_shown_address_holds_no_secret(url: str, shown: str) -> None:
    assert masked(url) == shown


def sentinel_pool(url: str) -> SentinelConnectionPool:
    pool = connect(url).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    return pool


def addresses(sentinels: list[Redis]) -> list[tuple[str, int]]:
    options = [sentinel.connection_pool.connection_kwargs for sentinel in sentinels]
    return [(option["host"], option["port"]) for option in options]


def test_sentinels_service_and_database_are_in_the_address() -> None:
    pool = sentinel_pool("redis+sentinel://one:26380,two,[::1]:7/market/3")
    sentinels = pool.sentinel_manager.sentinels
    assert addresses(sentinels) == [("one", 26380), ("two", 26379), ("::1", 7)]
    assert pool.service_name == "market"
    assert pool.connection_kwargs["db"] == 3


def test_servers_and_sentinels_have_their_own_passwords() -> None:
    pool = sentinel_pool("redis+sentinel://ann:p%40ss@one/market?sentinel_password=other")
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == (
        "ann",
        "p@ss",
    )
    (sentinel,) = pool.sentinel_manager.sentinels
    assert sentinel.connection_pool.connection_kwargs["password"] == "other"
    assert pool.connection_kwargs["db"] == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://host", "expected redis://host:port/0 or redis+sentinel://"),
        ("redis+sentinel://one:26379", "the service is missing"),
        ("redis+sentinel:///market", "host is missing"),
        ("redis+sentinel://one:port/market", "port"),
        ("redis+sentinel://one/market/x", "'x'"),
        ("redis+sentinel://one/market?passwrd=x", "unknown option 'passwrd'"),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(why)):
        connect(url)
