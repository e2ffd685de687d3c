"""The controls at the right of the header."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class Controls(LiveElement):
    """Pause and settings; besides, what the page does by itself: theme, keys, title, toasts."""

    _esm = FOLDER / "controls.js"
    _stylesheets = stylesheets("tokens", "controls")
