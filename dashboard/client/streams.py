"""Live data as a reader has it: an asynchronous iterator, and what waits between it and the feed.

A `Stream` is the reader's end, a `Sink` the runner's. The runner holds the sink only, so that a
stream which nobody holds any more, after a ``break`` say, is released.
"""

import asyncio
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

from dashboard.client.buffers import Buffer
from dashboard.client.core.session import Want
from dashboard.client.errors import FeedError, FeedLossError, FeedLossWarning

T = TypeVar("T")

YIELD_EVERY = 64
"""Items read without waiting, until other tasks get a turn: the connection is one of them."""


@dataclass(frozen=True)
class Loss:
    """Some items of a stream are gone.

    Attributes:
        symbol: Of which instrument; None where of any, for the reader was too slow.
        count: How many items; None where that is not known.
        reason: Why, for a person.
    """

    symbol: str | None
    count: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason


OnLoss = Literal["warn", "raise"] | Callable[[Loss], object]
"""How a reader is told of loss."""


class Sink(Generic[T]):
    """What the runner fills for one stream.

    Attributes:
        want: What is asked of the feed.
        losses: Not told yet.
        troubles: To be raised, once each, before what waits; the last of them, where nobody reads.
        failure: Raised when all that waits has been read, from then on always.
        ended: Whether nothing comes any more.
    """

    def __init__(self, want: Want, buffer: Buffer[T]) -> None:
        self.want = want
        self.buffer = buffer
        self.losses: deque[Loss] = deque(maxlen=1000)
        self.troubles: deque[FeedError] = deque(maxlen=1000)
        self.failure: FeedError | None = None
        self.ended = False
        self._reader: asyncio.Future[None] | None = None

    def put(self, items: list[T]) -> None:
        """Add items in order."""
        dropped = self.buffer.extend(items)
        if dropped:
            self._overflow(dropped)
        self._wake()

    def _overflow(self, dropped: int) -> None:
        if self.losses and self.losses[-1].symbol is None:
            dropped += self.losses.pop().count or 0
        reason = f"{dropped} items were dropped: the reader is slower than the feed"
        self.losses.append(Loss(None, dropped, reason))

    def lose(self, loss: Loss) -> None:
        """Tell of items that the feed cannot give."""
        self.losses.append(loss)
        self._wake()

    def trouble(self, error: FeedError) -> None:
        """Tell of something that is not given; the rest goes on."""
        self.troubles.append(error)
        self._wake()

    def fail(self, error: FeedError) -> None:
        """Tell that nothing comes any more, and why."""
        self.failure = error
        self._wake()

    def end(self) -> None:
        """Tell that nothing comes any more, and is not wanted."""
        self.ended = True
        self.buffer.clear()
        self._wake()

    async def wait(self) -> None:
        """Return when something is new."""
        if self._reader is not None:
            raise RuntimeError("another task is waiting for this stream: give each its own")
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Owner(Protocol):
    """Who fills sinks."""

    def attach(self, sink: Sink[T]) -> None:
        """Begin to fill one."""

    def detach(self, sink: Sink[T]) -> None:
        """End that; does nothing where it has ended."""


class Stream(Generic[T]):
    """Live data, for ``async for``. It begins with the first item that is asked for.

    It ends, and its subscription with it, by ``aclose()``, at the end of ``async with``, when
    nobody holds it any more (as after a ``break`` out of ``async for``), when ``limit`` items have
    been read, and with its client. A reader that is cancelled while it waits loses nothing, and may
    ask again.

    Attributes:
        lost: How many items are gone: the feed could not give them, or this reader was too slow. A
            gap of the feed of which the size is not known counts as one.
    """

    def __init__(self, owner: Owner, sink: Sink[T], limit: int | None, on_loss: OnLoss) -> None:
        if limit is not None and not limit >= 0:
            raise ValueError(f"limit {limit!r} must be a number of items, or None")
        if on_loss not in ("warn", "raise") and not callable(on_loss):
            raise ValueError(f"on_loss {on_loss!r} must be warn, raise or a function")
        self.lost = 0
        self._owner = owner
        self._sink = sink
        self._left = float("inf") if limit is None else limit
        self._on_loss = on_loss
        self._turn = 0
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> T:
        """Return the next item.

        Raises:
            StopAsyncIteration: The stream has ended.
            FeedError: The feed does not give one of the symbols; it is told once, and the others go
                on.
            FeedAccessError: The feed does not let this client in.
            FeedUnavailableError: The feed could not be reached, not even once.
            FeedLossError: Items are gone, where that is to be raised; the stream goes on.
        """
        sink = self._sink
        if not self._begun:
            self._begin()
        self._turn += 1
        if self._turn % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        while self._left > 0 and not sink.ended:
            if sink.losses or sink.troubles:
                self._tell()
            if sink.buffer:
                return self._pop()
            if sink.failure is not None:
                raise sink.failure
            await sink.wait()
        await self.aclose()
        raise StopAsyncIteration

    async def some(self) -> list[T]:
        """Return the next item and some of those that wait behind it; none at the end.

        It raises what `__anext__` raises.
        """
        async for item in self:
            items = [item]
            buffer = self._sink.buffer
            while len(items) < buffer.handful and self._left > 0 and buffer:
                items.append(self._pop())
            return items
        return []

    def _pop(self) -> T:
        self._left -= 1
        if self._left == 0:
            self._owner.detach(self._sink)
        return self._sink.buffer.pop()

    async def aclose(self) -> None:
        """End the stream; safe to repeat."""
        if self._begun:
            self._owner.detach(self._sink)
        self._begun = True
        self._sink.end()

    def _begin(self) -> None:
        self._begun = True
        self._owner.attach(self._sink)
        # It may be let go in any thread.
        loop = asyncio.get_running_loop()
        release = weakref.finalize(self, _release, loop, self._owner, self._sink)
        release.atexit = False

    def _tell(self) -> None:
        """Tell of what is not given, the first of all that has not been told yet."""
        if self._sink.troubles:
            raise self._sink.troubles.popleft()
        loss = self._sink.losses.popleft()
        self.lost += loss.count or 1
        if self._on_loss == "raise":
            raise FeedLossError(str(loss))
        if self._on_loss == "warn":
            warnings.warn(FeedLossWarning(str(loss)), stacklevel=3)
        elif callable(self._on_loss):
            self._on_loss(loss)


def _release(loop: asyncio.AbstractEventLoop, owner: Owner, sink: Sink[Any]) -> None:
    with suppress(RuntimeError):  # the loop is closed, and all has ended with it
        loop.call_soon_threadsafe(owner.detach, sink)
