import math
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.market.session import SessionCalendar
from feed_server.market.symbol_session import SymbolSession
from feed_server.protocol import Bar, Interval, Trade

CALENDAR = SessionCalendar("America/New_York")
OPEN = int(datetime.fromisoformat("2013-01-16T14:30:00+00:00").timestamp() * 1000)
DAY = 86_400_000


def session_of(*trades: tuple[int, float, float]) -> tuple[SymbolSession, list[Bar]]:
    session = SymbolSession("AAPL", CALENDAR, prev_close=485.92)
    ended = []
    for time_ms, price, size in trades:
        bar = session.apply(Trade("AAPL", time_ms, price, size), received_ms=time_ms + 5)
        if bar is not None:
            ended.append(bar)
    return session, ended


def test_a_quote_tells_the_session_so_far() -> None:
    session, _ = session_of((OPEN, 494.64, 100), (OPEN + 1, 509.44, 50), (OPEN + 2, 492.5, 25))
    quote = session.take_quote()
    assert (quote.open, quote.high, quote.low, quote.last) == (494.64, 509.44, 492.5, 492.5)
    assert (quote.volume, quote.size, quote.prev_close) == (175, 25, 485.92)
    assert (quote.session, quote.time_ms, quote.received_ms) == ("2013-01-16", OPEN + 2, OPEN + 7)


def test_a_quote_stands_for_the_trades_since_the_one_before() -> None:
    session, _ = session_of((OPEN, 1, 1), (OPEN + 1, 2, 1))
    assert session.take_quote().count == 2
    assert not session.changed
    session.apply(Trade("AAPL", OPEN + 2, 3, 1), OPEN)
    assert session.take_quote().count == 1


def test_the_first_trade_of_a_new_session_ends_the_bar_before() -> None:
    session, ended = session_of((OPEN, 10, 1), (OPEN + 1, 12, 2), (OPEN + DAY, 11, 4))
    start = (OPEN // DAY) * DAY
    assert ended == [
        Bar("AAPL", Interval.DAY, start, 10, 12, 10, 12, 3, time_ms=OPEN + 1, final=True)
    ]
    quote = session.take_quote()
    assert (quote.open, quote.high, quote.low, quote.volume) == (11, 11, 11, 4)
    assert quote.prev_close == 12
    assert not session.bar().final


def test_a_late_trade_of_the_session_counts_but_is_not_the_last_price() -> None:
    session, _ = session_of((OPEN, 10, 1), (OPEN + 100, 11, 1), (OPEN + 50, 13, 1))
    quote = session.take_quote()
    assert (quote.last, quote.high, quote.volume, quote.time_ms) == (11, 13, 3, OPEN + 100)


def test_a_trade_of_an_ended_session_is_refused_and_counted() -> None:
    session, ended = session_of((OPEN + DAY, 10, 1), (OPEN, 99, 1))
    assert session.refused == 1
    assert ended == []
    assert session.take_quote().high == 10


@pytest.mark.parametrize(
    ("price", "size"),
    [(math.nan, 1), (math.inf, 1), (0, 1), (-1, 1), (1, -1), (1, math.nan), (1, math.inf)],
)
def test_an_implausible_trade_is_refused_and_counted(price: float, size: float) -> None:
    session, _ = session_of((OPEN, price, size))
    assert session.refused == 1
    assert not session.changed


def test_there_is_no_quote_before_the_first_trade() -> None:
    with pytest.raises(ValueError, match="no trade yet"):
        SymbolSession("AAPL", CALENDAR, None).take_quote()


@given(st.lists(st.decimals(0, 10**6, places=8), min_size=1, max_size=300))
def test_fractional_volumes_add_up_without_rounding_on_the_way(sizes: list[Decimal]) -> None:
    session, _ = session_of(*((OPEN + i, 1, float(size)) for i, size in enumerate(sizes)))
    assert session.take_quote().volume == math.fsum(map(float, sizes))
