"""The bars that the feed builds of trades, to compare a source's history with."""

from collections.abc import Iterable

import pandas as pd

from feed_server.market.bars import BarLadder
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Interval, Trade
from feed_server.providers.base import bar_frame


def built_bars(trades: Iterable[Trade], zone: str) -> dict[Interval, pd.DataFrame]:
    """Return by interval the bars that one symbol's trades make, as `Provider.history` does."""
    ladder = BarLadder("", SessionCalendar(zone), grace_ms=0)
    bars = []
    for trade in trades:
        ladder.apply(trade.time_ms, trade.price, trade.size)
        bars += ladder.advance(trade.time_ms)
    bars += ladder.open_bars()
    found = {}
    for interval in Interval:
        of_one = [bar for bar in bars if bar.interval is interval]
        names = ("open", "high", "low", "close", "volume")
        columns = {name: [getattr(bar, name) for bar in of_one] for name in names}
        found[interval] = bar_frame([bar.start_ms for bar in of_one], columns)
    return found
