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
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from dashboard.client import feed_client, streams
from dashboard.client.arguments import Indicators, Keep, Symbols, Time
from dashboard.client.core.actions import Mode, StateChanged, Trouble
from dashboard.client.core.bars import Bar
from dashboard.client.core.staleness import Age
from dashboard.client.core.trades import Trade
from dashboard.client.credentials import TokenSource
from dashboard.client.loop_thread import LoopThread
from dashboard.client.series import BarHistory, Instruments, Snapshot
from dashboard.client.stats import Stats
from dashboard.client.streams import OnLoss
from feed_server.protocol import Interval, Quote, SourceStatus

T = TypeVar("T")


@dataclass(frozen=True)
class _Raised:
    """What a stream has raised, in place of an item."""

    error: Exception


class Stream(Generic[T]):
    """Live data, for ``for``; see `dashboard.client.Stream`.

    A reader that is interrupted while it waits, as by Ctrl-C, loses nothing, and may ask again.
    """

    def __init__(self, client: "FeedClient", thread: LoopThread, stream: streams.Stream[T]) -> None:
        self._client = client  # which is closed when nobody holds it
        self._thread = thread
        self._stream = stream
        self._told: deque[T | _Raised] = deque()
        self._filling = asyncio.Lock()
        self._ended = False

    @property
    def lost(self) -> int:
        """How many items are gone."""
        return self._stream.lost

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next item; see `dashboard.client.Stream.__anext__` for what it raises."""
        while not self._told:
            if self._ended or not self._thread.call(self._fill):
                raise StopIteration
        # Python is not interrupted between these, as it could be when a call returns.
        told = self._told[0]
        del self._told[0]
        if isinstance(told, _Raised):
            raise told.error
        return told

    async def _fill(self) -> bool:
        """Wait for something to tell, and keep it; return whether there is something.

        Who has asked may have been interrupted: what is taken out of the stream is put here in the
        same step.
        """
        async with self._filling:
            if not self._told:
                try:
                    self._told.extend(await self._stream.some())
                except Exception as error:  # noqa: BLE001 (it is raised where it is read)
                    self._told.append(_Raised(error))
            return bool(self._told)

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
        self._ended = True
        self._told.clear()
        self._thread.end(self._stream.aclose)


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

    def snapshot(self, *symbols: Symbols) -> Snapshot:
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
        indicators: Indicators = (),
    ) -> BarHistory:
        """Return the newest bars of a symbol; see `dashboard.client.FeedClient.history`."""

        def ask() -> Coroutine[Any, Any, BarHistory]:
            return self._feed.history(
                symbol, interval, start=start, end=end, limit=limit, indicators=indicators
            )

        return self._thread.call(ask)

    def quotes(
        self,
        *symbols: Symbols,
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
        *symbols: Symbols,
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
        indicators: Indicators = (),
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
        return self._thread.look(self._feed.stats)

    def age(self, symbol: str) -> Age:
        """Return whether a symbol's quote is as new as it should be, and how old it is."""
        return self._thread.look(lambda: self._feed.age(symbol))

    @property
    def sources(self) -> Mapping[str, SourceStatus]:
        """What the feed says of its sources, by their names."""
        return self._feed.sources

    def on_trouble(self, listener: Callable[[Trouble], object]) -> Callable[[], None]:
        """Call a function with what a source says of a symbol that it cannot give, for now."""
        return self._feed.on_trouble(listener)

    def on_state(self, listener: Callable[[StateChanged], object]) -> Callable[[], None]:
        """Call a function with each change of `state` from now on; return what ends that."""
        return self._feed.on_state(listener)
