"""What a session was like before we began to watch it, from the source's own bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from feed_server.ingest.vendor import Vendor
from feed_server.market.session import DAY_MS, daily_bar_start_ms
from feed_server.protocol import Bar, Interval, SymbolInfo

DAYS_BACK = 7
"""The session before may lie behind a weekend and a holiday."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a source tells of the time before its symbol was followed.

    Attributes:
        prev_close: The close of the session before; None where it is not known.
        today: The daily bar of the running session; None where it has none yet.
        ended: The bars of the running hour that have ended, each as long as can be, oldest first.
        until_ms: Up to when it has told them.
    """

    prev_close: float | None
    today: Bar | None
    ended: Sequence[Bar]
    until_ms: int


async def session_so_far(vendor: Vendor, info: SymbolInfo, now_ms: int) -> SoFar:
    """Return what the running session and hour were like so far.

    That is told by the longest bars that have ended: it lacks up to a minute.

    Raises:
        ProviderError: The source does not tell.
        BusError: Redis could not be reached.
    """
    zone = ZoneInfo(info.zone)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    begins_ms = round(datetime(today.year, today.month, today.day, tzinfo=zone).timestamp() * 1000)
    start_ms = daily_bar_start_ms(today)
    days = await vendor.history(info.symbol, Interval.DAY, start_ms - DAYS_BACK * DAY_MS, start_ms)
    prev_close = float(days["close"].iloc[-1]) if len(days) else None
    hour_ms = now_ms - now_ms % Interval.HOUR.ms
    # Where the zone is off by half an hour, the hour may have begun in the session before.
    until_ms = min(begins_ms, hour_ms)
    parts: list[pd.DataFrame] = []
    ended: list[Bar] = []
    for interval, ends_ms in _steps(vendor, hour_ms, now_ms):
        if interval in vendor.can.intervals and until_ms < ends_ms:
            told = await vendor.history(info.symbol, interval, until_ms, ends_ms)
            parts.append(told[told.index >= _index_of(begins_ms)])
            ended += _bars(info.symbol, interval, told[told.index >= _index_of(hour_ms)])
            until_ms = ends_ms
    return SoFar(prev_close, _joined(info.symbol, start_ms, parts), ended, until_ms)


def _steps(vendor: Vendor, hour_ms: int, now_ms: int) -> list[tuple[Interval, int]]:
    """Return which bars to ask for, and up to when: the hour's by the minute, where that can be.

    A vendor's longer bars need not be made of just the trades of its shorter ones.
    """
    minute, quarter = Interval.MINUTE, Interval.QUARTER_HOUR
    ends_ms = now_ms - now_ms % minute.ms
    by_minute = minute in vendor.can.intervals and (
        ends_ms - hour_ms <= vendor.can.history_bars * minute.ms
    )
    return [(quarter, hour_ms if by_minute else now_ms - now_ms % quarter.ms), (minute, ends_ms)]


def _index_of(time_ms: int) -> pd.Timestamp:
    return pd.Timestamp(time_ms, unit="ms", tz="UTC")


def _bars(symbol: str, interval: Interval, frame: pd.DataFrame) -> list[Bar]:
    starts_ms = [int(at.timestamp() * 1000) for at in frame.index]
    columns = [frame[name].tolist() for name in ("open", "high", "low", "close", "volume")]
    return [
        Bar(symbol, interval, start_ms, open_, high, low, close, volume, start_ms, True)
        for start_ms, open_, high, low, close, volume in zip(starts_ms, *columns, strict=True)
    ]


def _joined(symbol: str, start_ms: int, parts: list[pd.DataFrame]) -> Bar | None:
    frame = pd.concat(parts) if parts else pd.DataFrame()
    if frame.empty:
        return None
    return Bar(
        symbol,
        Interval.DAY,
        start_ms,
        float(frame["open"].iloc[0]),
        float(frame["high"].max()),
        float(frame["low"].min()),
        float(frame["close"].iloc[-1]),
        float(frame["volume"].sum()),
        int(frame.index[-1].timestamp() * 1000),
        False,
    )
