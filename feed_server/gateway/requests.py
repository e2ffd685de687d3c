"""What a client may ask for, checked: the same rules on the WebSocket and over HTTP."""

from collections.abc import Callable, Iterable, Mapping

from feed_server.errors import QuotewireError
from feed_server.market.indicator_spec import IndicatorError, IndicatorSpec, parse_specs
from feed_server.protocol import ErrorCode, Interval

NOT_BEGUN = "no source has begun; try again soon"


class RequestError(QuotewireError):
    """A request cannot be served: a code for programs and a text for people."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def split_symbols(
    texts: Iterable[str],
    meaning: Callable[[str], str | None],
    allows: Callable[[str], bool],
    *,
    most: int,
    why: Mapping[str, ErrorCode] | None = None,
) -> tuple[list[str], dict[str, ErrorCode]]:
    """Sort symbols into those that can be served, in order and once each, and those that can't.

    Args:
        texts: What is asked for, as it was written.
        meaning: Tells which symbol that is; None where there is none.
        allows: Tells what who asks may have.
        most: How many can be asked for.
        why: By text why it could not be found out whether there is such a symbol.

    Returns:
        Symbols as the feed names them; and by text as it was written why it can't be served.

    Raises:
        RequestError: There are more than ``most``.
    """
    asked = list(dict.fromkeys(texts))
    if len(asked) > most:
        raise RequestError(
            ErrorCode.TOO_MANY_SYMBOLS, f"{len(asked)} symbols asked for, {most} allowed"
        )
    symbols: dict[str, None] = {}
    failed: dict[str, ErrorCode] = {}
    for text in asked:
        symbol = meaning(text)
        # Whether there is one that may not be had is not told either.
        if not allows(symbol or text.strip().upper()):
            failed[text] = ErrorCode.FORBIDDEN
        elif symbol is None:
            failed[text] = (why or {}).get(text, ErrorCode.UNKNOWN_SYMBOL)
        else:
            symbols[symbol] = None
    return list(symbols), failed


def parse_interval(text: str) -> Interval:
    """Return the interval that a text names.

    Raises:
        RequestError: It names none.
    """
    try:
        return Interval(text)
    except ValueError:
        raise RequestError(
            ErrorCode.UNKNOWN_INTERVAL, f"interval {text!r} is not one of {', '.join(Interval)}"
        ) from None


def parse_indicators(texts: Iterable[str]) -> tuple[IndicatorSpec, ...]:
    """Return the indicators that some texts name, once each and sorted.

    Raises:
        RequestError: One of them names none, or they are too many; its text tells what is allowed.
    """
    try:
        return parse_specs(texts)
    except IndicatorError as error:
        raise RequestError(ErrorCode.BAD_PARAMETER, f"indicators: {error}") from None


def parse_int(name: str, text: str, low: int, high: int) -> int:
    """Return a whole number given as a parameter.

    Raises:
        RequestError: It is none, or not within ``low`` and ``high``.
    """
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise RequestError(
            ErrorCode.BAD_PARAMETER, f"{name}={text!r} is not a whole number from {low} to {high}"
        )
    return value
