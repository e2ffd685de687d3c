"""Asking a vendor over HTTP: every way in which that can fail as one of our errors."""

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec
from typing_extensions import override

from feed_server.errors import (
    ConfigurationError,
    MalformedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
TOTAL_S = 20.0
"""A body that trickles in would never time out by itself."""
MAX_BODY_BYTES = 20_000_000
MAX_RETRY_AFTER_S = 86_400.0
"""A vendor's slip shall not silence it for years."""
SHOWN = 200
"""Characters of an unexpected answer that an error quotes."""
LOGGERS = ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
"""They tell every address with its query, and the headers that come back."""


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

    @property
    def retry_after_s(self) -> float | None:
        """When to ask again, where it says."""
        return retry_after_s(self.headers.get("retry-after", ""), datetime.now(UTC))


class VendorHttp:
    """One vendor's REST address.

    Args:
        vendor: Its name, for errors.
        base_url: Where it is.
        secrets: Texts that no error and no log may contain.
        headers: Sent with each request.
        explains: Whether the vendor tells in JSON why it refuses: such an answer is returned, also
            with the statuses 401, 403 and 429.
        total_s: What one exchange may take, from connecting to the body's last byte.

    Raises:
        ConfigurationError: The address is none, or a secret cannot be one.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        secrets: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        explains: bool = False,
        total_s: float = TOTAL_S,
    ) -> None:
        require_key_text(vendor, secrets)
        self._vendor = vendor
        self._host = _host(vendor, base_url)
        self._mask = SecretMask(secrets)
        self._explains = explains
        self._total_s = total_s
        self._client = httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=TIMEOUT, follow_redirects=False
        )
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self._mask)

    def __repr__(self) -> str:
        return f"VendorHttp({self._vendor!r}, {self._host!r})"

    async def get(self, path: str, params: Mapping[str, str | int]) -> VendorAnswer:
        """Return the answer to a request as JSON.

        Raises:
            RateLimitedError: HTTP 429, with what ``Retry-After`` said.
            UnauthorizedError: HTTP 401 or 403.
            UnavailableError: No connection, no answer in time, HTTP 5xx.
            MalformedError: Any other answer that is no JSON, a redirect, or is too long.
        """
        try:
            async with asyncio.timeout(self._total_s):
                return await self._exchange(path, params)
        except TimeoutError:
            failure = self._unavailable(path, f"no whole answer within {self._total_s:g} s")
        except httpx.TimeoutException as error:
            failure = self._unavailable(path, f"no answer in time ({type(error).__name__})")
        except httpx.DecodingError as error:
            failure = MalformedError(self._says(path, f"its body cannot be unpacked: {error}"))
        except httpx.HTTPError as error:
            failure = self._unavailable(path, f"{type(error).__name__}: {error}")
        # Outside of ``except``: httpx's error names the whole address, and no traceback shall
        # lead to it.
        raise failure

    def masked(self, text: str) -> str:
        """Return a text without our secrets, cut to what an error may quote."""
        text = self._mask.hide(text)
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self._mask)

    async def _exchange(self, path: str, params: Mapping[str, str | int]) -> VendorAnswer:
        body = bytearray()
        async with self._client.stream("GET", path, params=dict(params)) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    what = f"HTTP {response.status_code} with more than {MAX_BODY_BYTES} bytes"
                    raise MalformedError(self._says(path, what))
        return self._answer(path, response, bytes(body))

    def _answer(self, path: str, response: httpx.Response, body: bytes) -> VendorAnswer:
        status = response.status_code
        # Not all of it: looking for keys in megabytes takes a tenth of a second and more.
        shown = body[: 4 * SHOWN].decode(errors="replace").strip()
        said = self._says(path, f"HTTP {status}: {shown}")
        if status >= 500:
            raise UnavailableError(said)
        if response.has_redirect_location:
            to = response.headers["location"]
            raise MalformedError(self._says(path, f"HTTP {status}, a redirect to {to}"))
        try:
            decoded: object = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            decoded, why = None, f"{type(error).__name__}: {error}"
        else:
            why = ""
        if not (self._explains and isinstance(decoded, dict)):
            _refuse(status, said, response.headers.get("retry-after", ""))
        if why:
            kind = response.headers.get("content-type", "no content type")
            told = f"HTTP {status}, {kind}, which is no JSON ({why}): {shown}"
            raise MalformedError(self._says(path, told))
        return VendorAnswer(status, dict(response.headers), decoded)

    def _unavailable(self, path: str, what: str) -> ProviderError:
        return UnavailableError(self._says(path, what))

    def _says(self, path: str, what: str) -> str:
        return f"{self._vendor}: {path}: {self.masked(what)}"


class SecretMask(logging.Filter):
    """Hides secrets, in texts and in what a logger is told.

    Found are they also where an address or JSON has escaped some of their characters.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        # The longest first: one may be the beginning of another.
        forms = [_any_form(secret) for secret in sorted(secrets, key=len, reverse=True) if secret]
        self._pattern = re.compile("|".join(forms), re.IGNORECASE) if forms else None

    def hide(self, text: str) -> str:
        """Return a text without the secrets."""
        return text if self._pattern is None else self._pattern.sub("***", text)

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.hide(record.getMessage()), None
        return True


def require_key_text(vendor: str, secrets: Iterable[str]) -> None:
    """Check that keys can be sent in a header or an address.

    Raises:
        ConfigurationError: One cannot; the text does not show it.
    """
    if not all(re.fullmatch(r"[!-~]*", secret) for secret in secrets):
        raise ConfigurationError(
            f"the key of {vendor} has a space, a line's end or a character beyond ASCII: "
            "copy it once more"
        )


def retry_after_s(value: str, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header tells (RFC 9110, 10.2.3).

    Args:
        value: The header's value: seconds, or a date.
        now: The time, with its zone.
    """
    if re.fullmatch(r"\s*\d{1,12}(\.\d*)?\s*", value):
        return min(float(value), MAX_RETRY_AFTER_S)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait_s = (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds()
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _refuse(status: int, said: str, retry_after: str) -> None:
    """Raise what a status says by itself."""
    if status == 429:
        raise RateLimitedError(said, retry_after_s(retry_after, datetime.now(UTC)))
    if status in (401, 403):
        raise UnauthorizedError(said)


def _any_form(secret: str) -> str:
    """Return a pattern of a secret, each of its characters perhaps escaped."""
    return "".join(
        rf"(?:{re.escape(char)}|%(?:25)*{ord(char):02x}|\\{re.escape(char)}|\\u{ord(char):04x})"
        for char in secret
    )


def _host(vendor: str, base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"the address of {vendor} is none such as https://api.example.com")
    return url.netloc.decode()
