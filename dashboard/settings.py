"""What a user can set. The browser keeps it; Python gives the defaults."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets

TRANSPORTS = ("auto", "websocket", "polling")


class TransportSetting(LiveElement):
    """The choice between Auto, WebSocket and Polling; what a browser chose before counts."""

    transport: "param.Selector[str]" = param.Selector(
        default="auto",
        objects=list(TRANSPORTS),
        doc="How live data comes: WebSocket, HTTP polling, or WebSocket with polling behind it.",
    )

    _esm = FOLDER / "transport_setting.js"
    _stylesheets = stylesheets("tokens", "transport_setting")
