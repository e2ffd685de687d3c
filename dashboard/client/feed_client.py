"""``FeedClient``: live data over one connection, history over HTTP."""

import asyncio
import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from dashboard.client import arguments
from dashboard.client.arguments import Indicators, Keep, Symbols, Time
from dashboard.client.buffers import latest_bars, latest_quotes, latest_trades
from dashboard.client.core.actions import Mode, StateChanged, Trouble
from dashboard.client.core.bars import Bar
from dashboard.client.core.latency import Counts, Meter
from dashboard.client.core.quote_book import QuoteBook
from dashboard.client.core.session import Session, Settings
from dashboard.client.core.staleness import Age
from dashboard.client.core.trades import Trade
from dashboard.client.credentials import Credentials, TokenSource
from dashboard.client.errors import FeedError
from dashboard.client.http_api import HttpApi
from dashboard.client.listeners import Listeners
from dashboard.client.runner import Runner
from dashboard.client.series import BarHistory, Instruments, Snapshot
from dashboard.client.stats import Stats
from dashboard.client.streams import OnLoss, Sink, Stream
from feed_server.protocol import Interval, Quote, SourceStatus

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8765"


class FeedClient:
    """A client of one feed server.

    Use it as an asynchronous context manager::

        async with FeedClient() as feed:
            history = await feed.history("AAPL")
            async for quote in feed.quotes("AAPL"):
                print(quote.last)

    All its streams share one connection, which the first of them opens. It is kept up: by the
    WebSocket, while that is down by polling, and after an outage streams go on where they stood.
    A client belongs to the event loop in which it is used first.

    Args:
        url: The feed's address, ``http://host:port``; without it ``QUOTEWIRE_FEED_URL``, else the
            address of a feed on this machine.
        token: What the feed lets the client in with, where it asks for that: a JSON Web Token, or
            a function, plain or async, that gives one, called whenever one is needed, so that
            streams outlive any of them. Without it ``QUOTEWIRE_TOKEN``.
        mode: ``auto``, or ``websocket`` or ``polling`` alone.
        poll_ms: How often it polls, where it does.

    Attributes:
        url: The feed's address.
    """

    def __init__(
        self,
        url: str | None = None,
        token: TokenSource | None = None,
        *,
        mode: Mode = "auto",
        poll_ms: int = 1000,
    ) -> None:
        self.url = (url or os.environ.get("QUOTEWIRE_FEED_URL") or DEFAULT_URL).rstrip("/")
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"feed address {self.url!r} must begin with http:// or https://")
        if mode not in ("auto", "websocket", "polling"):
            raise ValueError(f"mode {mode!r} must be auto, websocket or polling")
        self._credentials = Credentials(token or os.environ.get("QUOTEWIRE_TOKEN") or None)
        self._settings = Settings(mode=mode, poll_ms=poll_ms, renewable=self._credentials.renewable)
        self._http = HttpApi(self.url, self._credentials)
        self._runner: Runner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners = Listeners[StateChanged]()
        self._on_trouble = Listeners[Trouble]()
        self._before = Session(self._settings).state
        self._closed = False

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        self._require_open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """End its streams, and close its connections; safe to repeat."""
        self._closed = True
        try:
            if self._runner is not None:
                await self._runner.aclose()
        finally:
            await self._http.aclose()

    # ---- what is asked once

    async def symbols(self) -> Instruments:
        """Return all instruments that the feed offers.

        Raises:
            FeedError: The feed cannot be reached, or refuses the request; so with all requests.
        """
        self._require_open()
        return Instruments(await self._http.symbols())

    async def search(self, text: str) -> Instruments:
        """Return the instruments whose symbol or name has a text in it, the best first."""
        self._require_open()
        return Instruments(await self._http.search(text))

    async def snapshot(self, *symbols: Symbols) -> Snapshot:
        """Return the last values of some symbols, of all where none is named.

        Raises:
            FeedError: The feed cannot be reached, or does not know a symbol.
        """
        self._require_open()
        quotes = QuoteBook().apply(
            await self._http.quotes(arguments.symbol_names(symbols)), polled=True
        )
        return Snapshot({quote.symbol: quote for quote in quotes})

    async def history(
        self,
        symbol: str,
        interval: str = Interval.DAY,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int = 500,
        indicators: Indicators = (),
    ) -> BarHistory:
        """Return the newest bars of a symbol, oldest first; the last may still be forming.

        Args:
            symbol: The instrument.
            interval: Length of the bars: ``1s``, ``5s``, ``1m``, ``5m``, ``15m``, ``1h``, ``1d``.
            start: Bars that begin from here on.
            end: Bars that begin up to here.
            limit: Bars at most, 1 to 10,000.
            indicators: To be computed at each bar, such as ``["SMA(20)", "BBANDS(20,2,2)"]``, or
                one text with commas between.

        Raises:
            FeedError: The feed cannot be reached, or refuses the request.
            ValueError: There is no such interval, time or limit.
        """
        arguments.check_interval(interval)
        arguments.check_bars(limit)
        self._require_open()
        series = await self._http.bars(
            symbol,
            interval,
            start_ms=arguments.epoch_ms("start", start),
            end_ms=arguments.epoch_ms("end", end),
            limit=limit,
            indicators=arguments.indicator_texts(indicators),
        )
        return BarHistory(series)

    # ---- what goes on

    def quotes(
        self,
        *symbols: Symbols,
        keep: Keep = "latest",
        limit: int | None = None,
        max_hz: float = 0,
        on_loss: OnLoss = "warn",
    ) -> Stream[Quote]:
        """Return each newer quote of some symbols, beginning with what the feed has now.

        Args:
            symbols: The instruments, one by one or as a list.
            keep: What a reader gets that is slower than the feed: the ``latest`` quote of each
                symbol, whose ``count`` says for how many changes it stands; or ``every`` one that
                the feed sends, of which the last 10,000 wait.
            limit: End after so many quotes.
            max_hz: Updates a second of a symbol at most; 0 for what the feed does without asking.
            on_loss: How to tell of loss: ``warn`` by a `FeedLossWarning`, ``raise`` a
                `FeedLossError`, after which the stream goes on, or a function that takes a `Loss`.

        Raises:
            ValueError: An argument can be none, such as a negative ``max_hz``; so with all streams.
        """
        asked = arguments.want("quotes", symbols, max_hz=max_hz)
        return Stream(self, Sink(asked, arguments.buffer(keep, latest_quotes)), limit, on_loss)

    def trades(
        self,
        *symbols: Symbols,
        keep: Keep = "every",
        limit: int | None = None,
        on_loss: OnLoss = "warn",
    ) -> Stream[Trade]:
        """Return each trade of some symbols from now on, in order; arguments as for `quotes`."""
        asked = arguments.want("trades", symbols)
        return Stream(self, Sink(asked, arguments.buffer(keep, latest_trades)), limit, on_loss)

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
        """Return the bars of a symbol as they form, beginning with those that are open now.

        A bar that is not ``final`` is told again when it has changed. Final ones are told once
        each, in order.

        Args:
            symbol: The instrument.
            interval: See `history`.
            indicators: See `history`; their values are in ``Bar.indicators``.
            keep: What a reader gets that is slower than the feed: the ``latest`` account of each
                bar, or ``every`` one that the feed sends.
            limit: See `quotes`.
            on_loss: See `quotes`.
        """
        asked = arguments.want("bars", (symbol,), interval=interval, indicators=indicators)
        return Stream(self, Sink(asked, arguments.buffer(keep, latest_bars)), limit, on_loss)

    # ---- how it does

    @property
    def state(self) -> StateChanged:
        """How the connection does, why, and since when."""
        return self._before if self._runner is None else self._runner.session.state

    def stats(self) -> Stats:
        """Return what was measured and counted so far, over all streams."""
        if self._runner is None:
            return Stats(Meter().facts(0), Counts())
        return self._runner.stats()

    def age(self, symbol: str) -> Age:
        """Return whether a symbol's quote is as new as it should be, and how old it is.

        It is judged by the symbol's own rhythm, its source and the connection; ``unknown`` where no
        stream of quotes is read that has it.
        """
        return Age("unknown", None) if self._runner is None else self._runner.age(symbol)

    @property
    def sources(self) -> Mapping[str, SourceStatus]:
        """What the feed says of its sources, by their names; empty before a stream was read."""
        return {} if self._runner is None else self._runner.sources

    def on_state(self, listener: Callable[[StateChanged], object]) -> Callable[[], None]:
        """Call a function with each change of `state` from now on; return what ends that."""
        return self._listeners.add(listener)

    def on_trouble(self, listener: Callable[[Trouble], object]) -> Callable[[], None]:
        """Call a function where a source cannot give a symbol for now; return what ends that."""
        return self._on_trouble.add(listener)

    # ---- how

    def attach(self, sink: Sink[T]) -> None:
        """Begin to fill what a stream reads."""
        self._require_open()
        if self._runner is None:
            self._runner = Runner(
                self._http, self._credentials, self._settings, self._listeners, self._on_trouble
            )
        self._runner.attach(sink)

    def detach(self, sink: Sink[T]) -> None:
        """End that; does nothing where it has ended."""
        if self._runner is not None:
            self._runner.detach(sink)

    def _require_open(self) -> None:
        if self._closed:
            raise FeedError("this FeedClient is closed: make another one")
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            raise FeedError("this FeedClient belongs to another event loop: make one for each")
