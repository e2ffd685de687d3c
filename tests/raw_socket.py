"""A WebSocket client over a bare socket: it says anything, and reads when it is told to."""

import base64
import json
import os
import socket
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Self, TypeVar

from feed_server.protocol import ServerMessage, decode_server_message

M = TypeVar("M")

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40


class ClosedError(Exception):
    """The server has ended the connection.

    Attributes:
        code: Its close code; None where it only hung up.
        reason: Its text.
    """

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class RawSocket:
    """One connection.

    Args:
        port: Of the feed.
        headers: Of the request, beside those that make it a WebSocket's.
        buffer_bytes: What the kernel takes for us before we read; None for its own choice.

    Attributes:
        status: Of the answer to the request.
        answer: Its headers, with names in lower case.
        body: What came with an answer that is no WebSocket.
        frames: Messages received.
    """

    def __init__(
        self,
        port: int,
        headers: Mapping[str, str] | None = None,
        *,
        buffer_bytes: int | None = None,
    ) -> None:
        self.frames = 0
        self._data = b""
        self._socket = socket.socket()
        if buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self._socket.settimeout(30)
        try:
            self._shake_hands(port, headers or {})
        except BaseException:
            self._socket.close()
            raise

    def _shake_hands(self, port: int, headers: Mapping[str, str]) -> None:
        self._socket.connect(("127.0.0.1", port))
        lines = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **headers,
        }
        request = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket.sendall(f"GET /ws HTTP/1.1\r\n{request}\r\n".encode())
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.answer = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in rest)}
        self.body = b""
        if self.status != 101:
            self.body = self._take(int(self.answer["content-length"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def hang_up(self, *, reset: bool = False) -> None:
        """End the connection without a word; safe to call twice."""
        if reset and self._socket.fileno() != -1:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def half_close(self) -> None:
        """Say that nothing more comes; what the server still says can be read."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def say(self, **message: object) -> None:
        """Send a command."""
        self.send(frame(TEXT, json.dumps(message).encode()))

    def fileno(self) -> int:
        """Return its number, by which one can wait for it."""
        return self._socket.fileno()

    def discard(self) -> int:
        """Throw away what has come, unread; return how many bytes, 0 where it has ended."""
        return len(self._socket.recv(262_144))

    def read_frame(self) -> tuple[int, bytes]:
        """Return the next frame: its first byte and its payload.

        Raises:
            ClosedError: There is none.
        """
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        payload = self._take(length)
        if first & 0x0F == CLOSE:
            code = struct.unpack("!H", payload[:2])[0] if payload else None
            raise ClosedError(code, payload[2:].decode())
        return first, payload

    def hear(self) -> ServerMessage:
        """Return the next message."""
        while True:
            first, payload = self.read_frame()
            if first & 0x0F in (PING, PONG):
                continue
            if first & RSV1:
                inflater = zlib.decompressobj(-zlib.MAX_WBITS)
                payload = inflater.decompress(payload + b"\0\0\xff\xff")
            self.frames += 1
            message = decode_server_message(payload)
            if message is not None:
                return message

    def next(self, kind: type[M]) -> M:
        """Return the next message of a kind."""
        while True:
            message = self.hear()
            if isinstance(message, kind):
                return message

    def until_closed(self) -> ClosedError:
        """Read until the server ends the connection; return how."""
        while True:
            try:
                self.read_frame()
            except ClosedError as closed:
                return closed

    def _take(self, length: int) -> bytes:
        while len(self._data) < length:
            self._more()
        taken, self._data = self._data[:length], self._data[length:]
        return taken

    def _more(self) -> None:
        try:
            got = self._socket.recv(262_144)
        except ConnectionError:
            got = b""
        if not got:
            raise ClosedError(None)
        self._data += got


def frame(
    opcode: int, payload: bytes, *, first: int = FIN, masked: bool = True, length: int | None = None
) -> bytes:
    """Return a client's frame.

    Args:
        opcode: What it is.
        payload: What it says.
        first: The other bits of its first byte.
        masked: Whether it is masked, as it must be.
        length: What it says of its length; None for the truth.
    """
    said = len(payload) if length is None else length
    head = struct.pack("!B", first | opcode)
    mask_bit = 0x80 if masked else 0
    if said < 126:
        head += struct.pack("!B", mask_bit | said)
    elif said < 1 << 16:
        head += struct.pack("!BH", mask_bit | 126, said)
    else:
        head += struct.pack("!BQ", mask_bit | 127, said)
    return head + (bytes(4) if masked else b"") + payload


def ask_and_reset(port: int, request: str) -> None:
    """Send the head of a request, and reset the connection before it can be answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request.encode())
