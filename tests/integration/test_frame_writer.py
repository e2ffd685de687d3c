import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable

import pytest
from tornado.iostream import IOStream

from feed_server.gateway.frame_writer import UNSENT_IN_KERNEL_BYTES, FrameWriter, write_to_all
from feed_server.gateway.frames import Frame
from feed_server.protocol import Error, ErrorCode
from tests.harness import until
from tests.streams import connection, events, numbered

pytestmark = pytest.mark.integration


class End:
    """A writer, the stream under it, and the socket that it writes to."""

    def __init__(self, stream: IOStream, peer: socket.socket) -> None:
        self.stream = stream
        self.peer = peer
        self.drained = 0
        self.writer = FrameWriter(stream, "event", self._count)
        peer.setblocking(False)

    def _count(self) -> None:
        self.drained += 1

    def fill(self, first: int = 0) -> int:
        """Write frames until one has to wait; return the number of the next."""
        for number in range(first, first + 10_000):
            self.writer.write(numbered(number))
            if not self.writer.is_free:
                return number + 1
        raise AssertionError("the kernel takes everything")

    async def read(self, length: int) -> bytes:
        loop, data = asyncio.get_running_loop(), b""
        async with asyncio.timeout(30):
            while len(data) < length:
                got = await loop.sock_recv(self.peer, min(8_192, length - len(data)))
                assert got, "the connection has ended"
                data += got
        return data

    async def read_frames(self, frames: int) -> list[int]:
        return events(await self.read(frames * len(numbered(0)["event"])))


async def soon(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await until(holds)


@pytest.fixture
async def end() -> AsyncIterator[End]:
    with connection() as (stream, peer):
        yield End(stream, peer)


async def test_a_frame_goes_straight_to_the_kernel(end: End) -> None:
    end.writer.write(numbered(7))
    assert end.peer.recv(65_536) == numbered(7)["event"]
    assert (end.writer.is_free, end.writer.waiting_bytes, end.writer.frames) == (True, 0, 1)


async def test_bytes_arrive_whole_and_in_order_across_the_kernel_and_the_stream(end: End) -> None:
    said = end.fill()
    for number in range(said, said + 50):
        end.writer.write(numbered(number))
    assert end.writer.waiting_bytes > 50 * 1_000
    assert await end.read_frames(said + 50) == list(range(said + 50))
    await soon(lambda: end.writer.is_free)
    end.writer.write(numbered(999_999))
    assert await end.read_frames(1) == [999_999]
    assert end.writer.frames == said + 51


async def test_nothing_is_lost_however_often_it_fills_and_drains(end: End) -> None:
    got: list[int] = []
    said = 0
    for _ in range(5):
        before, said = said, end.fill(said)
        end.writer.write(numbered(said))
        said += 1
        got += await end.read_frames(said - before)
        await soon(lambda: end.writer.is_free)
    assert got == list(range(said))
    assert end.drained == 5


async def test_what_waits_is_what_was_written_and_not_taken(end: End) -> None:
    said = end.fill()
    length = len(numbered(0)["event"])
    assert 0 < end.writer.waiting_bytes <= length
    before = end.writer.waiting_bytes
    end.writer.write(numbered(said))
    assert end.writer.waiting_bytes == before + length


async def test_the_kernel_takes_little_for_one_that_does_not_read() -> None:
    with connection(buffer_bytes=4 * 1024 * 1024) as (stream, peer):
        end = End(stream, peer)
        end.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        said = end.fill()
        received = len(numbered(0)["event"]) * said
        assert received < 8 * 1024 * 1024
        assert (
            stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
            == UNSENT_IN_KERNEL_BYTES
        )


async def test_a_frame_is_written_to_all_who_can_take_one_and_the_others_are_named() -> None:
    with connection() as (one, first), connection() as (two, second), connection() as (gone, third):
        ends = [End(one, first), End(two, second), End(gone, third)]
        said = ends[1].fill()
        third.close()
        gone.socket.close()
        writers = [end.writer for end in ends]
        assert write_to_all(writers, numbered(said)) == [ends[1].writer]
        assert await ends[0].read_frames(1) == [said]
        assert gone.closed()
        assert not one.closed()
        assert not two.closed()


async def test_who_has_gone_is_noticed_when_it_is_written_to(end: End) -> None:
    end.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.peer.close()
    async with asyncio.timeout(30):
        while not end.stream.closed():
            end.writer.write(numbered(0))
            await asyncio.sleep(0)
    end.writer.write(numbered(1))
    assert end.drained == 0


async def test_who_goes_while_something_waits_is_not_drained(end: End) -> None:
    end.fill()
    end.peer.close()
    async with asyncio.timeout(30):
        while not end.stream.closed():
            end.writer.write(numbered(1))
            await asyncio.sleep(0)
    end.writer.write(numbered(2))
    await asyncio.sleep(0)
    assert end.drained == 0


async def test_one_that_ended_takes_nothing_straight_and_does_not_drain(end: End) -> None:
    said = end.fill()
    end.writer.end()
    await end.read_frames(said)
    await soon(lambda: not end.writer.waiting_bytes)
    assert not end.writer.is_free
    assert end.drained == 0


async def test_frames_wait_behind_what_tornado_writes_by_itself(end: End) -> None:
    pong = b"p" * 200_000
    end.stream.write(pong)
    end.writer.others_wrote()
    assert not end.writer.is_free
    end.writer.write(numbered(1))
    assert await end.read(len(pong)) == pong
    assert await end.read_frames(1) == [1]


async def test_who_does_not_read_what_tornado_writes_by_itself_is_stalled_too(end: End) -> None:
    end.stream.write(b"p" * 200_000)
    end.writer.others_wrote()
    assert end.writer.stalled_s(end.writer.progress_s + 7) == 7


async def test_a_free_writer_is_not_stalled(end: End) -> None:
    assert end.writer.stalled_s(1e9) == 0
    end.writer.others_wrote()
    assert end.writer.is_free


async def test_one_who_reads_slowly_is_seen_to_read(end: End) -> None:
    frame = Frame(Error(ErrorCode.INTERNAL, "x" * 1_000_000))
    end.writer.write(frame)
    assert not end.writer.is_free
    began_s, waiting = end.writer.progress_s, end.writer.waiting_bytes
    while end.writer.waiting_bytes == waiting:
        await end.read(8_192)
        await asyncio.sleep(0)
    assert end.writer.waiting_bytes > 0
    assert end.writer.progress_s > began_s
