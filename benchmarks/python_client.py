"""Updates a second that a reader of the Python client gets, with nothing left out, on one core.

The feed is `benchmarks.storm`, on another core: its frames of 50 rows are ready beforehand, so that
it waits for the client, never the client for it. The reader is a notebook's loop:
``async for quote in feed.quotes(..., keep="every")``; it counts, and looks whether all have come.

Beside it the bare limit: Tornado's client that reads the same frames, and msgspec that decodes
them; nothing else.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from tornado.websocket import websocket_connect

from benchmarks.children import Child
from benchmarks.figures import show, show_at_least, show_ratio
from benchmarks.storm import ROWS, SYMBOLS
from dashboard.client import FeedClient
from feed_server.protocol import Bars, Quotes, Trades, decode_server_message
from tests.harness import free_port

RUNS = 5
FRAMES = 4_000
TARGET_PER_S = 50_000
TIMEOUT_S = 60.0

Read = Callable[[int], Awaitable[int]]
"""Reads all from a port; returns how many updates have come."""


async def quotes(port: int) -> int:
    """Read quotes, the snapshot's as well."""
    async with FeedClient(f"http://127.0.0.1:{port}", mode="websocket") as feed:
        stream = feed.quotes(*SYMBOLS, keep="every", limit=(FRAMES + 1) * ROWS)
        return await _count(stream)


async def trades(port: int) -> int:
    """Read trades."""
    async with FeedClient(f"http://127.0.0.1:{port}", mode="websocket") as feed:
        return await _count(feed.trades(*SYMBOLS, limit=FRAMES * ROWS))


async def bars(port: int) -> int:
    """Read one symbol's final bars."""
    async with FeedClient(f"http://127.0.0.1:{port}", mode="websocket") as feed:
        return await _count(feed.bars(SYMBOLS[0], "1s", keep="every", limit=FRAMES * ROWS))


async def _count(stream: AsyncIterator[object]) -> int:
    count = 0
    async for _ in stream:
        count += 1
    return count


async def bare(port: int, channel: str) -> int:
    """Read and decode the same messages, and no more."""
    socket = await websocket_connect(f"ws://127.0.0.1:{port}/ws")
    await socket.write_message(
        f'{{"type":"subscribe","id":1,"channel":"{channel}","symbols":["S00"]}}'
    )
    count, frames = 0, 0
    while frames <= FRAMES:
        text = await socket.read_message()
        assert text is not None
        message = decode_server_message(text)
        if isinstance(message, Quotes | Trades | Bars):
            frames += 1
            count += len(message.rows)
    socket.close()
    return count


def main() -> None:
    """Measure and print."""
    print(f"python_client: {FRAMES * ROWS:,} updates in frames of {ROWS}, read on one core")
    for channel, read in {"quotes": quotes, "trades": trades, "bars": bars}.items():
        _measure_channel(channel, read)


def _measure_channel(channel: str, read: Read) -> None:
    rates, costs, bare_rates, bare_costs = [], [], [], []
    port = free_port()
    with _storm(channel, port):
        for _ in range(RUNS):
            rate, cost = _measure(read, port)
            rates.append(rate)
            costs.append(cost)
            rate, cost = _measure(lambda port: bare(port, channel), port)
            bare_rates.append(rate)
            bare_costs.append(cost)
    show_at_least(f"{channel} to an `async for`", rates, "updates/s", TARGET_PER_S)
    show(f"{channel}, processor time", costs, "µs an update")
    show("Tornado and msgspec alone", bare_rates, "updates/s")
    show("Tornado and msgspec alone, processor time", bare_costs, "µs an update")
    show_ratio("processor time, of Tornado and msgspec alone", costs, bare_costs)


def _measure(read: Read, port: int) -> tuple[float, float]:
    """Return updates a second, and processor time an update in microseconds."""
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    count = asyncio.run(_within_time(read(port)))
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_began_s
    assert count >= FRAMES * ROWS, f"{count} of {FRAMES * ROWS} updates have come"
    return count / wall_s, cpu_s / count * 1e6


async def _within_time(reading: Awaitable[int]) -> int:
    async with asyncio.timeout(TIMEOUT_S):
        return await reading


@contextmanager
def _storm(channel: str, port: int) -> Iterator[None]:
    """Run the feed; it and this process have a core each meanwhile, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    command = [sys.executable, "-m", "benchmarks.storm", str(port), channel, str(FRAMES)]
    try:
        with Child(command, port):
            os.sched_setaffinity(0, {cores[0]})
            yield
    finally:
        os.sched_setaffinity(0, set(cores))


if __name__ == "__main__":
    main()
