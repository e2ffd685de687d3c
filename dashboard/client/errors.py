"""What goes wrong between a client and the feed.

FeedError
├── FeedAccessError       the token is missing, wrong or too old: another one is needed
├── FeedUnavailableError  the feed cannot be reached, or what answers is none
└── FeedLossError         a stream is not whole: some of its items are gone
FeedLossWarning           the same, as a warning
"""

import msgspec

from feed_server.protocol import Error, ErrorCode

DENIALS = frozenset({ErrorCode.AUTH_REQUIRED, ErrorCode.AUTH_FAILED, ErrorCode.AUTH_EXPIRED})
"""Codes that mean: come again with another token."""

LONG = 500
"""Characters of a list that nobody reads in an error."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: of text that is no message, not even text, or nested without end."""


class FeedError(Exception):
    """The feed refused a request; its text is the feed's own.

    Attributes:
        code: The feed's code; None where the text is not the feed's.
    """

    def __init__(self, message: str, code: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.code = code


class FeedAccessError(FeedError):
    """The feed does not let this client in: its token is missing, wrong or too old."""


class FeedUnavailableError(FeedError):
    """The feed cannot be reached, or what answers is none.

    Attributes:
        reason: Why, without what to do about it.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class FeedLossError(FeedError):
    """Items of a stream are gone; the stream goes on after them."""


class FeedLossWarning(UserWarning):
    """Items of a stream are gone; the stream goes on after them."""


def no_feed(url: str, reason: str) -> FeedUnavailableError:
    """Return what tells that no feed can be reached, and what to do."""
    text = f"no feed at {url} ({reason}): start one with `make run`, or set QUOTEWIRE_FEED_URL"
    return FeedUnavailableError(text, reason)


def in_python(error: Error) -> Error:
    """Return a refusal with what Python has in place of the feed's paths, and no endless list."""
    text = error.message
    advice, _, listed = text.partition("; there are ")
    if error.code == ErrorCode.BAD_PARAMETER and len(listed) > LONG:
        text = f"{advice}; /api/indicators of the feed lists them all"
    text = text.replace("/api/symbols", "feed.symbols()")
    text = text.replace("/api/search?q=", "feed.search(text)")
    return Error(error.code, text)


def feed_error(error: Error) -> FeedError:
    """Return the exception that an answer of the feed means."""
    return (FeedAccessError if error.code in DENIALS else FeedError)(error.message, error.code)
