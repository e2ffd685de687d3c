"""What a replay plays: columns of trades or bars, from which trades are made as they are needed."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import chain
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from feed_server.errors import ConfigurationError
from feed_server.protocol import SymbolInfo, Trade
from feed_server.providers.replay_path import PathBar, Times, Values, trade_path

BAR_PRICES = ["open", "high", "low", "close"]
SESSION_OPEN = pd.Timedelta(hours=9, minutes=30)
SESSION_CLOSE = pd.Timedelta(hours=16)
_CHUNK = 4096


@dataclass(frozen=True, eq=False, slots=True)
class TradeTape:
    """Trades of one symbol, in order of time.

    Attributes:
        symbol: The instrument.
        times: Event times, shape ``(n,)``, UTC epoch milliseconds.
        prices: Shape ``(n,)``.
        sizes: Shape ``(n,)``.
    """

    symbol: str
    times: Times
    prices: Values
    sizes: Values

    @property
    def end_ms(self) -> int:
        """The last trade's time."""
        return int(self.times[-1])

    def part(self, rows: slice) -> "TradeTape":
        """Return a view of some of its trades."""
        return replace(
            self, times=self.times[rows], prices=self.prices[rows], sizes=self.sizes[rows]
        )

    def trades(self) -> Iterator[Trade]:
        """Make its trades, a few thousand at a time."""
        for first in range(0, len(self.times), _CHUNK):
            chunk = self.part(slice(first, first + _CHUNK))
            columns = (chunk.times.tolist(), chunk.prices.tolist(), chunk.sizes.tolist())
            for time_ms, price, size in zip(*columns, strict=True):
                yield Trade(self.symbol, time_ms, price, size)

    def bars(self) -> pd.DataFrame:
        """Return each trade as a bar of its own, indexed by its time."""
        return _bar_frame(self.times, np.repeat(self.prices[:, np.newaxis], 4, axis=1), self.sizes)


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

    def trades(self) -> Iterator[Trade]:
        """Make its trades, one bar at a time."""
        for row in range(len(self.times)):
            open_, high, low, close = self.prices[row].tolist()
            span = int(self.times[row]), int(self.ends[row])
            bar = PathBar(open_, high, low, close, float(self.sizes[row]), *span)
            yield from trade_path(self.symbol, bar)

    def bars(self) -> pd.DataFrame:
        """Return its bars, indexed by where each starts."""
        return _bar_frame(self.times, self.prices, self.sizes)


Tape = TradeTape | BarTape


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


@dataclass(frozen=True, eq=False, slots=True)
class ReplaySource:
    """Everything a replay knows: its instruments, their daily history, and what it plays.

    Attributes:
        zone: IANA name of the zone by which sessions are dated.
        infos: The instruments.
        history: Final daily bars by symbol, see `Provider.history`.
        tapes: What is played, by symbol; those of one symbol follow each other.
    """

    zone: str
    infos: Sequence[SymbolInfo]
    history: Mapping[str, pd.DataFrame]
    tapes: Mapping[str, Sequence[Tape]]

    def trades(self) -> Iterator[Trade]:
        """Make the trades of all symbols, lazily, in order of event time."""
        by_symbol = (chain.from_iterable(map(_trades, tapes)) for tapes in self.tapes.values())
        return heapq.merge(*by_symbol, key=attrgetter("time_ms"))


def make_source(
    tapes: Mapping[str, Sequence[Tape]],
    infos: Sequence[SymbolInfo],
    zone: str,
    start: date | None,
) -> ReplaySource:
    """Divide the tapes at the start date: what lies before it is history, the rest is played.

    Raises:
        ConfigurationError: Nothing is left to play.
    """
    played: dict[str, list[Tape]] = {symbol: list(of_symbol) for symbol, of_symbol in tapes.items()}
    history = {symbol: daily_bars([], zone) for symbol in tapes}
    if start is not None:
        start_ms = int(datetime.combine(start, time(), ZoneInfo(zone)).timestamp()) * 1000
        for symbol, of_symbol in tapes.items():
            cuts = [int(np.searchsorted(tape.times, start_ms)) for tape in of_symbol]
            pairs = list(zip(of_symbol, cuts, strict=True))
            history[symbol] = daily_bars([tape.part(slice(cut)) for tape, cut in pairs], zone)
            played[symbol] = [tape.part(slice(cut, None)) for tape, cut in pairs]
    source = ReplaySource(zone, infos, history, played)
    if next(source.trades(), None) is None:
        last = max(tape.end_ms for of_symbol in tapes.values() for tape in of_symbol)
        last_date = pd.Timestamp(last, unit="ms", tz=zone).date()
        raise ConfigurationError(
            f"nothing to replay from {start}: the data end on {last_date}; choose an earlier start"
        )
    return source


def daily_bars(tapes: Sequence[Tape], zone: str) -> pd.DataFrame:
    """Put tapes together into daily bars, dated in the zone, as `Provider.history` returns them."""
    frame = pd.concat([_bar_frame(*_NO_BARS), *(tape.bars() for tape in tapes)])
    times = pd.DatetimeIndex(frame.index)
    days = times.tz_convert(zone).tz_localize(None).normalize().tz_localize("UTC").rename("time")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return frame.groupby(days).agg(rules)


def _trades(tape: Tape) -> Iterator[Trade]:
    return tape.trades()


def _epoch_ms(times: pd.DatetimeIndex) -> Times:
    return times.as_unit("ms").asi8


def _bar_frame(times: Times, prices: Values, volumes: Values) -> pd.DataFrame:
    index = pd.DatetimeIndex(times.astype("datetime64[ms]"), tz="UTC", name="time")
    return pd.DataFrame(prices, index, BAR_PRICES).assign(volume=volumes)


_NO_BARS: tuple[Times, Values, Values] = (
    np.empty(0, np.int64),
    np.empty((0, 4)),
    np.empty(0),
)
