"""The watchlist: every symbol of the feed with its live price."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class Watchlist(LiveElement):
    """All symbols of the feed, live; choosing one selects it for the whole page."""

    _esm = FOLDER / "watchlist.js"
    _stylesheets = stylesheets("tokens", "watchlist")
