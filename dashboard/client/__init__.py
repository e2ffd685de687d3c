"""The Python feed client, for notebooks and servers: live quotes and history as pandas objects."""

from dashboard.client.errors import FeedAccessError, FeedError, FeedUnavailableError
from dashboard.client.feed_client import FeedClient

__all__ = ["FeedAccessError", "FeedClient", "FeedError", "FeedUnavailableError"]
