"""One WebSocket to the feed, by Tornado's client: it moves text, whatever that means."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError
from typing_extensions import override

from dashboard.client.dialler import Dialler

CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
MAX_MESSAGE_BYTES = 16 * 2**20
"""A snapshot of 1,000 symbols has some 200 kB."""

OnText = Callable[[str | bytes], Awaitable[None] | None]
"""Takes a message; the next one is read when what it returns is done, or at once for None."""
OnClosed = Callable[[int | None, str], None]
"""Hears once, when the connection has ended: the close code, if there was one, and the reason."""


class LinkError(Exception):
    """No connection, or none any more."""


class _Connection(WebSocketClientConnection):
    """Tornado's, which can be given up while it connects and hands each message over at once.

    Not made by `websocket_connect`, for that keeps it to itself until it is connected: one that
    nobody waits for any more would go on connecting, and stay open.
    """

    def __init__(self, url: str, on_text: OnText, on_end: Callable[[], None]) -> None:
        self._on_text = on_text
        self._running: asyncio.Task[Any] | None = None
        self._given_up = False
        super().__init__(
            HTTPRequest(
                url,
                connect_timeout=CONNECT_TIMEOUT_S,
                request_timeout=CONNECT_TIMEOUT_S,
                validate_cert=True,
                decompress_response=False,
                allow_nonstandard_methods=False,
            ),
            on_message_callback=lambda _none: on_end(),
            max_message_size=MAX_MESSAGE_BYTES,
        )

    @override
    async def run(self) -> None:
        self._running = asyncio.current_task()
        if not self._given_up:
            self.tcp_client = Dialler(CONNECT_TIMEOUT_S)
            await super().run()

    @override
    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        return self._on_text(message)

    @property
    def is_connected(self) -> bool:
        """Whether it is one by now: the other end has agreed."""
        return self.protocol is not None

    def abort(self) -> None:
        """Close the socket at once, whatever it is doing."""
        self._given_up = True
        if self._running is not None:
            self._running.cancel()
        stream = getattr(self, "stream", None)
        if stream is not None:
            stream.close()
        self.close()


class WebSocketLink:
    """An open connection.

    Args:
        url: ``ws://host:port/ws``.
        on_text: Takes each message.
        on_closed: Hears of the end, unless `close` was what ended it.

    Attributes:
        bytes_in: Characters of all messages so far; the feed's text is ASCII for the most part.
    """

    def __init__(self, url: str, on_text: OnText, on_closed: OnClosed) -> None:
        self.bytes_in = 0
        self._url = url
        self._on_text = on_text
        self._on_closed: OnClosed | None = on_closed
        self._ended = asyncio.Event()
        self._writes: set[asyncio.Future[None]] = set()
        self._connection: _Connection | None = None

    async def connect(self) -> None:
        """Connect; to be called once. If it is cancelled, or fails, nothing is left open.

        Raises:
            LinkError: There is no connection to be had, or none in time.
        """
        self._connection = _Connection(self._url, self._take, self._end)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connection.connect_future
        except (OSError, HTTPError, WebSocketError) as error:
            self._abandon()
            raise LinkError(_reason(error)) from error
        except BaseException:
            self._abandon()
            raise

    def send(self, text: bytes) -> None:
        """Send a message; one to a connection that has ended is dropped, which is told there."""
        assert self._connection is not None, "connect first"
        with suppress(WebSocketClosedError):
            write = self._connection.write_message(text)
            self._writes.add(write)
            write.add_done_callback(self._written)

    def mute(self) -> None:
        """Hand over nothing any more, not even that it has ended."""
        self._on_closed = None

    async def close(self) -> None:
        """Say goodbye and wait until the connection is gone, but not for long; safe to repeat."""
        self.mute()
        if self._connection is None or not self._connection.is_connected:
            self._abandon()
            return
        self._connection.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._ended.wait()
        except TimeoutError:
            pass
        finally:
            self._abandon()

    def _abandon(self) -> None:
        self.mute()
        if self._connection is not None:
            self._connection.abort()
        for write in self._writes:
            write.cancel()

    def _take(self, text: str | bytes) -> Awaitable[None] | None:
        self.bytes_in += len(text)
        return None if self._on_closed is None else self._on_text(text)

    def _end(self) -> None:
        self._ended.set()
        connection, on_closed = self._connection, self._on_closed
        self._on_closed = None
        if connection is not None:
            connection.close()  # of ours, too: it warns of one that is not
            if on_closed is not None:
                on_closed(connection.close_code, connection.close_reason or "the connection broke")

    def _written(self, write: asyncio.Future[None]) -> None:
        self._writes.discard(write)
        if not write.cancelled():
            write.exception()  # that it failed is told by the connection's end


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
