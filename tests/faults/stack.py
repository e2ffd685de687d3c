"""A simulated market, and a gateway that serves it; the market can be stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from feed_server.bus.embedded import EmbeddedValkey
from tests.harness import FeedProcess

SYMBOLS = 8
HZ = 10.0
HEARTBEAT_MS = 1000


@dataclass(frozen=True)
class Stack:
    """What runs.

    Attributes:
        gateway: Serves clients.
        market: Makes trades; stop it, and the last quotes are the last.
        symbols: All there are.
    """

    gateway: FeedProcess
    market: FeedProcess
    symbols: list[str]


@contextmanager
def stack(log_entries: int) -> Iterator[Stack]:
    """Run a market of some instruments, each with some trades a second.

    Args:
        log_entries: Updates kept of each symbol for clients that come back.
    """
    valkey = EmbeddedValkey()
    valkey.start()
    settings = {
        "redis_url": valkey.url,
        "provider": "simulated",
        "simulated_symbols": str(SYMBOLS),
        "simulated_hz": str(HZ),
        "heartbeat_ms": str(HEARTBEAT_MS),
        "log_entries": str(log_entries),
    }
    market = FeedProcess(settings, role="ingest")
    try:
        market.spawn()
        with FeedProcess(settings, role="gateway") as gateway:
            listed = httpx.get(f"{gateway.url}/api/symbols", timeout=10).json()["symbols"]
            yield Stack(gateway, market, [info["symbol"] for info in listed])
    finally:
        market.stop()
        valkey.stop()
