"""Asking a vendor over HTTP: every way in which that can fail as one of our errors."""

from collections.abc import Mapping

import httpx
import msgspec

from feed_server.errors import (
    MalformedError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
TOTAL_S = 20.0
"""A body that trickles in would never time out by itself."""
MAX_BODY_BYTES = 20_000_000
SHOWN = 200
"""Characters of an unexpected answer that an error quotes."""


class VendorHttp:
    """One vendor's REST address.

    Args:
        vendor: Its name, for errors.
        base_url: Where it is.
        secrets: Texts that no error may contain.
        headers: Sent with each request.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        secrets: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._vendor = vendor
        self._secrets = tuple(filter(None, secrets))
        self._client = httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=TIMEOUT, follow_redirects=False
        )

    async def get(self, path: str, params: Mapping[str, str | int]) -> "VendorAnswer":
        """Return the answer to a request as JSON.

        Raises:
            RateLimitedError: HTTP 429, with what ``Retry-After`` said.
            UnauthorizedError: HTTP 401 or 403.
            UnavailableError: No connection, no answer in time, HTTP 5xx.
            MalformedError: Any other answer that is no JSON.
        """
        raise NotImplementedError

    def masked(self, text: str) -> str:
        """Return a text without our secrets, cut to what an error may quote."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


class VendorAnswer(msgspec.Struct, frozen=True):
    """A vendor's answer.

    Attributes:
        status: HTTP status, below 500 and none of those that are raised.
        headers: By name in lower case.
        body: Decoded JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: object


__all__ = [
    "MalformedError",
    "RateLimitedError",
    "UnauthorizedError",
    "UnavailableError",
    "VendorAnswer",
    "VendorHttp",
]
