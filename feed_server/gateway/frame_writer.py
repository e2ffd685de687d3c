"""Writes frames to one socket: straight into the kernel, and never more than it takes.

The kernel's buffer is the only queue for data. What it does not take of a frame waits in Tornado's
stream, and until that is through no other frame is begun: its reader is behind, and is better
served with the newest data later than with all of it late.
"""

import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from tornado.iostream import IOStream, StreamClosedError

from feed_server.gateway.frames import Form, Frame

UNSENT_IN_KERNEL_BYTES = 32 * 1024
"""What may wait in the kernel behind what is on its way: enough for a flush, too little to grow
stale. Without it the kernel would take megabytes for a client that does not read."""

PIECE_BYTES = 16 * 1024

Writer = TypeVar("Writer", bound="FrameWriter")


class FrameWriter:
    """The sending side of one connection.

    Args:
        stream: The connection.
        form: In which form the client takes frames.
        on_drained: Called when what waited has been taken by the kernel.

    Attributes:
        form: As given.
        is_free: Whether nothing waits: a frame can go straight to the kernel.
        send: Hands bytes to the kernel; returns how many it took.
        frames: Messages sent.
        waiting_bytes: What the kernel has not taken yet.
        progress_s: When something waiting was last taken, by the monotonic clock.
    """

    __slots__ = (
        "_is_ended",
        "_on_drained",
        "_stream",
        "form",
        "frames",
        "is_free",
        "progress_s",
        "send",
        "waiting_bytes",
    )

    def __init__(self, stream: IOStream, form: Form, on_drained: Callable[[], None]) -> None:
        self._stream = stream
        self._on_drained = on_drained
        self._is_ended = False
        self.send: Callable[[bytes], int] = stream.socket.send
        self.form: Form = form
        self.is_free = not stream.writing()
        self.frames = 0
        self.waiting_bytes = 0
        self.progress_s = 0.0
        _limit_kernel_queue(stream.socket)

    def write(self, frame: Frame) -> None:
        """Send a frame, after what waits."""
        if self.is_free:
            write_to_all((self,), frame)
        else:
            self.frames += 1
            self._wait(frame[self.form])

    def end(self) -> None:
        """Take no more frames."""
        self.is_free = False
        self._is_ended = True

    def sent(self, data: bytes, length: int) -> None:
        """Note that the kernel took only the first ``length`` bytes of a frame."""
        self._wait(memoryview(data)[length:])

    def failed(self, error: OSError) -> None:
        """Note that the connection is broken."""
        self._stream.close(exc_info=(type(error), error, error.__traceback__))

    def size_of(self, frame: Frame) -> int:
        """Return how long a frame would be on this connection, in bytes."""
        return len(frame[self.form])

    def stalled_s(self, now_s: float) -> float:
        """Return for how long nothing of what waits was taken."""
        return 0.0 if self.is_free else now_s - self.progress_s

    def others_wrote(self) -> None:
        """Note that Tornado has written a frame of its own, such as a pong, which may wait."""
        if self.is_free and self._stream.writing():
            self._wait(b"")

    def _wait(self, data: bytes | memoryview) -> None:
        if self.is_free:
            self.is_free = False
            self.progress_s = time.monotonic()
        # In pieces, so that one who reads slowly is seen to read.
        for start in range(0, max(1, len(data)), PIECE_BYTES):
            piece = memoryview(data)[start : start + PIECE_BYTES]
            try:
                written = self._stream.write(piece)
            except StreamClosedError:
                return
            self.waiting_bytes += len(piece)
            written.add_done_callback(partial(self._taken, len(piece)))

    def _taken(self, length: int, _written: object) -> None:
        self.waiting_bytes -= length
        self.progress_s = time.monotonic()
        if not self.waiting_bytes and not self._is_ended and not self._stream.closed():
            self.is_free = not self._stream.writing()
            if self.is_free:
                self._on_drained()
            else:
                self._wait(b"")


def write_to_all(writers: Iterable[Writer], frame: Frame) -> list[Writer]:
    """Send a frame to all who can take one now; return the others.

    This is the loop that a gateway spends its time in. What it costs beside the kernel's send is
    all that the fan-out costs, so it is written out, and touches little memory of each connection.
    """
    busy = []
    for writer in writers:
        if not writer.is_free:
            busy.append(writer)
            continue
        data = frame[writer.form]
        try:
            length = writer.send(data)
        except BlockingIOError:
            length = 0
        except OSError as error:
            writer.failed(error)
            continue
        writer.frames += 1
        if length != len(data):
            writer.sent(data, length)
    return busy


def _limit_kernel_queue(connection: socket.socket) -> None:
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Linux and macOS
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_IN_KERNEL_BYTES)
