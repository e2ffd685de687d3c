"""The Python feed client, for notebooks and servers: live data, and history as pandas objects.

`FeedClient` is for asynchronous code, `dashboard.client.blocking` has one for all other.
"""

from dashboard.client.core.actions import StateChanged, Trouble
from dashboard.client.core.bars import Bar
from dashboard.client.core.staleness import Age
from dashboard.client.core.trades import Trade
from dashboard.client.errors import (
    FeedAccessError,
    FeedError,
    FeedLossError,
    FeedLossWarning,
    FeedUnavailableError,
)
from dashboard.client.feed_client import FeedClient
from dashboard.client.series import BarHistory, Instruments, Snapshot
from dashboard.client.stats import Stats
from dashboard.client.streams import Loss, Stream
from feed_server.protocol import Quote, SourceStatus, SymbolInfo

__all__ = [
    "Age",
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
    "SourceStatus",
    "StateChanged",
    "Stats",
    "Stream",
    "SymbolInfo",
    "Trade",
    "Trouble",
]
