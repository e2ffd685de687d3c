from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feed_server.bus.update import StoredUpdate, SymbolUpdate, decode_update, encode_update
from feed_server.ingest.line import MAX_ENDED, OVERDUE_MS, RESTORED, Line
from feed_server.market.checks import Reason
from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.market.session import SessionCalendar, daily_bar_start_ms
from feed_server.protocol import Bar, Interval, Position, SymbolInfo, Trade, TradePrint

DAY_MS = 86_400_000
GRACE_MS = 2_000
OPEN_MS = 1_381_154_400_000
"""2013-10-07, 10:00 in New York."""
START_MS = daily_bar_start_ms(date(2013, 10, 7))
MIDNIGHT_MS = OPEN_MS + 14 * 3_600_000
ZONE = "America/New_York"
INFO = SymbolInfo("BAC", "Bank of America", "USD", 2, "replay", "REPLAY", ZONE)


def line(*, wanted: bool = True, max_ahead_ms: int | None = None) -> Line:
    made = Line(INFO, SessionCalendar(ZONE), grace_ms=GRACE_MS, max_ahead_ms=max_ahead_ms)
    made.want(wanted)
    return made


def trade(
    to: Line, price: float, *, after_ms: int = 0, size: float = 1, received_ms: int = 0
) -> Reason | None:
    return to.apply(Trade("BAC", OPEN_MS + after_ms, price, size), received_ms)


def told(last: float = 14.0, *, after_ms: int = 0, **other: float | date | str) -> SessionSnapshot:
    return replace(SessionSnapshot(symbol="BAC", time_ms=OPEN_MS + after_ms, last=last), **other)


def top(bid: float | None, ask: float | None, *, after_ms: int = 0) -> TopOfBook:
    return TopOfBook("BAC", OPEN_MS + after_ms, bid, ask)


def taken(of: Line) -> SymbolUpdate:
    update = of.take_update()
    assert update is not None
    assert update.quote.count == max(update.missing + len(update.trades), 1)
    return update


def prices(update: SymbolUpdate) -> list[float]:
    return [print_.price for print_ in update.trades]


def bars(update: SymbolUpdate, interval: Interval) -> list[tuple[float, bool]]:
    """Return close, and whether it is final, of one interval's bars."""
    return [(bar.close, bar.final) for bar in update.bars if bar.interval is interval]


# -- trades -------------------------------------------------------------------------------------


def test_an_update_carries_all_its_trades() -> None:
    bac = line()
    assert not bac.due
    assert bac.take_update() is None
    trade(bac, 13.9, size=100)
    trade(bac, 14.1, after_ms=5, size=7)
    assert bac.due
    update = taken(bac)
    assert update.trades == [TradePrint(OPEN_MS, 13.9, 100), TradePrint(OPEN_MS + 5, 14.1, 7)]
    assert (update.quote.last, update.quote.count, update.missing) == (14.1, 2, 0)
    assert not bac.due
    assert bac.take_update() is None


def test_an_update_carries_the_bars_of_all_intervals() -> None:
    bac = line()
    trade(bac, 13.9)
    trade(bac, 14.1, after_ms=1_000)
    update = taken(bac)
    assert bars(update, Interval.SECOND) == [(13.9, False), (14.1, False)]
    for interval in (i for i in Interval if i is not Interval.SECOND):
        assert bars(update, interval) == [(14.1, False)]


def test_a_quote_is_its_sessions_daily_bar() -> None:
    bac = line()
    for price in (13.9, 14.2, 13.5, 14.0):
        trade(bac, price, size=0.1)
    update = taken(bac)
    quote, day = update.quote, update.bars[-1]
    assert (day.interval, day.start_ms) == (Interval.DAY, START_MS)
    assert (
        (quote.open, quote.high, quote.low) == (day.open, day.high, day.low) == (13.9, 14.2, 13.5)
    )
    assert (quote.last, quote.volume) == (day.close, day.volume) == (14.0, 0.4)


def test_a_refused_trade_is_neither_told_nor_counted() -> None:
    bac = line()
    assert trade(bac, 13.9) is None
    assert trade(bac, -1) is Reason.BAD_PRICE
    assert trade(bac, 13.8, after_ms=DAY_MS) is None
    assert trade(bac, 13.7, after_ms=-DAY_MS) is Reason.LATE
    update = taken(bac)
    assert prices(update) == [13.9, 13.8]
    assert update.taken == bac.taken == 4


def test_a_trade_that_is_late_for_some_bars_counts_in_the_others_and_is_told_as_late() -> None:
    bac = line()
    trade(bac, 13.9, after_ms=70_000)
    assert trade(bac, 14.5) is Reason.LATE
    update = taken(bac)
    assert bars(update, Interval.SECOND) == bars(update, Interval.MINUTE) == [(13.9, False)]
    assert prices(update) == [13.9, 14.5]
    assert (update.quote.last, update.quote.high, update.quote.volume) == (13.9, 14.5, 2)


def test_an_event_of_a_live_source_cannot_be_ahead_of_our_clock() -> None:
    bac = line(max_ahead_ms=500)
    assert trade(bac, 13.9, after_ms=501, received_ms=OPEN_MS) is Reason.FUTURE
    assert trade(bac, 13.9, after_ms=500, received_ms=OPEN_MS) is None


def test_a_trade_ahead_of_our_clock_does_not_close_bars_of_others() -> None:
    bac = line(max_ahead_ms=60_000)
    trade(bac, 13.9, received_ms=OPEN_MS)
    trade(bac, 14.1, after_ms=50_000, received_ms=OPEN_MS)
    assert trade(bac, 14.0, after_ms=10, received_ms=OPEN_MS) is None
    assert bars(taken(bac), Interval.SECOND) == [(14.0, False), (14.1, False)]


def test_when_our_clock_is_set_back_that_is_told_and_receive_time_stays() -> None:
    bac = line()
    trade(bac, 13.9, received_ms=OPEN_MS)
    assert trade(bac, 14.0, received_ms=OPEN_MS - 9_000) is Reason.CLOCK_STEP
    update = taken(bac)
    assert (update.quote.last, update.quote.received_ms) == (14.0, OPEN_MS)


def test_a_late_trade_does_not_turn_a_quotes_time_back() -> None:
    bac = line()
    trade(bac, 13.9, after_ms=100)
    taken(bac)
    trade(bac, 14.0)
    quote = taken(bac).quote
    assert (quote.time_ms, quote.last, quote.volume) == (OPEN_MS + 100, 13.9, 2)


def test_twins_without_size_in_one_millisecond_are_two_updates() -> None:
    bac = line()
    trade(bac, 13.9, size=0)
    first = taken(bac)
    trade(bac, 13.9, size=0)
    assert taken(bac) != first


# -- bars that end ------------------------------------------------------------------------------


def test_bars_end_by_the_trades_that_come() -> None:
    bac = line()
    trade(bac, 13.9)
    trade(bac, 14.1, after_ms=1_000 + GRACE_MS)
    assert bars(taken(bac), Interval.SECOND) == [(13.9, True), (14.1, False)]


def test_bars_end_by_the_markets_clock_although_nothing_is_traded() -> None:
    bac = line()
    trade(bac, 13.9)
    first = taken(bac)
    bac.advance(OPEN_MS + 1_000 + GRACE_MS - 1)
    assert not bac.due
    bac.advance(OPEN_MS + 1_000 + GRACE_MS)
    assert bac.due
    update = taken(bac)
    assert bars(update, Interval.SECOND) == [(13.9, True)]
    assert bars(update, Interval.FIVE_SECONDS) == [(13.9, False)]
    assert (update.quote, update.trades, update.missing) == (first.quote, [], 0)


def test_bars_end_by_the_best_prices_that_come() -> None:
    bac = line()
    trade(bac, 13.9)
    bac.apply(top(13.8, 14.0, after_ms=1_000 + GRACE_MS), 0)
    assert bars(taken(bac), Interval.SECOND) == [(13.9, True)]


def test_each_final_bar_is_told_once_and_never_again() -> None:
    bac = line()
    finals: list[Bar] = []
    for second in range(200):
        trade(bac, 13 + second % 3, after_ms=second * 997)
        if second % 5 == 0:
            finals += [bar for bar in taken(bac).bars if bar.final]
    keys = [(bar.interval, bar.start_ms) for bar in finals]
    assert len(keys) == len(set(keys)) > 150


def test_the_newest_final_bars_that_were_told_are_kept_for_a_loss() -> None:
    bac = line()
    seconds = RESTORED + 50
    for second in range(seconds):
        trade(bac, 10 + second / seconds, after_ms=second * 1_000)
    assert not bac.final_bars[Interval.SECOND]
    finals = [bar for bar in taken(bac).bars if bar.final]
    for interval in Interval:
        own = [bar for bar in finals if bar.interval is interval]
        assert list(bac.final_bars[interval]) == own[-RESTORED:]
    assert len(bac.final_bars[Interval.SECOND]) == RESTORED


def test_a_session_that_ends_is_the_previous_close_of_the_next() -> None:
    bac = line()
    bac.seed(13.5, None)
    trade(bac, 14.0)
    assert taken(bac).quote.prev_close == 13.5
    trade(bac, 14.2, after_ms=DAY_MS)
    update = taken(bac)
    assert bars(update, Interval.DAY) == [(14.0, True), (14.2, False)]
    assert (update.quote.prev_close, update.quote.session) == (14.0, "2013-10-08")
    assert (update.quote.open, update.quote.volume) == (14.2, 1)


def test_a_late_trade_within_the_grace_amends_the_previous_close() -> None:
    bac = line()
    midnight = MIDNIGHT_MS - OPEN_MS
    trade(bac, 14.0)
    trade(bac, 14.2, after_ms=midnight + 10)
    assert taken(bac).quote.prev_close == 14.0
    assert trade(bac, 14.1, after_ms=midnight - 10) is None
    update = taken(bac)
    assert (update.quote.prev_close, update.quote.last) == (14.1, 14.2)
    assert bars(update, Interval.DAY) == [(14.1, False), (14.2, False)]
    bac.advance(MIDNIGHT_MS + GRACE_MS)
    assert taken(bac).quote.prev_close == 14.1


def test_after_midnight_the_session_that_is_over_is_told_until_something_trades() -> None:
    bac = line()
    trade(bac, 14.0)
    bac.advance(MIDNIGHT_MS + GRACE_MS)
    update = taken(bac)
    assert bars(update, Interval.DAY) == [(14.0, True)]
    assert (update.quote.session, update.quote.volume) == ("2013-10-07", 1)


# -- wanted and unwanted ------------------------------------------------------------------------


def test_of_an_unwanted_symbol_only_the_first_state_is_due() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    assert bac.due
    assert taken(bac).missing == 1
    trade(bac, 14.0)
    assert not bac.due


def test_what_changes_of_an_unwanted_symbol_is_due_a_second_after_the_last() -> None:
    bac = line(wanted=False)
    assert not bac.overdue(OPEN_MS)
    trade(bac, 13.9, received_ms=OPEN_MS)
    taken(bac)
    assert not bac.overdue(OPEN_MS + 10 * OVERDUE_MS)
    trade(bac, 14.0, received_ms=OPEN_MS + 10 * OVERDUE_MS)
    assert bac.overdue(OPEN_MS + 10 * OVERDUE_MS)
    assert bac.due
    assert taken(bac).missing == 1
    trade(bac, 14.1, received_ms=OPEN_MS + 10 * OVERDUE_MS)
    assert not bac.overdue(OPEN_MS + 11 * OVERDUE_MS - 1)
    assert not bac.due
    assert bac.overdue(OPEN_MS + 11 * OVERDUE_MS)


def test_bars_that_end_of_an_unwanted_symbol_wait_and_are_all_told() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    taken(bac)
    for second in range(60):
        trade(bac, 14.0, after_ms=second * 1_000)
    assert not bac.due
    assert bac.overdue(OVERDUE_MS)
    update = taken(bac)
    assert update.missing == 60
    assert len(bars(update, Interval.SECOND)) == 60


def test_no_more_bars_wait_than_may() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    taken(bac)
    second = 0
    while not bac.due:
        second += 1
        trade(bac, 14.0, after_ms=second * 1_000)
    assert MAX_ENDED / 2 < second <= MAX_ENDED


def test_where_our_clock_is_set_back_nothing_waits_for_it_to_come_back() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9, received_ms=OPEN_MS)
    taken(bac)
    trade(bac, 14.0, received_ms=OPEN_MS - DAY_MS)
    assert not bac.overdue(OPEN_MS - DAY_MS)
    assert bac.overdue(OPEN_MS - DAY_MS + OVERDUE_MS)


def test_a_symbol_that_becomes_wanted_says_how_many_trades_were_not_told() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    taken(bac)
    trade(bac, 14.0)
    trade(bac, 14.1)
    bac.want(True)
    assert bac.due
    trade(bac, 14.2)
    update = taken(bac)
    assert (update.missing, prices(update), update.quote.last) == (2, [14.2], 14.2)


def test_a_symbol_that_is_wanted_no_more_keeps_no_trades() -> None:
    bac = line()
    trade(bac, 13.9)
    taken(bac)
    trade(bac, 14.0)
    bac.want(False)
    assert not bac.due
    trade(bac, 14.1)
    bac.want(True)
    trade(bac, 14.2)
    update = taken(bac)
    assert (update.missing, prices(update)) == (2, [14.2])


# -- best prices --------------------------------------------------------------------------------


def test_best_prices_are_a_change_of_their_own_without_a_trade() -> None:
    bac = line()
    assert bac.apply(top(13.9, 14.0), 0) is None
    assert not bac.due  # there is no price yet
    trade(bac, 13.95)
    assert taken(bac).quote.bid == 13.9
    bac.apply(top(13.8, 14.0, after_ms=7), OPEN_MS + 9)
    assert bac.due
    update = taken(bac)
    assert (update.quote.bid, update.quote.ask, update.quote.last) == (13.8, 14.0, 13.95)
    assert (update.quote.count, update.trades, update.missing) == (1, [], 0)
    assert (update.quote.time_ms, update.quote.received_ms) == (OPEN_MS + 7, OPEN_MS + 9)


def test_trades_alone_are_counted_where_best_prices_change_as_well() -> None:
    bac = line()
    trade(bac, 13.95)
    bac.apply(top(13.9, 14.0), 0)
    trade(bac, 13.96)
    bac.apply(top(13.8, 14.0), 0)
    assert taken(bac).quote.count == 2


def test_crossed_best_prices_are_dropped() -> None:
    bac = line()
    trade(bac, 13.95)
    bac.apply(top(13.9, 14.0), 0)
    assert bac.apply(top(14.1, 14.0), 0) is Reason.CROSSED
    quote = taken(bac).quote
    assert (quote.bid, quote.ask, quote.last) == (None, None, 13.95)


def test_best_prices_of_another_source_are_forgotten() -> None:
    bac = line()
    bac.apply(Trade("BAC", OPEN_MS, 13.95, 1, trade_id=7), 0)
    bac.apply(top(13.9, 14.0), 0)
    bac.info = replace(INFO, label="DELAYED 15 min")
    assert taken(bac).quote.bid == 13.9
    bac.info = replace(INFO, source="other")
    assert bac.apply(Trade("BAC", OPEN_MS, 13.96, 1, trade_id=7), 0) is None
    assert taken(bac).quote.bid is None


# -- what a source says of a session ------------------------------------------------------------


def test_a_snapshot_is_a_state_without_trades_and_without_bars_within_the_day() -> None:
    bac = line()
    snapshot = told(14.0, size=3, volume=900, open=13.0, high=14.5, low=12.5, prev_close=13.2)
    assert bac.apply(replace(snapshot, bid=13.9, ask=14.1, session=date(2013, 10, 7)), 5) is None
    assert bac.due
    update = taken(bac)
    quote = update.quote
    assert (quote.last, quote.size, quote.bid, quote.ask) == (14.0, 3, 13.9, 14.1)
    assert (quote.open, quote.high, quote.low, quote.volume) == (13.0, 14.5, 12.5, 900)
    assert (quote.prev_close, quote.session, quote.count) == (13.2, "2013-10-07", 1)
    assert (update.trades, update.missing) == ([], 0)
    (day,) = update.bars
    assert (day.interval, day.start_ms, day.final) == (Interval.DAY, START_MS, False)
    assert (day.open, day.high, day.low, day.close, day.volume) == (13.0, 14.5, 12.5, 14.0, 900)


def test_a_snapshot_that_tells_only_a_price_keeps_what_is_known() -> None:
    bac = line()
    bac.apply(told(14.0, volume=900, high=14.5, low=12.5, bid=13.9, ask=14.1), 5)
    bac.apply(told(14.8, after_ms=10), 15)
    quote = taken(bac).quote
    assert (quote.high, quote.low, quote.volume, quote.bid) == (14.8, 12.5, 900, 13.9)


def test_a_snapshot_that_says_the_same_is_fresh_all_the_same() -> None:
    bac = line()
    bac.apply(told(14.0), 5)
    taken(bac)
    bac.apply(told(14.0), 60_005)
    assert taken(bac).quote.received_ms == 60_005


def test_a_snapshot_older_than_what_is_held_is_refused() -> None:
    bac = line()
    trade(bac, 14.0, after_ms=10)
    assert bac.apply(told(13.0), 5) is Reason.OUT_OF_ORDER
    later = told(13.0, after_ms=20, session=date(2013, 10, 6))
    assert bac.apply(later, 5) is Reason.OUT_OF_ORDER
    assert taken(bac).quote.last == 14.0


def test_a_snapshot_loses_only_the_fields_that_cannot_be_true() -> None:
    bac = line()
    assert bac.apply(told(14.0, high=1e308, volume=-1, bid=14.2, ask=14.1), 5) is not None
    quote = taken(bac).quote
    assert (quote.last, quote.high, quote.volume, quote.bid) == (14.0, 14.0, 0, None)


def test_of_a_session_that_is_over_a_snapshot_makes_a_quote_but_no_bar() -> None:
    bac = line()
    bac.advance(OPEN_MS + 2 * DAY_MS)
    assert bac.apply(told(14.0, volume=900, high=14.5), 5) is None
    update = taken(bac)
    assert (update.quote.session, update.quote.high, update.bars) == ("2013-10-07", 14.5, [])
    trade(bac, 14.1, after_ms=2 * DAY_MS)
    assert taken(bac).quote.prev_close == 14.0


def test_a_session_that_snapshots_told_ends_in_a_final_bar() -> None:
    bac = line()
    bac.apply(told(14.0, volume=900), 5)
    bac.apply(told(14.2, after_ms=DAY_MS, volume=7), 5)
    update = taken(bac)
    assert bars(update, Interval.DAY) == [(14.0, True), (14.2, False)]
    assert (update.quote.prev_close, update.quote.volume) == (14.0, 7)


# -- history and other processes ----------------------------------------------------------------


def day_bar(close: float = 13.0, volume: float = 500) -> Bar:
    return Bar("BAC", Interval.DAY, START_MS, 12, 15, 11, close, volume, START_MS, final=True)


def test_history_tells_what_the_session_was_before_it_was_followed() -> None:
    bac = line()
    bac.seed(12.5, day_bar())
    assert not bac.due
    trade(bac, 14.0)
    update = taken(bac)
    quote = update.quote
    assert (quote.open, quote.high, quote.low, quote.last) == (12, 15, 11, 14.0)
    assert (quote.volume, quote.prev_close) == (501, 12.5)
    assert bars(update, Interval.DAY) == [(14.0, False)]


def test_history_may_come_after_the_first_trades() -> None:
    bac = line()
    trade(bac, 14.0)
    taken(bac)
    bac.seed(12.5, day_bar())
    assert bac.due
    quote = taken(bac).quote
    assert (quote.open, quote.last, quote.volume, quote.prev_close) == (12, 14.0, 500, 12.5)


def test_a_session_of_history_before_the_first_trades_ends_with_it() -> None:
    bac = line()
    bac.seed(12.5, day_bar())
    trade(bac, 14.0, after_ms=DAY_MS)
    update = taken(bac)
    assert bars(update, Interval.DAY) == [(13.0, True), (14.0, False)]
    assert update.quote.prev_close == 13.0


def handed_on(of: Line, finals: dict[Interval, int]) -> Line:
    """Return the line of another process that goes on from what was published."""
    assert of.last_update is not None
    stored = StoredUpdate("e7", 9, decode_update(encode_update(of.last_update)))
    other = line()
    other.resume(stored, finals)
    return other


def test_another_process_goes_on_where_one_has_ended() -> None:
    bac = line()
    bac.seed(13.5, None)
    trade(bac, 14.0, received_ms=3)
    bac.apply(top(13.9, 14.1), 4)
    first = taken(bac)
    other = handed_on(bac, {})
    assert other.position == Position("e7", 9)
    assert (other.taken, other.last_update) == (2, first)
    assert not other.due
    trade(other, 14.5, after_ms=5, received_ms=8)
    trade(bac, 14.5, after_ms=5, received_ms=8)
    assert taken(other) == taken(bac)


def test_another_process_does_not_amend_what_was_final() -> None:
    bac = line()
    trade(bac, 14.0)
    taken(bac)
    other = handed_on(bac, {Interval.SECOND: OPEN_MS + 3_000})
    assert trade(other, 14.1, after_ms=3_999) is Reason.LATE
    assert trade(other, 14.2, after_ms=4_000) is None


def test_another_process_knows_bars_to_be_final_that_the_last_update_tells() -> None:
    bac = line()
    trade(bac, 14.0)
    # Our clock is behind the market's: it does not say by itself that the bar is over.
    bac.advance(OPEN_MS + 1_000 + GRACE_MS)
    assert bars(taken(bac), Interval.SECOND) == [(14.0, True)]
    assert trade(handed_on(bac, {}), 14.1, after_ms=999) is Reason.LATE


@pytest.mark.parametrize("after_ms", [0, DAY_MS])
def test_another_process_knows_the_last_price_it_can_believe(after_ms: int) -> None:
    bac = line()
    trade(bac, 14.0)
    taken(bac)
    other = handed_on(bac, {})
    assert trade(other, 1_400, after_ms=after_ms) is Reason.OUTLIER


events = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3_000), st.integers(0, DAY_MS)),
        st.integers(900, 1_100).map(float),
        st.integers(0, 99).map(float),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@given(events, st.sets(st.integers(0, 40)))
def test_however_often_processes_change_all_is_as_with_one(
    events: list[tuple[int, float, float, bool, bool]], changes: set[int]
) -> None:
    one, other = line(), line()
    time_ms, untold, told = OPEN_MS, [], []
    finals: dict[Interval, int] = {}
    for number, (after_ms, price, size, is_top, is_told) in enumerate(events):
        time_ms += after_ms
        event: MarketEvent = Trade("BAC", time_ms, price, size)
        if is_top:
            event = TopOfBook("BAC", time_ms, price, price + 1)
        one.apply(event, time_ms)
        other.apply(event, time_ms)
        untold.append((event, time_ms))
        if is_told and (update := other.take_update()) is not None:
            told += [bar for bar in update.bars if bar.final]
            finals |= {bar.interval: bar.start_ms for bar in update.bars if bar.final}
            untold.clear()
        if number in changes and other.last_update is not None:
            # What was not published is given again, as a source does that can be resumed.
            other = handed_on(other, finals)
            assert other.taken + len(untold) == number + 1
            for lost, received_ms in untold:
                other.apply(lost, received_ms)
    whole, rest = one.take_update(), other.take_update()
    if whole is None:
        return
    if rest is not None:
        told += [bar for bar in rest.bars if bar.final]
    last = other.last_update
    assert last is not None
    assert replace(last.quote, count=0) == replace(whole.quote, count=0)
    assert sorted(told, key=_place) == sorted((b for b in whole.bars if b.final), key=_place)
    assert [b for b in last.bars if not b.final] == [b for b in whole.bars if not b.final]
    assert last.taken <= whole.taken == len(events)


def _place(bar: Bar) -> tuple[int, int]:
    return bar.interval.ms, bar.start_ms


def test_what_may_be_counted_already_is_not_counted_again_by_another_process() -> None:
    bac = line()
    trade(bac, 14.0, after_ms=5)
    taken(bac)
    stored = StoredUpdate("e7", 9, bac.last_update or taken(bac))
    other = line(max_ahead_ms=5_000)
    other.resume(stored, {})
    assert trade(other, 14.0, after_ms=5, received_ms=OPEN_MS + 9) is Reason.LATE
    assert trade(other, 14.0, after_ms=6, received_ms=OPEN_MS + 9) is None
    assert taken(other).quote.volume == 2


def test_what_may_be_counted_already_is_not_counted_again_of_another_source() -> None:
    bac = line(max_ahead_ms=5_000)
    trade(bac, 14.0, after_ms=5, received_ms=OPEN_MS + 9)
    bac.info = replace(INFO, source="other")
    assert trade(bac, 14.0, after_ms=4, received_ms=OPEN_MS + 9) is Reason.LATE
    assert trade(bac, 14.0, after_ms=6, received_ms=OPEN_MS + 9) is None


def test_a_seed_that_changes_nothing_is_not_told_again() -> None:
    seeded = line()
    seeded.apply(told(prev_close=13.9), 0)
    first = taken(seeded)
    (today,) = (bar for bar in first.bars if bar.interval is Interval.DAY)
    seeded.seed(first.quote.prev_close, replace(today, volume=0.0))
    assert seeded.take_update() is None
    assert not seeded.due
