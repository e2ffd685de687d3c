"""What Alpha Vantage says, understood. Pure.

Fields are those of its documentation (https://www.alphavantage.co/documentation/). Every value is a
text. Refusals come with HTTP 200 and are told apart by their wording only. An answer may quote the
key, so an error quotes an answer only with the key hidden.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnknownSymbolError,
)
from feed_server.market.checks import MAX_PRICE, MIN_PRICE
from feed_server.market.events import SessionSnapshot
from feed_server.market.session import daily_bar_start_ms
from feed_server.protocol import Interval
from feed_server.providers.base import BAR_COLUMNS, bar_frame

VENDOR = "Alpha Vantage"
ZONE = ZoneInfo("America/New_York")
CLOSE = time(16)
DELAYED = re.compile(r"DELAYED BY (\d+) MINUTES")

Body = Mapping[str, object]

# In the order in which they are tried: the text about requests a second names the limit a day and
# "premium endpoints", too; the one about requests a minute the "premium subscription plan".
_KEY_REFUSED = re.compile(r"apikey is invalid|\*\*demo\*\* api key", re.IGNORECASE)
_PAYWALL = re.compile(r"\bis a premium\b|requires? a premium", re.IGNORECASE)
_PER_SECOND = re.compile(r"per second|burst pattern|spreading out", re.IGNORECASE)
_PER_MINUTE = re.compile(r"per minute|minute-level|call volume", re.IGNORECASE)
_PER_DAY = re.compile(r"per day|daily (rate )?limit", re.IGNORECASE)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Match:
    """An instrument that ``SYMBOL_SEARCH`` found."""

    symbol: str
    name: str
    currency: str


def refusal(
    body: Body, symbol: str | None, now_ms: int, masked: Callable[[str], str]
) -> ProviderError | None:
    """Return what an answer refuses, `None` where it does not.

    Args:
        body: The answer.
        symbol: What was asked for; `None` where no symbol was.
        now_ms: The clock, UTC epoch milliseconds.
        masked: Hides the key, which the text about the limit a day quotes.
    """
    for name in ("Error Message", "Note", "Information"):
        if name in body:
            text = str(body[name])
            kind = _of_call if name == "Error Message" else _of_plan
            return _of_key(text, masked) or kind(text, symbol, now_ms, masked)
    return None


def _of_key(text: str, masked: Callable[[str], str]) -> ProviderError | None:
    if _KEY_REFUSED.search(text):
        return UnauthorizedError(f"{VENDOR} refuses the key: {masked(text)}")
    return None


def _of_call(
    text: str, symbol: str | None, _now_ms: int, masked: Callable[[str], str]
) -> ProviderError:
    if symbol is not None:
        return UnknownSymbolError(f"{VENDOR} does not know {symbol}: {masked(text)}")
    return MalformedError(f"{VENDOR} does not understand the call: {masked(text)}")


def _of_plan(
    text: str, _symbol: str | None, now_ms: int, masked: Callable[[str], str]
) -> ProviderError:
    said = f"{VENDOR}: {masked(text)}"
    if _PAYWALL.search(text):
        return NotOfferedError(said)
    if _PER_SECOND.search(text):
        return RateLimitedError(said, 2.0)
    if _PER_MINUTE.search(text):
        return RateLimitedError(said, 60.0)
    if _PER_DAY.search(text):
        return RateLimitedError(said, seconds_to_midnight(now_ms))
    if "premium" in text.casefold():
        return NotOfferedError(said)
    return MalformedError(f"{VENDOR} says what is not understood: {masked(text)}")


def seconds_to_midnight(now_ms: int) -> float:
    """Return how long the day still is in New York, by which requests a day are counted."""
    tomorrow = datetime.fromtimestamp(now_ms / 1000, ZONE).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), ZONE).timestamp() - now_ms / 1000


def read_quote(body: Body, symbol: str, now_ms: int) -> SessionSnapshot:
    """Return what ``GLOBAL_QUOTE`` tells.

    It has a date but no time of day. We say 16:00 in New York of that date, when its session has
    ended; while that is still to come: now, less the delay that the answer tells of.

    Raises:
        UnknownSymbolError: The quote is empty.
        MalformedError: It has no price or no date, or is another symbol's.
    """
    title, quote = _part(body, "Global Quote")
    if not quote:
        raise UnknownSymbolError(f"{VENDOR} does not know {symbol}")
    if _letters(str(quote.get("01. symbol", ""))) != _letters(symbol):
        raise MalformedError(f"{VENDOR} was asked for {symbol} and told another symbol's quote")
    price = _number(quote.get("05. price"))
    day = _date(quote.get("07. latest trading day"))
    if price is None or day is None:
        raise MalformedError(f"{VENDOR} told no price of {symbol}, or no date of it")
    delayed = DELAYED.search(title)
    latest_ms = now_ms - (int(delayed[1]) * 60_000 if delayed else 0)
    return SessionSnapshot(
        symbol=symbol,
        time_ms=min(int(datetime.combine(day, CLOSE, ZONE).timestamp() * 1000), latest_ms),
        last=price,
        volume=_number(quote.get("06. volume")),
        open=_number(quote.get("02. open")),
        high=_number(quote.get("03. high")),
        low=_number(quote.get("04. low")),
        prev_close=_number(quote.get("08. previous close")),
        session=day,
    )


def read_bars(body: Body, interval: Interval, now_ms: int) -> pd.DataFrame:
    """Return the bars of a ``TIME_SERIES_…`` that have ended, as `Provider.history` does.

    A daily bar has ended when the next day has begun. A bar that cannot be true is left out.

    Raises:
        MalformedError: It is no such series, or none of its bars can be understood.
    """
    _, series = _part(body, "Time Series")
    _, meta = _part(body, "Meta Data")
    zone = _zone(meta)
    rows = [row if isinstance(row, Mapping) else {} for row in series.values()]
    columns = pd.DataFrame(
        {
            name: pd.to_numeric(
                pd.Series([row.get(f"{place}. {name}") for row in rows], dtype=object),
                errors="coerce",
            ).astype("float64")
            for place, name in enumerate(BAR_COLUMNS, 1)
        }
    )
    local = [text if _LOCAL_TIME.fullmatch(text) else None for text in series]
    times = pd.to_datetime(pd.Series(local, dtype=object), format="ISO8601", errors="coerce")
    good = _plausible(columns) & times.notna().to_numpy()
    if rows and not good.any():
        raise MalformedError(f"{VENDOR} told {len(rows)} bars, and none can be understood")
    starts_ms, ended = _starts(pd.DatetimeIndex(times[good]), zone, interval, now_ms)
    table = columns[good].set_axis(pd.Index(starts_ms))[ended]
    table = table[~table.index.duplicated()].sort_index()
    return bar_frame(table.index.tolist(), {name: table[name].tolist() for name in BAR_COLUMNS})


def _starts(
    local: pd.DatetimeIndex, zone: ZoneInfo, interval: Interval, now_ms: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return where bars begin that begin at local times, and whether each has ended."""
    if interval is Interval.DAY:
        today_ms = daily_bar_start_ms(datetime.fromtimestamp(now_ms / 1000, zone).date())
        days_ms = np.array([daily_bar_start_ms(day) for day in local.date], dtype=np.int64)
        return days_ms, days_ms < today_ms
    # An hour that the clock repeats is taken as its first, one that it leaves out as the next: no
    # market that the vendor knows trades then.
    utc = local.tz_localize(
        zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward"
    ).tz_convert("UTC")
    starts_ms = utc.as_unit("ms").asi8
    return starts_ms, starts_ms + interval.ms <= now_ms


def read_matches(body: Body) -> list[Match]:
    """Return what ``SYMBOL_SEARCH`` found, the best first.

    Raises:
        MalformedError: It is no such answer.
    """
    rows = body.get("bestMatches")
    if not isinstance(rows, list):
        raise MalformedError(f"{VENDOR} answered a search without 'bestMatches'")
    return [
        Match(
            symbol=str(row["1. symbol"]),
            name=str(row.get("2. name") or row["1. symbol"]),
            currency=str(row.get("8. currency") or ""),
        )
        for row in rows
        if isinstance(row, Mapping) and row.get("1. symbol")
    ]


def _part(body: Body, title: str) -> tuple[str, Mapping[str, object]]:
    """Return the part of an answer with such a title, whatever follows it in the title."""
    for name, part in body.items():
        if name.startswith(title) and isinstance(part, Mapping):
            return name, part
    raise MalformedError(f"{VENDOR} answered without {title!r}")


def _zone(meta: Mapping[str, object]) -> ZoneInfo:
    name = next((str(value) for key, value in meta.items() if key.endswith("Time Zone")), "")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MalformedError(f"{VENDOR} told times of an unknown zone") from None


def _plausible(bars: pd.DataFrame) -> npt.NDArray[np.bool_]:
    values: npt.NDArray[np.float64] = bars[BAR_COLUMNS].to_numpy()
    open_, high, low, close, volume = values.T
    # Comparisons with NaN are false.
    in_order = (
        (low >= MIN_PRICE)
        & (high <= MAX_PRICE)
        & (low <= np.minimum(open_, close))
        & (high >= np.maximum(open_, close))
    )
    plausible: npt.NDArray[np.bool_] = np.isfinite(values).all(axis=1) & in_order & (volume >= 0)
    return plausible


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _letters(symbol: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", symbol.upper())
