import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec
import pytest
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.requests import (
    Answer,
    Done,
    Failed,
    Found,
    LoadBars,
    Loaded,
    Refresh,
    Request,
    Resolve,
    Search,
)
from feed_server.bus.rpc import Caller, Question, Reply, Responder, failure
from feed_server.bus.subscriber import Subscriber
from feed_server.errors import (
    BusError,
    ConfigurationError,
    FencedError,
    NotOfferedError,
    QuotewireError,
    RateLimitedError,
    UnknownSymbolError,
)
from feed_server.protocol import ErrorCode, Interval, SymbolInfo
from tests.harness import free_port, until

pytestmark = pytest.mark.integration

APPLE = SymbolInfo("AAPL", "Apple", "USD", 2, "test", "TEST")
LOAD = LoadBars("AAPL", Interval.MINUTE, 0, 60_000)
EVERY_REQUEST: list[Request] = [Resolve("AAPL"), Refresh(["AAPL", "IBM"], 500), LOAD, Search("app")]
EVERY_ANSWER: list[Answer] = [
    Done(),
    Found([APPLE]),
    Loaded([0], [1.5], [2.0], [1.0], [1.75], [300.0], since_ms=0),
    Failed(ErrorCode.SOURCE, "asleep", 1_500),
]


class Source:
    """Answers when it is let, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.may = asyncio.Event()
        self.given_up = 0
        self.answer: Answer = Done()

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return self.answer


async def soon(condition: Callable[[], bool]) -> None:
    """Return when a condition is true."""

    async def met() -> bool:
        return condition()

    await until(met)


@asynccontextmanager
async def listening(
    valkey: EmbeddedValkey, name: str, channel: str, take: Callable[[bytes], None]
) -> AsyncIterator[None]:
    """Let a subscriber of its own hand on what comes on a channel."""
    redis, connected = connect(valkey.url), asyncio.Event()

    def on_message(_channel: str, payload: bytes) -> None:
        take(payload)

    subscriber = Subscriber(redis, name, on_message, connected.set)
    await subscriber.subscribe([channel])
    running = asyncio.create_task(subscriber.run())
    await connected.wait()
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        await redis.aclose()


@asynccontextmanager
async def asking(redis: Redis, valkey: EmbeddedValkey, server: str = "g1") -> AsyncIterator[Caller]:
    caller = Caller(redis, server)
    async with listening(valkey, server, caller.channel, caller.take):
        yield caller


@asynccontextmanager
async def answering(
    redis: Redis,
    valkey: EmbeddedValkey,
    answer: Callable[[Request], Awaitable[Answer]],
    at_once: int = 200,
) -> AsyncIterator[asyncio.Task[None]]:
    responder = Responder(redis, answer, at_once=at_once)
    async with listening(valkey, "ingest", responder.channel, responder.take):
        running = asyncio.create_task(responder.run())
        try:
            yield running
        finally:
            running.cancel()
            await asyncio.wait([running])


@contextmanager
def at_work(
    *calls: Coroutine[object, object, Answer],
) -> Iterator[list[asyncio.Task[Answer]]]:
    """Have calls under way, and none left behind."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize("request_", EVERY_REQUEST)
def test_every_request_arrives_as_it_was_sent(request_: Request) -> None:
    question = Question("g1", 7, request_)
    assert msgspec.json.decode(msgspec.json.encode(question), type=Question) == question


@pytest.mark.parametrize("answer", EVERY_ANSWER)
def test_every_answer_arrives_as_it_was_sent(answer: Answer) -> None:
    reply = Reply(7, answer)
    assert msgspec.json.decode(msgspec.json.encode(reply), type=Reply) == reply


async def test_who_asks_gets_the_answer(redis: Redis, valkey: EmbeddedValkey) -> None:
    answers = dict(zip(map(repr, EVERY_REQUEST), EVERY_ANSWER, strict=True))

    async def answer(request: Request) -> Answer:
        return answers[repr(request)]

    async with asking(redis, valkey) as caller, answering(redis, valkey, answer):
        got = await asyncio.gather(*(caller.call(request, 5) for request in EVERY_REQUEST))
    assert got == EVERY_ANSWER


async def test_gateways_get_their_own_answers(redis: Redis, valkey: EmbeddedValkey) -> None:
    async def answer(request: Request) -> Answer:
        return Failed(ErrorCode.OTHER, repr(request))

    asked = [Search(f"text {number}") for number in range(40)]
    async with (
        answering(redis, valkey, answer),
        asking(redis, valkey, "g1") as one,
        asking(redis, valkey, "g2") as other,
    ):
        callers = [one, other] * 20
        got = await asyncio.gather(
            *(caller.call(search, 5) for caller, search in zip(callers, asked, strict=True))
        )
    assert got == [Failed(ErrorCode.OTHER, repr(search)) for search in asked]


async def test_who_asks_the_same_meanwhile_shares_the_answer(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        same = [caller.call(Refresh(["AAPL"], 500), 5) for _ in range(20)]
        with at_work(*same, caller.call(Refresh(["IBM"], 500), 5)) as calls:
            await soon(lambda: len(source.asked) == 2)
            source.may.set()
            assert await asyncio.gather(*calls) == [Done()] * 21
        assert len(source.asked) == 2
        assert await caller.call(Refresh(["AAPL"], 500), 5) == Done()
        assert len(source.asked) == 3, "later ones ask anew"


async def test_one_who_waits_no_longer_takes_the_answer_from_nobody(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        with at_work(*(caller.call(LOAD, 5) for _ in range(3))) as calls:
            await soon(lambda: source.asked != [])
            calls[0].cancel()
            source.may.set()
            assert await asyncio.gather(*calls[1:]) == [Done()] * 2
        assert calls[0].cancelled()
        assert source.asked == [LOAD]


async def test_another_sends_the_question_of_one_who_waits_no_longer(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    source.may.set()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        with at_work(*(caller.call(LOAD, 5) for _ in range(2))) as calls:
            await asyncio.sleep(0)  # The first is about to send.
            calls[0].cancel()
            assert await calls[1] == Done()


async def test_one_who_waits_less_long_takes_the_answer_from_nobody(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        with at_work(caller.call(LOAD, 0.05), caller.call(LOAD, 5)) as (hasty, patient):
            gone = await hasty
            source.may.set()
            assert await patient == Done()
    assert isinstance(gone, Failed)
    assert gone.code is ErrorCode.NOT_READY
    assert gone.message == "the sources have not answered within 0.05 s"


async def test_without_anyone_to_answer_all_are_told_at_once(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async with asking(redis, valkey) as caller, asyncio.timeout(30):
        first, second = await asyncio.gather(caller.call(LOAD, 60), caller.call(LOAD, 60))
    assert first == second
    assert isinstance(first, Failed)
    assert (first.code, first.retry_ms) == (ErrorCode.NOT_READY, 1_000)


async def test_without_redis_one_is_told_so() -> None:
    redis = connect(f"redis://127.0.0.1:{free_port()}")
    told = await Caller(redis, "g1").call(LOAD, 5)
    await redis.aclose()
    text = "asking the sources: Redis cannot be reached"
    assert told == Failed(ErrorCode.NOT_READY, text, 1_000)


async def test_an_answer_that_comes_too_late_is_let_go(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        assert isinstance(await caller.call(Search("a"), 0.05), Failed)
        await soon(lambda: len(source.asked) == 1)
        source.may.set()
        assert await caller.call(Search("b"), 5) == Done()


async def test_an_error_is_told_to_who_has_asked_and_ends_nothing(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async def answer(request: Request) -> Answer:
        if isinstance(request, Resolve):
            raise UnknownSymbolError("no source knows XXXX")
        return Done()

    async with asking(redis, valkey) as caller, answering(redis, valkey, answer):
        told = await caller.call(Resolve("XXXX"), 5)
        assert told == Failed(ErrorCode.UNKNOWN_SYMBOL, "no source knows XXXX")
        assert await caller.call(Search("a"), 5) == Done()


@pytest.mark.parametrize(
    ("error", "code", "retry_ms"),
    [
        (UnknownSymbolError("why"), ErrorCode.UNKNOWN_SYMBOL, None),
        (RateLimitedError("why", 2.5), ErrorCode.SOURCE, 2_500),
        (RateLimitedError("why"), ErrorCode.SOURCE, None),
        (NotOfferedError("why"), ErrorCode.SOURCE, None),
        (BusError("why"), ErrorCode.NOT_READY, 1_000),
        (FencedError("why"), ErrorCode.NOT_READY, 1_000),
        (ConfigurationError("why"), ErrorCode.INTERNAL, None),
    ],
)
def test_an_error_says_whether_to_ask_again(
    error: QuotewireError, code: ErrorCode, retry_ms: int | None
) -> None:
    assert failure(error) == Failed(code, "why", retry_ms)


async def test_what_is_no_error_of_ours_reaches_the_owner(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    async def answer(request: Request) -> Answer:
        raise LookupError(request)

    async with asking(redis, valkey) as caller, answering(redis, valkey, answer) as running:
        await caller.call(LOAD, 0.5)
        with pytest.raises(ExceptionGroup) as raised:
            await running
    assert raised.group_contains(LookupError)


async def test_beyond_so_many_at_once_one_is_told_to_come_again(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source, at_once=2):
        with at_work(*(caller.call(Search(text), 5) for text in "ab")) as calls:
            await soon(lambda: len(source.asked) == 2)
            for text in "cd":
                told = await caller.call(Search(text), 5)
                busy = "the sources are busy; ask again"
                assert told == Failed(ErrorCode.NOT_READY, busy, 1_000)
            source.may.set()
            assert await asyncio.gather(*calls) == [Done(), Done()]
        for text in "efg":
            assert await caller.call(Search(text), 5) == Done()


async def test_what_is_being_answered_ends_with_the_responder(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    async with asking(redis, valkey) as caller:
        async with answering(redis, valkey, source) as running:
            with at_work(caller.call(LOAD, 5)):
                await soon(lambda: source.asked != [])
                running.cancel()
                await asyncio.wait([running])
                assert source.given_up == 1
                late = asyncio.ensure_future(caller.call(Search("late"), 0.2))
                assert isinstance(await late, Failed)
        assert source.asked == [LOAD], "nothing is taken after the end"


async def test_what_cannot_be_understood_is_logged_and_dropped(
    redis: Redis, valkey: EmbeddedValkey
) -> None:
    source = Source()
    source.may.set()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        for payload in (b"", b"{}", b"\xff", b'["g1",1]', b'["g1",1,{"type":"rob"}]', b"[1,2,3]"):
            await redis.publish(names.REQUESTS, payload)
            await redis.publish(caller.channel, payload)
        await redis.publish(caller.channel, msgspec.json.encode(Reply(99, Done())))
        assert await caller.call(LOAD, 5) == Done()
    assert source.asked == [LOAD]


async def test_a_call_leaves_nothing_behind(redis: Redis, valkey: EmbeddedValkey) -> None:
    source = Source()
    async with asking(redis, valkey) as caller, answering(redis, valkey, source):
        with at_work(caller.call(LOAD, 5), caller.call(LOAD, 0.05)) as calls:
            await soon(lambda: source.asked != [])
            await calls[1]
        await asyncio.wait(calls)
        source.may.set()
        await caller.call(Search("a"), 5)
        assert vars(caller)["_calls"] == vars(caller)["_by_number"] == {}
