"""Whether a history up to now lacks the bar that forms, or something of it. Pure."""

from feed_server.protocol import Interval


def missing_ms(
    interval: Interval,
    newest_ms: int | None,
    traded_ms: int | None,
    *,
    start_ms: int,
    end_ms: int,
    now_ms: int,
) -> int | None:
    """Return where the bar begins that forms now and is missing, None where none is.

    What makes it known is a trade in it that a source has told with the price, such as the last
    before it was asked to stream the symbol. A daily bar is told with the price, too.

    Args:
        interval: Length of the bars.
        newest_ms: Where the newest bar begins that there is.
        traded_ms: Event time of the last trade that is known, None where none is.
        start_ms: No bar was asked for that begins earlier.
        end_ms: No bar was asked for that begins later.
        now_ms: The present.
    """
    if interval == Interval.DAY or traded_ms is None:
        return None
    begins_ms = traded_ms - traded_ms % interval.ms
    is_over = begins_ms + interval.ms <= now_ms
    is_there = newest_ms is not None and newest_ms >= begins_ms
    is_asked = start_ms <= begins_ms <= end_ms
    return begins_ms if is_asked and not is_over and not is_there else None


def lacking_ms(interval: Interval, newest_ms: int, is_final: bool, lacks_ms: int) -> int | None:
    """Return where the newest bar begins that there is, if it forms and lacks something.

    Args:
        interval: Length of the bars; a daily one is told with the price.
        newest_ms: Where it begins.
        is_final: Whether it does not form any more.
        lacks_ms: See `SymbolUpdate`.
    """
    lacks = interval != Interval.DAY and not is_final and newest_ms < lacks_ms
    return newest_ms if lacks else None
