"""Bars that began before anybody watched, from what their source tells of that time. Pure."""

from collections.abc import Sequence

from feed_server.protocol import Bar, Interval

COMPLETED = (Interval.FIVE_MINUTES, Interval.QUARTER_HOUR, Interval.HOUR)
"""Shorter ones are over too soon; the daily bar is of a session, and told by its own means."""


def begun_bar(
    interval: Interval,
    start_ms: int,
    told: Sequence[Bar],
    own: Sequence[Bar],
    held: Bar | None = None,
) -> Bar | None:
    """Return a bar that forms, put together from shorter ones; None where none of them is told.

    A minute counts once: as the source tells it, for ours may have been heard in part only. Where
    the source has none, because it has not ended or is not told yet, ours is used all the same.

    Args:
        interval: Length of the bar.
        start_ms: Where it begins.
        told: The source's bars that have ended; none is of another's time. Oldest first.
        own: Our bars of one minute.
        held: Our bar so far: nothing in it was not traded, but it may lack much.
    """
    end_ms = start_ms + interval.ms
    parts = [bar for bar in told if start_ms <= bar.start_ms < end_ms]
    if not parts:
        return None
    known = [(bar.start_ms, bar.start_ms + bar.interval.ms) for bar in parts]
    parts += [
        bar
        for bar in own
        if start_ms <= bar.start_ms < end_ms
        and not any(begin_ms <= bar.start_ms < after_ms for begin_ms, after_ms in known)
    ]
    parts.sort(key=lambda bar: bar.start_ms)
    last = parts[-1]
    if held is not None and held.time_ms >= last.start_ms + last.interval.ms:
        last = held
    bounds = parts if held is None else [*parts, held]
    volume = sum(bar.volume for bar in parts)
    return Bar(
        last.symbol,
        interval,
        start_ms,
        parts[0].open,
        max(bar.high for bar in bounds),
        min(bar.low for bar in bounds),
        last.close,
        volume if held is None else max(volume, held.volume),
        max(bar.time_ms for bar in bounds),
        False,
    )
