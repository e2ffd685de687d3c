"""What a client shows to the feed to be let in."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from dashboard.client.errors import FeedAccessError

TokenSource = str | Callable[[], str | Awaitable[str]]
"""A JSON Web Token, or a function, plain or async, that gives one which is good for a while."""


class Credentials:
    """A token, or where to get one.

    Args:
        source: None where there is none.
    """

    def __init__(self, source: TokenSource | None) -> None:
        self._source = source
        self._last: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({'none' if self._source is None else '***'})"

    @property
    def given(self) -> bool:
        """Whether there is one at all."""
        return self._source is not None

    @property
    def renewable(self) -> bool:
        """Whether there can be a newer token."""
        return callable(self._source)

    async def token(self) -> str | None:
        """Return a token, where there can be others a new one; None where there is none.

        Raises:
            FeedAccessError: The function that gives one has failed.
        """
        if not callable(self._source):
            return self._source
        try:
            token = self._source()
            self._last = await token if isawaitable(token) else token
        except Exception as error:
            raise FeedAccessError(f"no token is to be had: {error!r}") from error
        return self._last

    async def headers(self, *, renewed: bool = False) -> dict[str, str]:
        """Return what goes with an HTTP request.

        Args:
            renewed: Whether the last token is good no more.

        Raises:
            FeedAccessError: The function that gives a token has failed.
        """
        token = self._last
        if token is None or renewed:
            token = await self.token()
        return {} if token is None else {"Authorization": f"Bearer {token}"}
