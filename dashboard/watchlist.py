"""The watchlist: symbols with their live prices."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets


class Watchlist(LiveElement):
    """Some symbols or all of the feed, live; choosing one selects it for the whole page."""

    symbols = param.List(item_type=str, doc="Which symbols, in this order; empty for all.")
    named = param.Boolean(
        default=False,
        doc="Whether it shows the user's own lists in place of `symbols`, to be changed there.",
    )

    _esm = FOLDER / "watchlist.js"
    _stylesheets = stylesheets("tokens", "watchlist")
