"""What goes wrong between a client and the feed.

FeedError
├── FeedAccessError       the token is missing, wrong or too old: another one is needed
└── FeedUnavailableError  the feed cannot be reached
"""


class FeedError(Exception):
    """The feed refused a request; its text is the feed's own."""


class FeedAccessError(FeedError):
    """The feed does not let this client in: its token is missing, wrong or too old."""


class FeedUnavailableError(FeedError):
    """The feed cannot be reached."""
