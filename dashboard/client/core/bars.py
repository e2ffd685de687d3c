"""Bars: as they come, and which of two accounts of one is newer. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from feed_server.protocol import Bars, BarSeries

Values = Mapping[str, Sequence[float | None]]
"""By indicator the values at a bar, in the order of its outputs; None where it has none."""


class Bar(msgspec.Struct, frozen=True):
    """One bar, as a client has it.

    Attributes:
        symbol: The instrument.
        interval: Length of the bar.
        start_ms: Where the bar begins.
        open: First price.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Shares or units traded.
        time_ms: Event time of its last trade; None in history, which tells it of the last bar only.
        final: False while trades may change it.
        indicators: See `Values`; by the names that the feed has for them.
    """

    symbol: str
    interval: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    time_ms: int | None
    final: bool
    indicators: Values = {}


def compare_bars(held: Bar, new: Bar) -> float:
    """Tell which of two accounts of one bar is newer.

    A final bar never changes. Others, which form or still take late trades, go by event time, at
    equal times by volume, which only grows; where that is equal too, the latest account counts.

    Returns:
        Above 0 where the new one is newer, 0 where it says the same, below 0 where it is older.
    """
    if held.final:
        return 0 if new.final else -1
    if new.final:
        return 1
    if held.time_ms is not None and new.time_ms is not None and held.time_ms != new.time_ms:
        return new.time_ms - held.time_ms
    if held.volume != new.volume:
        return new.volume - held.volume
    return 0 if _prices(held) == _prices(new) else 1


def pushed_bars(message: Bars) -> Iterator[Bar]:
    """Give the bars of a message, each with its indicators."""
    columns = message.indicators
    for at, row in enumerate(message.rows):
        yield Bar(
            row.symbol,
            row.interval,
            row.start_ms,
            row.open,
            row.high,
            row.low,
            row.close,
            row.volume,
            row.time_ms,
            row.final,
            {name: values[at] for name, values in columns.items()} if columns else {},
        )


def loaded_bars(series: BarSeries) -> list[Bar]:
    """Return the bars of history, each with its indicators."""
    last = len(series.start_ms) - 1
    columns = zip(
        series.start_ms,
        series.open,
        series.high,
        series.low,
        series.close,
        series.volume,
        [series.time_ms if at == last else None for at in range(last + 1)],
        series.final,
        _rows(series, last + 1),
        strict=True,
    )
    return [Bar(series.symbol, series.interval, *values) for values in columns]


def _rows(series: BarSeries, count: int) -> list[Values]:
    """Return columns of indicators as each bar's values."""
    if not series.indicators:
        return [{}] * count
    by_name = {
        name: list(zip(*outputs.values(), strict=True))
        for name, outputs in series.indicators.items()
    }
    return [{name: list(values[at]) for name, values in by_name.items()} for at in range(count)]


def _prices(bar: Bar) -> tuple[float, float, float, float]:
    return bar.open, bar.high, bar.low, bar.close


def merged(held: Bar, new: Bar) -> Values:
    """Return the indicators of a bar that was told twice.

    Of an open bar they change with the bars before it. Of a final one they do not, but they may
    have been missing: while the feed loads what they are computed from, it tells none.
    """
    told = {
        name: values
        for name, values in new.indicators.items()
        if any(value is not None for value in values)
        and (not held.final or _is_missing(held.indicators.get(name)))
    }
    return {**held.indicators, **told}


def _is_missing(values: Sequence[float | None] | None) -> bool:
    return values is None or all(value is None for value in values)
