"""What a cohort still has to be sent, by channel. Pure.

A quote's newest value wins; of trades and final bars every one is kept, in order; a forming bar is
conflated.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.rows import (
    NumberedTrade,
    QuoteRows,
    bars_of,
    bars_snapshot,
    trade_rows,
    trades_message,
)
from feed_server.protocol import (
    Bar,
    Bars,
    DataMessage,
    Interval,
    Position,
    QuoteDetails,
)

MAX_ROWS = 2_000
"""Trades that wait for their cohort's time: more of them go out before it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A message, and where its readers stood before it.

    Attributes:
        message: What to send.
        since: By symbol of the message where its readers stood; who does not get it can go on from
            there. Empty for quotes, of which the newest value is enough.
        symbols: All symbols of the message.
        flush: Which of its cohort's batches of quotes it is; 0 for those of one reader alone.
    """

    message: DataMessage
    symbols: frozenset[str]
    since: Mapping[str, Position] = field(default_factory=dict)
    flush: int = 0


class Pending(ABC):
    """What all channels have in common."""

    @abstractmethod
    def __bool__(self) -> bool:
        """Tell whether there is something to send."""

    @property
    def is_large(self) -> bool:
        """Whether so much waits that it goes out before its time."""
        return False

    @abstractmethod
    def offer(self, stored: StoredUpdate) -> None:
        """Take one symbol's next change."""

    @abstractmethod
    def restate(self, stored: StoredUpdate) -> None:
        """Take a symbol's state as it is now: what came before it may be missing."""

    @abstractmethod
    def positions(self) -> dict[str, Position]:
        """Return by symbol where those stand who have got all that was taken, not what waits."""

    @abstractmethod
    def take(self) -> Batch:
        """Return what changed since the last call, as one message."""

    @abstractmethod
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        """Return the state of some symbols for one who begins with them."""


class QuotePending(Pending):
    """Quotes that changed since the last flush, newest value of each symbol.

    It keeps nothing of what is offered: the present is compared with what was told, once a flush
    instead of once a change, of which there are many more.

    Args:
        rows: Makes the rows.
        symbols: Of the cohort.
        latest: By symbol the present; the cohort's members begin with it.
    """

    def __init__(
        self, rows: QuoteRows, symbols: Iterable[str], latest: Mapping[str, StoredUpdate]
    ) -> None:
        self._rows = rows
        self._symbols = sorted(symbols)
        self._latest = latest
        self._told = {symbol: latest[symbol] for symbol in self._symbols if symbol in latest}
        self._told_at: dict[str, int] = {}
        self._flushes = 0
        self._details_told: dict[str, QuoteDetails] = {}
        self._restated: set[str] = set()

    def __bool__(self) -> bool:
        latest, told = self._latest, self._told
        return any(
            latest[symbol] is not told.get(symbol) for symbol in self._symbols if symbol in latest
        )

    @override
    def offer(self, stored: StoredUpdate) -> None:
        """Keep nothing: it is the present now."""

    @override
    def restate(self, stored: StoredUpdate) -> None:
        self._restated.add(stored.update.quote.symbol)

    @override
    def positions(self) -> dict[str, Position]:
        return {}

    def renew(self, symbols: Iterable[str]) -> None:
        """Tell the details of some symbols again with their next change: a reader lacks them."""
        for symbol in symbols:
            self._details_told.pop(symbol, None)

    def told(self, symbols: Iterable[str]) -> list[StoredUpdate]:
        """Return what the readers have of some symbols: the next change counts from there."""
        return [self._told[symbol] for symbol in symbols if symbol in self._told]

    def told_since(self, flush: int) -> set[str]:
        """Return the symbols that were told in a batch or after it."""
        return {symbol for symbol, at in self._told_at.items() if at >= flush}

    @override
    def take(self) -> Batch:
        latest, told, told_details = self._latest, self._told, self._details_told
        changed = {
            symbol: stored
            for symbol in self._symbols
            if (stored := latest.get(symbol)) is not None and stored is not told.get(symbol)
        }
        restated, self._restated = self._restated, set()
        if restated:
            self.renew(changed)
        cells = self._rows.cells(changed.values())
        counts = [
            stored.offset - before.offset
            if (before := told.get(symbol)) is not None and before.epoch == stored.epoch
            else stored.update.quote.count
            for symbol, stored in changed.items()
        ]
        fresh = {
            symbol: one.details
            for symbol, one in zip(changed, cells, strict=True)
            if told_details.get(symbol) is not one.details
        }
        self._flushes += 1
        self._told_at.update(dict.fromkeys(changed, self._flushes))
        told.update(changed)
        told_details.update(fresh)
        # Where one is a state, all are sent as such: the offsets tell what lies between.
        message = self._rows.message(cells, counts, fresh, snapshot=bool(restated))
        return Batch(message, frozenset(changed), flush=self._flushes)

    @override
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        message = self._rows.snapshot(latest)
        return Batch(message, frozenset(message.details))


class LosslessPending(Pending):
    """Data of which every one counts: it knows where its readers stand.

    Args:
        latest: Where the cohort's members begin.
    """

    def __init__(self, latest: Iterable[StoredUpdate]) -> None:
        self._at = {stored.update.quote.symbol: stored.position for stored in latest}
        self._told = dict(self._at)
        self._moved: set[str] = set()
        self._fresh: set[str] = set()
        self._lost: set[str] = set()

    @override
    def offer(self, stored: StoredUpdate) -> None:
        before = self._move(stored)
        if before is not None and (before.epoch != stored.epoch or self._has_hole(stored)):
            self._lose(stored.update.quote.symbol)
        self._add(stored)

    @override
    def restate(self, stored: StoredUpdate) -> None:
        before = self._move(stored)
        if before is not None and before != stored.position:
            self._lose(stored.update.quote.symbol)
        self._add_state(stored)

    @override
    def positions(self) -> dict[str, Position]:
        return dict(self._told)

    @override
    def take(self) -> Batch:
        beginning = Position("", 0)
        since = {symbol: self._told.get(symbol, beginning) for symbol in self._moved}
        self._told.update((symbol, self._at[symbol]) for symbol in self._moved)
        message = self._message(
            {symbol: self._at[symbol] for symbol in self._moved},
            self._fresh,
            dict.fromkeys(sorted(self._lost), False),
        )
        self._moved, self._fresh, self._lost = set(), set(), set()
        return Batch(message, frozenset(since), since)

    def _move(self, stored: StoredUpdate) -> Position | None:
        """Go on to an update; return where this symbol stood before, None at its beginning."""
        symbol = stored.update.quote.symbol
        before = self._at.get(symbol)
        self._at[symbol] = stored.position
        self._moved.add(symbol)
        if before is None:
            self._fresh.add(symbol)
        return before

    def _lose(self, symbol: str) -> None:
        """Begin a symbol anew: what waits of it is older than the gap, and goes with it."""
        self._fresh.add(symbol)
        self._lost.add(symbol)
        self._drop(symbol)

    def _has_hole(self, stored: StoredUpdate) -> bool:
        """Tell whether an update that follows does not tell all."""
        return False

    @abstractmethod
    def _add(self, stored: StoredUpdate) -> None:
        """Keep what an update tells."""

    @abstractmethod
    def _add_state(self, stored: StoredUpdate) -> None:
        """Keep what an update tells that is not what its readers get next."""

    @abstractmethod
    def _drop(self, symbol: str) -> None:
        """Forget what is kept of a symbol."""

    @abstractmethod
    def _message(
        self, at: Mapping[str, Position], fresh: set[str], recovered: Mapping[str, bool]
    ) -> DataMessage:
        """Return what is kept as a message, and forget it.

        Args:
            at: By symbol that moved where its readers stand after the message.
            fresh: Symbols whose place its readers cannot know.
            recovered: As in the message.
        """


class TradePending(LosslessPending):
    """Trades since the last flush, every one."""

    def __init__(self, latest: Iterable[StoredUpdate]) -> None:
        super().__init__(latest)
        self._rows: list[NumberedTrade] = []

    @property
    @override
    def is_large(self) -> bool:
        return len(self._rows) >= MAX_ROWS

    def __bool__(self) -> bool:
        return bool(self._rows or self._fresh)

    @override
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        positions = {stored.update.quote.symbol: stored.position for stored in latest}
        return Batch(trades_message([], positions, {}), frozenset(positions), positions)

    @override
    def _has_hole(self, stored: StoredUpdate) -> bool:
        return stored.update.missing > 0

    @override
    def _add(self, stored: StoredUpdate) -> None:
        self._rows += trade_rows(stored)

    @override
    def _add_state(self, stored: StoredUpdate) -> None:
        """Add nothing: some of its trades may have been told already."""

    @override
    def _drop(self, symbol: str) -> None:
        self._rows = [row for row in self._rows if row[0].update.quote.symbol != symbol]

    @override
    def _message(
        self, at: Mapping[str, Position], fresh: set[str], recovered: Mapping[str, bool]
    ) -> DataMessage:
        rows, self._rows = self._rows, []
        return trades_message(rows, {symbol: at[symbol] for symbol in fresh}, recovered)


class BarPending(LosslessPending):
    """Bars that changed since the last flush, newest state of each; final ones stay.

    Args:
        interval: Length of the bars.
        latest: Where the cohort's members begin.
    """

    def __init__(self, interval: Interval, latest: Iterable[StoredUpdate]) -> None:
        super().__init__(latest)
        self._interval = interval
        self._changed: dict[tuple[str, int], Bar] = {}

    def __bool__(self) -> bool:
        return bool(self._changed or self._fresh)

    @override
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        kept = list(latest)
        positions = {stored.update.quote.symbol: stored.position for stored in kept}
        return Batch(bars_snapshot(self._interval, kept), frozenset(positions), positions)

    @override
    def _add(self, stored: StoredUpdate) -> None:
        for bar in bars_of(stored, self._interval):
            self._changed[bar.symbol, bar.start_ms] = bar

    @override
    def _add_state(self, stored: StoredUpdate) -> None:
        self._add(stored)

    @override
    def _drop(self, symbol: str) -> None:
        self._changed = {key: bar for key, bar in self._changed.items() if key[0] != symbol}

    @override
    def _message(
        self, at: Mapping[str, Position], fresh: set[str], recovered: Mapping[str, bool]
    ) -> DataMessage:
        changed, self._changed = self._changed, {}
        return Bars(
            self._interval,
            [bar for _, bar in sorted(changed.items())],
            {symbol: at[symbol].epoch for symbol in fresh},
            offsets={symbol: position.offset for symbol, position in at.items()},
            recovered=recovered,
        )
