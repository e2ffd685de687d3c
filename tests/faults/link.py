"""One connection through the proxy: a WebSocket frame by frame, HTTP answer by answer."""

import asyncio
import re
import socket
import struct
from collections.abc import Callable

from tests.faults.sky import Gust, Sky
from tests.faults.spoil import answer, spoiled_body, spoiled_frame, stranger_answer
from tests.faults.weather import NO_PUSH, Kind
from tests.faults.wire import CHUNK_BYTES, MAX_HEAD_BYTES, Frames, Head, read_head

SPOILED = 0.3
"""Share of frames and answers that are broken while `Kind.CORRUPT` is at work."""

STEP_S = 0.05
_ENDS = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
_RESETS = frozenset({Kind.RESET, Kind.REFUSE})
_PASSING = ("/api/quotes", "/api/trades", "/api/bars")
"""Where the answer to the same request changes all the time."""

_CURSOR = re.compile(rb"[?&]since=[^&]*")
_REFUSALS = (b"403 Forbidden", b"200 OK", b"502 Bad Gateway", b"400 Bad Request")


class Link:
    """A client's connection, and ours to the feed for it.

    Args:
        sky: The faults at work.
        reader: From the client.
        writer: To the client.
        feed_port: Where the feed listens.
        delivered: Called with what the client was given whole.
        asked: Called with what the client asked for.
    """

    def __init__(
        self,
        sky: Sky,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        feed_port: int,
        delivered: Callable[[str], None],
        asked: Callable[[str], None],
    ) -> None:
        self._sky = sky
        self._reader, self._writer = reader, writer
        self._feed_port = feed_port
        self._delivered, self._asked = delivered, asked
        self._feed: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._since_s = asyncio.get_running_loop().time()
        self._is_websocket = False
        self._is_spoiled = False
        self._cut = False
        self._half_open: Gust | None = None
        self._ghost: Gust | None = None

    async def run(self) -> None:
        """Carry what is said until one side ends it."""
        try:
            await self._converse()
        except _ENDS:
            if self._half_open is not None:
                await self._half_open.over.wait()
                self._reset()

    def struck(self, gust: Gust) -> None:
        """Take what a fault does at once to a connection that is open."""
        kind = gust.fault.kind
        if kind in _RESETS or (kind is Kind.NO_HTTP and not self._is_websocket):
            self._reset()
        elif kind is Kind.DROP or (kind in NO_PUSH and self._is_websocket):
            self._writer.close()
        elif kind is Kind.CUT:
            self._cut = True
        elif kind is Kind.HALF_OPEN:
            self._half_open = gust
            if self._feed is not None:
                self._feed[1].transport.abort()
        elif kind is Kind.GHOST:
            self._ghost = gust
            self._reset()

    def close(self) -> None:
        """End both sides."""
        self._writer.close()
        if self._feed is not None:
            self._feed[1].close()

    def _reset(self) -> None:
        ours: socket.socket | None = self._writer.get_extra_info("socket")
        if ours is not None and ours.fileno() != -1:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _converse(self) -> None:
        while True:
            head = await read_head(self._reader)
            self._since_s = asyncio.get_running_loop().time()
            if head.is_upgrade:
                self._asked("ws")
                await self._websocket(head)
                return
            await self._exchange(head)

    # ---- HTTP ------------------------------------------------------------------------------

    async def _exchange(self, request: Head) -> None:
        path = request.words[1].partition(b"?")[0].decode()
        self._asked(path)
        if self._sky.has(Kind.NO_HTTP):
            self._reset()
            raise ConnectionResetError
        if self._sky.has(Kind.BAD_GATEWAY):
            await self._give(stranger_answer(self._sky.dice))
            return
        head, body = await self._ask(request)
        await self._sky.passage("to_client", self._since_s)
        if self._sky.has(Kind.CORRUPT) and self._sky.dice.random() < SPOILED:
            await self._give_spoiled(head, body)
            return
        data = head.data + body
        if head.words[1] == b"200" and path in _PASSING:
            data = self._sky.answer(_CURSOR.sub(b"", request.words[1]), data)
        await self._give(data)
        if head.words[1] in (b"200", b"304"):
            self._delivered(path)

    async def _ask(self, request: Head) -> tuple[Head, bytes]:
        await self._sky.passage("to_server", self._since_s)
        reader, writer = await self._reach()
        writer.write(request.data)
        await writer.drain()
        head = await read_head(reader)
        return head, await reader.readexactly(head.length)

    async def _give_spoiled(self, head: Head, body: bytes) -> None:
        if self._sky.dice.random() < 0.3:
            await self._give(head.data + body[: len(body) // 2])
            raise ConnectionResetError
        spoiled = spoiled_body(self._sky.dice, body)
        cors = b"Access-Control-Allow-Origin: *\r\n"
        await self._give(answer(b"200 OK", spoiled, cors))

    # ---- WebSocket -------------------------------------------------------------------------

    async def _websocket(self, request: Head) -> None:
        self._is_websocket = True
        if self._sky.has(*NO_PUSH):
            await self._give(answer(self._sky.dice.choice(_REFUSALS), b"<html></html>"))
            raise ConnectionResetError
        await self._sky.passage("to_server", self._since_s)
        _, writer = await self._reach()
        writer.write(request.data)
        await self._carry()

    async def _carry(self) -> None:
        """Carry both ways until one side ends."""
        directions = [asyncio.create_task(self._to_client()), asyncio.create_task(self._to_feed())]
        try:
            done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            if self._ghost is not None:
                await self._ghost.over.wait()
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        for task in done:
            task.result()

    async def _to_client(self) -> None:
        assert self._feed is not None
        reader, _ = self._feed
        head = await read_head(reader)
        await self._sky.passage("to_client", self._since_s)
        await self._give(head.data)
        if not head.is_upgrade:
            await self._give(await reader.readexactly(head.length))
            return
        frames = Frames()
        while data := await reader.read(CHUNK_BYTES):
            whole = frames.feed(data)
            await self._sky.passage("to_client", self._since_s)
            for frame in whole:
                await self._give_frame(frame)
        raise ConnectionResetError

    async def _give_frame(self, frame: bytes) -> None:
        if self._ghost is not None:
            return
        if self._sky.has(Kind.CORRUPT) and self._sky.dice.random() < SPOILED:
            self._is_spoiled = True
            frame = spoiled_frame(self._sky.dice, frame)
        await self._give(frame)
        if not self._is_spoiled:
            self._delivered("ws")

    async def _to_feed(self) -> None:
        assert self._feed is not None
        _, writer = self._feed
        while data := await self._reader.read(CHUNK_BYTES):
            await self._sky.passage("to_server", self._since_s)
            _require_open(writer)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    # ---- both ------------------------------------------------------------------------------

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._half_open is not None:
            raise ConnectionResetError
        if self._feed is None:
            self._feed = await asyncio.open_connection(
                "127.0.0.1", self._feed_port, limit=MAX_HEAD_BYTES
            )
        return self._feed

    async def _give(self, data: bytes) -> None:
        """Write to the client as fast as it goes, or a half of it where it is cut off."""
        if self._cut:
            self._writer.write(data[: len(data) // 2])
            raise ConnectionAbortedError
        bytes_per_s = self._sky.bytes_per_s()
        while bytes_per_s is not None and data:
            _require_open(self._writer)
            size = max(1, int(bytes_per_s * STEP_S))
            self._writer.write(data[:size])
            data = data[size:]
            await asyncio.sleep(STEP_S)
            bytes_per_s = self._sky.bytes_per_s()
        _require_open(self._writer)
        self._writer.write(data)
        await self._writer.drain()


def _require_open(writer: asyncio.StreamWriter) -> None:
    """Check that the other end is there; asyncio would only log that it is not."""
    if writer.is_closing():
        raise ConnectionResetError
