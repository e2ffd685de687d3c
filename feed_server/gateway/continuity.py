"""One symbol's updates, without a gap: what pub/sub may lose is put back from the log. Pure.

Pub/sub promises nothing: a reconnect loses what was published meanwhile, and a subscription begins
in the middle. Each update says where it begins and ends, so a gap shows; the log in Redis and the
last value mend it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from feed_server.bus.update import StoredUpdate
from feed_server.protocol import Position

MAX_HELD = 2_000
"""Updates held back during a read; beyond it the oldest go, and the symbol begins anew."""


def chain(since: Position, updates: Iterable[StoredUpdate]) -> list[StoredUpdate] | None:
    """Return the updates that follow a position, each beginning where the one before it ends.

    Args:
        since: Where to begin; updates up to there are left out.
        updates: Of one symbol, in order; each may be there several times.

    Returns:
        None where something is missing, or another epoch began.
    """
    linked: list[StoredUpdate] = []
    end = since
    for stored in updates:
        if stored.epoch != end.epoch or (stored.offset > end.offset != stored.begins_at):
            return None
        if stored.offset > end.offset:
            linked.append(stored)
            end = stored.position
    return linked


@dataclass(slots=True)
class Mended:
    """What a read has brought.

    Attributes:
        updates: Follow without a gap on what was passed on before.
        restated: The state as it is now, where what came before it may be missing.
        again: Another read is needed, for what happened during this one.
    """

    updates: list[StoredUpdate] = field(default_factory=list)
    restated: StoredUpdate | None = None
    again: bool = False


class Flow:
    """One symbol's updates in order, each once.

    It begins by waiting for a read of the last value; while it waits, what is heard is held.
    """

    def __init__(self) -> None:
        self.latest: StoredUpdate | None = None
        self.waits = True
        self._held: list[StoredUpdate] = []
        self._heard_before_read = 0
        self._interrupted = False

    def interrupt(self) -> None:
        """Note that something may have been missed."""
        self.waits = self._interrupted = True

    def hear(self, stored: StoredUpdate) -> bool:
        """Take what was published; tell whether it comes next and can be passed on now.

        Where it cannot, it was there already, or `waits` is true and a read is due.
        """
        latest = self.latest
        if not self.waits and latest is not None and stored.epoch == latest.epoch:
            if stored.begins_at == latest.offset:
                self.latest = stored
                return True
            if stored.offset <= latest.offset:
                return False
        self.waits = True
        self._held.append(stored)
        if len(self._held) > MAX_HELD:
            del self._held[0]
            self._heard_before_read = max(0, self._heard_before_read - 1)
        return False

    def begin_read(self) -> int | None:
        """Note that a read begins; return from which offset on the log is needed, if it is."""
        self._heard_before_read = len(self._held)
        self._interrupted = False
        return None if self.latest is None else self.latest.offset

    def end_read(self, newest: StoredUpdate | None, log: Sequence[StoredUpdate]) -> Mended:
        """Take what was read: the last value, and the log since `begin_read`'s offset."""
        if self._interrupted:
            return Mended(again=True)
        heard_since = self._held[self._heard_before_read :]
        if newest is None and not heard_since:
            # Nothing there: never traded, or lost by Redis. What we have is not to be shown on.
            self._held, self.waits = [], False
            self.latest = None
            return Mended()
        if newest is None or any(stored.epoch != newest.epoch for stored in heard_since):
            return Mended(again=True)
        mended = self._mend(newest, log)
        if not mended.again:
            self._held, self.waits = [], False
        return mended

    def _mend(self, newest: StoredUpdate, log: Sequence[StoredUpdate]) -> Mended:
        known = [stored for stored in self._held if stored.epoch == newest.epoch]
        end = max([newest, *known], key=lambda stored: stored.offset)
        before = self.latest
        if before is not None and before.epoch == newest.epoch:
            if end.offset <= before.offset:
                return Mended()
            # Where there is a hole behind the log, its end is a step, and another read goes on.
            for updates in ([*log, newest, *known], [*log, newest], log):
                in_order = sorted(updates, key=lambda stored: stored.offset)
                if linked := chain(before.position, in_order):
                    # The log was read last: it may be ahead of all else.
                    self.latest = linked[-1]
                    return Mended(updates=linked, again=self.latest.offset < end.offset)
        self.latest = end
        return Mended(restated=end)
