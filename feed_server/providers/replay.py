"""The ``replay`` provider: market data of the past, streamed as if it happened now."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from feed_server.errors import ConfigurationError, UnknownSymbolError
from feed_server.market.events import MarketEvent
from feed_server.protocol import Interval, SymbolInfo
from feed_server.providers.bar_columns import Span, whole_bars
from feed_server.providers.base import Capabilities, Provider, Watchlist
from feed_server.providers.replay_bars import tape_bars
from feed_server.providers.replay_clock import ReplayClock
from feed_server.providers.replay_files import load_tapes
from feed_server.providers.replay_path import decimals_of
from feed_server.providers.replay_sample import (
    SAMPLE_NAMES,
    SAMPLE_START,
    SAMPLE_ZONE,
    sample_tapes,
)
from feed_server.providers.replay_source import ReplaySource, make_source
from feed_server.providers.replay_tape import QuoteTape, Tape

NAME = "replay"
LABEL = "REPLAY"

HISTORY_BARS = 5_000
"""Most bars in one answer."""

MAX_BATCH = 1_000
"""Most trades in a batch, so that a consumer that catches up lets others run in between."""

MIN_SLEEP_S = 0.010
"""Trades closer together than this in real time come in one batch."""


class ReplayProvider(Provider):
    """Streams a source at a multiple of the market's speed.

    All of its symbols flow, whatever the watchlist. A slow consumer gets what has become due
    meanwhile at once, and nothing is left out. Each `stream` begins anew, or where it is told to.
    What lies before the newest trade that was streamed is history, what lies behind it is not told.

    Args:
        source: What is replayed.
        speed: Market seconds per real second; infinity streams without waiting.
        now: A clock in seconds that never goes back.
        sleep: Waits so many seconds of that clock.

    Raises:
        ConfigurationError: The speed is not above 0.
    """

    name = NAME
    label = LABEL
    capabilities = Capabilities(
        streams=True,
        resumable=True,
        intervals=frozenset(Interval),
        history_bars=HISTORY_BARS,
    )

    def __init__(
        self,
        source: ReplaySource,
        speed: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not speed > 0:
            raise ConfigurationError(f"replay speed is {speed}; expected a number above 0")
        self.zone = source.zone
        self.run = source.fingerprint()
        self.source = source
        self._speed = speed
        self._now = now
        self._sleep = sleep
        self._reached_ms = source.start_ms

    async def symbols(self) -> Sequence[SymbolInfo]:
        """Return the instruments it replays."""
        return self.source.infos

    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        """Return bars that end before what is streamed next, see `Provider.history`."""
        tapes = self.source.tapes.get(symbol)
        if not tapes:
            raise UnknownSymbolError(f"{symbol} is not among what is replayed")
        oldest_ms = min(int(tape.times.min()) for tape in tapes)
        asked = Span(start_ms, end_ms)
        span = whole_bars(interval, self.zone, asked, oldest_ms, self._reached_ms)
        # In a thread, so that the trades that are due meanwhile do not wait.
        return await asyncio.to_thread(
            tape_bars, tapes, interval, self.zone, span, self.capabilities.history_bars
        )

    async def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        """Yield events when they are due, see `Provider.stream`, at most 1,000 together.

        The clock begins with the first event that is not left out.
        """
        clock = ReplayClock(self._speed, self._now())
        batch: list[MarketEvent] = []
        reached_s, reached_ms = -math.inf, self.source.start_ms
        for due_ms, event in self.source.events(taken):
            due_s = clock.due_s(due_ms)
            if due_s > reached_s or len(batch) == MAX_BATCH:
                if batch:
                    self._reached_ms = reached_ms
                    yield batch
                    batch = []
                else:
                    self._reached_ms = due_ms
                reached_s = await self._wait_until(due_s)
            batch.append(event)
            reached_ms = due_ms
        if batch:
            self._reached_ms = reached_ms
            yield batch
        else:
            self._reached_ms = self.source.end_ms

    async def _wait_until(self, due_s: float) -> float:
        wait_s = due_s - self._now()
        await self._sleep(max(wait_s, MIN_SLEEP_S) if wait_s > 0 else 0.0)
        return max(due_s, self._now())


def open_replay(
    paths: Sequence[Path], start: date | None, zone: str, speed: float
) -> ReplayProvider:
    """Return a replay of files, or without any of the sample: real daily bars of five stocks.

    Args:
        paths: CSV and Parquet files of trades or bars, and directories of such files.
        start: First date to stream; what lies before it is only history. `None` streams all of
            the files, and the sample from June 2012.
        zone: IANA name of the zone by which the files' sessions are dated; the sample's is New
            York's.
        speed: Market seconds per real second.

    Raises:
        ReplayFileError: A file cannot be used.
        ConfigurationError: There is no such zone, nothing from the start on, or no speed.
    """
    if not paths:
        return ReplayProvider(_sample(start or SAMPLE_START), speed)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):  # an unknown name, an impossible one
        raise ConfigurationError(
            f"unknown time zone {zone!r}; expected an IANA name such as America/New_York"
        ) from None
    tapes = load_tapes(paths, zone)
    infos = [_info(symbol, symbol, _decimals(found), zone) for symbol, found in tapes.items()]
    return ReplayProvider(make_source(tapes, infos, zone, start), speed)


def _sample(start: date) -> ReplaySource:
    infos = [_info(symbol, name, 2, SAMPLE_ZONE) for symbol, name in SAMPLE_NAMES.items()]
    return make_source(sample_tapes(), infos, SAMPLE_ZONE, start)


def _decimals(tapes: Sequence[Tape]) -> int:
    prices = [tape.prices.ravel() for tape in tapes if not isinstance(tape, QuoteTape)]
    return decimals_of(np.concatenate(prices)) if prices else 2


def _info(symbol: str, name: str, decimals: int, zone: str) -> SymbolInfo:
    return SymbolInfo(symbol, name, "USD", decimals, source=NAME, label=LABEL, zone=zone)
