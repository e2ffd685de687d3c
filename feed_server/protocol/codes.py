"""Error and close codes: values with a number, a name, a reason, and whether to reconnect."""

from enum import Enum, StrEnum


class ErrorCode(StrEnum):
    """What went wrong with one request; the same on the WebSocket and over HTTP."""

    BAD_MESSAGE = "bad_message"
    UNKNOWN_COMMAND = "unknown_command"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_INTERVAL = "unknown_interval"
    BAD_PARAMETER = "bad_parameter"
    NOT_FOUND = "not_found"
    NOT_READY = "not_ready"
    TOO_MANY_SYMBOLS = "too_many_symbols"
    INTERNAL = "internal"


class CloseCode(Enum):
    """Why the server ends a WebSocket.

    The numbers are WebSocket close codes, RFC 6455 section 7.4: those from 4000 on are private.
    """

    GOING_AWAY = (1001, "the server is shutting down", True)
    TOO_BIG = (1009, "a message is larger than the server takes", False)
    SLOW_CONSUMER = (4008, "the client did not read fast enough", True)

    def __init__(self, number: int, reason: str, reconnect: bool) -> None:
        self.number = number
        self.reason = reason
        self.reconnect = reconnect
