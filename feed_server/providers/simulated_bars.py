"""History of the simulated market. Pure.

Bars of a minute and less are put together from their trades: exactly those that are streamed. Of
longer bars these would be too many; they are made from the same price, looked at about 60 times in
each (a day: 97 times), and from how much is traded on average. So a long bar's high and low may lie
some ticks within those of the trades, and its volume is theirs only on average.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from feed_server.market.session import SessionCalendar
from feed_server.protocol import Interval
from feed_server.providers.bar_columns import (
    Pieces,
    Span,
    Times,
    bar_starts,
    newest_bars,
    trade_pieces,
)
from feed_server.providers.simulated_market import LOT, ZONE, SimulatedMarket

EXACT = frozenset({Interval.SECOND, Interval.FIVE_SECONDS, Interval.MINUTE})

SAMPLES = {
    Interval.FIVE_MINUTES: 60,
    Interval.QUARTER_HOUR: 60,
    Interval.HOUR: 60,
    Interval.DAY: 96,
}
"""Into how many parts longer bars are divided, at whose ends the price is looked at."""

_TRADES_AT_ONCE = 30_000
"""So few that they fit a processor's cache."""

_BARS_AT_ONCE = 500


def simulated_bars(
    market: SimulatedMarket, number: int, interval: Interval, span: Span, limit: int
) -> pd.DataFrame:
    """Return one instrument's bars as `Provider.history` does, the newest ``limit`` at most.

    Args:
        market: The market.
        number: Of the instrument.
        interval: Length of the bars.
        span: Event times of whole bars.
        limit: Bars at most.
    """
    if interval in EXACT:
        pieces = _newest_trades(market, number, span)
    else:
        edges = _edges(interval, span)[-limit - 1 :]
        pieces = _newest_samples(market, number, edges, SAMPLES[interval])
    return newest_bars(pieces, bar_starts(interval, ZONE), limit)


def _newest_trades(market: SimulatedMarket, number: int, span: Span) -> Iterator[Pieces]:
    cell_ms = market.cell_ms
    step = max(1, int(_TRADES_AT_ONCE / (market.hz * cell_ms / 1000)))
    first, last = span.first_ms // cell_ms, -(-span.last_ms // cell_ms)
    for end in range(last, first, -step):
        cells = np.arange(max(first, end - step), end)
        arrivals = market.arrivals(np.full(len(cells), number), cells)
        inside = (arrivals.times >= span.first_ms) & (arrivals.times < span.last_ms)
        times = arrivals.times[inside]
        if len(times):
            prints = market.prints_of(number, times, arrivals.trade_ids[inside])
            yield trade_pieces(times, prints.prices, prints.sizes)


def _newest_samples(
    market: SimulatedMarket, number: int, edges: Times, parts: int
) -> Iterator[Pieces]:
    size = market.mean_size(number)
    for end in range(len(edges) - 1, 0, -_BARS_AT_ONCE):
        some = edges[max(0, end - _BARS_AT_ONCE) : end + 1]
        starts, lengths = some[:-1], np.diff(some)
        times = starts[:, np.newaxis] + lengths[:, np.newaxis] * np.arange(parts + 1) // parts
        times[:, -1] -= 1
        prices = market.mid_prices(number, times.ravel()).reshape(times.shape)
        rates = market.rates(number, times[:, :-1].ravel()).reshape(len(starts), parts)
        lots = np.rint(rates.mean(axis=1) * lengths / 1000 * size / LOT)
        ohlc = (prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1])
        yield Pieces(starts, np.column_stack(ohlc), LOT * lots)


def _edges(interval: Interval, span: Span) -> Times:
    """Return where the bars begin, and where the last ends."""
    if interval is not Interval.DAY:
        return np.arange(span.first_ms, span.last_ms + 1, interval.ms)
    calendar = SessionCalendar(ZONE)
    edges = [span.first_ms]
    while edges[-1] < span.last_ms:
        edges.append(calendar.bounds_ms(calendar.date_of(edges[-1]))[1])
    return np.array(edges)
