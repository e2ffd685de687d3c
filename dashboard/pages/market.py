"""The live market: all watched symbols in one table, or as a heat map."""

from collections.abc import Mapping

import panel as pn

from dashboard.browser import stylesheets
from dashboard.market import Market


def market_page(feed: Mapping[str, object]) -> pn.Row:
    """Return the page's content.

    Args:
        feed: Where its elements find the feed, and their token: parameters of a `LiveElement`.
    """
    return pn.Row(
        Market(**feed, sizing_mode="stretch_both", margin=0),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("one_card"),
    )
