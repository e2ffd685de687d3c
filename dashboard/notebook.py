"""Live widgets for notebooks, and for Panel apps of one's own.

::

    from dashboard.notebook import live_chart, live_quote, watchlist

    live_quote("AAPL")
    live_chart("AAPL", interval="1m")
    watchlist(["AAPL", "IBM"])

Each is a Panel component: it can be put into layouts, and served by ``.servable()``. Prices go
straight from the feed to the browser, or through the kernel where the browser cannot reach the
feed. Nothing of a widget runs in the kernel before that, so that none is left where it goes.
"""

import os
import sys
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import panel as pn

from dashboard.browser import TokenGiver
from dashboard.charts.candles import CandleChart
from dashboard.client.arguments import check_interval
from dashboard.client.credentials import TokenSource
from dashboard.config import DashboardConfig
from dashboard.live_quote import LiveQuote
from dashboard.tokens import TokenSigner
from dashboard.watchlist import Watchlist
from feed_server.protocol import Interval

__all__ = ["live_chart", "live_quote", "watchlist"]

SUBJECT = "notebook"
"""Whom a token is for that is signed here."""

ROW_PX = 47
HEAD_PX = 77
MOST_ROWS = 12


def live_quote(
    symbol: str, *, url: str | None = None, token: TokenSource | None = None, **layout: object
) -> LiveQuote:
    """Return a card with a symbol's last price, change, bid and ask.

    Args:
        symbol: The instrument.
        url: The feed's address, ``http://host:port``; without it ``QUOTEWIRE_FEED_URL``, else that
            of a feed on this machine.
        token: What the feed lets one in with, where it asks for that; without it
            ``QUOTEWIRE_TOKEN``, else one is signed with ``QUOTEWIRE_JWT_SECRET`` where that is set.
        layout: Of Panel, such as ``width``.
    """
    return LiveQuote(symbol=symbol, **_feed(url, token), **{"width": 330, "height": 106, **layout})


def live_chart(
    symbol: str,
    interval: str = Interval.MINUTE,
    *,
    url: str | None = None,
    token: TokenSource | None = None,
    **layout: object,
) -> CandleChart:
    """Return a chart of a symbol's candles and volumes, with its price.

    Args:
        symbol: The instrument.
        interval: Length of the bars, such as ``1m`` or ``1d``.
        url: See `live_quote`.
        token: See `live_quote`.
        layout: Of Panel, such as ``height``.

    Raises:
        ValueError: There is no such interval.
    """
    check_interval(interval)
    size: dict[str, object] = {"sizing_mode": "stretch_width", "height": 420, "min_width": 320}
    return CandleChart(
        symbol=symbol, interval=str(interval), **_feed(url, token), **{**size, **layout}
    )


def watchlist(
    symbols: Sequence[str] = (),
    *,
    url: str | None = None,
    token: TokenSource | None = None,
    **layout: object,
) -> Watchlist:
    """Return a list of symbols with their prices.

    Args:
        symbols: The instruments, in this order; all that the feed has where none are named.
        url: See `live_quote`.
        token: See `live_quote`.
        layout: Of Panel, such as ``height``.
    """
    if isinstance(symbols, str):
        raise TypeError(f"symbols must be a list: watchlist([{symbols!r}])")
    height = HEAD_PX + ROW_PX * min(len(symbols) or MOST_ROWS, MOST_ROWS)
    size: dict[str, object] = {"width": 460, "height": height}
    return Watchlist(symbols=list(symbols), **_feed(url, token), **{**size, **layout})


def _feed(url: str | None, token: TokenSource | None) -> dict[str, object]:
    """Return the parameters of a `LiveElement` that lead to the feed."""
    _load_panel()
    config = DashboardConfig.from_environment()
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"feed address {url!r} must begin with http:// or https://")
    return {
        "feed_url": (url or config.browser_feed_url).rstrip("/"),
        "relay_url": (url or config.server_feed_url).rstrip("/"),
        "renew": _giver(token or os.environ.get("QUOTEWIRE_TOKEN"), config),
    }


def _giver(token: TokenSource | None, config: DashboardConfig) -> TokenGiver | None:
    """Return what gives a token when a widget asks for one; None where there is none to give."""
    if isinstance(token, str) and token:
        return lambda: token
    if callable(token):
        return token
    signer = TokenSigner.from_config(config)
    return None if signer is None else lambda: signer.sign(SUBJECT, time.time())


def _load_panel() -> None:
    """Bring Panel into a notebook; there only, for a served page has it."""
    if "ipykernel" in sys.modules and pn.state.curdoc is None:
        from dashboard.cells import cells

        cells().load_panel()
