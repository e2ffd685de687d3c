from datetime import UTC, date, datetime

import pytest

from feed_server.market.session import (
    SessionCalendar,
    daily_bar_start_ms,
    session_of_daily_bar,
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2013-01-16T14:30:00+00:00", date(2013, 1, 16)),
        ("2013-01-17T04:59:59+00:00", date(2013, 1, 16)),
        ("2013-01-17T05:00:00+00:00", date(2013, 1, 17)),
        ("2013-07-17T03:59:59+00:00", date(2013, 7, 16)),
        ("2013-07-17T04:00:00+00:00", date(2013, 7, 17)),
    ],
)
def test_a_session_is_dated_by_the_markets_zone_summer_and_winter(
    moment: str, session: date
) -> None:
    assert SessionCalendar("America/New_York").date_of(ms(moment)) == session


def test_the_days_on_which_clocks_change_have_no_hole_and_no_overlap() -> None:
    calendar = SessionCalendar("America/New_York")
    for day in (date(2013, 3, 10), date(2013, 11, 3)):
        begin = daily_bar_start_ms(day)
        dates = [calendar.date_of(begin + hour * 3_600_000) for hour in range(48)]
        assert dates == sorted(dates)
        fresh = [
            SessionCalendar("America/New_York").date_of(begin + hour * 3_600_000)
            for hour in range(48)
        ]
        assert dates == fresh


def test_a_daily_bar_begins_at_midnight_utc_of_its_date() -> None:
    start = daily_bar_start_ms(date(2013, 1, 16))
    assert datetime.fromtimestamp(start / 1000, UTC) == datetime(2013, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2013, 3, 10), 23), (date(2013, 11, 3), 25), (date(2013, 7, 1), 24)],
)
def test_a_session_lasts_from_midnight_to_midnight(day: date, hours: int) -> None:
    calendar = SessionCalendar("America/New_York")
    begin_ms, end_ms = calendar.bounds_ms(day)
    assert end_ms - begin_ms == hours * 3_600_000
    assert calendar.date_of(begin_ms) == calendar.date_of(end_ms - 1) == day


@pytest.mark.parametrize(
    "moment",
    [
        "2010-11-07T00:00:00-03:00",  # In Goose Bay clocks went from 00:01 back to 23:01,
        "2018-11-04T03:00:00+00:00",  # in São Paulo from 00:00 to 01:00,
        "2011-12-30T10:00:00+00:00",  # and in Apia from the 29th to the 31st.
    ],
)
@pytest.mark.parametrize("zone", ["America/Goose_Bay", "America/Sao_Paulo", "Pacific/Apia"])
def test_clocks_that_change_at_midnight_make_no_session_come_twice(zone: str, moment: str) -> None:
    begin = ms(moment) - 5 * 3_600_000
    calendar = SessionCalendar(zone)
    minutes = range(begin, begin + 10 * 3_600_000, 60_000)
    dates = [calendar.date_of(minute) for minute in minutes]
    assert dates == sorted(dates)
    assert dates == [SessionCalendar(zone).date_of(minute) for minute in minutes]
    for minute, day in zip(minutes, dates, strict=True):
        begin_ms, end_ms = calendar.bounds_ms(day)
        assert begin_ms <= minute < end_ms


def test_a_daily_bar_knows_its_session() -> None:
    day = date(2013, 1, 16)
    assert session_of_daily_bar(daily_bar_start_ms(day)) == day
