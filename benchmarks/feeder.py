"""Publishes what is measured: a process that is told what to do, one line of JSON a command.

It publishes updates as a test of the gateway wants them, or lets an ingest carry a source's trades,
see `benchmarks.flood`. Every value of the first kind carries the time of its publishing: a quote as
its volume, a raw message as its text.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from itertools import cycle, islice

import msgspec
from redis.asyncio import Redis

from benchmarks.crowd import now_ms
from benchmarks.flood import Flow
from feed_server.bus.connection import connect
from feed_server.bus.publisher import Publisher, new_epoch
from feed_server.bus.update import SymbolUpdate
from feed_server.protocol import Bar, Interval, Quote, SourceState, SourceStatus, SymbolInfo

SOURCE = "benchmark"
RENEW_STATUS_S = 1.0
FIRST_OFFSET = 1000
"""Of the value that `Declare` publishes: so offsets keep their number of digits for long."""
DAY_MS = 86_400_000


class Declare(msgspec.Struct, tag="declare"):
    """Declare these symbols, each with a first quote."""

    symbols: list[str]


class Tick(msgspec.Struct, tag="tick"):
    """Publish each symbol ``hz`` times a second, ``batch`` symbols at a time, until `Stop`."""

    symbols: list[str]
    hz: float
    batch: int = 1


class Flood(msgspec.Struct, tag="flood"):
    """Publish each symbol ``rounds`` times, as fast as it goes; answered when done."""

    symbols: list[str]
    rounds: int


class Carry(msgspec.Struct, tag="carry"):
    """Carry trades of these symbols by an ingest; answered when each has had its first."""

    symbols: list[str]


class AwaitDemand(msgspec.Struct, tag="await_demand"):
    """Wait until the ingest has seen that all symbols are wanted."""


class Pour(msgspec.Struct, tag="pour"):
    """Trade each symbol ``rounds`` times, as fast as the ingest takes it; answered when it has."""

    rounds: int


class Raw(msgspec.Struct, tag="raw"):
    """Publish a text of some length on a channel of Redis ``hz`` times a second, until `Stop`."""

    channel: str
    size_bytes: int
    hz: float


class Post(msgspec.Struct, tag="post"):
    """Post a text of some length to a path of 127.0.0.1 ``hz`` times a second, until `Stop`."""

    port: int
    path: str
    size_bytes: int
    hz: float


class Stop(msgspec.Struct, tag="stop"):
    """End what goes on."""


Command = Declare | Tick | Flood | Carry | AwaitDemand | Pour | Raw | Post | Stop


class Answer(msgspec.Struct):
    """Said when a command is done.

    Attributes:
        times_ms: By symbol, when each of its values was published; the first was `FIRST_OFFSET`.
    """

    times_ms: dict[str, list[float]]


class Source:
    """A source of quotes as the feed's publisher wants them."""

    def __init__(self, redis: Redis) -> None:
        self._publisher = Publisher(redis)
        self.times_ms: dict[str, list[float]] = {}

    async def declare(self, symbols: list[str]) -> None:
        """Begin with these symbols."""
        await self._publisher.declare_symbols(
            [SymbolInfo(s, s, "USD", 2, SOURCE, "SIMULATED") for s in symbols]
        )
        for symbol in symbols:
            await self._publisher.begin_epoch(symbol, new_epoch(), [])
        self.times_ms = {symbol: [] for symbol in symbols}
        await self.publish(symbols, FIRST_OFFSET)
        await self.renew_status()

    async def publish(self, symbols: list[str], count: int = 1) -> None:
        """Publish a new value of each of these symbols."""
        stamp_us = time.time_ns() // 1000 | 1  # odd, so that it always has as many digits
        updates = [self._update(symbol, stamp_us, count) for symbol in symbols]
        await self._publisher.publish(updates)

    async def renew_status(self) -> None:
        """Say that the source lives."""
        now = int(now_ms())
        await self._publisher.publish_status(
            SourceStatus(SOURCE, "SIMULATED", SourceState.LIVE, "streaming", now, now)
        )

    def _update(self, symbol: str, stamp_us: int, count: int) -> SymbolUpdate:
        self.times_ms[symbol].append(stamp_us / 1000)
        now = stamp_us // 1000
        last = 569.91 + len(self.times_ms[symbol]) % 9 / 100
        quote = Quote(
            symbol=symbol,
            last=round(last, 2),
            size=100,
            bid=None,
            ask=None,
            volume=stamp_us / 1000,
            open=569.0,
            high=570.0,
            low=569.0,
            prev_close=None,
            session="2012-06-01",
            time_ms=now,
            received_ms=now,
            count=count,
        )
        start = now // DAY_MS * DAY_MS
        bar = Bar(symbol, Interval.DAY, start, 569, 570, 569, quote.last, 100, now, False)
        return SymbolUpdate(quote, [bar])


class Feeder:
    """Does what it is told until its input ends."""

    def __init__(self, redis: Redis, redis_url: str) -> None:
        self._redis = redis
        self._redis_url = redis_url
        self._source = Source(redis)
        self._flow: Flow | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._end = asyncio.Event()
        self._going: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()

    async def run(self, commands: asyncio.StreamReader) -> None:
        """Serve every command in its order."""
        while line := await commands.readline():
            await self._serve(msgspec.json.decode(line, type=Command))
            for task in [self._renewing, *self._going]:
                if task is not None and task.done():
                    task.result()
            print(msgspec.json.encode(Answer(self._source.times_ms)).decode(), flush=True)
        self._closing.set()
        await self._serve(Stop())
        if self._renewing is not None:
            await self._renewing
        if self._flow is not None:
            await self._flow.end()

    async def _serve(self, command: Command) -> None:
        match command:
            case Declare():
                await self._source.declare(command.symbols)
                self._renewing = self._renewing or asyncio.create_task(self._renew())
            case Flood():
                for _ in range(command.rounds):
                    await self._source.publish(command.symbols)
            case Carry() | AwaitDemand() | Pour():
                await self._carry(command)
            case Stop():
                # Not cancelled: that may be lost inside the Redis library.
                self._end.set()
                await asyncio.gather(*self._going)
                self._going = []
                self._end = asyncio.Event()
            case Tick() | Raw() | Post():
                self._going.append(asyncio.create_task(self._go_on(command)))

    async def _carry(self, command: Carry | AwaitDemand | Pour) -> None:
        if isinstance(command, Carry):
            self._flow = Flow(self._redis_url, command.symbols)
        assert self._flow is not None
        match command:
            case Carry():
                await self._flow.begin()
            case AwaitDemand():
                await self._flow.await_demand()
            case Pour():
                await self._flow.pour(command.rounds)

    async def _go_on(self, command: Tick | Raw | Post) -> None:
        match command:
            case Tick():
                await self._tick(command)
            case Raw():
                async for text in _texts(command.size_bytes, command.hz, self._end):
                    await self._redis.publish(command.channel, text)
            case Post():
                await _post(command, self._end)

    async def _tick(self, tick: Tick) -> None:
        turn = cycle(tick.symbols)
        async for _ in _beats(tick.hz * len(tick.symbols) / tick.batch, self._end):
            await self._source.publish(list(islice(turn, tick.batch)))

    async def _renew(self) -> None:
        async for _ in _beats(1 / RENEW_STATUS_S, self._closing):
            await self._source.renew_status()


async def _post(post: Post, end: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", post.port)
    head = f"POST {post.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {post.size_bytes}\r\n"
    try:
        async for text in _texts(post.size_bytes, post.hz, end):
            writer.write(head.encode() + b"Content-Type: text/plain\r\n\r\n" + text)
            answer = await reader.readuntil(b"\r\n\r\n")
            for line in answer.lower().splitlines():
                if line.startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
    finally:
        writer.close()


async def _texts(size_bytes: int, hz: float, end: asyncio.Event) -> AsyncIterator[bytes]:
    async for _ in _beats(hz, end):
        yield f"{now_ms():.3f} ".ljust(size_bytes, "x").encode()


async def _beats(hz: float, end: asyncio.Event) -> AsyncIterator[None]:
    """Yield ``hz`` times a second until the end; what was late does not delay what follows."""
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while not end.is_set():
        yield None
        next_s += 1 / hz
        await asyncio.sleep(max(0.0, next_s - loop.time()))


async def _main(redis_url: str) -> None:
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    redis = connect(redis_url)
    try:
        await Feeder(redis, redis_url).run(commands)
    finally:
        await redis.aclose()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
