"""One client of the fan-out: what it is sent, whichever way it is connected."""

from collections.abc import Callable
from dataclasses import dataclass

from feed_server.gateway.auth import Grant
from feed_server.gateway.frame_writer import FrameWriter
from feed_server.gateway.frames import Frame
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


class Client:
    """The gateway's side of one connection.

    Args:
        writer: Sends to it.
        patience: The limits.
        close: Ends the connection, saying why.
        opened_s: When it came, by the monotonic clock.

    Attributes:
        writer: Sends to it.
        grant: What it may have; None until it has said who it is.
        is_behind: Whether it has missed data that it will be given when it can read again.
        is_closed: Whether it was told that it ends: it gets nothing more.
    """

    __slots__ = ("_close", "_opened_s", "_patience", "grant", "is_behind", "is_closed", "writer")

    def __init__(
        self,
        writer: FrameWriter,
        patience: Patience,
        close: Callable[[CloseCode], None],
        opened_s: float,
    ) -> None:
        self.writer = writer
        self.grant: Grant | None = None
        self.is_behind = False
        self.is_closed = False
        self._patience = patience
        self._close = close
        self._opened_s = opened_s

    def send(self, message: ServerMessage) -> None:
        """Send one message to this client alone, such as an answer; it may have to wait."""
        self.send_frame(Frame(message))

    def send_frame(self, frame: Frame) -> None:
        """Send what must not be left out; a client that lets too much of it wait is closed."""
        if self.is_closed:
            return
        if self._fits(frame):
            self.writer.write(frame)
        else:
            self.close(CloseCode.SLOW_CONSUMER)

    def take(self, frame: Frame, *, lossless: bool) -> bool:
        """Send data, unless the client is behind.

        A quote that would have to wait is out of date when its turn comes; trades and bars wait,
        as long as it is not for too many of them.
        """
        writer = self.writer
        if (writer.is_free or (lossless and self._fits(frame))) and not self.is_behind:
            writer.write(frame)
            return True
        self.is_behind = True
        return False

    def close(self, code: CloseCode) -> None:
        """End the connection, saying why; safe to call twice."""
        if not self.is_closed:
            self.is_closed = self.is_behind = True
            self._close(code)

    def overdue(self, now_s: float, unix_s: float) -> CloseCode | None:
        """Return why the connection must end now, if it must.

        Args:
            now_s: The monotonic clock.
            unix_s: UTC epoch seconds, by which tokens expire.
        """
        if self.writer.stalled_s(now_s) > self._patience.stall_s:
            return CloseCode.STALLED
        if self.grant is None:
            late = now_s - self._opened_s > self._patience.auth_s
            return CloseCode.AUTH_REQUIRED if late else None
        expired = unix_s > self.grant.expires_s + self._patience.grace_s
        return CloseCode.AUTH_EXPIRED if expired else None

    def _fits(self, frame: Frame) -> bool:
        writer = self.writer
        if not writer.waiting_bytes:
            return True
        return writer.waiting_bytes + writer.size_of(frame) <= self._patience.max_backlog_bytes
