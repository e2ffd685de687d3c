"""The ways between the pages, and the search for a symbol."""

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets


class Navigation(LiveElement):
    """The names of the pages, and the symbol search; the address says which page is shown."""

    page: "param.Selector[str]" = param.Selector(
        default="dashboard",
        objects=["dashboard", "market", "symbol", "debug"],
        doc="The page that is wanted; the browser sets it.",
    )
    shown = param.String(default="dashboard", doc="The page that is there.")

    _esm = FOLDER / "navigation.js"
    _stylesheets = stylesheets("tokens", "navigation", "symbol_search")
