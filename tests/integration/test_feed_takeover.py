"""A working ingest is killed in the middle of its work, and another process takes over."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import pandas as pd
import pytest

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.protocol import Bar, Interval, Subscribed, Trade, TradePrint
from feed_server.providers.base import BAR_COLUMNS
from tests.bars_of import built_bars
from tests.harness import FeedProcess, Write, until, wait_for
from tests.raw_socket import RawSocket
from tests.servers import ValkeyServer
from tests.vendors.coinbase_server import CoinbaseServer
from tests.vendors.http_faults import Answer
from tests.vendors.twelvedata_server import KEY, TwelveDataServer

pytestmark = pytest.mark.integration

WITHIN_S = 10.0
T0 = 1_381_152_600_000
"""2013-10-07, 09:30 in New York."""
STEP_MS = 40
TRADES = 6_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path) as started:
        yield started


class Heard:
    """What was published of some symbols, in order."""

    def __init__(self) -> None:
        self.updates: dict[str, list[StoredUpdate]] = defaultdict(list)
        self.at_s: list[float] = []

    def take(self, _channel: str, payload: bytes) -> None:
        stored = StoredUpdate.from_message(payload)
        self.updates[stored.update.quote.symbol].append(stored)
        self.at_s.append(time.monotonic())

    def check(self) -> None:
        """Check that nothing came twice, backwards or with a gap."""
        for updates in self.updates.values():
            assert len({stored.epoch for stored in updates}) == 1
            for before, after in pairwise(updates):
                assert after.begins_at == before.offset
            times = [stored.update.quote.time_ms for stored in updates]
            assert times == sorted(times)
            finals = [(bar.interval, bar.start_ms) for bar in self.finals(updates)]
            assert len(finals) == len(set(finals)), "a closed bar came twice"

    def finals(self, updates: list[StoredUpdate]) -> list[Bar]:
        return [bar for stored in updates for bar in stored.update.bars if bar.final]

    def trades(self, symbol: str) -> list[TradePrint]:
        return [trade for stored in self.updates[symbol] for trade in stored.update.trades]

    @property
    def count(self) -> int:
        return len(self.at_s)


@asynccontextmanager
async def listening(server: ValkeyServer, *symbols: str) -> AsyncIterator[Heard]:
    heard, connected = Heard(), asyncio.Event()
    redis = connect(server.url)
    subscriber = Subscriber(redis, "test", heard.take, connected.set)
    await subscriber.subscribe([names.updates(symbol) for symbol in symbols])
    task = asyncio.create_task(subscriber.run())
    try:
        await connected.wait()
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()


@contextmanager
def feed_of(server: ValkeyServer, **settings: str) -> Iterator[list[FeedProcess]]:
    """Start two ingests, of which one waits, and a gateway: the third."""
    settings = {"redis_url": server.url, **settings}
    with ExitStack() as stack:
        processes = []
        for role in ("ingest", "ingest", "gateway"):
            process = FeedProcess({**settings, "log_level": "info"}, role=role)
            stack.callback(process.stop)
            process.spawn()
            processes.append(process)
        wait_for("it is ready", processes[2].is_ready)
        yield processes


async def working(ingests: list[FeedProcess]) -> tuple[FeedProcess, FeedProcess]:
    """Return the ingest that works, and the other, as soon as that waits."""

    async def both() -> bool:
        said = [process.said() for process in ingests]
        return any("carrying" in s for s in said) and any("waiting" in s for s in said)

    await until(both)
    first = next(process for process in ingests if "carrying" in process.said())
    return first, next(process for process in ingests if process is not first)


async def killed(first: FeedProcess, heard: Heard) -> float:
    """Kill an ingest; return how long nothing was heard."""
    first.kill()
    # What it had sent arrives still.
    await asyncio.sleep(0.2)
    at_s, count = time.monotonic(), heard.count

    async def goes_on() -> bool:
        return heard.count > count

    await until(goes_on)
    return heard.at_s[count] - at_s + 0.2


def tape() -> list[Trade]:
    return [
        Trade("BAC", T0 + n * STEP_MS, 14.0 + (n * 7919 % 100) / 100, float(1 + n % 9))
        for n in range(TRADES)
    ]


async def test_a_replay_goes_on_with_the_very_next_trade(
    server: ValkeyServer, write: Write
) -> None:
    lines = [f"{t.time_ms},{t.price},{t.size:.0f}" for t in tape()]
    path = write("BAC.csv", "\n".join(["time,price,size", *lines]))
    settings = {"replay_files": str(path), "replay_speed": "30", "replay_loop": "false"}
    with feed_of(server, **settings) as (*ingests, gateway):
        with RawSocket(gateway.port) as client:
            client.say(type="subscribe", id=1, channel="trades", symbols=["BAC"])
            client.next(Subscribed)
            async with listening(server, "BAC") as heard:
                first, _ = await working(ingests)

                async def in_full() -> bool:
                    return len(heard.trades("BAC")) > 50

                await until(in_full)
                assert await killed(first, heard) < WITHIN_S

                async def at_the_end() -> bool:
                    return heard.updates["BAC"][-1].offset >= TRADES

                await until(at_the_end)
        heard.check()
        expected = [(t.time_ms, t.price, t.size) for t in tape()]
        told = [(t.time_ms, t.price, t.size) for t in heard.trades("BAC")]
        assert told == expected[-len(told) :]
        assert heard.updates["BAC"][-1].offset == TRADES
        for interval in (Interval.SECOND, Interval.FIVE_SECONDS, Interval.MINUTE):
            check_bars(gateway, interval)


def check_bars(gateway: FeedProcess, interval: Interval) -> None:
    """Check that bars are those of the tape without an interruption."""
    params = {"symbol": "BAC", "interval": interval.value, "limit": "1000"}
    body = httpx.get(f"{gateway.url}/api/bars", params=params, timeout=20).json()
    made = built_bars(tape(), "America/New_York")[interval]
    frame = pd.DataFrame({name: body[name] for name in BAR_COLUMNS}, made.index)
    pd.testing.assert_frame_equal(frame, made, check_freq=False)
    assert body["start_ms"] == [round(at.timestamp() * 1000) for at in made.index]


async def test_polls_go_on_when_a_poll_is_cut_off(server: ValkeyServer) -> None:
    with TwelveDataServer() as vendor:
        for symbol in ("AAPL", "MSFT"):
            vendor.set_quote(symbol, 100.0)
        settings = {
            "provider": "twelvedata",
            "symbols": "AAPL,MSFT",
            "twelvedata_key": KEY,
            "twelvedata_url": vendor.url,
            "twelvedata_websocket_url": "none",
            "twelvedata_per_minute": "1000",
        }
        with feed_of(server, **settings) as (*ingests, gateway):
            url = f"{gateway.url}/api/quotes"
            newest = {"symbols": "AAPL,MSFT", "max_age_ms": "0"}
            await asyncio.to_thread(ask, url, newest)
            async with listening(server, "AAPL", "MSFT") as heard:
                first, _ = await working(ingests)
                vendor.set_quote("AAPL", 101.0)
                await asyncio.to_thread(ask, url, newest)
                asked = len(vendor.requests)
                vendor.fault = Answer(wait_s=5.0)
                async with httpx.AsyncClient(timeout=20) as http:
                    waiting = asyncio.create_task(http.get(url, params=newest))

                    async def in_the_middle() -> bool:
                        return len(vendor.requests) > asked

                    await until(in_the_middle)
                    vendor.fault = None
                    for symbol in ("AAPL", "MSFT"):
                        vendor.set_quote(symbol, 102.0)
                    assert await killed(first, heard) < WITHIN_S
                    await waiting
                await until(lambda: both_at(heard, 102.0))
            heard.check()


def ask(url: str, params: dict[str, str]) -> None:
    httpx.get(url, params=params, timeout=20).raise_for_status()


async def both_at(heard: Heard, price: float) -> bool:
    return all(
        heard.updates[s] and heard.updates[s][-1].update.quote.last == price
        for s in ("AAPL", "MSFT")
    )


async def test_live_trades_go_on_in_the_middle_of_a_bar(server: ValkeyServer) -> None:
    with CoinbaseServer(heartbeat_s=0.5) as exchange:
        settings = {
            "provider": "coinbase",
            "symbols": "BTC-USD",
            "coinbase_url": exchange.url,
            "coinbase_websocket_url": exchange.websocket_url,
        }
        with feed_of(server, **settings) as (*ingests, gateway), RawSocket(gateway.port) as client:
            client.say(type="subscribe", id=1, channel="trades", symbols=["BTC-USD"])
            client.next(Subscribed)
            async with listening(server, "BTC-USD") as heard:
                first, _ = await working(ingests)
                await until(lambda: carried(exchange))
                stop = asyncio.create_task(trading(exchange))
                try:

                    async def some() -> bool:
                        return len(heard.trades("BTC-USD")) > 20

                    await until(some)
                    assert await killed(first, heard) < WITHIN_S
                    count = len(heard.trades("BTC-USD"))

                    async def more() -> bool:
                        return len(heard.trades("BTC-USD")) > count + 20

                    await until(more)
                finally:
                    stop.cancel()
            heard.check()
            prices = [trade.price for trade in heard.trades("BTC-USD")]
            assert len(prices) == len(set(prices)), "a trade came twice"
            assert prices == sorted(prices)


async def carried(exchange: CoinbaseServer) -> bool:
    return "BTC-USD" in exchange.subscribed


async def trading(exchange: CoinbaseServer) -> None:
    """Let trades happen, each at a higher price, until cancelled."""
    for number in range(10_000):
        exchange.trade("BTC-USD", 50_001.0 + number, 1.0)
        await asyncio.sleep(0.02)
