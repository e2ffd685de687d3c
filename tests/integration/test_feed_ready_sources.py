"""Whether a gateway is fit for traffic goes by all of its sources together."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.publisher import Publisher
from feed_server.protocol import SourceState, SourceStatus, SymbolInfo
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def gateway(fresh_valkey: EmbeddedValkey) -> Iterator[FeedProcess]:
    """A gateway, of which only the test is the sources."""
    asyncio.run(tell(fresh_valkey.url, one=SourceState.LIVE, other=SourceState.LIVE))
    process = FeedProcess({"redis_url": fresh_valkey.url}, role="gateway")
    process.spawn()
    yield process
    process.stop()


async def tell(url: str, **states: SourceState) -> None:
    """Publish how sources do, and a symbol of one of them."""
    redis = connect(url)
    publisher = Publisher(redis)
    await publisher.add_symbols([SymbolInfo("KO", "KO", "USD", 2, "one", "")])
    now_ms = time.time_ns() // 1_000_000
    for name, state in states.items():
        status = SourceStatus(name, "", state, f"{name} says so", None, now_ms)
        await publisher.publish_status(status)
    await redis.aclose()


def test_one_source_that_serves_is_enough(
    fresh_valkey: EmbeddedValkey, gateway: FeedProcess
) -> None:
    def is_ready_with(**states: SourceState) -> bool:
        asyncio.run(tell(fresh_valkey.url, **states))
        told = {s["source"]: s["state"] for s in _get(gateway, "/api/status").get("sources", ())}
        ready = _get(gateway, "/readyz")
        if told != {name: str(state) for name, state in states.items()}:
            return False
        reasons = ready.get("reasons", [])
        if SourceState.LIVE in states.values():
            return bool(ready["ready"])
        return all(f"source {name}: {name} says so" in reasons for name in states)

    up, down = SourceState.LIVE, SourceState.DOWN
    wait_for("it is ready", lambda: is_ready_with(one=up, other=up))
    wait_for("it is with one of them", lambda: is_ready_with(one=down, other=up))
    wait_for("it is not with none, and says why", lambda: is_ready_with(one=down, other=down))


def _get(gateway: FeedProcess, path: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = httpx.get(gateway.url + path, timeout=5).json()
    except httpx.TransportError:
        return {}
    return told
