"""A vendor's WebSocket: every way in which that can fail as one of our errors."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import msgspec
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    websocket_connect,
)

from feed_server.errors import (
    MalformedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from feed_server.providers.vendor_http import SHOWN, SecretMask, retry_after_s

MAX_MESSAGE_BYTES = 4_000_000
"""Of a message that is taken."""
HANG_UP_BYTES = 16_000_000
"""Of a message that is not even read: there the connection ends."""
MAX_WAITING_BYTES = 64_000_000
"""Of messages that wait for us; with more we do not keep up, and are better off beginning anew."""
LOOK_S = 0.1
"""Who has not looked for long allows this for what has come meanwhile."""
GONE_S = 1.0


class VendorSocket:
    """An open connection; `open_socket` makes and closes it."""

    def __init__(self, vendor: str, silence_s: float, secrets: Sequence[str]) -> None:
        self._vendor = vendor
        self._silence_s = silence_s
        self._mask = SecretMask(secrets)
        self._connection: WebSocketClientConnection | None = None
        self._messages: deque[str | bytes] = deque()
        self._waiting_bytes = 0
        self._flooded = False
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._heard_s = time.monotonic()

    async def send(self, message: object) -> None:
        """Send a message as JSON.

        Raises:
            UnavailableError: The connection is closed, or the vendor takes nothing.
        """
        assert self._connection is not None
        try:
            async with asyncio.timeout(self._silence_s):
                await self._connection.write_message(msgspec.json.encode(message))
        except WebSocketClosedError:
            raise self._closed() from None
        except TimeoutError:
            raise UnavailableError(
                f"{self._vendor}'s WebSocket took nothing for {self._silence_s:g} s"
            ) from None

    async def receive(self) -> bytes:
        """Return the next message; what came before the connection's end is still given.

        Raises:
            UnavailableError: The connection is closed, or open but silent for too long.
            MalformedError: The message is binary, or too long.
        """
        while not self._messages:
            if self._gone.is_set():
                raise self._closed()
            self._news.clear()
            left_s = self._heard_s + self._silence_s - time.monotonic()
            try:
                async with asyncio.timeout(max(left_s, LOOK_S)):
                    await self._news.wait()
            except TimeoutError:
                raise UnavailableError(
                    f"{self._vendor}'s WebSocket is open but silent for {self._silence_s:g} s"
                ) from None
        return self._next()

    def received(self, limit: int) -> list[bytes]:
        """Return messages that have come already, at most so many; it does not wait.

        Raises:
            MalformedError: One is binary, or too long.
        """
        return [self._next() for _ in range(min(limit, len(self._messages)))]

    def _next(self) -> bytes:
        message = self._messages.popleft()
        self._waiting_bytes -= len(message)
        if isinstance(message, bytes):
            raise MalformedError(f"{self._vendor}'s WebSocket sent a binary message")
        data = message.encode()
        if len(data) > MAX_MESSAGE_BYTES:
            raise MalformedError(
                f"{self._vendor}'s WebSocket sent a message of {len(data):,} bytes; "
                f"at most {MAX_MESSAGE_BYTES:,} are taken"
            )
        return data

    def _on_message(self, message: str | bytes | None) -> None:
        self._heard_s = time.monotonic()
        if message is None:
            self._gone.set()
        elif self._waiting_bytes + len(message) > MAX_WAITING_BYTES:
            self._flooded = True
            self._hang_up()
        else:
            self._messages.append(message)
            self._waiting_bytes += len(message)
        self._news.set()

    def _closed(self) -> UnavailableError:
        if self._flooded:
            return UnavailableError(f"{self._vendor}'s WebSocket sends more than can be taken")
        code = self._connection and self._connection.close_code
        reason = self._connection and self._connection.close_reason
        told = f" with {code}" if code else " without a word"
        told += f": {self._masked(reason)}" if reason else ""
        return UnavailableError(f"{self._vendor} closed its WebSocket{told}")

    def _hang_up(self) -> None:
        """Say goodbye, and do not wait for an answer that may never come."""
        assert self._connection is not None
        protocol = self._connection.protocol
        if protocol is not None:
            self._connection.close(1000)
            if protocol.stream is not None:
                protocol.stream.close()

    async def _open(self, url: str, timeout_s: float) -> None:
        request = HTTPRequest(url, connect_timeout=timeout_s, request_timeout=timeout_s)
        # Shielded, for a future of Tornado's that is cancelled forgets the socket behind it.
        opening = asyncio.ensure_future(
            websocket_connect(
                request, on_message_callback=self._on_message, max_message_size=HANG_UP_BYTES
            )
        )
        try:
            self._connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_late)
            raise
        except (HTTPClientError, WebSocketError, StreamClosedError, OSError, ValueError) as error:
            failure = self._refused(error)
        else:
            return
        # Outside of ``except``: an error of Tornado's leads to the whole address.
        raise failure

    def _close_late(self, opening: "asyncio.Future[WebSocketClientConnection]") -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._connection = opening.result()
            self._hang_up()

    def _refused(self, error: Exception) -> ProviderError:
        what = f"{self._vendor}'s WebSocket cannot be opened: {self._masked(str(error))}"
        if isinstance(error, HTTPClientError) and error.code == 429:
            after = error.response.headers.get("Retry-After", "") if error.response else ""
            return RateLimitedError(what, retry_after_s(after, datetime.now(UTC)))
        if isinstance(error, HTTPClientError) and error.code in (401, 403):
            return UnauthorizedError(what)
        return UnavailableError(what)

    def _masked(self, text: str) -> str:
        text = self._mask.hide(text)
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"


@asynccontextmanager
async def open_socket(
    vendor: str,
    url: str,
    *,
    silence_s: float,
    secrets: Sequence[str] = (),
    connect_timeout_s: float = 10.0,
) -> AsyncIterator[VendorSocket]:
    """Open a vendor's WebSocket, and close it in the end.

    Args:
        vendor: Its name, for errors.
        url: Where it is, ``ws://…`` or ``wss://…``.
        silence_s: An open connection on which nothing comes for so long is taken for dead.
        secrets: Texts that no error may contain.
        connect_timeout_s: The vendor has so long to accept.

    Raises:
        RateLimitedError: HTTP 429 instead of a WebSocket.
        UnauthorizedError: HTTP 401 or 403 instead.
        UnavailableError: Anything else instead, or no connection in time.
    """
    if not url.startswith(("ws://", "wss://")):
        raise UnavailableError(f"{vendor}'s WebSocket address must begin with ws:// or wss://")
    socket = VendorSocket(vendor, silence_s, secrets)
    await socket._open(url, connect_timeout_s)
    try:
        yield socket
    finally:
        socket._hang_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(GONE_S):
                await socket._gone.wait()
