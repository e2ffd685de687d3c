"""Where the bar that forms is missing from a history up to now."""

import pytest

from feed_server.market.forming import lacking_ms, missing_ms
from feed_server.protocol import Interval

HOUR = Interval.HOUR
NOW_MS = 100 * HOUR.ms + 600_000


def missing(
    *,
    interval: Interval = HOUR,
    newest: int | None = 99,
    traded_ms: int | None = NOW_MS - 1_000,
    start_ms: int = 0,
    end_ms: int = 200 * HOUR.ms,
) -> int | None:
    newest_ms = None if newest is None else newest * HOUR.ms
    return missing_ms(
        interval, newest_ms, traded_ms, start_ms=start_ms, end_ms=end_ms, now_ms=NOW_MS
    )


def test_it_is_missing_where_there_was_a_trade_in_it() -> None:
    assert missing() == 100 * HOUR.ms
    assert missing(newest=None) == 100 * HOUR.ms


def test_it_is_not_where_it_is_there() -> None:
    assert missing(newest=100) is None


@pytest.mark.parametrize("traded_ms", [None, 100 * HOUR.ms - 1, 52 * HOUR.ms])
def test_there_is_none_where_there_was_no_trade_in_it(traded_ms: int | None) -> None:
    assert missing(traded_ms=traded_ms) is None


def test_the_past_lacks_none() -> None:
    assert missing(end_ms=100 * HOUR.ms - 1) is None
    assert missing(end_ms=100 * HOUR.ms) == 100 * HOUR.ms
    assert missing(start_ms=100 * HOUR.ms, newest=None) == 100 * HOUR.ms
    assert missing(start_ms=100 * HOUR.ms + 1, newest=None) is None


def test_a_days_bar_comes_with_the_price() -> None:
    assert missing(interval=Interval.DAY, newest=48) is None


def test_one_that_forms_lacks_what_was_not_heard_since_it_began() -> None:
    begins_ms = 100 * HOUR.ms
    assert lacking_ms(HOUR, begins_ms, False, NOW_MS) == begins_ms
    assert lacking_ms(HOUR, begins_ms, False, begins_ms) is None
    assert lacking_ms(HOUR, begins_ms, False, 0) is None
    assert lacking_ms(HOUR, begins_ms, True, NOW_MS) is None
    assert lacking_ms(Interval.DAY, begins_ms, False, NOW_MS) is None
