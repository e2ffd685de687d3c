"""Sources that a test plays: they answer what gateways ask over the bus."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

from feed_server.bus.connection import connect
from feed_server.bus.publisher import Publisher
from feed_server.bus.requests import Answer, Request
from feed_server.bus.rpc import Responder
from feed_server.bus.subscriber import Subscriber
from tests.harness import wait_for

R = TypeVar("R")


class Answering:
    """Answers requests on a Valkey, on a thread of its own, until the block ends.

    Args:
        url: Of the Valkey.
        answer: Answers one request; it may publish with what it is given.

    Attributes:
        asked: What was asked, in order.
        loop: Where it runs.
        publisher: For that loop.
    """

    def __init__(self, url: str, answer: Callable[[Request, Publisher], Awaitable[Answer]]) -> None:
        self.asked: list[Request] = []
        self._url = url
        self._answer = answer
        self.publisher: Publisher
        self._ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for("the sources listen", self._ready.is_set)
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None and not self._task.done():
            self.loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def of(self, kind: type[R]) -> list[R]:
        """Return what was asked of one kind."""
        return [request for request in self.asked if isinstance(request, kind)]

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            try:
                runner.run(self._serve())
            except asyncio.CancelledError:
                return

    async def _serve(self) -> None:
        self._task = asyncio.current_task()
        redis, listening = connect(self._url), connect(self._url)
        self.publisher = Publisher(redis)

        async def answer(request: Request) -> Answer:
            self.asked.append(request)
            return await self._answer(request, self.publisher)

        responder = Responder(redis, answer)
        subscriber = Subscriber(
            listening, "sources", lambda _, payload: responder.take(payload), self._ready.set
        )
        try:
            await subscriber.subscribe([responder.channel])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(responder.run())
                tasks.create_task(subscriber.run())
        finally:
            await redis.aclose()
            await listening.aclose()
