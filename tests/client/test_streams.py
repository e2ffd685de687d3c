"""A reader's end of live data, without a feed."""

import asyncio
import gc
import threading
import warnings
from typing import Any

import pytest

from dashboard.client import FeedAccessError, FeedError, FeedLossError, FeedLossWarning
from dashboard.client.buffers import Every, Latest
from dashboard.client.core.session import Want
from dashboard.client.streams import YIELD_EVERY, Loss, OnLoss, Sink, Stream


class Owner:
    """Notes what is attached."""

    def __init__(self) -> None:
        self.attached: list[Sink[Any]] = []

    def attach(self, sink: Sink[Any]) -> None:
        self.attached.append(sink)

    def detach(self, sink: Sink[Any]) -> None:
        if sink in self.attached:
            self.attached.remove(sink)


def make(
    limit: int | None = None, on_loss: OnLoss = "warn", room: int = 100
) -> tuple[Owner, Sink[int], Stream[int]]:
    owner = Owner()
    sink: Sink[int] = Sink(Want(channel="trades", symbols=("A",)), Every(room))
    return owner, sink, Stream(owner, sink, limit, on_loss)


async def test_a_stream_begins_with_the_first_item_that_is_asked_for() -> None:
    owner, sink, stream = make()
    assert owner.attached == []
    sink.put([1, 2])
    assert [await anext(stream), await anext(stream)] == [1, 2]
    assert owner.attached == [sink]


async def test_a_reader_waits_for_what_comes() -> None:
    _, sink, stream = make()
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    assert not reader.done()
    sink.put([7])
    assert await reader == 7


async def test_a_reader_that_is_cancelled_while_it_waits_loses_nothing() -> None:
    owner, sink, stream = make()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.01)
    assert owner.attached == [sink]
    sink.put([1, 2])
    assert await anext(stream) == 1


async def test_a_stream_that_nobody_holds_after_a_break_is_released() -> None:
    owner, sink, stream = make()
    sink.put([1, 2])
    async for _ in stream:
        break
    assert owner.attached == [sink]
    del stream
    gc.collect()
    await asyncio.sleep(0)
    assert owner.attached == []


async def test_a_stream_that_is_let_go_in_another_thread_is_released_in_its_own() -> None:
    owner, sink, stream = make()
    sink.put([1])
    await anext(stream)
    held = [stream]
    del stream
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    assert owner.attached == [sink]
    await asyncio.sleep(0)
    assert owner.attached == []


async def test_a_stream_is_released_with_the_last_item_of_its_limit() -> None:
    owner, sink, stream = make(limit=2)
    sink.put([1, 2, 3])
    assert [item async for item in stream] == [1, 2]
    assert owner.attached == []
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_block_releases_its_stream() -> None:
    owner, sink, stream = make()
    async with stream:
        assert owner.attached == [sink]
    assert owner.attached == []
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    await stream.aclose()


async def test_a_reader_that_waits_hears_of_the_end() -> None:
    _, sink, stream = make()
    reader = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    sink.end()
    assert await reader is None


async def test_two_tasks_cannot_wait_for_one_stream() -> None:
    _, sink, stream = make()
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="each its own"):
        await anext(stream)
    sink.put([1])
    assert await reader == 1


async def test_what_is_not_given_is_raised_once_and_the_rest_goes_on() -> None:
    _, sink, stream = make()
    sink.put([1])
    sink.trouble(FeedError("NOPE: no such instrument"))
    with pytest.raises(FeedError, match="NOPE"):
        await anext(stream)
    assert await anext(stream) == 1


async def test_of_a_stream_that_nobody_reads_little_is_kept() -> None:
    _, sink, _ = make()
    for number in range(5_000):
        sink.trouble(FeedError(f"{number}: no such instrument"))
        sink.lose(Loss("A", 1, "gone"))
    assert len(sink.troubles) == len(sink.losses) == 1_000


async def test_a_failure_is_raised_after_what_came_before_it_and_from_then_on() -> None:
    _, sink, stream = make()
    sink.put([1])
    sink.fail(FeedAccessError("revoked"))
    assert await anext(stream) == 1
    for _ in range(2):
        with pytest.raises(FeedAccessError, match="revoked"):
            await anext(stream)


async def test_a_reader_that_is_too_slow_is_warned_once_of_all_it_has_lost() -> None:
    _, sink, stream = make(room=2)
    sink.put([1, 2, 3])
    sink.put([4])
    with pytest.warns(FeedLossWarning, match="2 items were dropped"):
        assert await anext(stream) == 3
    assert await anext(stream) == 4
    assert stream.lost == 2


async def test_loss_can_be_raised_and_the_stream_goes_on() -> None:
    _, sink, stream = make(on_loss="raise")
    sink.put([1])
    sink.lose(Loss("A", None, "history does not reach back"))
    with pytest.raises(FeedLossError, match="reach back"):
        await anext(stream)
    assert await anext(stream) == 1
    assert stream.lost == 1


async def test_loss_can_be_told_to_a_function() -> None:
    told: list[Loss] = []
    _, sink, stream = make(on_loss=told.append, room=1)
    sink.put([1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await anext(stream) == 2
    assert [(loss.symbol, loss.count) for loss in told] == [(None, 1)]


async def test_a_reader_that_never_waits_lets_others_run() -> None:
    _, sink, stream = make(room=1000)
    sink.put(list(range(1000)))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    for _ in range(1000):
        await anext(stream)
    other.cancel()
    assert turns >= 1000 // YIELD_EVERY - 1


async def test_what_waits_can_be_taken_at_once() -> None:
    owner, sink, stream = make(limit=4)
    sink.put([1, 2, 3])
    assert await stream.some() == [1, 2, 3]
    sink.put([4, 5])
    assert await stream.some() == [4]
    assert owner.attached == []
    assert await stream.some() == []


async def test_the_latest_is_not_taken_before_it_is_read() -> None:
    sink: Sink[int] = Sink(
        Want(channel="trades", symbols=("A",)), Latest(lambda item: item, max, 10)
    )
    stream = Stream(Owner(), sink, None, "warn")
    sink.put([1, 2])
    assert await stream.some() == [1]


async def test_a_stream_that_outlives_its_loop_is_let_go_quietly() -> None:
    def run() -> Stream[int]:
        async def begin() -> Stream[int]:
            _, sink, stream = make()
            sink.put([1])
            await anext(stream)
            return stream

        return asyncio.run(begin())

    stream = await asyncio.to_thread(run)
    del stream
    gc.collect()
