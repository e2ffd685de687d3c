"""The drawer with all that a user can set."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets
from dashboard.settings import Settings


class SettingsDrawer(LiveElement, Settings):
    """What the user has set, told by the browser; what Python sets is chosen there.

    Values that it is made with count until the browser has its own.
    """

    user = param.String(doc="Who is signed in: the feed keeps their settings. Empty: nobody.")

    _esm = FOLDER / "settings_drawer" / "element.js"
    _stylesheets = stylesheets("tokens", "drawer", "settings")
