"""What callers write, as the client has it. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeVar

from dashboard.client.buffers import Buffer, Every, Latest
from dashboard.client.core.session import Want
from feed_server.protocol import Channel

T = TypeVar("T")

ROOM = 10_000
"""Items that wait for a reader at most."""

Keep = Literal["latest", "every"]
"""What a reader gets that is slower than the feed."""

Time = datetime | str | int
"""A moment: aware, or in UTC; as ISO 8601; or UTC epoch milliseconds."""


def want(
    channel: Channel,
    symbols: tuple[str, ...],
    *,
    interval: str | None = None,
    indicators: Sequence[str] = (),
    max_hz: float = 0,
) -> Want:
    """Return what a stream is of.

    Raises:
        ValueError: No symbol is named.
    """
    if not symbols:
        raise ValueError(f"name the symbols to get {channel} of; feed.symbols() lists them")
    return Want(
        channel=channel,
        symbols=symbols,
        interval=interval,
        indicators=tuple(indicators),
        max_hz=max_hz,
    )


def buffer(keep: Keep, latest: Callable[[int], Latest[T]]) -> Buffer[T]:
    """Return what keeps what a reader has not read yet.

    Raises:
        ValueError: There is no such way.
    """
    if keep not in ("latest", "every"):
        raise ValueError(f"keep {keep!r} must be latest or every")
    return latest(ROOM) if keep == "latest" else Every(ROOM)


def epoch_ms(time: Time | None) -> int | None:
    """Return a moment as UTC epoch milliseconds."""
    if time is None or isinstance(time, int):
        return time
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
