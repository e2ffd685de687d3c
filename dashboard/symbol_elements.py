"""What stands beside the chart on a symbol's page, of the symbol that the page has selected."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class QuoteHeader(LiveElement):
    """Its last price and change, bid and ask, and the day so far, live."""

    _esm = FOLDER / "quote_header.js"
    _stylesheets = stylesheets("tokens", "quote_header")


class RangeStatistics(LiveElement):
    """What the bars tell that the page's chart has in view."""

    _esm = FOLDER / "range_statistics.js"
    _stylesheets = stylesheets("tokens", "side_card")


class TradesTape(LiveElement):
    """Its trades as they come, the newest on top."""

    _esm = FOLDER / "trades_tape.js"
    _stylesheets = stylesheets("tokens", "side_card")
