"""The pages by name. Each is built when it is first shown, and kept for the session."""

from collections.abc import Callable, Mapping

import panel as pn

from dashboard.pages.dashboard import dashboard_page
from dashboard.pages.debug import debug_page
from dashboard.pages.market import market_page
from dashboard.pages.symbol import symbol_page

Build = Callable[[Mapping[str, object]], pn.viewable.Viewable]
"""Builds a page; takes where its elements find the feed: parameters of a `LiveElement`."""

PAGES: Mapping[str, Build] = {
    "dashboard": dashboard_page,
    "market": market_page,
    "symbol": symbol_page,
    "debug": debug_page,
}


class Pages:
    """A session's pages.

    Args:
        feed: Where their elements find the feed, and their token: parameters of a `LiveElement`.
    """

    def __init__(self, feed: Mapping[str, object]) -> None:
        self._feed = feed
        self._built: dict[str, pn.viewable.Viewable] = {}

    def __getitem__(self, name: str) -> pn.viewable.Viewable:
        """Return a page by its name, one of `PAGES`."""
        if name not in self._built:
            page = PAGES[name](self._feed)
            page.css_classes = [*(page.css_classes or ()), f"page-{name}"]
            self._built[name] = page
        return self._built[name]
