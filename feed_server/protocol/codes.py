"""Error and close codes: values with a number, a name, a reason, and whether to try again."""

from enum import Enum, StrEnum
from typing import Self


class ErrorCode(StrEnum):
    """What went wrong with one request; the same on the WebSocket and over HTTP.

    The name is what goes over the wire.

    Attributes:
        number: For logs and metrics; never given to another code.
        http_status: Status of an HTTP answer with this error.
        reason: What it means, for a person.
        retry: Whether the same request can succeed later.
    """

    number: int
    http_status: int
    reason: str
    retry: bool

    def __new__(cls, name: str, number: int, http_status: int, reason: str, retry: bool) -> Self:
        """Keep what belongs to a code."""
        code = str.__new__(cls, name)
        code._value_ = name
        code.number = number
        code.http_status = http_status
        code.reason = reason
        code.retry = retry
        return code

    BAD_MESSAGE = ("bad_message", 100, 400, "not JSON, or a command with wrong fields", False)
    UNKNOWN_COMMAND = ("unknown_command", 101, 400, "a type that the server does not know", False)
    UNKNOWN_SYMBOL = ("unknown_symbol", 102, 404, "no such instrument; see /api/symbols", False)
    UNKNOWN_INTERVAL = ("unknown_interval", 103, 400, "the message lists the intervals", False)
    BAD_PARAMETER = ("bad_parameter", 104, 400, "which one, and what is allowed", False)
    TOO_MANY_SYMBOLS = ("too_many_symbols", 105, 400, "more than max_symbols", False)
    TOO_MANY_COMMANDS = ("too_many_commands", 106, 429, "more than max_commands_per_s", True)
    TOO_MANY_CONNECTIONS = ("too_many_connections", 107, 503, "the server is full", True)
    TOO_MANY_ALERTS = ("too_many_alerts", 108, 409, "more than may be set; remove some", False)
    TOO_LARGE = ("too_large", 109, 413, "more than is taken at once, or kept", False)
    AUTH_REQUIRED = ("auth_required", 110, 401, "a token must be sent first", False)
    AUTH_FAILED = ("auth_failed", 111, 401, "the token is not valid", False)
    AUTH_EXPIRED = ("auth_expired", 112, 401, "the token has expired; send a new one", False)
    FORBIDDEN = ("forbidden", 113, 403, "the token does not allow this", False)
    NOT_FOUND = ("not_found", 120, 404, "no such path", False)
    METHOD_NOT_ALLOWED = ("method_not_allowed", 123, 405, "the path has no such method", False)
    NOT_READY = ("not_ready", 121, 503, "Redis is away or no source has begun", True)
    INTERNAL = ("internal", 122, 500, "the server's log has it", True)
    SOURCE = ("source", 130, 502, "a source of market data has trouble with a symbol", True)
    OTHER = ("other", 199, 500, "a code that a newer server has and this client does not", False)

    @classmethod
    def _missing_(cls, value: object) -> "ErrorCode | None":
        return cls.OTHER if isinstance(value, str) else None


class CloseCode(Enum):
    """Why the server ends a WebSocket.

    The numbers are WebSocket close codes, RFC 6455 section 7.4: those from 4000 on are private.

    Attributes:
        number: The close code.
        reason: What it means, for a person; sent along.
        reconnect: Whether a client should come again by itself.
    """

    GOING_AWAY = (1001, "the server is shutting down", True)
    TOO_BIG = (1009, "a message is larger than the server takes", False)
    AUTH_REQUIRED = (4001, "no valid token came in time", False)
    AUTH_EXPIRED = (4003, "the token expired and was not refreshed", False)
    SLOW_CONSUMER = (4008, "the client did not read fast enough", True)
    STALLED = (4009, "the client took nothing for too long", True)
    TOO_MANY_COMMANDS = (4029, "the client kept sending more commands than allowed", True)
    REVOKED = (4010, "access was revoked", False)

    def __init__(self, number: int, reason: str, reconnect: bool) -> None:
        self.number = number
        self.reason = reason
        self.reconnect = reconnect
