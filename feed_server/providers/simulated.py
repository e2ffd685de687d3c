"""The ``simulated`` provider: a made-up market of any size, the same in every process."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from string import ascii_uppercase

import pandas as pd

from feed_server.errors import UnavailableError, UnknownSymbolError
from feed_server.market.events import MarketEvent
from feed_server.protocol import Interval, SymbolInfo
from feed_server.providers.bar_columns import Span, whole_bars
from feed_server.providers.base import Capabilities, Provider, Watchlist
from feed_server.providers.simulated_bars import simulated_bars
from feed_server.providers.simulated_feed import SimulatedFeed
from feed_server.providers.simulated_market import DECIMALS, ZONE, SimulatedMarket

NAME = "simulated"
LABEL = "SIMULATED"

BEGIN_MS = 946_684_800_000
"""History goes back to the year 2000."""

BATCH_S = 0.05
MOST_AT_ONCE_MS = 250
"""Of a market that is behind, so much is told together, so that others run in between."""

MOST_BEHIND_MS = 30_000
"""A market that has lost so much time, for the machine slept, is begun again."""

_HISTORY_BARS = 5_000
_LEAST_HISTORY_BARS = 200
_HISTORY_TRADES = 300_000
_LETTERS = len(ascii_uppercase)
_SPREAD = 7_919


class SimulatedProvider(Provider):
    """Streams a market that only its seed makes what it is, at the present time.

    Instruments on the watchlist flow; of every other one the state is told when the stream begins.
    What was not told because nobody asked for it is in `history`.

    Args:
        symbols: How many instruments.
        hz: Trades a second of each, on average over a day.
        seed: The same number is the same market.
        now: The present, in seconds since the epoch.
        sleep: Waits so many seconds.
    """

    name = NAME
    label = LABEL
    zone = ZONE

    def __init__(
        self,
        symbols: int,
        hz: float,
        seed: int,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # A minute's bars are made of its trades: of more trades, fewer bars are told at once.
        bars = int(_HISTORY_TRADES / (60 * hz))
        self.capabilities = Capabilities(
            streams=True,
            tells_state=True,
            intervals=frozenset(Interval),
            history_bars=min(_HISTORY_BARS, max(_LEAST_HISTORY_BARS, bars)),
        )
        self.run = f"{seed}-{hz:g}"
        self.market = SimulatedMarket(symbols, hz, seed)
        self._names = ticker_names(symbols)
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._now = now
        self._sleep = sleep

    async def symbols(self) -> Sequence[SymbolInfo]:
        """Return its instruments."""
        return [
            SymbolInfo(name, f"Simulated {name}", "USD", DECIMALS, NAME, LABEL, ZONE)
            for name in self._names
        ]

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        """Yield events as they happen, see `Provider.stream`."""
        feed = SimulatedFeed(self.market, self._names, self._now_ms())
        watched = watchlist.symbols
        others = [name for name in self._names if name not in watched]
        # In a thread, for of thousands of instruments it takes a moment.
        if others:
            yield await asyncio.to_thread(feed.state, others)
        while True:
            events = feed.carry(watchlist.symbols)
            now_ms = self._now_ms()
            if now_ms - feed.told_ms > MOST_BEHIND_MS:
                raise UnavailableError(f"{NAME}: {now_ms - feed.told_ms} ms have passed unseen")
            events += feed.advance(min(now_ms, feed.told_ms + MOST_AT_ONCE_MS))
            if events:
                yield events
            await self._sleep(BATCH_S if feed.told_ms >= now_ms else 0.0)

    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        """Return bars, see `Provider.history`; up to a minute exactly those of the stream."""
        if symbol not in self._numbers:
            raise UnknownSymbolError(f"{symbol} is not in the simulated market")
        span = whole_bars(interval, ZONE, Span(start_ms, end_ms), BEGIN_MS, self._now_ms())
        return await asyncio.to_thread(
            simulated_bars,
            self.market,
            self._numbers[symbol],
            interval,
            span,
            self.capabilities.history_bars,
        )

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def ticker_names(count: int) -> list[str]:
    """Return so many symbols that look like tickers, each another: of three letters, then four."""
    short = _LETTERS**3
    names = [_letters((n + 1) * _SPREAD % short, 3) for n in range(min(count, short))]
    return names + [_letters(n * _SPREAD % _LETTERS**4, 4) for n in range(1, count - short + 1)]


def _letters(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, letter = divmod(number, _LETTERS)
        text += ascii_uppercase[letter]
    return text
