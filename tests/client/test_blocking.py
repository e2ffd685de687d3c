"""The client for code that is not asynchronous, without a feed."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from dashboard.client import FeedError, Stats, feed_client
from dashboard.client.blocking import FeedClient, Stream
from dashboard.client.buffers import Every
from dashboard.client.core.session import Want
from dashboard.client.loop_thread import LoopThread
from dashboard.client.streams import Sink
from dashboard.client.streams import Stream as AsyncStream
from tests.client.test_streams import Owner
from tests.harness import free_port


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    async def at_end() -> None:
        pass

    thread = LoopThread(at_end)
    yield thread
    thread.stop()


def make(thread: LoopThread) -> tuple[Sink[int], Stream[int]]:
    sink: Sink[int] = Sink(Want(channel="trades", symbols=("A",)), Every(100_000))
    return sink, Stream(FeedClient(), thread, AsyncStream(Owner(), sink, None, "warn"))


class Interrupts:
    """Ctrl-C, again and again, while it is ``armed``: each disarms it."""

    def __init__(self) -> None:
        self.count = 0
        self.armed = False

    def take(self, *_: object) -> None:
        if self.armed:
            self.armed = False
            self.count += 1
            raise KeyboardInterrupt

    def arm(self, stream: Stream[int]) -> Stream[int]:
        self.armed = True
        return stream

    @contextmanager
    def coming(self) -> Iterator[None]:
        ended = threading.Event()

        def send() -> None:
            while not ended.wait(0.0007):
                os.kill(os.getpid(), signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, self.take)
        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            ended.set()
            sender.join()
            signal.signal(signal.SIGUSR1, before)


def test_a_reader_that_is_interrupted_loses_nothing(thread: LoopThread) -> None:
    sink, stream = make(thread)
    count = 5_000

    async def put() -> None:
        for number in range(0, count, 5):
            sink.put(list(range(number, number + 5)))
            await asyncio.sleep(0.001)

    filler = threading.Thread(target=lambda: thread.call(put))
    filler.start()
    interrupts, read = Interrupts(), list[int]()
    with interrupts.coming():
        while len(read) < count:
            with suppress(KeyboardInterrupt):
                for item in interrupts.arm(stream):
                    read.append(item)
                    if len(read) == count:
                        break
            interrupts.armed = False
    filler.join()
    assert interrupts.count > 20
    assert read == list(range(count))


def test_what_is_raised_while_nobody_waits_is_told_to_who_asks_again(thread: LoopThread) -> None:
    sink, stream = make(thread)
    interrupts = Interrupts()
    with interrupts.coming(), pytest.raises(KeyboardInterrupt):
        next(interrupts.arm(stream))

    async def tell() -> None:
        sink.trouble(FeedError("NOPE: no such instrument"))
        sink.put([1])

    thread.call(tell)
    with pytest.raises(FeedError, match="NOPE"):
        next(stream)
    assert next(stream) == 1


def test_a_loop_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_loop() -> asyncio.AbstractEventLoop:
        raise OSError("too many open files")

    monkeypatch.setattr(asyncio, "new_event_loop", no_loop)
    monkeypatch.setattr(asyncio.events, "new_event_loop", no_loop)
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    with pytest.raises(FeedError, match="too many open files"):
        FeedClient().symbols()


def test_measures_are_read_in_the_thread_that_takes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers: list[str] = []
    unmeasured = feed_client.FeedClient.stats

    def stats(client: feed_client.FeedClient) -> Stats:
        readers.append(threading.current_thread().name)
        return unmeasured(client)

    monkeypatch.setattr(feed_client.FeedClient, "stats", stats)
    client = FeedClient(f"http://127.0.0.1:{free_port()}")
    client.stats()
    with pytest.raises(FeedError):
        client.symbols()
    client.stats()
    client.close()
    client.stats()
    assert readers == ["MainThread", "feed client", "MainThread"]


def test_an_end_after_the_end_is_none() -> None:
    client = FeedClient()
    with client.quotes("AAPL") as never_begun:
        client.close()
    never_begun.close()
    assert list(never_begun) == []


def test_to_end_what_has_not_begun_begins_nothing() -> None:
    threads = threading.active_count()
    client = FeedClient()
    client.quotes("AAPL").close()
    assert threading.active_count() == threads
    client.close()
