"""Bars that began before anybody watched are completed from what their source tells of it."""

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.bus.update import StoredUpdate, SymbolUpdate, decode_update, encode_update
from feed_server.ingest.line import Line
from feed_server.market.begun_bars import COMPLETED, begun_bar
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar, Interval, SymbolInfo, Trade

MINUTE, QUARTER, HOUR = Interval.MINUTE, Interval.QUARTER_HOUR, Interval.HOUR
TEN_MS = 1_381_154_400_000
"""2013-10-07, 10:00 in New York."""
INFO = SymbolInfo("BAC", "Bank of America", "USD", 2, "test", "TEST", "America/New_York")

Print = tuple[int, float, int]
"""Milliseconds after ten, price, size."""


def line() -> Line:
    made = Line(INFO, SessionCalendar(INFO.zone), grace_ms=2_000)
    made.want(True)
    return made


def hear(bac: Line, prints: Sequence[Print]) -> None:
    for at_ms, price, size in prints:
        assert bac.apply(Trade("BAC", TEN_MS + at_ms, price, size), 0) is None


def told_bars(prints: Sequence[Print], interval: Interval, start_ms: int, end_ms: int) -> list[Bar]:
    """Return what a vendor tells of ended bars; times are milliseconds after ten."""
    frame = pd.DataFrame(prints, columns=["at_ms", "price", "size"])
    frame = frame[(frame.at_ms >= start_ms) & (frame.at_ms < end_ms)]
    groups = frame.groupby(frame.at_ms // interval.ms * interval.ms)
    told = []
    for at_ms, each in groups:
        price, begins_ms = each.price, TEN_MS + int(at_ms)
        prices = price.iloc[0], price.max(), price.min(), price.iloc[-1]
        volume = float(each["size"].sum())
        told.append(Bar("BAC", interval, begins_ms, *prices, volume, begins_ms, True))
    return told


def formed(update: SymbolUpdate, interval: Interval) -> tuple[float, ...]:
    bar = [b for b in update.bars if b.interval is interval and not b.final][-1]
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def expected(prints: Sequence[Print], interval: Interval) -> tuple[float, ...]:
    """Return the newest bar of trades in order, by pandas."""
    begins_ms = prints[-1][0] // interval.ms * interval.ms
    frame = pd.DataFrame(prints, columns=["at_ms", "price", "size"])
    price = frame.price[frame.at_ms >= begins_ms]
    volume = float(frame["size"][frame.at_ms >= begins_ms].sum())
    return price.iloc[0], price.max(), price.min(), price.iloc[-1], volume


@st.composite
def _days(draw: st.DrawFn) -> tuple[list[Print], int, int, int]:
    """Trades within an hour, when watching begins, when the source tells, and how long it took."""
    times = draw(
        st.lists(st.integers(0, HOUR.ms - 1), min_size=1, max_size=60, unique=True).map(sorted)
    )
    prints = [(at, draw(st.integers(900, 1_100)) / 100, draw(st.integers(1, 50))) for at in times]
    watched_ms = draw(st.integers(0, HOUR.ms - 2))
    asked_ms = draw(st.integers(watched_ms, min(HOUR.ms - 2, watched_ms + 150_000)))
    told_ms = draw(st.integers(asked_ms, min(HOUR.ms - 1, asked_ms + 150_000)))
    return prints, watched_ms, asked_ms, told_ms


@given(_days())
def test_they_lack_only_what_was_traded_in_the_minute_before_it_was_watched(
    day: tuple[list[Print], int, int, int],
) -> None:
    prints, watched_ms, asked_ms, told_ms = day
    bac = line()
    before = [one for one in prints if one[0] < watched_ms]
    hear(bac, before[-1:])  # as a source tells the last trade at once
    hear(bac, [one for one in prints if watched_ms <= one[0] < told_ms])
    quarter_ms, until_ms = asked_ms - asked_ms % QUARTER.ms, asked_ms - asked_ms % MINUTE.ms
    told = [
        *told_bars(prints, QUARTER, 0, quarter_ms),
        *told_bars(prints, MINUTE, quarter_ms, until_ms),
    ]
    bac.lack(TEN_MS + watched_ms)
    bac.complete(told, TEN_MS + until_ms)
    hear(bac, [one for one in prints if one[0] >= told_ms])
    unheard = [one for one in before[:-1] if one[0] >= until_ms]
    kept = [one for one in prints if one not in unheard]
    update = bac.take_update()
    if update is None:
        assert kept == [one for one in prints if one[0] < until_ms]
        return
    assert update.lacks_ms == 0
    for interval in COMPLETED:
        if kept[-1][0] >= until_ms - until_ms % interval.ms:
            assert formed(update, interval) == pytest.approx(expected(kept, interval))


# One trade a minute from ten on, the price rising, each of size 10.
STEADY = [(at, 10 + at / HOUR.ms, 10) for at in range(30_000, 50 * MINUTE.ms, MINUTE.ms)]


def test_a_bar_is_put_together_of_all_that_is_told_of_its_time() -> None:
    told = [
        *told_bars(STEADY, QUARTER, 0, 45 * 60_000),
        *told_bars(STEADY, MINUTE, 45 * 60_000, 50 * 60_000),
    ]
    bar = begun_bar(HOUR, TEN_MS, told, [])
    assert bar is not None
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == expected(STEADY, HOUR)
    assert not bar.final
    assert begun_bar(HOUR, TEN_MS + HOUR.ms, told, []) is None


def test_a_minute_counts_once_and_as_the_source_tells_it() -> None:
    told = told_bars(STEADY, QUARTER, 0, 45 * 60_000)
    half_heard = told_bars([(44 * 60_000 + 50_000, 99.0, 1)], MINUTE, 0, HOUR.ms)
    own = [*half_heard, *told_bars(STEADY, MINUTE, 45 * 60_000, HOUR.ms)]
    bar = begun_bar(HOUR, TEN_MS, told, own)
    assert bar is not None
    assert (bar.high, bar.volume) == (STEADY[-1][1], 500)


def test_one_minute_that_the_source_has_not_yet_is_ours() -> None:
    told = told_bars(STEADY, MINUTE, 0, 49 * 60_000)
    own = told_bars(STEADY, MINUTE, 48 * 60_000, HOUR.ms)
    bar = begun_bar(HOUR, TEN_MS, told, own)
    assert bar is not None
    assert bar.volume == 500


def test_until_the_source_has_told_an_update_says_what_its_bars_lack() -> None:
    bac = line()
    watched_ms = TEN_MS + 50 * 60_000 + 20_000
    bac.lack(watched_ms)
    hear(bac, [(50 * 60_000 + 21_000, 12.0, 5)])
    update = bac.take_update()
    assert update is not None
    assert update.lacks_ms == watched_ms
    bac.complete(told_bars(STEADY, MINUTE, 0, 50 * 60_000), TEN_MS + 50 * 60_000)
    update = bac.take_update()
    assert update is not None
    assert update.lacks_ms == 0
    assert formed(update, HOUR) == (STEADY[0][1], 12.0, STEADY[0][1], 12.0, 505)
    # Fewer minutes than there were: they lack more than one.
    bac.lack(watched_ms + 120_000)
    bac.complete([], TEN_MS + 50 * 60_000)
    hear(bac, [(50 * 60_000 + 22_000, 12.0, 5)])
    update = bac.take_update()
    assert update is not None
    assert update.lacks_ms == watched_ms + 120_000


def test_what_the_source_tells_trade_by_trade_after_its_bars_counts_once() -> None:
    bac = line()
    hear(bac, [(50 * 60_000 + 21_000, 12.0, 5)])
    bac.complete(told_bars(STEADY, MINUTE, 0, 50 * 60_000), TEN_MS + 50 * 60_000)
    # As a hole in a stream is mended: trades of the minutes that the bars had, and one of a later.
    for at_ms, price, size in [*STEADY[40:], (50 * 60_000 + 10_000, 11.9, 7)]:
        bac.apply(Trade("BAC", TEN_MS + at_ms, price, size), 0)  # too late for bars of seconds
    update = bac.take_update()
    assert update is not None
    assert [formed(update, interval)[4] for interval in (HOUR, QUARTER)] == [512, 62]
    assert len(update.trades) == 12  # and all are told
    hear(bac, [(50 * 60_000 + 22_000, 12.0, 1)])
    update = bac.take_update()
    assert update is not None
    assert formed(update, HOUR)[4] == 513


def test_a_bar_in_which_nothing_was_traded_since_is_there_as_well() -> None:
    bac = line()
    hear(bac, STEADY[:1])
    bac.complete(told_bars(STEADY, MINUTE, 0, 50 * 60_000), TEN_MS + 50 * 60_000)
    update = bac.take_update()
    assert update is not None
    assert formed(update, HOUR) == expected(STEADY, HOUR)
    assert formed(update, QUARTER)[4] == 50


def test_what_another_process_said_to_lack_lacks_still() -> None:
    bac = line()
    bac.lack(TEN_MS)
    hear(bac, STEADY[:1])
    update = bac.take_update()
    assert update is not None
    other = line()
    other.resume(StoredUpdate("e", 1, decode_update(encode_update(update))), {})
    hear(other, STEADY[1:2])
    again = other.take_update()
    assert again is not None
    assert again.lacks_ms == TEN_MS
