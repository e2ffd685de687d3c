"""The connection badge."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class ConnectionBadge(LiveElement):
    """How the data comes, in one word; a click shows each layer between source and screen."""

    _esm = FOLDER / "badge.js"
    _stylesheets = stylesheets("tokens", "popover", "badge")
