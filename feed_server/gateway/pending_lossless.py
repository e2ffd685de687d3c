"""What a cohort still has to be sent of trades and bars, of which every one counts. Pure."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping

from typing_extensions import override

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.pending import Batch, Pending
from feed_server.gateway.rows import (
    NumberedTrade,
    bars_of,
    bars_snapshot,
    open_bars,
    trade_rows,
    trades_message,
)
from feed_server.protocol import Bar, Bars, DataMessage, Interval, Position

MAX_ROWS = 2_000
"""Trades that wait for their cohort's time: more of them go out before it."""


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
        before = self._at.get(stored.update.quote.symbol)
        if before is not None and (before.epoch != stored.epoch or self._has_hole(stored)):
            self._lose(stored.update.quote.symbol)
        self._go_on(stored, self._add(stored))

    @override
    def restate(self, stored: StoredUpdate) -> None:
        before = self._at.get(stored.update.quote.symbol)
        if before is not None and before != stored.position:
            self._lose(stored.update.quote.symbol)
        self._go_on(stored, self._add_state(stored))

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

    def _go_on(self, stored: StoredUpdate, tells: bool) -> None:
        """Go on to an update, whether it tells something or not."""
        symbol = stored.update.quote.symbol
        if symbol not in self._at:
            self._fresh.add(symbol)
        self._at[symbol] = stored.position
        if tells or symbol in self._fresh:
            self._moved.add(symbol)
        elif symbol not in self._moved:
            # Nothing of it waits: who has all that was taken has got this far.
            self._told[symbol] = stored.position

    def _lose(self, symbol: str) -> None:
        """Begin a symbol anew: what waits of it is older than the gap, and goes with it."""
        self._fresh.add(symbol)
        self._lost.add(symbol)
        self._drop(symbol)

    def _has_hole(self, stored: StoredUpdate) -> bool:
        """Tell whether an update that follows does not tell all."""
        return False

    @abstractmethod
    def _add(self, stored: StoredUpdate) -> bool:
        """Keep what an update tells its readers; return whether it is anything."""

    @abstractmethod
    def _add_state(self, stored: StoredUpdate) -> bool:
        """Keep what an update tells that is not what its readers get next; return likewise."""

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
    def _add(self, stored: StoredUpdate) -> bool:
        self._rows += trade_rows(stored)
        return bool(stored.update.trades)

    @override
    def _add_state(self, stored: StoredUpdate) -> bool:
        """Add nothing: some of its trades may have been told already."""
        return False

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

    An update tells all open bars, of which it has changed some, or none: those that are as they
    were are not told again. But where there are indicators, those at a bar change with the bars
    before it, too.

    Args:
        interval: Length of the bars.
        latest: Where the cohort's members begin.
        has_indicators: Whether indicators are sent with the bars.
    """

    def __init__(
        self, interval: Interval, latest: Collection[StoredUpdate], *, has_indicators: bool = False
    ) -> None:
        super().__init__(latest)
        self._interval = interval
        self._has_indicators = has_indicators
        self._changed: dict[tuple[str, int], Bar] = {}
        self._open = {stored.update.quote.symbol: open_bars(stored, interval) for stored in latest}

    def __bool__(self) -> bool:
        return bool(self._changed or self._fresh)

    @override
    def snapshot(self, latest: Iterable[StoredUpdate]) -> Batch:
        kept = list(latest)
        positions = {stored.update.quote.symbol: stored.position for stored in kept}
        return Batch(bars_snapshot(self._interval, kept), frozenset(positions), positions)

    @override
    def _add(self, stored: StoredUpdate) -> bool:
        symbol = stored.update.quote.symbol
        before = self._open.get(symbol, ())
        bars = bars_of(stored, self._interval)
        changed = [bar for bar in bars if bar not in before]
        if changed and self._has_indicators:
            first_ms = min(bar.start_ms for bar in changed)
            changed = [bar for bar in bars if bar.start_ms >= first_ms]
        self._changed.update(((symbol, bar.start_ms), bar) for bar in changed)
        self._open[symbol] = [bar for bar in bars if not bar.final]
        return bool(changed)

    def tell_again(self, symbol: str, final: Iterable[Bar]) -> None:
        """Tell a symbol's open bars again, and some final ones: they have other indicators now."""
        if symbol in self._at:
            for bar in (*final, *self._open.get(symbol, ())):
                self._changed.setdefault((symbol, bar.start_ms), bar)
            self._moved.add(symbol)

    @override
    def _add_state(self, stored: StoredUpdate) -> bool:
        return self._add(stored)

    @override
    def _drop(self, symbol: str) -> None:
        self._open.pop(symbol, None)
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
