"""The default input: real daily bars of five stocks, 2000 to 2013, from `bokeh_sampledata`.

The prices are as they were quoted then, not adjusted for later splits and dividends.
"""

from datetime import date

import numpy as np
import pandas as pd

from feed_server.providers.replay_tape import BAR_PRICES, BarTape, daily_tape

SAMPLE_ZONE = "America/New_York"

SAMPLE_START = date(2012, 6, 1)
"""Two weeks after the youngest of the five, FB, was first listed."""

SAMPLE_NAMES = {
    "AAPL": "Apple Inc.",
    "FB": "Facebook Inc.",
    "GOOG": "Google Inc.",
    "IBM": "IBM Corp.",
    "MSFT": "Microsoft Corp.",
}


def sample_tapes() -> dict[str, list[BarTape]]:
    """Read the daily bars of the five stocks, by symbol."""
    from bokeh_sampledata import stocks  # reads all of its data when it is imported

    return {
        symbol: [
            daily_tape(
                symbol,
                pd.DatetimeIndex(columns["date"]),
                np.column_stack([columns[name] for name in BAR_PRICES]),
                np.asarray(columns["volume"], dtype=np.float64),
                SAMPLE_ZONE,
            )
        ]
        for symbol, columns in ((symbol, getattr(stocks, symbol)) for symbol in SAMPLE_NAMES)
    }
