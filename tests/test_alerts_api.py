"""Whether an alert that is set may fire at the next crossing: pure rules."""

import pytest

from feed_server.gateway.alerts_api import may_arm
from feed_server.protocol import AlertRequest, Condition, Quote


def quote(last: float, prev_close: float | None = None) -> Quote:
    return Quote(
        symbol="AAPL",
        last=last,
        size=1.0,
        bid=None,
        ask=None,
        volume=1.0,
        open=last,
        high=last,
        low=last,
        prev_close=prev_close,
        session="2026-01-02",
        time_ms=1,
        received_ms=1,
    )


@pytest.mark.parametrize(
    ("condition", "level", "known", "armed"),
    [
        (Condition.PRICE_ABOVE, 100, quote(99), True),
        (Condition.PRICE_ABOVE, 100, quote(100), False),
        (Condition.PRICE_BELOW, 100, quote(101), True),
        (Condition.CHANGE_ABOVE, 5, quote(101, 100), True),
        (Condition.CHANGE_ABOVE, 5, quote(101), False),
        (Condition.PRICE_ABOVE, 100, None, False),
    ],
)
def test_it_is_armed_where_the_price_is_known_to_be_before_its_level(
    condition: Condition, level: float, known: Quote | None, armed: bool
) -> None:
    assert may_arm(AlertRequest("AAPL", condition, level), known) is armed
