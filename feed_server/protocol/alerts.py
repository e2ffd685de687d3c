"""Alerts: what a user wants to be told of, and what has happened of it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

MAX_NOTE = 200
"""Characters of an alert's note."""


class Condition(StrEnum):
    """When an alert fires: at the crossing, not while it lasts.

    Of the last price; or of its change since the session before closed, in percent.
    """

    PRICE_ABOVE = "price_above"
    PRICE_BELOW = "price_below"
    CHANGE_ABOVE = "change_above"
    CHANGE_BELOW = "change_below"

    @property
    def is_change(self) -> bool:
        """Whether it looks at the change in percent, not at the price."""
        return self in (Condition.CHANGE_ABOVE, Condition.CHANGE_BELOW)

    @property
    def is_above(self) -> bool:
        """Whether it fires on the way up."""
        return self in (Condition.PRICE_ABOVE, Condition.CHANGE_ABOVE)


class AlertRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of ``POST /api/alerts``. The same again takes the place of the one that is there.

    Attributes:
        symbol: The instrument.
        condition: When to fire.
        level: Price in the instrument's currency, or percent: 2.5 is +2.5 %. Reached is crossed.
        repeat: Whether it fires at each crossing, a minute apart at least; else once, and is gone.
        note: The user's own words.
    """

    symbol: str
    condition: Condition
    level: float
    repeat: bool = False
    note: Annotated[str, msgspec.Meta(max_length=MAX_NOTE)] = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is set.

    Attributes:
        id: Its name; that of another with the same symbol, condition and level is the same.
        symbol: The instrument.
        condition: When to fire.
        level: Price in the instrument's currency, or percent.
        repeat: Whether it stays after it has fired.
        note: The user's own words.
        created_ms: When it was set, UTC epoch milliseconds.
        armed: Whether the next crossing fires it. One that was crossed already when it was set, or
            has fired and stays, waits first until the level is crossed back.
    """

    id: str
    symbol: str
    condition: Condition
    level: float
    repeat: bool
    note: str
    created_ms: int
    armed: bool


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """An alert has fired.

    Attributes:
        id: The alert's name.
        symbol: The instrument.
        condition: When it was to fire.
        level: The level that was crossed.
        repeat: Whether the alert stays.
        note: The user's own words.
        price: The price that crossed it.
        value: What was compared with the level: the price, or the change in percent.
        time_ms: Event time: the market's clock.
        fired_ms: Our clock, UTC epoch milliseconds.
        cursor: Its place in the user's history: of each another, later ones further on.
    """

    id: str
    symbol: str
    condition: Condition
    level: float
    repeat: bool
    note: str
    price: float
    value: float
    time_ms: int
    fired_ms: int
    cursor: str = ""


class AlertList(msgspec.Struct, frozen=True):
    """Body of ``/api/alerts``.

    Attributes:
        alerts: Those that are set, the oldest first.
        fired: Those that have fired since the cursor that was asked for, the oldest first.
        cursor: Give it back as ``since``: nothing is told twice then, and nothing left out that is
            kept.
        max_alerts: How many can be set.
    """

    alerts: Sequence[Alert]
    fired: Sequence[Fired]
    cursor: str
    max_alerts: int


class Alerted(msgspec.Struct, tag="alerted", frozen=True, omit_defaults=True):
    """The user's alerts have changed; said on each of the user's connections, unasked.

    What is said while a client is away is in ``/api/alerts?since=``, from where it left off.

    Attributes:
        fired: The one that has fired; null where one was set or taken away.
    """

    fired: Fired | None = None
