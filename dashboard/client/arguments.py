"""What callers write, as the client has it. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Literal, TypeVar, cast

from dashboard.client.buffers import Buffer, Every, Latest
from dashboard.client.core.session import Want
from feed_server.protocol import Channel, Interval, split_specs

T = TypeVar("T")

MOST_BARS = 10_000
"""In one answer of the feed."""

ROOM = 10_000
"""Items that wait for a reader at most."""

Keep = Literal["latest", "every"]
"""What a reader gets that is slower than the feed."""

Symbols = str | Iterable[str]
"""One instrument, or several."""

Indicators = str | Sequence[str]
"""Such as ``["SMA(20)", "BBANDS(20,2,2)"]``, or one text with commas between."""

Time = datetime | str | int
"""A moment: aware, or in UTC; as ISO 8601; or UTC epoch milliseconds."""


def want(
    channel: Channel,
    symbols: Iterable[Symbols],
    *,
    interval: str | None = None,
    indicators: Indicators = (),
    max_hz: float = 0,
) -> Want:
    """Return what a stream is of.

    Raises:
        ValueError: No symbol is named, or something is asked for that cannot be.
    """
    names = symbol_names(symbols)
    if not names:
        raise ValueError(f"name the symbols to get {channel} of; feed.symbols() lists them")
    if interval is not None:
        if len(names) > 1:
            raise ValueError(f"bars are of one symbol, not of {len(names)}: take a stream for each")
        check_interval(interval)
    if not (isfinite(max_hz) and max_hz >= 0):
        raise ValueError(f"max_hz {max_hz!r} must be a number of updates a second, or 0")
    return Want(
        channel=channel,
        symbols=names,
        interval=interval,
        indicators=indicator_texts(indicators),
        max_hz=max_hz,
    )


def symbol_names(given: Iterable[object]) -> tuple[str, ...]:
    """Return instruments one by one, whether they are given so or as a list.

    Raises:
        TypeError: One is no text.
    """
    names: list[str] = []
    for symbols in given:
        one = isinstance(symbols, str) or not isinstance(symbols, Iterable)
        several: Iterable[object] = [symbols] if one else cast("Iterable[object]", symbols)
        for name in several:
            if not isinstance(name, str):
                raise TypeError(f"symbols must be texts, as in 'AAPL', 'IBM', not {name!r}")
            names.append(name)
    return tuple(names)


def indicator_texts(indicators: Indicators) -> tuple[str, ...]:
    """Return indicators one by one."""
    return tuple(split_specs(indicators) if isinstance(indicators, str) else indicators)


def check_interval(interval: str) -> None:
    """Pass an interval that there is.

    Raises:
        ValueError: There is no such one.
    """
    if interval not in set(Interval):
        raise ValueError(f"interval {interval!r} must be one of {', '.join(Interval)}")


def check_bars(limit: int) -> None:
    """Pass how many bars of history may be asked for.

    Raises:
        ValueError: There cannot be so many.
    """
    if not 1 <= limit <= MOST_BARS:
        raise ValueError(f"limit {limit!r} must be a number of bars, 1 to {MOST_BARS:,}")


def buffer(keep: Keep, latest: Callable[[int], Latest[T]]) -> Buffer[T]:
    """Return what keeps what a reader has not read yet.

    Raises:
        ValueError: There is no such way.
    """
    if keep not in ("latest", "every"):
        raise ValueError(f"keep {keep!r} must be latest or every")
    return latest(ROOM) if keep == "latest" else Every(ROOM)


def epoch_ms(name: str, time: Time | None) -> int | None:
    """Return a moment as UTC epoch milliseconds.

    Args:
        name: Of the argument that it is given as.
        time: The moment.

    Raises:
        ValueError: It is no moment.
    """
    if time is None or isinstance(time, int):
        return time
    try:
        moment = datetime.fromisoformat(time) if isinstance(time, str) else time
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, AttributeError):
        raise ValueError(
            f"{name} {time!r} must be a datetime, a text such as 2026-01-31 or "
            "2026-01-31T14:30+00:00, or UTC epoch milliseconds"
        ) from None
