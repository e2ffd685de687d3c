from datetime import date, datetime

import pytest
from msgspec.structs import replace

from feed_server.market.events import SessionSnapshot, TopOfBook
from feed_server.market.session import DAY_MS, daily_bar_start_ms
from feed_server.market.symbol_session import SymbolSession, joined_day, told_day
from feed_server.protocol import Bar, Interval

OPEN = int(datetime.fromisoformat("2013-01-16T14:30:00+00:00").timestamp() * 1000)
START = daily_bar_start_ms(date(2013, 1, 16))


def day(close: float = 11, *, after: int = 0, volume: float = 5, final: bool = False) -> Bar:
    """Return the daily bar of the session so many days after the first."""
    start_ms, time_ms = START + after * DAY_MS, OPEN + after * DAY_MS
    return Bar("AAPL", Interval.DAY, start_ms, 10, 12, 9, close, volume, time_ms, final)


def traded(price: float = 11, *, after: int = 0) -> SymbolSession:
    session = SymbolSession("AAPL")
    session.trade(OPEN + after * DAY_MS, price, 1, OPEN + 5)
    return session


def told(last: float = 11, after_ms: int = 0, **other: float) -> SessionSnapshot:
    return replace(SessionSnapshot(symbol="AAPL", time_ms=OPEN + after_ms, last=last), **other)


def test_a_quote_tells_the_last_price_and_the_session_so_far() -> None:
    session = SymbolSession("AAPL")
    session.trade(OPEN, 10, 100, OPEN + 5)
    session.trade(OPEN + 1, 11, 25, OPEN + 7)
    quote = session.take_quote([day()])
    assert (quote.open, quote.high, quote.low, quote.last, quote.size) == (10, 12, 9, 11, 25)
    assert (quote.volume, quote.session) == (5, "2013-01-16")
    assert (quote.time_ms, quote.received_ms) == (OPEN + 1, OPEN + 7)


def test_a_quote_stands_for_the_trades_since_the_one_before() -> None:
    session = traded()
    session.trade(OPEN + 1, 11, 1, OPEN)
    assert session.take_quote([day()]).count == 2
    assert not session.changed
    session.trade(OPEN + 2, 11, 1, OPEN)
    assert session.changed
    assert session.take_quote([day()]).count == 1


def test_a_change_without_a_trade_counts_as_one() -> None:
    session = traded()
    session.take_quote([day()])
    session.top(TopOfBook("AAPL", OPEN + 5, 10.9, 11.1), OPEN + 6)
    quote = session.take_quote([day()])
    assert (quote.count, quote.bid, quote.ask, quote.last) == (1, 10.9, 11.1, 11)
    assert (quote.time_ms, quote.received_ms) == (OPEN + 5, OPEN + 6)


def test_best_prices_that_are_as_before_change_nothing() -> None:
    session = traded()
    session.top(TopOfBook("AAPL", OPEN + 5, 10.9, 11.1), OPEN + 6)
    session.take_quote([day()])
    session.top(TopOfBook("AAPL", OPEN + 6, 10.9, 11.1), OPEN + 7)
    assert not session.changed


def test_best_prices_of_a_source_that_was_left_are_not_told() -> None:
    session = traded()
    session.top(TopOfBook("AAPL", OPEN + 5, 10.9, 11.1), OPEN + 6)
    session.forget_top()
    quote = session.take_quote([day()])
    assert (quote.bid, quote.ask, quote.time_ms) == (None, None, OPEN + 5)


def test_a_late_trade_is_not_the_last_price_and_the_quotes_time_does_not_go_back() -> None:
    session = traded(11)
    session.trade(OPEN - 50, 13, 1, OPEN + 99)
    quote = session.take_quote([day()])
    assert (quote.last, quote.count) == (11, 2)
    assert (quote.time_ms, quote.received_ms) == (OPEN, OPEN + 5)


def test_a_new_session_has_the_close_of_the_one_before() -> None:
    session = traded(after=1)
    days = [day(12), day(after=1, volume=1)]
    assert session.take_quote(days).prev_close == 12
    session.end(day(12.5, final=True))
    quote = session.take_quote(days[1:])
    assert (quote.prev_close, quote.session, quote.volume) == (12.5, "2013-01-17", 1)


def test_a_session_that_is_over_is_told_until_there_is_another() -> None:
    session = traded()
    session.seed(9.5, None)
    session.end(day(final=True))
    quote = session.take_quote([])
    assert (quote.session, quote.volume, quote.prev_close) == ("2013-01-16", 5, 9.5)
    session.end(day(13, after=1, final=True))
    assert session.take_quote([]).prev_close == 11


def test_what_history_tells_of_a_session_is_not_said_of_the_next() -> None:
    session = traded()
    session.seed(9.5, START)
    assert session.take_quote([day()]).prev_close == 9.5
    assert session.take_quote([day(), day(after=1)]).prev_close == 11


def test_what_a_source_says_of_the_session_before_counts() -> None:
    session = traded()
    session.seed(9.5, None)
    session.tell(told(prev_close=9.4), START, OPEN)
    assert session.take_quote([day()]).prev_close == 9.4
    session.tell(told(), START, OPEN)
    assert session.take_quote([day()]).prev_close == 9.4


def test_there_is_no_quote_before_the_first_price() -> None:
    session = SymbolSession("AAPL")
    assert not session.begun
    with pytest.raises(ValueError, match="no price yet"):
        session.take_quote([day()])


@pytest.mark.parametrize("days", [[day()], [day(9.5, after=-1), day()], []])
def test_another_goes_on_with_what_the_quote_says(days: list[Bar]) -> None:
    session = traded(11)
    session.seed(9.5, None)
    session.top(TopOfBook("AAPL", OPEN + 5, 10.9, 11.1), OPEN + 6)
    if not days:
        session.end(day(final=True))
    quote = session.take_quote(days)
    other = SymbolSession("AAPL")
    other.resume(quote, days)
    assert not other.changed
    assert other.take_quote(days) == quote


def test_one_that_goes_on_knows_which_trades_are_late() -> None:
    session = traded(11)
    session.top(TopOfBook("AAPL", OPEN + 500, 10.9, 11.1), OPEN + 6)
    other = SymbolSession("AAPL")
    other.resume(session.take_quote([day()]), [day()])
    other.trade(OPEN - 1, 99, 1, OPEN)
    assert other.take_quote([day()]).last == 11
    other.trade(OPEN + 400, 12, 1, OPEN)
    assert other.take_quote([day()]).last == 12


def test_one_that_goes_on_with_two_sessions_follows_the_older_while_it_is_amended() -> None:
    quote = traded(after=1).take_quote([day(12), day(after=1)])
    other = SymbolSession("AAPL")
    other.resume(quote, [day(12), day(after=1)])
    assert other.take_quote([day(12.5), day(after=1)]).prev_close == 12.5


def test_a_source_tells_its_daily_bar_as_far_as_it_knows() -> None:
    whole = told(11, open=10.0, high=12.0, low=9.0, volume=7.0)
    bar = told_day(whole, START, None)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (10, 12, 9, 11, 7)
    bare = told_day(told(13, 5), START, bar)
    assert (bare.open, bare.high, bare.low, bare.close, bare.volume) == (10, 13, 9, 13, 7)
    assert (bare.time_ms, bare.final) == (OPEN + 5, False)
    first = told_day(told(13), START, None)
    assert (first.open, first.high, first.low, first.close, first.volume) == (13, 13, 13, 13, 0)


def test_a_last_price_outside_the_range_that_is_told_widens_the_bar() -> None:
    bar = told_day(told(14, open=10.0, high=12.0, low=9.0), START, None)
    assert (bar.high, bar.low) == (14, 9)


def test_history_and_trades_of_one_session_are_joined() -> None:
    history = Bar("AAPL", Interval.DAY, START, 8, 13, 7, 12, 900, START, final=True)
    joined = joined_day(history, day(11, volume=5))
    assert (joined.open, joined.high, joined.low, joined.close) == (8, 13, 7, 11)
    assert (joined.volume, joined.time_ms, joined.final) == (900, OPEN, False)
