"""Answers and heartbeats are prompt while the gateway has its hands full."""

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from selectors import EVENT_READ, DefaultSelector
from threading import Event

import httpx
import pytest

from feed_server.bus.connection import connect
from feed_server.bus.publisher import Publisher
from feed_server.protocol import (
    Heartbeat,
    Pong,
    Quotes,
    SourceState,
    SourceStatus,
    SymbolInfo,
    Welcome,
)
from tests.harness import FeedProcess
from tests.market import Market, gateway_of, market
from tests.raw_socket import RawSocket
from tests.updates import update

pytestmark = [pytest.mark.integration, pytest.mark.alone]

CLIENTS = 200
TICKS_PER_S = 20
TOUR = [f"S{number:02}" for number in range(50)]
LOAD_S = 4.0
HEARTBEAT_S = 0.5
PROMPT_S = 0.25
TRIES = 3
"""Who is slow is slow each time; other processes may have the machine in one."""


async def publish(url: str, ended: Event) -> int:
    """Let every symbol tick so often until it is enough; return how many rounds that were."""
    redis = connect(url)
    publisher = Publisher(redis)
    rounds, begun_s = 1, time.monotonic()
    while not ended.is_set():
        rounds += 1
        status = SourceStatus("test", "TEST", SourceState.LIVE, "streaming", None, 0)
        await publisher.publish_status(status)
        await publisher.publish([update(symbol, rounds, time_ms=rounds) for symbol in TOUR])
        await asyncio.sleep(max(0.0, begun_s + rounds / TICKS_PER_S - time.monotonic()))
    await redis.aclose()
    return rounds


async def declare(url: str) -> None:
    """Declare the symbols, each with a first quote."""
    redis = connect(url)
    infos = [SymbolInfo(symbol, symbol, "USD", 2, "test", "TEST") for symbol in TOUR]
    publisher = Publisher(redis)
    await publisher.declare_symbols(infos)
    await publisher.publish([update(symbol, time_ms=1) for symbol in TOUR])
    await redis.aclose()


def read(clients: list[RawSocket], ended: Event) -> int:
    """Read as fast as it comes; return how many bytes that were."""
    count = 0
    with DefaultSelector() as selector:
        for client in clients:
            selector.register(client, EVENT_READ, client)
        while not ended.is_set():
            for key, _ in selector.select(0.1):
                count += key.data.discard()
    return count


@contextmanager
def load(here: Market, feed: FeedProcess) -> Iterator[None]:
    """Serve clients with every symbol, each of which ticks."""
    ended = Event()
    with ExitStack() as stack, ThreadPoolExecutor(2) as threads:
        clients = [stack.enter_context(RawSocket(feed.port)) for _ in range(CLIENTS)]
        for client in clients:
            client.say(type="subscribe", id=1, channel="quotes", symbols=TOUR)
        reading = threads.submit(read, clients, ended)
        publishing = threads.submit(lambda: asyncio.run(publish(here.url, ended)))
        try:
            yield
        finally:
            ended.set()
        assert publishing.result() > LOAD_S * TICKS_PER_S / 2
        assert reading.result() > CLIENTS * len(TOUR) * LOAD_S * 20


def test_pings_and_heartbeats_are_prompt_under_load() -> None:
    with market() as here:
        asyncio.run(declare(here.url))
        with (
            gateway_of(here, heartbeat_ms=str(int(HEARTBEAT_S * 1000))) as feed,
            RawSocket(feed.port) as client,
        ):
            client.next(Welcome)
            client.say(type="subscribe", id=0, channel="quotes", symbols=TOUR)
            for left in reversed(range(TRIES)):
                with load(here, feed):
                    waits, beats = ask(client)
                if left == 0 or is_prompt(waits, beats):
                    break
            closes = httpx.get(f"{feed.url}/metrics", timeout=5).text
    assert len(waits) > LOAD_S / PROMPT_S
    assert len(beats) >= 2
    assert is_prompt(waits, beats), (sorted(waits)[-10:], gaps_s(beats))
    assert not re.search(r"^quotewire_closes_total\{", closes, re.MULTILINE)


def is_prompt(waits: list[float], beats: list[float]) -> bool:
    # One in twenty may come when other processes have the machine.
    prompt = sorted(waits)[int(len(waits) * 0.95)] < PROMPT_S
    return prompt and max(gaps_s(beats), default=0.0) < 2 * HEARTBEAT_S


def gaps_s(beats: list[float]) -> list[float]:
    return [later_s - s for s, later_s in pairwise(beats)]


def ask(client: RawSocket) -> tuple[list[float], list[float]]:
    """Ping again and again; return how long answers took, and when heartbeats came."""
    waits: list[float] = []
    beats: list[float] = []
    ticks = 0
    until_s = time.monotonic() + LOAD_S
    while time.monotonic() < until_s:
        asked_s = time.monotonic()
        client.say(type="ping", id=len(waits))
        while not isinstance(message := client.hear(), Pong):
            if isinstance(message, Heartbeat):
                beats.append(time.monotonic())
            ticks += isinstance(message, Quotes)
        waits.append(time.monotonic() - asked_s)
        time.sleep(0.03)
    assert ticks > LOAD_S
    return waits, beats
