"""How live data comes, in the header."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets


class TransportSetting(LiveElement):
    """How live data comes, and how often; what a browser chose before counts."""

    transport = param.String("auto")
    poll_ms = param.Number(1000)
    max_hz = param.Number(0)

    _esm = FOLDER / "transport_setting.js"
    _stylesheets = stylesheets("tokens", "popover", "transport_setting")
