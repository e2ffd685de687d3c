"""The market page: the watchlist, and the chart of the symbol chosen there."""

import panel as pn

from dashboard.browser import stylesheets
from dashboard.charts.candles import CandleChart
from dashboard.tokens import PageToken
from dashboard.watchlist import Watchlist


def market_page(feed_url: str, token: PageToken) -> pn.Row:
    """Return the page's content."""
    feed = {"feed_url": feed_url, "token": token.param.value}
    return pn.Row(
        Watchlist(**feed, sizing_mode="stretch_both", margin=0),
        CandleChart(**feed, sizing_mode="stretch_both", margin=0),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("market"),
    )
