"""The bell of the alerts."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class AlertsBell(LiveElement):
    """How many of the user's alerts have fired since one looked; a click shows and sets them."""

    _esm = FOLDER / "alerts" / "bell.js"
    _stylesheets = stylesheets("tokens", "popover", "alerts")
