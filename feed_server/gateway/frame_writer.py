"""Writes frames to one socket: straight into the kernel, and never more than it takes.

The kernel's buffer is the only queue for data. What it does not take of a frame waits in Tornado's
stream, and until that is through no other frame is begun: its reader is behind, and is better
served with the newest data later than with all of it late.
"""

import socket
import time
from collections.abc import Callable
from functools import partial

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from feed_server.gateway.frames import Form, Frame

UNSENT_IN_KERNEL_BYTES = 32 * 1024
"""What may wait in the kernel behind what is on its way: enough for a flush, too little to grow
stale. Without it the kernel would take megabytes for a client that does not read."""


class FrameWriter:
    """The sending side of one connection.

    Args:
        stream: The connection.
        form: In which form the client takes frames.
        on_drained: Called when what waited has been taken by the kernel.

    Attributes:
        form: As given.
        is_free: Whether nothing waits: a frame can go straight to the kernel.
        frames: Messages sent.
        bytes: Their length before framing and compression.
        waiting_bytes: What the kernel has not taken yet.
        progress_s: When something waiting was last taken, by the monotonic clock.
    """

    __slots__ = (
        "_on_drained",
        "_send",
        "_stream",
        "bytes",
        "form",
        "frames",
        "is_free",
        "progress_s",
        "waiting_bytes",
    )

    def __init__(self, stream: IOStream, form: Form, on_drained: Callable[[], None]) -> None:
        self._stream = stream
        self._on_drained = on_drained
        # Of TLS only the stream knows what a socket takes.
        tls = isinstance(stream, SSLIOStream)
        self._send: Callable[[bytes], int] = _take_nothing if tls else stream.socket.send
        self.form: Form = form
        self.is_free = not stream.writing()
        self.frames = 0
        self.bytes = 0
        self.waiting_bytes = 0
        self.progress_s = 0.0
        _limit_kernel_queue(stream.socket)

    def write(self, frame: Frame) -> None:
        """Send a frame, after what waits.

        This is the loop's body where one frame goes to a thousand clients: its cost beside that of
        the kernel's send is what the fan-out costs.
        """
        data = frame[self.form]
        self.frames += 1
        self.bytes += len(frame.payload)
        if not self.is_free:
            self._wait(data)
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._stream.close(exc_info=(type(error), error, error.__traceback__))
            return
        if sent != len(data):
            self._wait(memoryview(data)[sent:])

    def size_of(self, frame: Frame) -> int:
        """Return how long a frame would be on this connection, in bytes."""
        return len(frame[self.form])

    def stalled_s(self, now_s: float) -> float:
        """Return for how long nothing of what waits was taken."""
        return now_s - self.progress_s if self.waiting_bytes else 0.0

    def others_wrote(self) -> None:
        """Note that Tornado has written a frame of its own, such as a pong, which may wait."""
        if self.is_free and self._stream.writing():
            self._wait(b"")

    def _wait(self, data: bytes | memoryview) -> None:
        if self.is_free:
            self.is_free = False
            self.progress_s = time.monotonic()
        try:
            written = self._stream.write(data)
        except StreamClosedError:
            return
        self.waiting_bytes += len(data)
        written.add_done_callback(partial(self._taken, len(data)))

    def _taken(self, length: int, _written: object) -> None:
        self.waiting_bytes -= length
        self.progress_s = time.monotonic()
        if not self.waiting_bytes and not self._stream.closed():
            self.is_free = not self._stream.writing()
            if self.is_free:
                self._on_drained()
            else:
                self._wait(b"")


def _take_nothing(_data: bytes) -> int:
    return 0


def _limit_kernel_queue(connection: socket.socket) -> None:
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Linux and macOS
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_IN_KERNEL_BYTES)
