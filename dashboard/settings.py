"""What a user can set. The browser keeps it; Python gives the defaults."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets

TRANSPORTS = ("auto", "websocket", "polling")


class TransportSetting(LiveElement):
    """How live data comes, and how often; what a browser chose before counts."""

    transport: "param.Selector[str]" = param.Selector(
        default="auto",
        objects=list(TRANSPORTS),
        doc="How live data comes: WebSocket, HTTP polling, or WebSocket with polling behind it.",
    )
    poll_ms: "param.Number[float]" = param.Number(
        default=1000, bounds=(250, 60_000), doc="From one poll to the next, in milliseconds."
    )
    max_hz: "param.Number[float]" = param.Number(
        default=0, bounds=(0, 60), doc="Updates a second at most; 0: as the feed likes."
    )

    _esm = FOLDER / "transport_setting.js"
    _stylesheets = stylesheets("tokens", "popover", "transport_setting")
