"""What of one symbol's updates is recorded, and what of it is missing. Pure."""

from typing import NamedTuple

from feed_server.bus.update import StoredUpdate
from feed_server.protocol import TradePrint

BEGIN = "begin"
"""Recording began here."""
EPOCH = "epoch"
"""The feed began a new run of offsets: what lies between is not known."""
LOST = "lost"
"""Changes that were published, were not heard, and are kept no more."""
UNTOLD = "untold"
"""Trades that were never published, as of a symbol that nobody wanted."""


class Gap(NamedTuple):
    """Where something is missing.

    Attributes:
        symbol: The instrument.
        reason: `BEGIN`, `EPOCH`, `LOST` or `UNTOLD`.
        epoch: Of the offsets.
        after: Offset after which it is missing.
        until: Offset up to and with which it is.
        time_ms: Event time of what came next.
        received_ms: Receive time of what came next.
    """

    symbol: str
    reason: str
    epoch: str
    after: int
    until: int
    time_ms: int
    received_ms: int


class Taken(NamedTuple):
    """What of an update is new.

    Attributes:
        stored: The update.
        trades: Its trades that were not recorded before.
        first_offset: That of the first of them.
        gaps: What is missing before them.
    """

    stored: StoredUpdate
    trades: list[TradePrint]
    first_offset: int
    gaps: list[Gap]


class Track:
    """Follows one symbol from update to update.

    Args:
        symbol: The instrument.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._epoch: str | None = None
        self._offset = 0

    def begin(self, stored: StoredUpdate) -> Gap:
        """Begin after an update, which itself is not recorded."""
        self._epoch, self._offset = stored.epoch, stored.offset
        return self._gap(stored, BEGIN, stored.offset, stored.offset)

    @property
    def begun(self) -> bool:
        """Whether it is known where the symbol stands."""
        return self._epoch is not None

    def missed_after(self, stored: StoredUpdate) -> int | None:
        """Return after which offset of the update's epoch others were published before it.

        `None` where it is the next, or none that is new.
        """
        known = self._offset if stored.epoch == self._epoch else 0
        return known if self.begun and stored.begins_at > known else None

    def behind(self, newest: StoredUpdate) -> int | None:
        """Return after which offset what leads to a last value is missing, `None` where nothing."""
        known = self._offset if newest.epoch == self._epoch else 0
        return known if newest.offset > known else None

    def take(self, stored: StoredUpdate) -> Taken | None:
        """Take an update; return what is new of it, `None` where nothing is."""
        gaps = []
        begins_at = stored.begins_at
        if stored.epoch != self._epoch:
            reason = BEGIN if self._epoch is None else EPOCH
            gaps.append(self._gap(stored, reason, 0 if self.begun else begins_at, begins_at))
            self._epoch, self._offset = stored.epoch, begins_at
        elif stored.offset <= self._offset:
            return None
        elif begins_at > self._offset:
            gaps.append(self._gap(stored, LOST, self._offset, begins_at))
        if stored.update.missing:
            gaps.append(self._gap(stored, UNTOLD, begins_at, begins_at + stored.update.missing))
        first = max(self._offset, stored.offset - len(stored.update.trades)) + 1
        self._offset = stored.offset
        new = stored.offset - first + 1
        trades = stored.update.trades[-new:] if stored.update.trades and new else []
        return Taken(stored, trades, first, gaps)

    def _gap(self, stored: StoredUpdate, reason: str, after: int, until: int) -> Gap:
        quote = stored.update.quote
        times = (quote.time_ms, quote.received_ms)
        return Gap(self.symbol, reason, stored.epoch, after, until, *times)
