"""A series of bars has no seam where a vendor's history ends and the feed's own bars begin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feed_server.market.history_join import (
    BAR,
    EARLIEST_SESSION_MS,
    NO_BARS,
    BarArray,
    bar_array,
    between,
    column_array,
    join,
    taken_over_ms,
)
from feed_server.market.known_bars import MAX_SPANS, KnownBars
from feed_server.protocol import Interval
from tests.updates import DAY_MS, bar

MINUTE = Interval.MINUTE
VENDORS, OURS = 1.0, 2.0

starts = st.lists(st.integers(0, 40), unique=True).map(sorted)


def bars(begin: list[int], close: float = OURS, *, still_open: int = 0) -> BarArray:
    """Return one-minute bars that begin at some minutes; the last ``still_open`` are not final."""
    made = column_array([minute * MINUTE.ms for minute in begin], [[close] * len(begin)] * 5)
    made["final"][len(begin) - still_open :] = False
    return made


def told(series: BarArray) -> dict[int, float]:
    """Return by minute whose bar it is."""
    minutes = (series["start_ms"] // MINUTE.ms).tolist()
    return dict(zip(minutes, series["close"].tolist(), strict=True))


def joined(vendors: list[int], ours: list[int], since: int, *, still_open: int = 0) -> BarArray:
    kept = bars(ours, still_open=still_open)
    return join(bars(vendors, VENDORS), kept, taken_over_ms(kept, MINUTE, since * MINUTE.ms))


def test_the_vendors_bars_go_up_to_where_ours_are_whole() -> None:
    series = told(joined([1, 2, 3, 4, 5], [3, 4, 5, 6], since=5))
    assert series == {1: VENDORS, 2: VENDORS, 3: VENDORS, 4: VENDORS, 5: OURS, 6: OURS}


def test_ours_are_used_where_the_vendor_has_none_though_trades_may_lack() -> None:
    assert told(joined([1, 3], [2, 3, 6], since=5)) == {1: VENDORS, 2: OURS, 3: VENDORS, 6: OURS}
    assert told(joined([], [2, 3], since=9)) == {2: OURS, 3: OURS}


def test_a_minute_without_trades_is_none_of_the_vendors_where_ours_are_whole() -> None:
    assert told(joined([1, 5, 6, 7], [5, 7], since=4)) == {1: VENDORS, 5: OURS, 7: OURS}


def test_an_open_bar_is_ours_though_it_is_not_whole() -> None:
    series = joined([1, 2, 3], [2, 3], since=9, still_open=1)
    assert told(series) == {1: VENDORS, 2: VENDORS, 3: OURS}
    assert series["final"].tolist() == [True, True, False]


def test_all_of_ours_count_where_they_are_whole_from_the_first_on() -> None:
    assert told(joined([1, 2, 3], [2, 4], since=0)) == {1: VENDORS, 2: OURS, 4: OURS}
    assert told(joined([1, 2], [], since=0)) == {1: VENDORS, 2: VENDORS}


def test_a_day_counts_only_where_its_session_cannot_have_begun_before() -> None:
    kept = bar_array([bar(day=1, final=True), bar(day=2, final=True)])
    noon_ms = DAY_MS + DAY_MS // 2
    assert taken_over_ms(kept, Interval.DAY, noon_ms) == noon_ms + EARLIEST_SESSION_MS
    assert taken_over_ms(kept, Interval.DAY, DAY_MS - EARLIEST_SESSION_MS) == DAY_MS


@given(starts, starts, st.integers(0, 45), st.integers(0, 3))
def test_each_start_is_there_once_and_in_order(
    vendors: list[int], ours: list[int], since: int, still_open: int
) -> None:
    still_open = min(still_open, len(ours))
    kept = bars(ours, still_open=still_open)
    from_ms = taken_over_ms(kept, MINUTE, since * MINUTE.ms)
    series = join(bars(vendors, VENDORS), kept, from_ms)
    assert (np.diff(series["start_ms"]) > 0).all()
    cut = 99 if from_ms is None else from_ms // MINUTE.ms
    assert told(series).keys() == {m for m in vendors if m < cut} | {*ours}
    for minute, close in told(series).items():
        assert close == (VENDORS if minute < cut and minute in vendors else OURS)
    whose = told(series)
    assert all(whose[minute] == OURS for minute in ours[len(ours) - still_open :])


def test_bars_become_an_array_and_are_cut_by_their_start() -> None:
    kept = bar_array([bar(day=day, close=day, final=True) for day in (1, 2, 3)])
    assert kept.dtype == BAR
    assert between(kept, DAY_MS, 3 * DAY_MS)["close"].tolist() == [1, 2]
    assert len(between(NO_BARS, 0, DAY_MS)) == 0


def test_what_is_known_reaches_back_to_the_first_gap() -> None:
    known = KnownBars()
    assert known.reach_ms(50) == 50
    known.add(30, 50, NO_BARS)
    known.add(10, 20, NO_BARS)
    assert [known.reach_ms(end) for end in (50, 40, 30, 20, 15)] == [30, 30, 30, 10, 10]
    known.add(20, 30, NO_BARS)
    assert known.reach_ms(50) == 10
    assert known.reach_ms(51) == 51


def test_the_end_of_what_is_known_can_be_doubted() -> None:
    known = KnownBars()
    minute = MINUTE.ms
    known.add(0, 50 * minute, bars([1, 20]))
    known.doubt_end(30 * minute, minute)
    assert known.reach_ms(30 * minute) == 0
    assert known.reach_ms(50 * minute) == 50 * minute
    known.doubt_end(10 * minute, minute)
    assert known.reach_ms(21 * minute) == 0
    assert known.reach_ms(22 * minute) == 22 * minute
    assert len(known) == 2


def test_of_very_many_stretches_the_shortest_are_forgotten() -> None:
    known = KnownBars()
    known.add(0, 1_000, NO_BARS)
    for moment in range(2_000, 2_000 + 10 * MAX_SPANS, 5):
        known.add(moment, moment + 2, NO_BARS)
        assert known.reach_ms(moment + 2) == moment
    assert known.reach_ms(1_000) == 0
    reached = [known.reach_ms(end) < end for end in range(2_002, 2_000 + 10 * MAX_SPANS, 5)]
    assert sum(reached) == MAX_SPANS - 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=8), starts)
def test_known_bars_are_those_of_the_stretches_that_were_told(
    stretches: list[tuple[int, int]], there: list[int]
) -> None:
    known = KnownBars()
    covered: set[int] = set()
    for first, length in stretches:
        within = [minute for minute in there if first <= minute < first + length]
        known.add(first * MINUTE.ms, (first + length) * MINUTE.ms, bars(within))
        covered.update(range(first, first + length))
    assert list(told(known.between(0, 99 * MINUTE.ms))) == [m for m in there if m in covered]
    for end in range(1, 61):
        reach = end
        while reach - 1 in covered:
            reach -= 1
        assert known.reach_ms(end * MINUTE.ms) == reach * MINUTE.ms
