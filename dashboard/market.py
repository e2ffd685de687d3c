"""The live market: a list's symbols in one table, or as a heat map."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class Market(LiveElement):
    """The symbols of one of the user's lists, live; choosing one opens its page."""

    _esm = FOLDER / "market.js"
    _stylesheets = stylesheets("tokens", "popover", "market", "export")
