"""A market of all that a page must bear: prices of any size, a long symbol, texts like markup.

A feed runs it as a package's source, which it finds by an entry point: see `installed`.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from typing_extensions import override

from feed_server.errors import ProviderError, UnavailableError
from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.protocol import Interval, SymbolInfo, Trade
from feed_server.providers.base import Capabilities, Provider, Watchlist, bar_frame
from feed_server.providers.registry import ProviderOptions

MARKUP = "<img src=x onerror='window.hacked = 1'>"
LONG = "W" * 64
TINY, HUGE, LOUD = "TINY", "HUGE", "LOUD"
PRICES = {TINY: 1.2e-8, HUGE: 1_234_567_890.5, LONG: 12.5}
DECIMALS = {TINY: 10}
DAYS = 60
BATCH_S = 0.25
CLOSED = "ODD_MARKET_CLOSED"
"""Environment variable with the path of a file: while it is there, the market is closed."""


class OddMarket(Provider):
    """Streams at the present time, until it is closed."""

    name = "odd"
    label = "<b>ODD</b>"
    zone = "America/New_York"
    capabilities = Capabilities(streams=True, intervals=frozenset({Interval.DAY}))

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        return [
            SymbolInfo(
                symbol, f"{MARKUP} {symbol}", "<i>", DECIMALS.get(symbol, 2), self.name, self.label
            )
            for symbol in PRICES
        ]

    @override
    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        count = 0
        while True:
            now_ms = time.time_ns() // 1_000_000
            yield [event for symbol in PRICES for event in _events(symbol, now_ms, count)]
            if _is_closed():
                return
            count += 1
            await asyncio.sleep(BATCH_S)

    @override
    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        starts = [int((today - timedelta(days=n)).timestamp() * 1000) for n in range(DAYS, 0, -1)]
        bars = [
            _bar(PRICES[symbol] * (1 + n % 7 / 100))
            for n, start in enumerate(starts)
            if start_ms <= start < end_ms
        ]
        columns = {name: [bar[name] for bar in bars] for name in _bar(1)}
        return bar_frame([start for start in starts if start_ms <= start < end_ms], columns)


class LoudSource(Provider):
    """Answers nothing, and says so in markup."""

    name = "loud"
    label = "LOUD"
    zone = "UTC"
    capabilities = Capabilities(polls=True, poll_s=1)

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        return [SymbolInfo(LOUD, MARKUP, "USD", 2, self.name, self.label)]

    @override
    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        raise UnavailableError(f"{self.name}: {MARKUP}")


def open_odd(_: ProviderOptions) -> Provider:
    """Return the market, as an entry point does."""
    return OddMarket()


def open_loud(_: ProviderOptions) -> Provider:
    """Return the source, as an entry point does."""
    return LoudSource()


@contextmanager
def installed(folder: Path) -> Iterator[Path]:
    """Let feeds that are started meanwhile find both; gives the file that closes the market."""
    info = folder / "odd_market-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-market\nVersion: 1.0\n")
    module = "tests.browser.odd_market"
    (info / "entry_points.txt").write_text(
        f"[quotewire.providers]\nodd = {module}:open_odd\nloud = {module}:open_loud\n"
    )
    closed = folder / "closed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv(CLOSED, str(closed))
        yield closed


def _is_closed() -> bool:
    return Path(os.environ[CLOSED]).exists()


def _events(symbol: str, now_ms: int, count: int) -> list[MarketEvent]:
    price = PRICES[symbol] * (1 + count % 3 / 100)
    return [
        Trade(symbol, now_ms, price, 1.0 + count % 5),
        TopOfBook(symbol, now_ms, price * 0.99, price * 1.01),
    ]


def _bar(price: float) -> dict[str, float]:
    return {
        "open": price,
        "high": price * 1.02,
        "low": price * 0.98,
        "close": price * 1.01,
        "volume": 1e6,
    }
