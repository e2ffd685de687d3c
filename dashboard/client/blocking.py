"""``FeedClient`` for code that is not asynchronous: scripts, and plain notebooks.

    from dashboard.client.blocking import FeedClient

    with FeedClient() as feed:
        history = feed.history("AAPL")
        for quote in feed.quotes("AAPL", limit=5):
            print(quote.last)

It does all that the asynchronous one does, in an event loop of its own, in a thread of its own; so
it works where a loop runs already, too.
"""

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from dashboard.client import feed_client, streams
from dashboard.client.arguments import Keep, Time
from dashboard.client.core.actions import Mode, StateChanged
from dashboard.client.core.bars import Bar
from dashboard.client.core.trade_book import Trade
from dashboard.client.credentials import TokenSource
from dashboard.client.errors import FeedError
from dashboard.client.runner import Stats
from dashboard.client.series import BarHistory, Instruments, Snapshot
from dashboard.client.streams import OnLoss
from feed_server.protocol import Interval, Quote

T = TypeVar("T")


CLOSED = "this FeedClient is closed: make another one"


class LoopThread:
    """A thread that runs an event loop, from the first call on.

    Args:
        at_end: Is run there when the thread is stopped.
    """

    def __init__(self, at_end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._at_end = at_end
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._closed = False

    def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine there, and return what it returns.

        Raises:
            FeedError: The thread is stopped, or it is this very thread that would wait.
        """
        loop = self._started()
        if threading.current_thread() is self._thread:
            raise FeedError("this was called by the client itself, which would wait for ever")
        coroutine = work()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:  # stopped meanwhile
            coroutine.close()
            raise FeedError(CLOSED) from None
        try:
            return future.result()
        except CancelledError:
            raise FeedError(CLOSED) from None
        finally:
            future.cancel()  # where the wait was interrupted, as by Ctrl-C

    def stop(self) -> None:
        """End all that runs there, and the thread; safe to repeat."""
        with self._lock:
            self._closed = True
            thread, loop, stopped = self._thread, self._loop, self._stopped
        if thread is None or loop is None or stopped is None:
            return
        with suppress(RuntimeError):  # stopped already
            loop.call_soon_threadsafe(stopped.set)
        if thread is not threading.current_thread():
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise FeedError(CLOSED)
            if self._loop is None:
                ready = threading.Event()
                self._thread = threading.Thread(
                    target=asyncio.run, args=(self._run(ready),), name="feed client", daemon=True
                )
                self._thread.start()
                ready.wait()
            assert self._loop is not None
            return self._loop

    async def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        ready.set()
        await self._stopped.wait()
        await self._at_end()


class Stream(Generic[T]):
    """Live data, for ``for``; see `dashboard.client.Stream`."""

    def __init__(self, client: "FeedClient", thread: LoopThread, stream: streams.Stream[T]) -> None:
        self._client = client  # which is closed when nobody holds it
        self._thread = thread
        self._stream = stream
        self._items: deque[T] = deque()

    @property
    def lost(self) -> int:
        """How many items are gone."""
        return self._stream.lost

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next item; see `dashboard.client.Stream.__anext__` for what it raises."""
        if not self._items:
            self._items.extend(self._thread.call(self._stream.some))
        if not self._items:
            raise StopIteration
        return self._items.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream; safe to repeat."""
        self._items.clear()
        self._thread.call(self._stream.aclose)


class FeedClient:
    """A client of one feed server; arguments as for `dashboard.client.FeedClient`.

    Functions that it is given (tokens, loss, state) are called in its own thread.
    """

    def __init__(
        self,
        url: str | None = None,
        token: TokenSource | None = None,
        *,
        mode: Mode = "auto",
        poll_ms: int = 1000,
    ) -> None:
        self._feed = feed_client.FeedClient(url, token, mode=mode, poll_ms=poll_ms)
        self._thread = LoopThread(self._feed.aclose)
        # Also where nobody closes it, or when the interpreter ends.
        self._stop = weakref.finalize(self, self._thread.stop)

    @property
    def url(self) -> str:
        """The feed's address."""
        return self._feed.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its streams, and close its connections; safe to repeat."""
        self._stop()

    def symbols(self) -> Instruments:
        """Return all instruments that the feed offers."""
        return self._thread.call(self._feed.symbols)

    def search(self, text: str) -> Instruments:
        """Return the instruments whose symbol or name has a text in it, the best first."""
        return self._thread.call(lambda: self._feed.search(text))

    def snapshot(self, *symbols: str) -> Snapshot:
        """Return the last values of some symbols, of all where none is named."""
        return self._thread.call(lambda: self._feed.snapshot(*symbols))

    def history(
        self,
        symbol: str,
        interval: str = Interval.DAY,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int = 500,
        indicators: Sequence[str] = (),
    ) -> BarHistory:
        """Return the newest bars of a symbol; see `dashboard.client.FeedClient.history`."""

        def ask() -> Coroutine[Any, Any, BarHistory]:
            return self._feed.history(
                symbol, interval, start=start, end=end, limit=limit, indicators=indicators
            )

        return self._thread.call(ask)

    def quotes(
        self,
        *symbols: str,
        keep: Keep = "latest",
        limit: int | None = None,
        max_hz: float = 0,
        on_loss: OnLoss = "warn",
    ) -> Stream[Quote]:
        """Return each newer quote of some symbols; see `dashboard.client.FeedClient.quotes`."""
        stream = self._feed.quotes(*symbols, keep=keep, limit=limit, max_hz=max_hz, on_loss=on_loss)
        return Stream(self, self._thread, stream)

    def trades(
        self,
        *symbols: str,
        keep: Keep = "every",
        limit: int | None = None,
        on_loss: OnLoss = "warn",
    ) -> Stream[Trade]:
        """Return each trade of some symbols; see `dashboard.client.FeedClient.trades`."""
        stream = self._feed.trades(*symbols, keep=keep, limit=limit, on_loss=on_loss)
        return Stream(self, self._thread, stream)

    def bars(
        self,
        symbol: str,
        interval: str = Interval.MINUTE,
        *,
        indicators: Sequence[str] = (),
        keep: Keep = "latest",
        limit: int | None = None,
        on_loss: OnLoss = "warn",
    ) -> Stream[Bar]:
        """Return the bars of a symbol as they form; see `dashboard.client.FeedClient.bars`."""
        stream = self._feed.bars(
            symbol, interval, indicators=indicators, keep=keep, limit=limit, on_loss=on_loss
        )
        return Stream(self, self._thread, stream)

    @property
    def state(self) -> StateChanged:
        """How the connection does, why, and since when."""
        return self._feed.state

    def stats(self) -> Stats:
        """Return what was measured and counted so far, over all streams."""
        return self._feed.stats()

    def on_state(self, listener: Callable[[StateChanged], object]) -> Callable[[], None]:
        """Call a function with each change of `state` from now on; return what ends that."""
        return self._feed.on_state(listener)
