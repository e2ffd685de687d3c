"""When a replayed trade is due: a pure function of the speed and the event times."""

CLOSED_MARKET_MS = 3 * 3_600_000
"""A longer gap without a trade of any symbol is a closed market."""

CLOSED_MARKET_S = 1.0
"""How long a closed market lasts in a replay, unless the speed makes it shorter still."""


class ReplayClock:
    """Maps event times, which never go back, to the real time at which each is due.

    Due times are computed from the start of the replay, never from when earlier trades were
    delivered, so that late deliveries do not add up.

    Args:
        speed: Market seconds per real second; infinity makes everything due at once.
        started_s: Real time of the first trade, on any clock in seconds.
    """

    def __init__(self, speed: float, started_s: float) -> None:
        self._speed = speed
        self._started_s = started_s
        self._first_ms: int | None = None
        self._last_ms = 0
        self._saved_s = 0.0

    def due_s(self, time_ms: int) -> float:
        """Return the real time at which a trade of this event time is due."""
        if self._first_ms is None:
            self._first_ms = self._last_ms = time_ms
        gap_ms = time_ms - self._last_ms
        if gap_ms > CLOSED_MARKET_MS:
            self._saved_s += max(0.0, self._real_s(gap_ms) - CLOSED_MARKET_S)
        self._last_ms = time_ms
        return self._started_s + self._real_s(time_ms - self._first_ms) - self._saved_s

    def _real_s(self, market_ms: int) -> float:
        return market_ms / 1000.0 / self._speed
