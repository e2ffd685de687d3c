"""The dashboard: a list at a glance, who moves, and the chart of the symbol chosen there."""

from collections.abc import Mapping

import panel as pn

from dashboard.browser import stylesheets
from dashboard.charts.candles import CandleChart
from dashboard.overview import Movers, QuoteCards, TickerTape
from dashboard.symbol_elements import TradesTape
from dashboard.watchlist import Watchlist


def dashboard_page(feed: Mapping[str, object]) -> pn.Row:
    """Return the page's content.

    Args:
        feed: Where its elements find the feed, and their token: parameters of a `LiveElement`.
    """
    both = {"sizing_mode": "stretch_both", "margin": 0}
    wide = {"sizing_mode": "stretch_width", "margin": 0}
    return pn.Row(
        TickerTape(**feed, css_classes=["tape"], **wide),
        QuoteCards(**feed, css_classes=["cards"], **wide),
        Watchlist(**feed, named=True, css_classes=["watchlist"], **both),
        CandleChart(**feed, css_classes=["chart"], **both),
        Movers(**feed, css_classes=["movers"], **both),
        TradesTape(**feed, css_classes=["trades"], **both),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("dashboard_page"),
    )
