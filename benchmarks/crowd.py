"""Many WebSocket clients in one process, as cheap as can be: raw sockets and epoll (Linux)."""

import json
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Self

from feed_server.protocol import Channel

CONNECT_TIMEOUT_S = 20.0
AT_ONCE = 50
"""Connections begun together: below every server's backlog, above which each waits a second."""
CHUNK_BYTES = 65_536
TEXT, PING, PONG = 1, 9, 10

OnFrame = Callable[[int, bytes, float], None]
"""Called with a client's number, a text frame's payload and when it came (ms since 1970)."""

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def now_ms() -> float:
    """Return UTC epoch milliseconds with their fraction; the same clock in every process here."""
    return time.time_ns() / 1e6


def subscribe(symbols: list[str], *, channel: Channel = "quotes", max_hz: float = 0) -> bytes:
    """Return the feed's command to subscribe."""
    command = {"type": "subscribe", "id": 1, "channel": channel, "symbols": symbols}
    return json.dumps(command | {"max_hz": max_hz}).encode()


class Crowd:
    """Clients of one server.

    Attributes:
        frames: Text frames received by all.
        payload_bytes: Length of the last frame's payload.
        closed: Connections that the server has closed.

    Args:
        port: Where the server listens.
        path: Its WebSocket's path.
        receive_buffer_bytes: What the kernel keeps for a client that does not read; its choice
            where it is None.
    """

    def __init__(
        self, port: int, path: str = "/ws", *, receive_buffer_bytes: int | None = None
    ) -> None:
        self.frames = 0
        self.payload_bytes = 0
        self.closed = 0
        self._port = port
        self._request = UPGRADE.format(path=path, port=port).encode()
        self._receive_buffer_bytes = receive_buffer_bytes
        self._sockets: dict[int, socket.socket] = {}
        self._numbers: dict[int, int] = {}
        self._rest: dict[int, bytes] = {}
        self._epoll = select.epoll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._sockets.values():
            connection.close()
        self._epoll.close()

    def join(self, count: int, *say: Callable[[int], bytes]) -> None:
        """Connect so many clients more; each says what every ``say`` returns for its number.

        Raises:
            OSError: The server does not take them.
        """
        for first in range(0, count, AT_ONCE):
            batch = [self._connect() for _ in range(min(AT_ONCE, count - first))]
            for connection in batch:
                self._upgrade(connection)
                number = len(self._sockets)
                self._sockets[connection.fileno()] = connection
                self._numbers[connection.fileno()] = number
                connection.sendall(b"".join(masked(command(number)) for command in say))
                connection.setblocking(False)
                self._epoll.register(connection.fileno(), select.EPOLLIN)

    def listen(
        self,
        seconds: float,
        on_frame: OnFrame | None = None,
        until: Callable[[], bool] | None = None,
    ) -> float:
        """Read what comes for so long, or until something is true; return how long it was."""
        began_s = time.monotonic()
        while (left_s := began_s + seconds - time.monotonic()) > 0 and not (until and until()):
            for descriptor, _ in self._epoll.poll(min(left_s, 0.1)):
                self._read(descriptor, on_frame)
        return time.monotonic() - began_s

    def _connect(self) -> socket.socket:
        connection = socket.socket()
        if self._receive_buffer_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
        connection.settimeout(CONNECT_TIMEOUT_S)
        connection.connect(("127.0.0.1", self._port))
        connection.sendall(self._request)
        return connection

    def _upgrade(self, connection: socket.socket) -> None:
        answer = b""
        while b"\r\n\r\n" not in answer:
            chunk = connection.recv(CHUNK_BYTES)
            if not chunk:
                raise ConnectionError(f"port {self._port} closed: {answer[:80]!r}")
            answer += chunk
        if b" 101 " not in answer[:20]:
            raise ConnectionError(f"port {self._port} refused: {answer[:80]!r}")
        if rest := answer.partition(b"\r\n\r\n")[2]:
            self._rest[connection.fileno()] = rest

    def _read(self, descriptor: int, on_frame: OnFrame | None) -> None:
        try:
            data = os.read(descriptor, CHUNK_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._close(descriptor)
            return
        if rest := self._rest.pop(descriptor, b""):
            data = rest + data
        at = 0
        while (bounds := payload_bounds(data, at)) is not None:
            start, end = bounds
            if data[at] & 15 == TEXT:
                self.frames += 1
                self.payload_bytes = end - start
                if on_frame is not None:
                    on_frame(self._numbers[descriptor], data[start:end], now_ms())
            elif data[at] & 15 == PING:
                os.write(descriptor, masked(data[start:end], PONG))
            at = end
            if at == len(data):
                return
        self._rest[descriptor] = data[at:]

    def _close(self, descriptor: int) -> None:
        self.closed += 1
        self._epoll.unregister(descriptor)
        self._sockets.pop(descriptor).close()


def payload_bounds(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at ``at`` begins and ends, or None while it is cut."""
    have = len(data) - at
    if have < 2:
        return None
    length, start = data[at + 1] & 127, at + 2
    if length == 126:
        if have < 4:
            return None
        length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
    elif length == 127:
        if have < 10:
            return None
        length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
    return (start, start + length) if start + length <= len(data) else None


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame; the mask is 0, which leaves the payload as it is."""
    return _head(payload, opcode, 0x80) + bytes(4) + payload


def framed(text: bytes) -> bytes:
    """Return a server's text frame."""
    return _head(text, TEXT, 0) + text


def _head(payload: bytes, opcode: int, mask_bit: int) -> bytes:
    if len(payload) < 126:
        return bytes((0x80 | opcode, mask_bit | len(payload)))
    return bytes((0x80 | opcode, mask_bit | 126)) + len(payload).to_bytes(2, "big")
