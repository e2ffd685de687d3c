"""What a session was like before we began to watch it, from the source's own bars."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from feed_server.ingest.vendor import Vendor
from feed_server.market.session import DAY_MS, daily_bar_start_ms
from feed_server.protocol import Bar, Interval, SymbolInfo

DAYS_BACK = 7
"""The session before may lie behind a weekend and a holiday."""


async def session_so_far(
    vendor: Vendor, info: SymbolInfo, now_ms: int
) -> tuple[float | None, Bar | None]:
    """Return the close of the session before, and the daily bar of the running one so far.

    The bar is put together from the longest bars that have ended: it lacks up to a minute.

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
    parts = []
    for interval in (Interval.QUARTER_HOUR, Interval.MINUTE):
        ends_ms = now_ms - now_ms % interval.ms
        if interval in vendor.can.intervals and begins_ms < ends_ms:
            parts.append(await vendor.history(info.symbol, interval, begins_ms, ends_ms))
            begins_ms = ends_ms
    return prev_close, _joined(info.symbol, start_ms, parts)


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
