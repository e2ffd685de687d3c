"""Bars as far back as the source goes: what the feed has built, and before it a vendor's."""

from dataclasses import dataclass

from feed_server.bus.reader import BarHistory, Reader
from feed_server.bus.requests import Failed
from feed_server.gateway.vendor_bars import Past, Sources, VendorBars, Wanted
from feed_server.market.history_join import (
    NO_BARS,
    BarArray,
    bar_array,
    between,
    join,
    taken_over_ms,
)
from feed_server.protocol import BarSeries, Interval

LATEST_MS = 253_402_300_799_000
"""9999-12-31, the last day that dates can name."""


@dataclass(frozen=True, slots=True)
class JoinedBars:
    """Bars of one symbol and interval.

    Attributes:
        symbol: The instrument.
        interval: Length of the bars.
        bars: Oldest first; only the last ones can be open.
        epoch: As of `BarHistory`.
        offset: As of `BarHistory`.
        time_ms: Event time of the last trade in the last bar (its start, where a vendor told the
            bar); None where there is none.
        more: Whether there can be older ones within what was asked for.
        note: Why bars are missing, for a person.
    """

    symbol: str
    interval: Interval
    bars: BarArray
    epoch: str
    offset: int
    time_ms: int | None
    more: bool
    note: str | None


class History:
    """Joins what Redis has with what the sources tell of the time before.

    Args:
        reader: For the bars that the feed has built.
        sources: For older ones.
    """

    def __init__(self, reader: Reader, sources: Sources) -> None:
        self._reader = reader
        self._vendor = VendorBars(sources)

    async def bars(
        self,
        symbol: str,
        interval: Interval,
        *,
        limit: int,
        start_ms: int = 0,
        end_ms: int = LATEST_MS,
    ) -> JoinedBars:
        """Return the newest ``limit`` bars that begin in ``[start_ms, end_ms]``.

        What the sources cannot tell now is left out; `JoinedBars.note` says so.

        Raises:
            BusError: Redis cannot be reached.
        """
        # From time 0 on, for where ours begin the vendor's end; one more, to know if there are.
        ours = await self._reader.bars(symbol, interval, start_ms=0, end_ms=end_ms, limit=limit + 1)
        kept = bar_array(ours.bars)
        from_ms = taken_over_ms(kept, interval, ours.since_ms)
        before_ms = end_ms + 1 if from_ms is None else min(from_ms, end_ms + 1)
        need = limit - len(between(kept, max(start_ms, before_ms), end_ms + 1))
        past = Past(NO_BARS, more=start_ms < before_ms)
        if need > 0 and start_ms < before_ms:
            past = await self._vendor.load(Wanted(symbol, interval, start_ms, before_ms, need))
        joined = between(join(past.bars, kept, from_ms), start_ms, end_ms + 1)
        bars = joined[-limit:]
        return JoinedBars(
            symbol=symbol,
            interval=interval,
            bars=bars,
            epoch=ours.epoch,
            offset=ours.offset,
            time_ms=_last_ms(bars, ours),
            more=past.more or len(bars) < len(joined),
            note=None if past.failed is None else _explained(past.failed),
        )


def bar_series(joined: JoinedBars) -> BarSeries:
    """Return bars as columns."""
    bars = joined.bars
    return BarSeries(
        symbol=joined.symbol,
        interval=joined.interval,
        epoch=joined.epoch,
        offset=joined.offset,
        time_ms=joined.time_ms,
        **{name: bars[name].tolist() for name in bars.dtype.names or ()},
        more=joined.more,
        note=joined.note,
    )


def _last_ms(bars: BarArray, ours: BarHistory) -> int | None:
    if not len(bars):
        return None
    start_ms = int(bars["start_ms"][-1])
    last = ours.bars[-1] if ours.bars else None
    return last.time_ms if last is not None and last.start_ms == start_ms else start_ms


def _explained(failed: Failed) -> str:
    when = "" if failed.retry_ms is None else f"; ask again in {failed.retry_ms / 1000:.0f} s"
    return f"bars are missing that the source could not tell: {failed.message}{when}"
