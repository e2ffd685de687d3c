"""The market page: the watchlist, and the chart of the symbol chosen there."""

import panel as pn

from dashboard.browser import stylesheets
from dashboard.charts.candles import CandleChart
from dashboard.watchlist import Watchlist


def market_page(feed_url: str) -> pn.Row:
    """Return the page's content."""
    return pn.Row(
        Watchlist(feed_url=feed_url, sizing_mode="stretch_both", margin=0),
        CandleChart(feed_url=feed_url, sizing_mode="stretch_both", margin=0),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("market"),
    )
