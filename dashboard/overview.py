"""What the dashboard shows of a whole list beside the watchlist and the chart."""

from dashboard.browser import FOLDER, LiveElement, stylesheets


class TickerTape(LiveElement):
    """The list's prices going by; choosing one opens its page."""

    _esm = FOLDER / "overview" / "ticker_tape.js"
    _stylesheets = stylesheets("tokens", "ticker_tape")


class QuoteCards(LiveElement):
    """The list's first symbols, each with its day; choosing one selects it for the whole page."""

    _esm = FOLDER / "overview" / "cards.js"
    _stylesheets = stylesheets("tokens", "cards")


class Movers(LiveElement):
    """Who gains, who loses and what is traded most, of all that the feed has."""

    _esm = FOLDER / "overview" / "movers_card.js"
    _stylesheets = stylesheets("tokens", "movers")
