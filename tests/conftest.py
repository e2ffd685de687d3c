"""Fixtures that several kinds of tests share."""

import signal
import ssl
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from tests.harness import FeedProcess, Write

pytest_plugins = ["tests.deadline", "tests.workers"]

# How long an example takes tells how busy the machine is, not what is wrong.
settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

# A shell's background job ignores SIGINT, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Each HTTP client would read them anew: 30 ms of a processor, with every look at a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    """A real Valkey, for all tests that need one."""
    server = EmbeddedValkey()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def fresh_valkey() -> Iterator[EmbeddedValkey]:
    """A real Valkey for one test, which may stop it."""
    server = EmbeddedValkey()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    """A client of the empty Valkey."""
    client = connect(valkey.url)
    try:
        await client.flushall()
        yield client
    finally:
        await client.aclose()


@pytest.fixture(scope="session")
def feed() -> Iterator[FeedProcess]:
    """A feed server that replays the built-in bars; no test may stop or change it."""
    with FeedProcess() as process:
        yield process


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into a folder of this test."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
