"""One symbol's live price, as a small card."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets


class LiveQuote(LiveElement):
    """A symbol's last price and change, bid and ask, and what to know of them, live."""

    symbol = param.String(doc="Which symbol.")

    _esm = FOLDER / "live_quote.js"
    _stylesheets = stylesheets("tokens", "live_quote")
