"""The lag of an ingest that carries 2,000 simulated symbols at 5 ticks a second, on one core.

The ingest and its Valkey share one core, what measures has another; all symbols are wanted. A lag
is from a tick's event time until its update is heard from Redis: the simulated batch, bars
of all intervals, the script. Beside it the processor time of the ingest.
"""

import asyncio
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.children import CpuWindow, process_cpu_s
from benchmarks.figures import percentile, show, show_not_measured
from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.leases import Leases
from feed_server.bus.reader import Reader
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.providers.simulated_market import activity
from tests.harness import PROJECT, clean_environment

SYMBOLS = 2_000
HZ = 5.0
RUNS = 3
RUN_S = 8.0
BEGIN_S = 60.0
RENEW_S = 2.0
TARGET_MS = 250.0


class Listener:
    """Hears all updates, and how old they are."""

    def __init__(self) -> None:
        self.lags_ms: list[float] = []
        self.trades = 0

    def take(self, _channel: str, payload: bytes) -> None:
        """Take an update."""
        update = StoredUpdate.from_message(payload).update
        self.trades += len(update.trades)
        now_ms = time.time_ns() / 1e6
        self.lags_ms += [now_ms - trade.time_ms for trade in update.trades]


def main() -> None:
    """Measure and print."""
    print(f"simulated: {SYMBOLS} symbols at {HZ:g} ticks a second, ingest and Valkey on one core")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        show_not_measured("lag", "it takes two cores, and an operating system that can pin to one")
        return
    os.sched_setaffinity(0, {cores[0]})
    valkey = EmbeddedValkey()
    valkey.start()
    try:
        environment = clean_environment(
            redis_url=valkey.url,
            provider="simulated",
            simulated_symbols=str(SYMBOLS),
            # The market is busier at some hours; here it shall be as busy at any.
            simulated_hz=str(HZ / activity_now()),
            log_level="error",
        )
        ingest = subprocess.Popen(
            [sys.executable, "-m", "feed_server", "ingest"], cwd=PROJECT, env=environment
        )
        os.sched_setaffinity(0, {cores[1]})
        try:
            asyncio.run(_measure(valkey, ingest.pid))
        finally:
            ingest.terminate()
            ingest.wait(20)
    finally:
        valkey.stop()
        os.sched_setaffinity(0, set(cores))


def activity_now() -> float:
    """Return how busy the simulated market is at this hour: a factor of its usual rate."""
    return float(activity(np.array([time.time_ns() // 1_000_000]))[0])


async def _measure(valkey: EmbeddedValkey, ingest_pid: int) -> None:
    redis, listening = connect(valkey.url), connect(valkey.url)
    listener = Listener()
    subscriber = Subscriber(listening, "benchmark", listener.take, lambda: None)
    hearing = asyncio.create_task(subscriber.run())
    renewing = None
    try:
        symbols = await _symbols(Reader(redis))
        await subscriber.subscribe([names.updates(symbol) for symbol in symbols])
        leases = Leases(redis, "benchmark")
        await leases.hold(dict.fromkeys(symbols, 1))
        renewing = asyncio.create_task(_renew(leases))
        await asyncio.sleep(RUN_S / 2)
        await _runs(listener, ingest_pid)
    finally:
        for task in filter(None, (renewing, hearing)):
            task.cancel()
            await asyncio.wait([task])
        await redis.aclose()
        await listening.aclose()


async def _symbols(reader: Reader) -> list[str]:
    """Return all symbols when they are declared."""
    deadline_s = time.monotonic() + BEGIN_S
    while len(symbols := await reader.symbols()) < SYMBOLS:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"simulated: {len(symbols)} of {SYMBOLS} symbols are declared")
        await asyncio.sleep(0.2)
    return list(symbols)


async def _renew(leases: Leases) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        await leases.renew()


async def _runs(listener: Listener, ingest_pid: int) -> None:
    rates, p50, p99, cores = [], [], [], []
    for _ in range(RUNS):
        listener.lags_ms, listener.trades = [], 0
        cpu = CpuWindow(lambda: process_cpu_s(ingest_pid))
        began_s = time.monotonic()
        await asyncio.sleep(RUN_S)
        seconds = time.monotonic() - began_s
        rates.append(listener.trades / seconds)
        cores.append(cpu.cpu_s() / seconds)
        p50.append(percentile(listener.lags_ms, 50))
        p99.append(percentile(listener.lags_ms, 99))
    show("ticks", rates, "ticks/s")
    show("lag, p50", p50, "ms")
    show("lag, p99", p99, "ms", TARGET_MS)
    show("the ingest's share of its core", cores, "cores")
