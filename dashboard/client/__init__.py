"""The Python feed client, for notebooks and servers: live quotes and history as pandas objects."""

from dashboard.client.feed_client import FeedClient, FeedError, FeedUnavailableError

__all__ = ["FeedClient", "FeedError", "FeedUnavailableError"]
