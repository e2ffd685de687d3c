"""Columns of trades, quotes or bars of one symbol, made into events as they are needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.market.events import MarketEvent, TopOfBook
from feed_server.protocol import Trade
from feed_server.providers.bar_columns import Times, Values
from feed_server.providers.replay_path import PathBar, path_length, trade_path

BAR_PRICES = ["open", "high", "low", "close"]
SESSION_OPEN = pd.Timedelta(hours=9, minutes=30)
SESSION_CLOSE = pd.Timedelta(hours=16)
_CHUNK = 4096

Due = tuple[int, MarketEvent]
"""An event, and the market time at which it is played: its own, or later where it came late."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TradeTape:
    """Trades of one symbol, in the order in which they are played.

    Attributes:
        symbol: The instrument.
        times: Event times, shape ``(n,)``, UTC epoch milliseconds.
        prices: Shape ``(n,)``.
        sizes: Shape ``(n,)``.
        trade_ids: Numbers of the trades, shape ``(n,)``; `None` where they have none.
        dues: Market times at which they are played, never going back; ``times`` but for trades that
            came late when they were recorded.
    """

    symbol: str
    times: Times
    prices: Values
    sizes: Values
    trade_ids: Times | None = None
    dues: Times

    @property
    def end_ms(self) -> int:
        """When the last trade is played."""
        return int(self.dues[-1])

    def part(self, rows: slice) -> "TradeTape":
        """Return a view of some of its trades."""
        return replace(
            self,
            times=self.times[rows],
            prices=self.prices[rows],
            sizes=self.sizes[rows],
            trade_ids=None if self.trade_ids is None else self.trade_ids[rows],
            dues=self.dues[rows],
        )

    def from_event(self, count: int) -> tuple["TradeTape", int]:
        """Return it without its first events, and how many fewer those are than asked for."""
        left_out = min(count, len(self.times))
        return self.part(slice(left_out, None)), count - left_out

    def events(self) -> Iterator[Due]:
        """Make its trades, a few thousand at a time."""
        for first in range(0, len(self.times), _CHUNK):
            chunk = self.part(slice(first, first + _CHUNK))
            ids = [None] * len(chunk.times) if chunk.trade_ids is None else chunk.trade_ids.tolist()
            columns = (chunk.dues, chunk.times, chunk.prices, chunk.sizes)
            for due_ms, time_ms, price, size, trade_id in zip(
                *(column.tolist() for column in columns), ids, strict=True
            ):
                yield due_ms, Trade(self.symbol, time_ms, price, size, trade_id)

    def columns(self) -> Sequence[npt.NDArray[np.generic]]:
        """Return all that makes it what it is."""
        return self.times, self.prices, self.sizes


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class QuoteTape:
    """Best prices of one symbol, in the order in which they are played.

    Attributes:
        symbol: The instrument.
        times: Event times, shape ``(n,)``, UTC epoch milliseconds.
        bids: Shape ``(n,)``, NaN where nobody bids.
        asks: Shape ``(n,)``, NaN where nobody offers.
        dues: See `TradeTape`.
    """

    symbol: str
    times: Times
    bids: Values
    asks: Values
    dues: Times

    @property
    def end_ms(self) -> int:
        """When the last quote is played."""
        return int(self.dues[-1])

    def part(self, rows: slice) -> "QuoteTape":
        """Return a view of some of its quotes."""
        return replace(
            self,
            times=self.times[rows],
            bids=self.bids[rows],
            asks=self.asks[rows],
            dues=self.dues[rows],
        )

    def from_event(self, count: int) -> tuple["QuoteTape", int]:
        """Return it without its first events, see `TradeTape.from_event`."""
        left_out = min(count, len(self.times))
        return self.part(slice(left_out, None)), count - left_out

    def events(self) -> Iterator[Due]:
        """Make its quotes, a few thousand at a time."""
        for first in range(0, len(self.times), _CHUNK):
            chunk = self.part(slice(first, first + _CHUNK))
            columns = (chunk.dues.tolist(), chunk.times.tolist())
            best = (_or_none(chunk.bids), _or_none(chunk.asks))
            for due_ms, time_ms, bid, ask in zip(*columns, *best, strict=True):
                yield due_ms, TopOfBook(self.symbol, time_ms, bid, ask)

    def columns(self) -> Sequence[npt.NDArray[np.generic]]:
        """Return all that makes it what it is."""
        return self.times, self.bids, self.asks


@dataclass(frozen=True, eq=False, slots=True)
class BarTape:
    """Bars of one symbol, in order of time and without overlap.

    Attributes:
        symbol: The instrument.
        times: Where each bar starts, shape ``(n,)``, UTC epoch milliseconds; a daily bar starts
            when its session opens.
        ends: Where each bar ends, shape ``(n,)``, UTC epoch milliseconds.
        prices: Open, high, low and close, shape ``(n, 4)``.
        sizes: Volumes, shape ``(n,)``.
    """

    symbol: str
    times: Times
    ends: Times
    prices: Values
    sizes: Values

    @property
    def dues(self) -> Times:
        """When each bar's first trade is played."""
        return self.times

    @property
    def end_ms(self) -> int:
        """The last millisecond of its last bar."""
        return int(self.ends[-1]) - 1

    def part(self, rows: slice) -> "BarTape":
        """Return a view of some of its bars."""
        return replace(
            self,
            times=self.times[rows],
            ends=self.ends[rows],
            prices=self.prices[rows],
            sizes=self.sizes[rows],
        )

    def path_bar(self, row: int) -> PathBar:
        """Return one bar, of which trades can be made."""
        open_, high, low, close = self.prices[row].tolist()
        span = int(self.times[row]), int(self.ends[row])
        return PathBar(open_, high, low, close, float(self.sizes[row]), *span)

    def from_event(self, count: int) -> tuple["BarTape", int]:
        """Return it without the bars whose trades are all left out, see `TradeTape.from_event`."""
        row = 0
        while count > 0 and row < len(self.times):
            length = path_length(self.symbol, int(self.times[row]), int(self.ends[row]))
            if count < length:
                break
            count -= length
            row += 1
        return self.part(slice(row, None)), count

    def events(self) -> Iterator[Due]:
        """Make its trades, one bar at a time."""
        for row in range(len(self.times)):
            for trade in trade_path(self.symbol, self.path_bar(row)):
                yield trade.time_ms, trade

    def columns(self) -> Sequence[npt.NDArray[np.generic]]:
        """Return all that makes it what it is."""
        return self.times, self.ends, self.prices, self.sizes


Tape = TradeTape | QuoteTape | BarTape


def daily_tape(
    symbol: str, days: pd.DatetimeIndex, prices: Values, volumes: Values, zone: str
) -> BarTape:
    """Return daily bars that last from 09:30 to 16:00 in the zone.

    Args:
        symbol: The instrument.
        days: The sessions' dates, naive, shape ``(n,)``.
        prices: Open, high, low and close, shape ``(n, 4)``.
        volumes: Shape ``(n,)``.
        zone: IANA name.
    """
    opens = _epoch_ms((days + SESSION_OPEN).tz_localize(zone))
    closes = _epoch_ms((days + SESSION_CLOSE).tz_localize(zone))
    return BarTape(symbol, opens, closes, prices, volumes)


def _or_none(values: Values) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124


def _epoch_ms(times: pd.DatetimeIndex) -> Times:
    return times.as_unit("ms").asi8
