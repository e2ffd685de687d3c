"""A feed as a user starts it, with a simulated market that is as busy as a benchmark wants it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from benchmarks.children import Child
from benchmarks.feed import is_ready
from benchmarks.simulated import activity_now
from tests.harness import clean_environment, free_port


@contextmanager
def simulated_feed(symbols: int, hz: float, **settings: str) -> Iterator[Child]:
    """Give ``python -m feed_server`` that is ready, with a Valkey of its own.

    Args:
        symbols: How many the market has.
        hz: Trades a second of each, on average, at this hour.
        settings: Others of the feed, without their prefix.
    """
    port = free_port()
    environment = clean_environment(
        feed_port=str(port),
        provider="simulated",
        simulated_symbols=str(symbols),
        simulated_hz=str(hz / activity_now()),
        log_level="error",
        **settings,
    )
    with Child([sys.executable, "-m", "feed_server"], port, environment) as child:
        child.wait_until("it is ready", lambda: is_ready(port))
        yield child


def symbols_of(feed: Child) -> list[str]:
    """Return a feed's symbols."""
    answer = httpx.get(f"http://127.0.0.1:{feed.port}/api/symbols", timeout=30)
    return [info["symbol"] for info in answer.raise_for_status().json()["symbols"]]
