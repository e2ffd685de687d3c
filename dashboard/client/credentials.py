"""What a client shows to the feed to be let in."""

import asyncio
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
        self._renewing = asyncio.Lock()

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

    async def shown(self, refused: str | None = None) -> str | None:
        """Return the token that goes with an HTTP request; None where there is none.

        Args:
            refused: One that is good no more. Of all who were refused with it, one renews it.

        Raises:
            FeedAccessError: The function that gives a token has failed.
        """
        async with self._renewing:
            if self._last is None or self._last == refused:
                return await self.token()
            return self._last


def headers(token: str | None) -> dict[str, str]:
    """Return what shows a token with an HTTP request."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}
