"""One page's connection to the feed, made by the page's server."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf

import msgspec

from dashboard.client.credentials import Credentials
from dashboard.client.errors import FeedError, FeedUnavailableError
from dashboard.client.http_api import HttpApi
from dashboard.client.websocket_link import LinkError, WebSocketLink
from dashboard.relay.messages import Answer, Asked, Closed, Got, Said
from dashboard.relay.outbox import Outbox
from feed_server.protocol import MAX_SETTINGS_BODY_BYTES, CloseCode, ErrorCode

GETTABLE = frozenset(
    {
        *("symbols", "search", "status", "quotes", "bars", "trades", "indicators"),
        *("alerts", "settings", "gateways", "subscriptions"),
    }
)
"""The paths below ``/api/`` that a page may ask for."""
CHANGEABLE = frozenset({("POST", "alerts"), ("DELETE", "alerts"), ("PUT", "settings")})
"""What it may change, and how."""
QUERY_NAMES = frozenset(
    {"symbols", "symbol", "interval", "start", "end", "limit", "since", "indicators", "q", "id"}
)

MAX_COMMANDS = 200
"""Waiting for the connection; the feed itself allows fewer in a burst."""
MAX_COMMAND_CHARACTERS = 65_536
MAX_REQUESTS = 8
"""Under way at once."""
MAX_QUERY_CHARACTERS = 16_384
MAX_TEXT_BYTES = MAX_SETTINGS_BODY_BYTES
"""Of what a request changes; a user's settings are the longest."""
MAX_BODY_BYTES = 4 * 2**20
"""Of an answer."""

Send = Callable[[object], None]
"""Takes what is to go to the page: plain lists, mappings, texts and numbers."""


class _EndedError(Exception):
    """The link is over: the close code, if there is one, and the reason."""

    def __init__(self, number: int | None, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.reason = reason


class Link:
    """One page's connection to the feed, with the requests beside it.

    Args:
        outbox: Takes what is for the page, and says when it goes there.
        feed_url: Where this process finds the feed.
        credentials: Shown with requests.
        send: Takes messages to the page.

    Attributes:
        task: Runs until the link is over, whoever ended it; then nothing of it is left.
    """

    def __init__(self, outbox: Outbox, feed_url: str, credentials: Credentials, send: Send) -> None:
        self._send = send
        self._outbox = outbox
        self._commands: asyncio.Queue[bytes] = asyncio.Queue(MAX_COMMANDS)
        self._commands_heard = 0
        self._requests: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._end: _EndedError | None = None
        self._is_ending = False
        self._http = HttpApi(feed_url, credentials)
        self._feed = WebSocketLink(
            f"{feed_url.replace('http', 'ws', 1)}/ws", self._take, self._lost
        )
        self._loop = asyncio.get_running_loop()
        self.task = asyncio.create_task(self._run(), name="relay")

    def receive(self, message: Said | Asked | Got | Closed) -> None:
        """Take what the page says of this link."""
        match message:
            case Said():
                self._say(message)
            case Asked():
                self._ask(message)
            case Got(number=number):
                self._outbox.answered(number)
                self._look()
            case Closed():
                self.close()

    def close(self) -> None:
        """End it without a word: the page knows, or is gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        """End what runs, once: what cleans up after it must not be cut short."""
        if not self._is_ending:
            self._is_ending = True
            self.task.cancel()

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deliver())
                group.create_task(self._command())
        except* _EndedError as ends:
            end = ends.exceptions[0]
            assert isinstance(end, _EndedError)
            self._send(msgspec.to_builtins(self._outbox.last(end.number, end.reason)))
        finally:
            self._is_ending = True
            requests = list(self._requests)
            for request in requests:
                request.cancel()
            self._room.set()  # for a message that still waits for it
            await asyncio.gather(*requests, return_exceptions=True)
            await self._feed.close()
            await self._http.aclose()

    # ---- from the page ---------------------------------------------------------------------

    def _say(self, said: Said) -> None:
        self._commands_heard += 1
        if said.number != self._commands_heard:
            self._finish(None, "a command of the page was lost on its way")
        elif len(said.text) > MAX_COMMAND_CHARACTERS:
            self._finish(CloseCode.TOO_BIG.number, CloseCode.TOO_BIG.reason)
        elif self._commands.full():
            self._finish(
                CloseCode.TOO_MANY_COMMANDS.number, "more commands than the connection takes"
            )
        else:
            # What is no Unicode goes as a browser's own socket would send it: as something else.
            self._commands.put_nowait(said.text.encode(errors="replace"))

    async def _command(self) -> None:
        """Connect, and pass the page's commands on."""
        try:
            await self._feed.connect()
        except LinkError as error:
            self._finish(None, f"the page's server cannot reach the feed: {error}")
            return
        while True:
            self._feed.send(await self._commands.get())

    def _ask(self, asked: Asked) -> None:
        refusal = _refusal(asked)
        if refusal is None and len(self._requests) >= MAX_REQUESTS:
            refusal = Answer(
                asked.id, code=ErrorCode.TOO_MANY_COMMANDS, message="too many requests at once"
            )
        if refusal is not None:
            self._answer(refusal)
            return
        request = asyncio.create_task(self._get(asked), name="relay request")
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)

    async def _get(self, asked: Asked) -> None:
        try:
            answered = await self._http.request(
                asked.method, f"/api/{asked.path}", asked.query, asked.text.encode()
            )
            body = answered.decode()
        except FeedUnavailableError as error:
            answer = Answer(asked.id, message=str(error))
        except FeedError as error:
            answer = Answer(asked.id, code=error.code or ErrorCode.OTHER, message=str(error))
        except UnicodeDecodeError:
            answer = Answer(asked.id, message="the feed's answer is not a text")
        else:
            answer = Answer(asked.id, body=body)
            if len(body) > MAX_BODY_BYTES:
                text = "the answer is larger than a relay takes: ask for less at once"
                answer = Answer(asked.id, code=ErrorCode.BAD_PARAMETER, message=text)
        await self._room.wait()
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self._outbox.put_answer(answer)
        self._look()

    # ---- to the page -----------------------------------------------------------------------

    async def _take(self, text: str | bytes) -> None:
        """Keep a message for the page; the next is read when there is room."""
        self._outbox.put_text(text if isinstance(text, str) else text.decode())
        self._look()
        await self._room.wait()

    def _lost(self, number: int | None, reason: str) -> None:
        self._finish(number, reason or "the relay's connection to the feed broke")

    def _finish(self, number: int | None, reason: str) -> None:
        if self._end is None:
            self._end = _EndedError(number, reason)
        self._look()

    def _look(self) -> None:
        """Let the delivery look at what has changed."""
        self._set_room()
        self._changed.set()

    def _set_room(self) -> None:
        if self._outbox.is_full:
            self._room.clear()
        else:
            self._room.set()

    async def _deliver(self) -> None:
        """Send what is due until the link is over."""
        while self._end is None:
            now_ms = time.monotonic() * 1000
            if self._outbox.is_stalled(now_ms):
                raise _EndedError(CloseCode.STALLED.number, "the page took nothing for too long")
            batch = self._outbox.take(now_ms)
            if batch is not None:
                self._send(msgspec.to_builtins(batch))
                self._set_room()
            await self._wait(self._outbox.deadline_ms() - now_ms)
        raise self._end

    async def _wait(self, most_ms: float) -> None:
        """Return when something has changed, or after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if most_ms == inf else max(0, most_ms) / 1000):
                await self._changed.wait()
        self._changed.clear()


def _refusal(asked: Asked) -> Answer | None:
    """Return why a request is not passed on; None where it is."""
    try:
        size = len(asked.text.encode())
        query = "".join((asked.path, asked.method, *asked.query, *asked.query.values()))
        query.encode()
    except UnicodeError:  # half of a pair of UTF-16, which JSON can tell
        return Answer(asked.id, code=ErrorCode.BAD_PARAMETER, message="the text is no Unicode")
    may = (
        asked.path in GETTABLE
        if asked.method == "GET"
        else (asked.method, asked.path) in CHANGEABLE
    )
    if not may:
        text = f"{asked.path!r} cannot be had through the page's server"
        return Answer(asked.id, code=ErrorCode.NOT_FOUND, message=text)
    unknown = asked.query.keys() - QUERY_NAMES
    if unknown:
        text = f"unknown: {', '.join(sorted(unknown))}"
        return Answer(asked.id, code=ErrorCode.BAD_PARAMETER, message=text)
    if len(query) > MAX_QUERY_CHARACTERS:
        return Answer(asked.id, code=ErrorCode.BAD_PARAMETER, message="too long")
    if size > MAX_TEXT_BYTES:
        return Answer(asked.id, code=ErrorCode.TOO_LARGE, message="too long")
    return None
