"""Twelve Data's ``/time_series``: what is asked, and what its answer means. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from feed_server.errors import MalformedError, NotOfferedError
from feed_server.market.checks import is_bar
from feed_server.protocol import Interval
from feed_server.providers.base import BAR_COLUMNS, bar_frame
from feed_server.providers.twelvedata_messages import NAME, ZONE, number, zone_or

HISTORY_BARS = 2400
"""A call's: twice as many half hours are within the vendor's 5,000 rows."""
VENDOR_INTERVALS = {
    Interval.MINUTE: "1min",
    Interval.FIVE_MINUTES: "5min",
    Interval.QUARTER_HOUR: "15min",
    # The vendor's hours of shares begin at half past, with the session; ours at the full hour.
    Interval.HOUR: "30min",
    Interval.DAY: "1day",
}
HALF_HOUR_MS = 1_800_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLDEST_MS = -3_000_000_000_000
"""In 1874; the vendor has nothing older."""

Row = tuple[int, float, float, float, float, float]
"""Where a bar begins (UTC epoch milliseconds), open, high, low, close, volume."""


@dataclass(frozen=True, slots=True)
class Series:
    """One question for bars.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        start_ms: Bars that begin here or later.
        end_ms: Bars that begin before.
        now_ms: Bars that have not ended by then are left out.
    """

    symbol: str
    interval: Interval
    start_ms: int
    end_ms: int
    now_ms: int

    @property
    def rows(self) -> int:
        """How many rows are asked for: a few more, for those at the edges fall away.

        So does, of more hours than are returned, the oldest, of which a half may be missing.
        """
        return HISTORY_BARS * (2 if self.interval is Interval.HOUR else 1) + 8

    def params(self) -> dict[str, str | int]:
        """Return the request's parameters."""
        start_ms = max(self.start_ms, OLDEST_MS)
        # What begins later than now has not ended; a day for the zones ahead of us.
        end_ms = min(self.end_ms, self.now_ms + Interval.DAY.ms)
        if self.interval is Interval.HOUR:
            end_ms += Interval.HOUR.ms
        if self.interval is Interval.DAY:
            # It is not told whether the last date is within.
            end_ms += Interval.DAY.ms
        return {
            "symbol": self.symbol,
            "interval": VENDOR_INTERVALS[self.interval],
            "start_date": self._written(start_ms),
            "end_date": self._written(max(start_ms, end_ms)),
            "outputsize": self.rows,
            "timezone": "UTC",
        }

    def frame(self, body: object) -> pd.DataFrame:
        """Return an answer's bars as `Provider.history` does.

        Rows that are no bars (without a price, or with a high below the low) are left out.

        Raises:
            MalformedError: It is no such answer, or no row of it is a bar.
            NotOfferedError: Its half hours do not make full hours.
        """
        values = body.get("values") if isinstance(body, dict) else None
        if not isinstance(values, list):
            raise MalformedError(f"{NAME}: /time_series: the answer has no list 'values'")
        by_start = {row[0]: row for row in map(self._row, values) if row is not None}
        if values and not by_start:
            raise MalformedError(f"{NAME}: /time_series: no row of {self.symbol} is a bar")
        rows: Iterable[Row] = (by_start[start_ms] for start_ms in sorted(by_start))
        if self.interval is Interval.HOUR:
            rows = self._hours(rows)
        meta = body.get("meta") if isinstance(body, dict) else None
        ended_ms = self._ended_ms(meta if isinstance(meta, dict) else {})
        ours = [row for row in rows if self.start_ms <= row[0] < min(self.end_ms, ended_ms)]
        ours = ours[-HISTORY_BARS:]
        columns = {name: [row[i] for row in ours] for i, name in enumerate(BAR_COLUMNS, 1)}
        return bar_frame([row[0] for row in ours], columns)

    def _written(self, time_ms: int) -> str:
        time = EPOCH + timedelta(milliseconds=time_ms)
        return time.strftime("%Y-%m-%d" if self.interval is Interval.DAY else "%Y-%m-%d %H:%M:%S")

    def _row(self, value: object) -> Row | None:
        if not isinstance(value, dict) or not isinstance(value.get("datetime"), str):
            return None
        try:
            start = datetime.fromisoformat(value["datetime"]).replace(tzinfo=UTC)
        except ValueError:
            return None
        if self.interval is Interval.DAY:
            start = start.replace(hour=0, minute=0, second=0)
        o, h, l, c = (number(value.get(name)) for name in BAR_COLUMNS[:4])  # noqa: E741
        if o is None or h is None or l is None or c is None:
            return None
        volume = number(value.get("volume")) or 0.0
        if not is_bar(o, h, l, c, volume):
            return None
        return round(start.timestamp() * 1000), o, h, l, c, volume

    def _hours(self, rows: Iterable[Row]) -> list[Row]:
        """Return full hours of half hours."""
        hours: dict[int, list[Row]] = {}
        for row in rows:
            if row[0] % HALF_HOUR_MS:
                raise NotOfferedError(f"{NAME}: {self.symbol} is not traded by the full hour")
            hours.setdefault(row[0] - row[0] % Interval.HOUR.ms, []).append(row)
        return [_joined(hour_ms, halves) for hour_ms, halves in hours.items()]

    def _ended_ms(self, meta: Mapping[str, object]) -> int:
        """Return when the bars begin that have not ended."""
        if self.interval is not Interval.DAY:
            return self.now_ms - self.interval.ms + 1
        zone = zone_or(meta.get("exchange_timezone"), "UTC" if "/" in self.symbol else ZONE)
        today = datetime.fromtimestamp(self.now_ms / 1000, ZoneInfo(zone)).date()
        return round(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp() * 1000)


def _joined(start_ms: int, parts: Sequence[Row]) -> Row:
    """Return one bar of several, oldest first."""
    _, opens, highs, lows, closes, volumes = zip(*parts, strict=True)
    return start_ms, opens[0], max(highs), min(lows), closes[-1], sum(volumes)
