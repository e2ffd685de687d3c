"""Heads of HTTP requests and answers, and frames of WebSockets, off an asyncio stream."""

import asyncio
import struct

MAX_HEAD_BYTES = 65_536
CHUNK_BYTES = 65_536
_NO_BODY = (b"204", b"304")


class Head:
    """The first lines of a request or an answer.

    Args:
        data: As they came, with the empty line.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        first, *lines = data.split(b"\r\n")
        self.words = first.split(b" ")
        pairs = (line.partition(b":") for line in lines if line)
        self.fields = {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def is_upgrade(self) -> bool:
        """Whether it asks for a WebSocket, or agrees to be one."""
        return self.fields.get(b"upgrade", b"").lower() == b"websocket"

    @property
    def length(self) -> int:
        """How many bytes of body follow an answer."""
        return 0 if self.words[1] in _NO_BODY else int(self.fields.get(b"content-length", b"0"))


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Return the next head.

    Raises:
        asyncio.IncompleteReadError: The connection has ended.
    """
    return Head(await reader.readuntil(b"\r\n\r\n"))


class Frames:
    """Cuts what a server sends into frames."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that are whole now, heads and all."""
        self._data += data
        frames = []
        while (end := _frame_end(self._data)) is not None and end <= len(self._data):
            frames.append(self._data[:end])
            self._data = self._data[end:]
        return frames


def _frame_end(data: bytes) -> int | None:
    """Return where the first frame ends, None where its head is not whole."""
    if len(data) < 2:
        return None
    length, head = data[1] & 0x7F, 2
    extended = {126: "!H", 127: "!Q"}.get(length)
    if extended is not None:
        head += struct.calcsize(extended)
        if len(data) < head:
            return None
        (length,) = struct.unpack(extended, data[2:head])
    return head + length
