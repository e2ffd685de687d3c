"""Questions from gateways to the sources, and the answers, over pub/sub.

Neither side listens by itself: who owns a `feed_server.bus.subscriber.Subscriber` lets it listen to
`channel`, and hands what comes there to `take`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

import msgspec
import structlog
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.requests import Answer, Failed, Request
from feed_server.bus.subscriber import Subscriber
from feed_server.errors import (
    BusError,
    FencedError,
    ProviderError,
    QuotewireError,
    RateLimitedError,
    UnknownSymbolError,
)
from feed_server.protocol import ErrorCode

MAX_AT_ONCE = 200
"""Requests that are being answered; more are refused."""
MAX_WAITING = 1_000
"""Requests that wait for being looked at; more are let go."""
RETRY_MS = 1_000
"""When to ask again where nobody answers, or too much is asked."""

log = structlog.get_logger(__name__)


class Question(msgspec.Struct, array_like=True, frozen=True):
    """A request on its way.

    Attributes:
        server: Who asks; the answer goes to `names.replies` of it.
        number: Its number of the request.
        request: What is asked.
    """

    server: str
    number: int
    request: Request


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """An answer on its way, with the number of its question."""

    number: int
    answer: Answer


_encode = msgspec.json.Encoder().encode
_decode_question = msgspec.json.Decoder(Question).decode
_decode_reply = msgspec.json.Decoder(Reply).decode


@dataclass(slots=True, eq=False)
class _Call:
    """A request and those who wait for its answer.

    Attributes:
        number: Of the question.
        answer: Set when it comes.
        sending: Held by the one of them who sends it.
        is_sent: Whether one of them has.
        waiting: How many they are.
    """

    number: int
    answer: asyncio.Future[Answer]
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_sent: bool = False
    waiting: int = 0


class Caller:
    """A gateway's side. It has no tasks: each call lives in those who wait for it.

    Args:
        redis: The client.
        server: The gateway's name, no other process's.

    Attributes:
        channel: What to listen to.
    """

    def __init__(self, redis: Redis, server: str) -> None:
        self.channel = names.replies(server)
        self._redis = redis
        self._server = server
        self._numbers = count(1)
        self._calls: dict[bytes, _Call] = {}
        self._by_number: dict[int, asyncio.Future[Answer]] = {}

    async def call(self, request: Request, timeout_s: float) -> Answer:
        """Ask, and return the answer; who asks the same meanwhile shares it.

        Args:
            request: What is asked.
            timeout_s: For how long to wait.

        Returns:
            `Failed` too where nobody is there to answer, or none comes in time.
        """
        key = _encode(request)
        call = self._calls.get(key)
        if call is None:
            call = _Call(next(self._numbers), asyncio.get_running_loop().create_future())
            self._calls[key] = call
            self._by_number[call.number] = call.answer
        call.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(call, request)
                return await asyncio.shield(call.answer)
        except TimeoutError:
            text = f"the sources have not answered within {timeout_s:g} s"
            return Failed(ErrorCode.NOT_READY, text, RETRY_MS)
        finally:
            call.waiting -= 1
            if (call.answer.done() or not call.waiting) and self._calls.get(key) is call:
                # Who asks from now on is told anew.
                del self._calls[key], self._by_number[call.number]

    def take(self, payload: bytes) -> None:
        """Take what was published on `channel`; what nobody waits for any more is let go."""
        try:
            reply = _decode_reply(payload)
        except ValueError as error:
            log.error("malformed answer on the bus", error=str(error))
            return
        answer = self._by_number.get(reply.number)
        if answer is not None and not answer.done():
            answer.set_result(reply.answer)

    async def _send(self, call: _Call, request: Request) -> None:
        """Send a call's question, unless another who waits has; its failure is an answer to all."""
        async with call.sending:
            if call.is_sent or call.answer.done():
                return
            question = _encode(Question(self._server, call.number, request))
            try:
                with bus_errors("asking the sources"):
                    heard = await self._redis.publish(names.REQUESTS, question)
            except BusError as error:
                heard, text = 0, str(error)
            else:
                text = "no source is there to answer: none has begun"
            call.is_sent = True
            if not heard and not call.answer.done():
                call.answer.set_result(Failed(ErrorCode.NOT_READY, text, RETRY_MS))


class Responder:
    """The sources' side.

    Args:
        redis: The client.
        answer: Answers one request. A `QuotewireError` of it is told to who has asked; what else it
            raises ends `run`.
        at_once: Requests that are being answered, at most; who asks more is told to come again.

    Attributes:
        channel: What to listen to.
    """

    channel = names.REQUESTS

    def __init__(
        self,
        redis: Redis,
        answer: Callable[[Request], Awaitable[Answer]],
        *,
        at_once: int = MAX_AT_ONCE,
    ) -> None:
        self._redis = redis
        self._answer = answer
        self._at_once = at_once
        self._answering = 0
        self._inbox: asyncio.Queue[Question] | None = None

    def take(self, payload: bytes) -> None:
        """Take what was published on `channel`; while `run` does not run it is let go."""
        if self._inbox is None:
            return
        try:
            self._inbox.put_nowait(_decode_question(payload))
        except ValueError as error:
            log.error("malformed request on the bus", error=str(error))
        except asyncio.QueueFull:
            log.error("too many requests on the bus; one is let go")

    async def run(self) -> None:
        """Answer until cancelled; what is being answered then is given up."""
        inbox = self._inbox = asyncio.Queue(MAX_WAITING)
        busy = Failed(ErrorCode.NOT_READY, "the sources are busy; ask again", RETRY_MS)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    question = await inbox.get()
                    if self._answering < self._at_once:
                        self._answering += 1
                        tasks.create_task(self._respond(question))
                    else:
                        await self._reply(question, busy)
        finally:
            self._inbox, self._answering = None, 0

    async def _respond(self, question: Question) -> None:
        try:
            answer = await self._answer(question.request)
        except QuotewireError as error:
            answer = failure(error)
        await self._reply(question, answer)
        self._answering -= 1

    async def _reply(self, question: Question, answer: Answer) -> None:
        reply = _encode(Reply(question.number, answer))
        try:
            with bus_errors("answering a request"):
                await self._redis.publish(names.replies(question.server), reply)
        except BusError as error:
            log.warning("a request could not be answered", error=str(error))


def failure(error: QuotewireError) -> Failed:
    """Return what is told of an error."""
    match error:
        case UnknownSymbolError():
            return Failed(ErrorCode.UNKNOWN_SYMBOL, str(error))
        case RateLimitedError():
            after_s = error.retry_after_s
            retry_ms = None if after_s is None else round(after_s * 1000)
            return Failed(ErrorCode.SOURCE, str(error), retry_ms)
        case ProviderError():
            return Failed(ErrorCode.SOURCE, str(error))
        case BusError() | FencedError():
            return Failed(ErrorCode.NOT_READY, str(error), RETRY_MS)
        case _:
            return Failed(ErrorCode.INTERNAL, str(error))


async def respond(
    redis: Redis, listening: Redis, name: str, answer: Callable[[Request], Awaitable[Answer]]
) -> None:
    """Answer gateways until cancelled.

    Args:
        redis: For the answers.
        listening: For the questions; used for nothing else.
        name: Of the listener, see `Subscriber`.
        answer: See `Responder`.
    """
    responder = Responder(redis, answer)
    subscriber = Subscriber(
        listening, name, lambda _channel, payload: responder.take(payload), lambda: None
    )
    await subscriber.subscribe([responder.channel])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(subscriber.run())
        tasks.create_task(responder.run())
