"""The Python feed client, for notebooks and servers: live data, and history as pandas objects.

`FeedClient` is for asynchronous code, `dashboard.client.blocking` has one for all other.
"""

from dashboard.client.core.actions import StateChanged
from dashboard.client.core.bars import Bar
from dashboard.client.core.trade_book import Trade
from dashboard.client.errors import (
    FeedAccessError,
    FeedError,
    FeedLossError,
    FeedLossWarning,
    FeedUnavailableError,
)
from dashboard.client.feed_client import FeedClient
from dashboard.client.runner import Stats
from dashboard.client.series import BarHistory, Instruments, Snapshot
from dashboard.client.streams import Loss, Stream
from feed_server.protocol import Quote, SymbolInfo

__all__ = [
    "Bar",
    "BarHistory",
    "FeedAccessError",
    "FeedClient",
    "FeedError",
    "FeedLossError",
    "FeedLossWarning",
    "FeedUnavailableError",
    "Instruments",
    "Loss",
    "Quote",
    "Snapshot",
    "StateChanged",
    "Stats",
    "Stream",
    "SymbolInfo",
    "Trade",
]
