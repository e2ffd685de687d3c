"""Rules for what sources tell: what cannot be true is refused, or the part of it. Pure."""

import math
from datetime import date
from enum import StrEnum

from msgspec.structs import replace

from feed_server.market.events import SessionSnapshot, TopOfBook
from feed_server.market.session import DAY_MS, daily_bar_start_ms
from feed_server.protocol import Trade

MIN_PRICE = 1e-12
MAX_PRICE = 1e12
MAX_SIZE = 2.0**53
"""Sizes and volumes from here on are no longer exact, in Python and in a browser."""
MIN_TIME_MS = 631_152_000_000
"""1990."""
MAX_TIME_MS = 4_102_444_800_000
"""2100."""

OUTLIER_FACTOR = 10.0
"""A price so many times above or below the last is not believed by itself."""
CONFIRMED_BY = 3
"""So many such prices in a row are."""
CLOSE_FACTOR = 1.1
"""Where each is within this factor of the one before."""

REMEMBERED_IDS = 128
"""Of how many of a symbol's trades, at least, it is known that they came."""


class Reason(StrEnum):
    """Why a datum was not taken, or only in part, or only with a remark."""

    BAD_PRICE = "bad_price"
    BAD_SIZE = "bad_size"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    OUTLIER = "outlier"
    DUPLICATE = "duplicate"
    LATE = "late"
    CURRENCY = "currency"
    CROSSED = "crossed"
    OUT_OF_ORDER = "out_of_order"
    CLOCK_STEP = "clock_step"


class Checks:
    """Judges what is told of one symbol, by what was accepted of it before.

    Args:
        currency: What its prices are in; empty where that is not known.
        max_ahead_ms: How far ahead of our clock an event may be; `None`: as far as it likes, as in
            a replay.
    """

    __slots__ = (
        "_currency",
        "_ids",
        "_last_ms",
        "_max_ahead_ms",
        "_odd",
        "_odd_price",
        "_older_ids",
        "_price",
        "_raw_ms",
        "_top_ms",
        "now_ms",
    )

    def __init__(self, currency: str, max_ahead_ms: int | None) -> None:
        self.now_ms = self._raw_ms = 0
        self._currency = currency
        self._max_ahead_ms = max_ahead_ms
        self._price: float | None = None
        self._last_ms = self._top_ms = 0
        self._odd = 0
        self._odd_price = 0.0
        self._ids: set[int] = set()
        self._older_ids: set[int] = set()

    def seed(self, price: float) -> None:
        """Let the first price be held against an older one, if none was accepted yet."""
        if self._price is None and is_price(price):
            self._price = price

    def resume(self, price: float, last_ms: int, top_ms: int) -> None:
        """Go on where another has ended.

        Args:
            price: Last price.
            last_ms: Event time of the last price.
            top_ms: Event time of the best prices.
        """
        self._price, self._last_ms, self._top_ms = price, last_ms, top_ms

    def forget_ids(self) -> None:
        """Forget which trades have come: another source has other numbers."""
        self._ids, self._older_ids = set(), set()

    def clock(self, now_ms: int) -> Reason | None:
        """Follow our clock, to be asked before each datum; ``now_ms`` never goes back."""
        stepped = now_ms < self._raw_ms
        self._raw_ms = now_ms
        self.now_ms = max(self.now_ms, now_ms)
        return Reason.CLOCK_STEP if stepped else None

    def trade(self, trade: Trade) -> Reason | None:
        """Return why a trade is refused, `None` where it is accepted."""
        time_ms, price = trade.time_ms, trade.price
        if not MIN_PRICE <= price <= MAX_PRICE:
            return Reason.BAD_PRICE
        if not 0 <= trade.size < MAX_SIZE:
            return Reason.BAD_SIZE
        if (reason := self._time(time_ms)) is not None:
            return reason
        if trade.currency is not None and self._is_foreign(trade.currency):
            return Reason.CURRENCY
        if trade.trade_id is not None and self._was_there(trade.trade_id):
            return Reason.DUPLICATE
        if self._is_outlier(price):
            return Reason.OUTLIER
        self._price = price
        self._last_ms = max(self._last_ms, time_ms)
        return None

    def top(self, top: TopOfBook) -> tuple[TopOfBook | None, Reason | None]:
        """Return what of best prices is accepted, and why something is not."""
        if (reason := self._time(top.time_ms)) is not None:
            return None, reason
        if top.time_ms < self._top_ms:
            return None, Reason.OUT_OF_ORDER
        self._top_ms = top.time_ms
        bid, ask, reason = _best_prices(top.bid, top.ask)
        return (top if reason is None else replace(top, bid=bid, ask=ask)), reason

    def snapshot(self, snapshot: SessionSnapshot) -> tuple[SessionSnapshot | None, Reason | None]:
        """Return what of a source's account of a session is accepted, and why something is not.

        Its best prices are not looked at: they are a `TopOfBook` of their own.
        """
        reason = self._refused_snapshot(snapshot)
        if reason is not None:
            return None, reason
        self._price, self._last_ms = snapshot.last, snapshot.time_ms
        return _cleaned(snapshot)

    def _refused_snapshot(self, snapshot: SessionSnapshot) -> Reason | None:
        if not is_price(snapshot.last):
            return Reason.BAD_PRICE
        if (reason := self._time(snapshot.time_ms)) is not None:
            return reason
        if snapshot.currency is not None and self._is_foreign(snapshot.currency):
            return Reason.CURRENCY
        if snapshot.time_ms < self._last_ms:
            return Reason.OUT_OF_ORDER
        return Reason.OUTLIER if self._is_outlier(snapshot.last) else None

    def _time(self, time_ms: int) -> Reason | None:
        if not MIN_TIME_MS <= time_ms <= MAX_TIME_MS:
            return Reason.BAD_TIME
        if self._max_ahead_ms is not None and time_ms > self.now_ms + self._max_ahead_ms:
            return Reason.FUTURE
        return None

    def _is_foreign(self, currency: str) -> bool:
        # GBp is not GBP: a letter's case can be a factor of 100.
        return self._currency not in (currency, "")

    def _was_there(self, trade_id: int) -> bool:
        """Tell whether a trade's number has come; remember it. A lower one that has not is late."""
        ids = self._ids
        if trade_id in ids or trade_id in self._older_ids:
            return True
        ids.add(trade_id)
        if len(ids) >= REMEMBERED_IDS:
            self._older_ids, self._ids = ids, set()
        return False

    def _is_outlier(self, price: float) -> bool:
        last = self._price
        if last is None or last / OUTLIER_FACTOR <= price <= last * OUTLIER_FACTOR:
            self._odd = 0
            return False
        before, self._odd_price = self._odd_price, price
        is_close = before / CLOSE_FACTOR <= price <= before * CLOSE_FACTOR
        self._odd = self._odd + 1 if self._odd and is_close else 1
        if self._odd < CONFIRMED_BY:
            return True
        self._odd = 0
        return False


def is_price(price: float) -> bool:
    """Tell whether a number can be a price: NaN, infinities, zero and the absurd cannot."""
    return MIN_PRICE <= price <= MAX_PRICE


def is_bar(open_: float, high: float, low: float, close: float, volume: float) -> bool:
    """Tell whether numbers that a source tells of the past can be a bar."""
    in_order = low <= min(open_, close) and max(open_, close) <= high
    return is_price(low) and is_price(high) and in_order and 0 <= volume < math.inf


def _best_prices(
    bid: float | None, ask: float | None
) -> tuple[float | None, float | None, Reason | None]:
    reason = None
    if bid is not None and not is_price(bid):
        bid, reason = None, Reason.BAD_PRICE
    if ask is not None and not is_price(ask):
        ask, reason = None, Reason.BAD_PRICE
    if bid is not None and ask is not None and bid > ask:
        return None, None, Reason.CROSSED
    return bid, ask, reason


def _cleaned(snapshot: SessionSnapshot) -> tuple[SessionSnapshot, Reason | None]:
    """Return a snapshot without the fields that cannot be true, and what is wrong with the first.

    Its last price and time are good.
    """
    wrong: dict[str, Reason] = {}
    for name in ("open", "high", "low", "prev_close"):
        price = getattr(snapshot, name)
        if price is not None and not is_price(price):
            wrong[name] = Reason.BAD_PRICE
        elif price is not None and name != "prev_close" and _is_far(price, snapshot.last):
            wrong[name] = Reason.OUTLIER
    high, low = snapshot.high, snapshot.low
    if high is not None and low is not None and high < low:
        wrong["high"] = wrong["low"] = Reason.BAD_PRICE
    if snapshot.volume is not None and not 0 <= snapshot.volume < MAX_SIZE:
        wrong["volume"] = Reason.BAD_SIZE
    session = snapshot.session
    if session is not None and not _is_session_at(session, snapshot.time_ms):
        wrong["session"] = Reason.BAD_TIME
    if not 0 <= snapshot.size < MAX_SIZE:
        wrong["size"] = Reason.BAD_SIZE
    if not wrong:
        return snapshot, None
    dropped = {name: 0.0 if name == "size" else None for name in wrong}
    return replace(snapshot, **dropped), next(iter(wrong.values()))


def _is_far(price: float, last: float) -> bool:
    return not last / OUTLIER_FACTOR <= price <= last * OUTLIER_FACTOR


def _is_session_at(session: date, time_ms: int) -> bool:
    """Tell whether a session can be that of a last price: it has begun somewhere on earth."""
    return MIN_TIME_MS <= daily_bar_start_ms(session) <= time_ms + DAY_MS
