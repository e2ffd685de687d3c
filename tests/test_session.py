from datetime import UTC, date, datetime

import pytest

from feed_server.market.session import SessionCalendar, daily_bar_start_ms


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
