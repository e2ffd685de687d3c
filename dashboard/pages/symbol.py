"""One symbol: its price, chart, trades and statistics."""

from collections.abc import Mapping

import panel as pn

from dashboard.browser import stylesheets
from dashboard.charts.candles import CandleChart
from dashboard.symbol_elements import QuoteHeader, RangeStatistics, TradesTape


def symbol_page(feed: Mapping[str, object]) -> pn.Row:
    """Return the page's content.

    Args:
        feed: Where its elements find the feed, and their token: parameters of a `LiveElement`.
    """
    layout = {"sizing_mode": "stretch_both", "margin": 0}
    return pn.Row(
        QuoteHeader(**feed, css_classes=["quote"], sizing_mode="stretch_width", margin=0),
        CandleChart(**feed, titled=False, css_classes=["chart"], **layout),
        RangeStatistics(**feed, css_classes=["statistics"], sizing_mode="stretch_width", margin=0),
        TradesTape(**feed, css_classes=["trades"], **layout),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("symbol_page"),
    )
