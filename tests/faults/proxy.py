"""A TCP proxy between clients and a feed that does to them what networks do."""

import asyncio
import random
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Self

from tests.faults.link import Link
from tests.faults.sky import Sky
from tests.faults.weather import ONCE, Fault, Kind, Spell
from tests.faults.wire import MAX_HEAD_BYTES

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Delivery:
    """Something whole and unspoiled that a client was given.

    Attributes:
        at_ms: When its last byte was written, in milliseconds since the epoch.
        what: ``ws`` for a frame, else the path of an answer.
        link: On which connection, by number.
    """

    at_ms: float
    what: str
    link: int = 0


class FaultProxy:
    """The proxy, in a thread of its own; usable from tests with and without an event loop.

    Args:
        feed_port: Where the feed listens on this machine.
        seed: Of what is left to chance, such as how a frame is broken.

    Attributes:
        deliveries: What clients were given, in order.
        spells: The faults that are over.
        requests: By path how many requests came, WebSockets as ``ws``.
    """

    def __init__(self, feed_port: int, seed: int = 0) -> None:
        self.deliveries: list[Delivery] = []
        self.spells: list[Spell] = []
        self.requests: dict[str, int] = {}
        self._feed_port = feed_port
        self._sky = Sky(random.Random(seed))
        self._links: set[Link] = set()
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")
        # Holds the port while it is closed: who does not listen refuses.
        self._guard = socket.socket()
        self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._guard.bind((HOST, 0))
        self.port: int = self._guard.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._guard.close()

    def begin(self, fault: Fault) -> None:
        """Let something go wrong from now on, until its time or `end`."""
        asyncio.run_coroutine_threadsafe(self._begin(fault), self._loop).result(10)

    def end(self, fault: Fault) -> None:
        """End a fault before its time; safe to call when it is over."""
        asyncio.run_coroutine_threadsafe(self._end(fault), self._loop).result(10)

    @contextmanager
    def under(self, fault: Fault) -> Iterator[None]:
        """Let something go wrong while the block runs."""
        self.begin(fault)
        try:
            yield
        finally:
            self.end(fault)

    async def _begin(self, fault: Fault) -> None:
        gust = self._sky.add(fault)
        if fault.kind is Kind.REFUSE and self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.struck(gust)
        if fault.kind in ONCE:
            await self._end(fault)
        else:
            self._keep(self._last(fault))

    async def _last(self, fault: Fault) -> None:
        await asyncio.sleep(fault.seconds)
        await self._end(fault)

    async def _end(self, fault: Fault) -> None:
        for gust in [gust for gust in self._sky.gusts if gust.fault is fault]:
            self._sky.remove(gust)
            self.spells.append(Spell(fault.kind, gust.begun_ms, time.time() * 1000))
        if self._server is None and not self._sky.has(Kind.REFUSE):
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, HOST, self.port, reuse_address=True, limit=MAX_HEAD_BYTES
        )

    def _keep(self, coroutine: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._count += 1
        delivered = partial(self._delivered, self._count)
        link = Link(self._sky, reader, writer, self._feed_port, delivered, self._asked)
        self._links.add(link)
        try:
            await link.run()
        except asyncio.CancelledError:
            # Asked for by `_shut_down` alone; asyncio's server would log it.
            return
        finally:
            link.close()
            self._links.discard(link)
            self._tasks.discard(task)

    def _delivered(self, link: int, what: str) -> None:
        self.deliveries.append(Delivery(time.time() * 1000, what, link))

    def _asked(self, what: str) -> None:
        self.requests[what] = self.requests.get(what, 0) + 1

    async def _shut_down(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Transports close in the loop's next rounds.
        await asyncio.sleep(0.05)
