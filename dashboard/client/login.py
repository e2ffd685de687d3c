"""How a client is let in, and stays in. Pure; the clock is passed in."""

from collections.abc import Callable, Iterator

from dashboard.client.errors import FeedAccessError, FeedError
from feed_server.protocol import (
    Auth,
    Authenticated,
    CloseCode,
    Error,
    ErrorCode,
    ServerMessage,
    Welcome,
)

TokenSource = str | Callable[[], str]

AUTH_ID = 0
"""Number of the requests that show a token; others count from 1."""

NO_TOKEN = "the feed asks for a token: set QUOTEWIRE_TOKEN, or FeedClient(token=…)"

_DENIALS = frozenset({ErrorCode.AUTH_REQUIRED, ErrorCode.AUTH_FAILED, ErrorCode.AUTH_EXPIRED})
_DENIAL_CLOSES = frozenset(
    code.number for code in (CloseCode.AUTH_REQUIRED, CloseCode.AUTH_EXPIRED, CloseCode.REVOKED)
)


def feed_error(error: Error) -> FeedError:
    """Return the exception that an answer of the feed means."""
    return (FeedAccessError if error.code in _DENIALS else FeedError)(error.message)


class Credentials:
    """What a client shows to the feed.

    Args:
        source: A token, or a function that gives one that is good for a while; None for none.
    """

    def __init__(self, source: TokenSource | None) -> None:
        self._source = source

    def __repr__(self) -> str:
        return f"Credentials({'none' if self._source is None else '***'})"

    @property
    def renewable(self) -> bool:
        """Whether there can be a newer token."""
        return callable(self._source)

    def token(self) -> str | None:
        """Return a token; None where there is none."""
        return self._source() if callable(self._source) else self._source

    def headers(self) -> dict[str, str]:
        """Return what goes with each HTTP request."""
        token = self.token()
        return {} if token is None else {"Authorization": f"Bearer {token}"}


class Login:
    """One connection's stay: in by a token where one is asked for, renewed at half of its life.

    Attributes:
        is_in: Whether the feed takes commands.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.is_in = False
        self._credentials = credentials
        self._ahead_ms = 0.0
        self._renew_ms: float | None = None

    def answer(self, message: ServerMessage | None, now_ms: float) -> Iterator[Auth]:
        """Take what the feed said, and yield what is to be said to come in or stay in.

        Args:
            message: Any message; None for one of a kind that is not known here.
            now_ms: UTC epoch milliseconds.

        Raises:
            FeedAccessError: The client is not let in.
        """
        match message:
            case Welcome(time_ms=time_ms, auth=auth):
                self._ahead_ms = time_ms - now_ms
                self.is_in = auth == "none"
                if not self.is_in:
                    yield self._show(self._credentials.token())
            case Authenticated(expires_ms=expires_ms):
                self.is_in = True
                if self._credentials.renewable:
                    left_ms = expires_ms - self._ahead_ms - now_ms
                    self._renew_ms = now_ms + max(left_ms / 2, 1000)
            case Error() if message.code in _DENIALS and not self.is_in:
                raise feed_error(message)
        # No timer: the feed is never silent for longer than its heartbeat.
        if self._renew_ms is not None and now_ms >= self._renew_ms:
            self._renew_ms = None
            yield self._show(self._credentials.token())

    def tolerates(self, error: Error) -> bool:
        """Tell whether a connection is of use in spite of an error.

        A token that is refused while another one is good changes nothing until the feed closes
        the connection; trouble of a source ends by itself.
        """
        return error.code in _DENIALS or error.code is ErrorCode.SOURCE

    def closed(self, code: int | None, reason: str | None) -> None:
        """Return when it is of use to come again after the feed has closed the connection.

        Raises:
            FeedAccessError: The feed would not let this client in.
        """
        expired = code == CloseCode.AUTH_EXPIRED.number
        if code in _DENIAL_CLOSES and not (expired and self._credentials.renewable):
            raise FeedAccessError(reason or f"closed by the feed ({code})")

    def _show(self, token: str | None) -> Auth:
        if token is None:
            raise FeedAccessError(NO_TOKEN)
        return Auth(AUTH_ID, token)
