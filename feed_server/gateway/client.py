"""One client of the fan-out: what it is sent, whichever way it is connected."""

from collections.abc import Callable
from dataclasses import dataclass

from tornado.iostream import IOStream

from feed_server.gateway.auth import Grant
from feed_server.gateway.frame_writer import FrameWriter
from feed_server.gateway.frames import Form, Frame
from feed_server.protocol import CloseCode, ServerMessage


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client is waited for, and how much is kept for it.

    Attributes:
        max_backlog_bytes: What may wait beyond the socket's own buffer.
        stall_s: A client that takes nothing of what waits for so long is closed.
        auth_s: A client that has not said who it is in this time is closed.
        grace_s: How long after its token has expired a client may still bring a new one.
    """

    max_backlog_bytes: int
    stall_s: float
    auth_s: float
    grace_s: float


class Client(FrameWriter):
    """The gateway's side of one connection.

    Args:
        stream: The connection.
        form: In which form the client takes frames.
        patience: The limits.
        on_drained: Called with the client when all that waited has been taken by the kernel.
        on_close: Called to end the connection, with the reason.
        opened_s: When it came, by the monotonic clock.

    Attributes:
        grant: What it may have; None until it has said who it is.
        is_behind: Whether it has missed data that it will be given when it can read again. While
            it is, the writer is not free.
        is_closed: Whether it was told that it ends: it gets nothing more.
    """

    __slots__ = ("_on_close", "_opened_s", "_patience", "grant", "is_behind", "is_closed")

    def __init__(
        self,
        stream: IOStream,
        form: Form,
        patience: Patience,
        *,
        on_drained: Callable[["Client"], None],
        on_close: Callable[[CloseCode], None],
        opened_s: float,
    ) -> None:
        super().__init__(stream, form, lambda: on_drained(self))
        self.grant: Grant | None = None
        self.is_behind = False
        self.is_closed = False
        self._patience = patience
        self._on_close = on_close
        self._opened_s = opened_s

    def say(self, message: ServerMessage) -> None:
        """Send one message to this client alone, such as an answer; it may have to wait."""
        self.say_frame(Frame(message))

    def say_frame(self, frame: Frame) -> None:
        """Send what must not be left out; a client that lets too much of it wait is closed."""
        if self.is_closed:
            return
        if self._fits(frame):
            self.write(frame)
        else:
            self.close(CloseCode.SLOW_CONSUMER)

    def queue(self, frame: Frame) -> bool:
        """Let data wait that must not be left out, unless too much does; tell whether it does."""
        if self.is_behind or not self._fits(frame):
            return False
        self.write(frame)
        return True

    def close(self, code: CloseCode) -> None:
        """End the connection, saying why; safe to call twice."""
        if not self.is_closed:
            self.is_closed = self.is_behind = True
            self.end()
            self._on_close(code)

    def overdue(self, now_s: float, unix_s: float) -> CloseCode | None:
        """Return why the connection must end now, if it must.

        Args:
            now_s: The monotonic clock.
            unix_s: UTC epoch seconds, by which tokens expire.
        """
        if self.stalled_s(now_s) > self._patience.stall_s:
            return CloseCode.STALLED
        if self.grant is None:
            late = now_s - self._opened_s > self._patience.auth_s
            return CloseCode.AUTH_REQUIRED if late else None
        expired = unix_s > self.grant.expires_s + self._patience.grace_s
        return CloseCode.AUTH_EXPIRED if expired else None

    def _fits(self, frame: Frame) -> bool:
        waiting = self.waiting_bytes
        return not waiting or waiting + self.size_of(frame) <= self._patience.max_backlog_bytes
