"""The ``replay`` provider: market data of the past, streamed as if it happened now."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from feed_server.errors import ConfigurationError
from feed_server.protocol import Interval, SymbolInfo, Trade
from feed_server.providers.replay_clock import ReplayClock
from feed_server.providers.replay_files import load_tapes
from feed_server.providers.replay_path import decimals_of
from feed_server.providers.replay_sample import (
    SAMPLE_NAMES,
    SAMPLE_START,
    SAMPLE_ZONE,
    sample_tapes,
)
from feed_server.providers.replay_tape import ReplaySource, daily_bars, make_source

NAME = "replay"
LABEL = "REPLAY"
HISTORY_INTERVALS: frozenset[str] = frozenset({Interval.DAY})

MAX_BATCH = 1_000
"""Most trades in a batch, so that a consumer that catches up lets others run in between."""

MIN_SLEEP_S = 0.010
"""Trades closer together than this in real time come in one batch."""


class ReplayProvider:
    """Streams a source at a multiple of the market's speed; see `Provider`.

    A slow consumer gets what has become due meanwhile at once, and nothing is left out. Each
    `stream` begins anew.

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
        self.source = source
        self._speed = speed
        self._now = now
        self._sleep = sleep

    def symbols(self) -> Sequence[SymbolInfo]:
        """Return the instruments it replays."""
        return self.source.infos

    async def history(self, symbol: str, interval: Interval) -> pd.DataFrame:
        """Return the daily bars before the replay's start, see `Provider.history`."""
        if interval in HISTORY_INTERVALS and symbol in self.source.history:
            return self.source.history[symbol].copy()
        return daily_bars([], self.zone)

    async def stream(self) -> AsyncGenerator[Sequence[Trade]]:
        """Yield trades when they are due, see `Provider.stream`, at most 1,000 together."""
        clock = ReplayClock(self._speed, self._now())
        batch: list[Trade] = []
        reached_s = -np.inf
        for trade in self.source.trades():
            due_s = clock.due_s(trade.time_ms)
            if due_s > reached_s or len(batch) == MAX_BATCH:
                if batch:
                    yield batch
                    batch = []
                reached_s = await self._wait_until(due_s)
            batch.append(trade)
        if batch:
            yield batch

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
        start: First date to stream; what lies before it is daily history. `None` streams all of
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
    infos = [
        _info(symbol, symbol, decimals_of(np.concatenate([tape.prices.ravel() for tape in found])))
        for symbol, found in tapes.items()
    ]
    return ReplayProvider(make_source(tapes, infos, zone, start), speed)


def _sample(start: date) -> ReplaySource:
    infos = [_info(symbol, name, 2) for symbol, name in SAMPLE_NAMES.items()]
    return make_source(sample_tapes(), infos, SAMPLE_ZONE, start)


def _info(symbol: str, name: str, decimals: int) -> SymbolInfo:
    return SymbolInfo(symbol, name, "USD", decimals, source=NAME, label=LABEL)
