"""Dates of trading sessions."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000


class SessionCalendar:
    """Tells which session a moment belongs to: its date in the market's zone.

    Sessions follow each other without a hole and without an overlap; where clocks change at
    midnight, the first midnight begins the date. Remembers the bounds of the last answer, since
    nearly all trades fall in the same session as the one before.
    """

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._begin_ms = 0
        self._end_ms = 0
        self._date = date.min

    def date_of(self, time_ms: int) -> date:
        """Return the session's date of an event time in UTC epoch milliseconds."""
        if not self._begin_ms <= time_ms < self._end_ms:
            day = datetime.fromtimestamp(time_ms / 1000, self._zone).date()
            begin_ms, end_ms = self.bounds_ms(day)
            while time_ms >= end_ms:
                # Clocks were set back over midnight: the date has begun all the same.
                day += timedelta(days=1)
                begin_ms, end_ms = self.bounds_ms(day)
            self._date, self._begin_ms, self._end_ms = day, begin_ms, end_ms
        return self._date

    def bounds_ms(self, session: date) -> tuple[int, int]:
        """Return the midnights where a session begins and ends; it has 24 hours, or 23, or 25."""
        return self._midnight_ms(session), self._midnight_ms(session + timedelta(days=1))

    def _midnight_ms(self, day: date) -> int:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return int(midnight.timestamp() * 1000)


def daily_bar_start_ms(session: date) -> int:
    """Return where a daily bar begins: 00:00 UTC of the session's date, whatever the zone."""
    return int(datetime(session.year, session.month, session.day, tzinfo=UTC).timestamp() * 1000)


def session_of_daily_bar(start_ms: int) -> date:
    """Return the date of the session whose daily bar begins there."""
    return datetime.fromtimestamp(start_ms / 1000, UTC).date()
