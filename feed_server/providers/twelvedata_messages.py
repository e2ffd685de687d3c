"""What Twelve Data's REST interface says, as ours. Pure.

Fields and errors are those of https://twelvedata.com/docs (quote, symbol search, errors).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
    UnknownSymbolError,
)
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import SYMBOL_PATTERN, SymbolInfo

NAME = "twelvedata"
ZONE = "America/New_York"
PAYWALL = ("with your plan", "available starting with", "available exclusively", "upgrad")
NO_DATA = "no data is available"
CLOCK_SLACK_S = 1.0
"""So much later than our minute the vendor's may begin."""
NOON_MS = 43_200_000

EXCHANGES = {
    "TSX": ("CAD", "America/Toronto"),
    "TSXV": ("CAD", "America/Toronto"),
    "LSE": ("GBp", "Europe/London"),
    "XETR": ("EUR", "Europe/Berlin"),
    "FSX": ("EUR", "Europe/Berlin"),
    "Euronext": ("EUR", "Europe/Paris"),
    "SIX": ("CHF", "Europe/Zurich"),
    "JPX": ("JPY", "Asia/Tokyo"),
    "HKEX": ("HKD", "Asia/Hong_Kong"),
    "NSE": ("INR", "Asia/Kolkata"),
    "BSE": ("INR", "Asia/Kolkata"),
    "ASX": ("AUD", "Australia/Sydney"),
}
"""Currency and zone of exchanges that a symbol such as ``RY:TSX`` names."""

Explain = Callable[[int, str], ProviderError]
"""Makes an error of a code and a message, see `refusal`."""


def number(value: object) -> float | None:
    """Return a finite number of what the vendor writes as text or number; `None` of all else."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[\d.]+(e[+-]?\d+)?\s*", value, re.I):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def error_of(body: object, status: int) -> tuple[int, str] | None:
    """Return the code and message of an answer that is an error, with whatever HTTP status."""
    if not isinstance(body, dict):
        return (status, str(body)) if status >= 400 else None
    code = number(body.get("code"))
    is_error = body.get("status") == "error" or (code or 0) >= 400 or status >= 400
    if not is_error:
        return None
    message = body.get("message")
    return round(code or 0) or status, message if isinstance(message, str) else "no message"


def refusal(code: int, message: str, shown: str, wait_s: float) -> ProviderError:
    """Return what an error of the vendor's is for us.

    Args:
        code: Its code.
        message: Its message.
        shown: The message without secrets.
        wait_s: When to ask again where a limit is reached.
    """
    text, said = message.casefold(), f"{NAME}: {code}: {shown}"
    kind: type[ProviderError] = MalformedError
    if code == 429:
        return RateLimitedError(said, wait_s)
    if code == 401:
        kind = UnauthorizedError
    elif code >= 500:
        kind = UnavailableError
    elif NO_DATA in text or any(part in text for part in PAYWALL):
        kind = NotOfferedError
    elif code == 403:
        kind = UnauthorizedError if "apikey" in text or "api key" in text else NotOfferedError
    elif code == 404 or (code == 400 and "symbol" in text):
        kind = UnknownSymbolError
    return kind(said)


def credits_back_s(message: str, now_s: float) -> float:
    """Return in how many seconds credits come back: with the next minute, or the next UTC day."""
    text = message.casefold()
    period_s = 86_400 if "for the day" in text or "daily" in text else 60
    return period_s - now_s % period_s + CLOCK_SLACK_S


def quotes(
    symbols: Sequence[str], body: object, explain: Explain
) -> dict[str, SessionSnapshot | ProviderError]:
    """Return what an answer that is no error as a whole says of each symbol.

    Args:
        symbols: What was asked for.
        body: The answer: of one symbol its quote, of several their quotes by symbol.
        explain: Makes an error of what it says of a single symbol.

    Raises:
        ProviderError: Nothing was answered, and not because of the symbols.
    """
    if not isinstance(body, dict):
        raise MalformedError(f"{NAME}: /quote: the answer is no object")
    single = isinstance(body.get("symbol"), str) or "close" in body
    entries = {symbols[0].casefold(): body} if single and len(symbols) == 1 else _by_symbol(body)
    answers = {symbol: _answer(symbol, entries, explain) for symbol in symbols}
    errors = [answer for answer in answers.values() if isinstance(answer, ProviderError)]
    general = (RateLimitedError, UnauthorizedError, UnavailableError)
    if errors and len(errors) == len(symbols) and all(isinstance(e, general) for e in errors):
        raise errors[0]
    return answers


def blame(
    symbols: Sequence[str], error: ProviderError
) -> dict[str, SessionSnapshot | ProviderError]:
    """Return what an error that was the whole answer means for each symbol.

    Raises:
        ProviderError: It is no symbol's fault.
    """
    if not isinstance(error, UnknownSymbolError | NotOfferedError):
        raise error
    said = str(error)
    named = symbols if len(symbols) == 1 else [s for s in symbols if _names(said, s)]
    if not named:
        raise UnavailableError(f"{said} (asked for {', '.join(symbols)})")
    spoilt = UnavailableError(f"{NAME}: not answered because of {', '.join(named)}")
    return {symbol: error if symbol in named else spoilt for symbol in symbols}


def snapshot(symbol: str, entry: Mapping[str, object]) -> SessionSnapshot:
    """Return a quote.

    Its event time is ``last_quote_at``, else ``timestamp`` (where the session's bar begins), else
    ``datetime``; of a bare date noon in UTC, which has that date in nearly every zone.

    Raises:
        MalformedError: It has no price or no time, or is another symbol's.
    """
    told = entry.get("symbol")
    if isinstance(told, str) and _base(told) != _base(symbol):
        raise MalformedError(f"{NAME}: asked for {symbol}, it answers with another")
    last, (moment_ms, day) = number(entry.get("close")), _moment(entry.get("datetime"))
    if last is None:
        raise MalformedError(f"{NAME}: {symbol} has no price")
    stamps = (epoch_ms(entry.get("last_quote_at")), epoch_ms(entry.get("timestamp")), moment_ms)
    time_ms = next((stamp for stamp in stamps if stamp is not None), None)
    if time_ms is None:
        raise MalformedError(f"{NAME}: {symbol} has no time")
    return SessionSnapshot(
        symbol=symbol,
        time_ms=time_ms,
        last=last,
        volume=number(entry.get("volume")),
        open=number(entry.get("open")),
        high=number(entry.get("high")),
        low=number(entry.get("low")),
        prev_close=number(entry.get("previous_close")),
        session=day,
        currency=currency(symbol, entry),
    )


def instruments(text: str, body: object) -> list[SymbolInfo]:
    """Return what ``/symbol_search`` has found, the instrument that the text names first.

    Raises:
        MalformedError: It is no such answer.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        raise MalformedError(f"{NAME}: /symbol_search: the answer has no list 'data'")
    wanted = text.casefold()
    infos: dict[str, SymbolInfo] = {}
    for hit in data:
        info = _instrument(hit, wanted) if isinstance(hit, dict) else None
        if info is not None:
            infos.setdefault(info.symbol, info)
    return sorted(
        infos.values(),
        key=lambda info: (info.symbol.casefold() != wanted, _base(info.symbol) != _base(text)),
    )


def listed(symbol: str, name: str = "") -> SymbolInfo:
    """Return an instrument of which only the symbol is known."""
    money, zone = EXCHANGES.get(symbol.partition(":")[2], ("USD", ZONE))
    if "/" in symbol:
        money, zone = _quote_currency(symbol), "UTC"
    return SymbolInfo(symbol, name or symbol, money, _decimals(symbol), NAME, "", zone)


def currency(symbol: str, entry: Mapping[str, object]) -> str | None:
    """Return what prices are in: as the vendor says, or by a pair's name."""
    told = entry.get("currency")
    if isinstance(told, str) and told:
        return told
    return _quote_currency(symbol) if "/" in symbol else None


def epoch_ms(value: object) -> int | None:
    """Return a time that is told in epoch seconds."""
    seconds = number(value)
    return round(seconds * 1000) if seconds is not None and 0 < seconds < 1e11 else None


def zone_or(name: object, default: str) -> str:
    """Return a zone's name where there is such a zone."""
    try:
        return ZoneInfo(name).key if isinstance(name, str) and name else default
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return default


def _by_symbol(body: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    return {name.casefold(): entry for name, entry in body.items() if isinstance(entry, dict)}


def _answer(
    symbol: str, entries: Mapping[str, Mapping[str, object]], explain: Explain
) -> SessionSnapshot | ProviderError:
    entry = entries.get(symbol.casefold())
    if entry is None:
        return MalformedError(f"{NAME}: /quote: the answer leaves {symbol} out")
    if (error := error_of(entry, 200)) is not None:
        return explain(*error)
    try:
        return snapshot(symbol, entry)
    except MalformedError as malformed:
        return malformed


def _moment(value: object) -> tuple[int | None, date | None]:
    """Return a time's epoch milliseconds, and its date where it is a bare date."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or not isinstance(value, str):
        return None, None
    start_ms = round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    return (start_ms + NOON_MS, moment.date()) if len(value) == 10 else (start_ms, None)


def _instrument(hit: Mapping[str, object], wanted: str) -> SymbolInfo | None:
    symbol, name = hit.get("symbol"), hit.get("instrument_name")
    if not isinstance(symbol, str):
        return None
    if "/" not in symbol:
        places = [hit.get("exchange"), hit.get("mic_code")]
        # As it was asked for; else the home market's bare, and others with their exchange.
        forms = [f"{symbol}:{place}" for place in places if isinstance(place, str) and place]
        asked = [form for form in forms if form.casefold() == wanted]
        if asked or hit.get("country") != "United States":
            fit = (f for f in [*asked, *forms] if re.fullmatch(SYMBOL_PATTERN, f))
            symbol = next(fit, "")
    if not re.fullmatch(SYMBOL_PATTERN, symbol):
        return None
    info = listed(symbol, name if isinstance(name, str) else "")
    return SymbolInfo(
        info.symbol,
        info.name,
        currency(symbol, hit) or info.currency,
        info.decimals,
        info.source,
        info.label,
        zone_or(hit.get("exchange_timezone"), info.zone),
    )


def _names(text: str, symbol: str) -> bool:
    return re.search(rf"(?<![\w/:.]){re.escape(symbol)}(?![\w/:]|\.\w)", text) is not None


def _base(symbol: str) -> str:
    return symbol.partition(":")[0].casefold()


def _quote_currency(symbol: str) -> str:
    return symbol.partition("/")[2].partition(":")[0]


def _decimals(symbol: str) -> int:
    base, slash, _ = symbol.partition("/")
    if not slash or base in ("BTC", "ETH", "XAU"):
        return 2
    return 3 if _quote_currency(symbol) == "JPY" else 5
