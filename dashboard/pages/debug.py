"""How the connection, the feed and its sources do."""

from collections.abc import Mapping

import panel as pn

from dashboard.browser import stylesheets
from dashboard.debug_panel import DebugPage


def debug_page(feed: Mapping[str, object]) -> pn.Row:
    """Return the page's content.

    Args:
        feed: Where its elements find the feed, and their token: parameters of a `LiveElement`.
    """
    return pn.Row(
        DebugPage(**feed, sizing_mode="stretch_both", margin=0),
        sizing_mode="stretch_both",
        margin=0,
        stylesheets=stylesheets("one_card"),
    )
