"""One symbol: its price, chart, trades and statistics."""

from collections.abc import Mapping

import panel as pn

from dashboard.browser import stylesheets
from dashboard.charts.candles import CandleChart
from dashboard.watchlist import Watchlist


def symbol_page(feed: Mapping[str, object]) -> pn.Row:
    """Return the page's content.

    Args:
        feed: Where its elements find the feed, and their token: parameters of a `LiveElement`.
    """
    return pn.Row(
        Watchlist(**feed, sizing_mode="stretch_both", margin=0),
        CandleChart(**feed, sizing_mode="stretch_both", margin=0),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("pages"),
    )
