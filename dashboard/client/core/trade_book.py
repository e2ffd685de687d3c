"""Trades as a client gets them: every one, in order, once, or a gap is told. Pure.

That a trade is missing is told by ``recovered: false`` alone, for offsets do not rise by one. While
a gap is open, what is pushed of the symbol is held back, until `TradeBook.apply_series` mends it or
`TradeBook.give_up` ends it. Who subscribes to a symbol that is held must say ``since``.
"""

from collections.abc import Iterable, Sequence

from dashboard.client.core.latency import Counts
from dashboard.client.core.ordering import Epochs
from dashboard.client.core.trades import Run, Trade, TradesChange, tell, trades_of, wanting
from feed_server.protocol import Position, Trades, TradeSeries

TAIL = 500
"""Trades of a symbol that are kept to be shown."""
WITHHELD = 10_000
"""Trades of a symbol that wait for a gap to be mended, at most; with more it is given up."""


class TradeBook:
    """The trades of every symbol that is followed.

    Args:
        counts: Where rows and gaps are counted.
        tail: Trades of a symbol that are kept to be shown.
    """

    def __init__(self, counts: Counts | None = None, tail: int = TAIL) -> None:
        self.counts = counts or Counts()
        self._most = tail
        self._runs: dict[str, Run] = {}
        self._epochs = Epochs()

    def __len__(self) -> int:
        return len(self._runs)

    def apply(self, message: Trades) -> list[TradesChange]:
        """Take what was pushed; return what changed, one for each symbol that did."""
        trades: dict[str, list[Trade]] = {symbol: [] for symbol in message.positions}
        event_ms, received_ms = message.event_ms, message.received_ms
        for row in message.rows:
            trade = Trade(
                row.symbol,
                event_ms + row.event_delta_ms,
                row.price,
                row.size,
                row.offset,
                received_ms + row.received_delta_ms,
            )
            trades.setdefault(row.symbol, []).append(trade)
        self.counts.received += len(message.rows)
        changes = (
            self._push(symbol, new, message.positions.get(symbol), message.recovered.get(symbol))
            for symbol, new in trades.items()
        )
        return [change for change in changes if change is not None]

    def reaches(self, series: TradeSeries) -> bool:
        """Tell whether history goes back to where the client stands, or has no need to."""
        run = self._runs.get(series.symbol)
        if run is None or run.live or run.epoch != series.epoch:
            return True
        return run.joins(trades_of(series))

    def apply_series(self, series: TradeSeries) -> TradesChange | None:
        """Take history, or the answer to a poll.

        The first one of a symbol only says where it stands: its trades are in the tail, and none of
        them is new. A later one tells those that are new, mends the gap if there is one, or says
        that something is lost. Where it ends before the gap does, history is needed once more.
        """
        symbol, told = series.symbol, trades_of(series)
        run = self._runs.get(symbol)
        # While a link tells of it, the link alone says which epoch is in force.
        asks = series.epoch and (run is None or not run.live or run.epoch == series.epoch)
        entered = self._epochs.enter(symbol, series.epoch) if asks else "left"
        if entered == "left":
            self.counts.late += len(told)
            return wanting(symbol, run)
        if run is None or entered == "new":
            return self._begin_by_history(series, told, run)
        if run.gap_from is None:
            return self._go_on(symbol, run, told, series.offset)
        if series.offset < run.gap_end:
            return wanting(symbol, run)
        return self._mend(symbol, run, told, series.offset)

    def give_up(self, symbol: str) -> TradesChange | None:
        """End a gap that cannot be mended; None where there is none."""
        run = self._runs.get(symbol)
        return None if run is None or run.gap_from is None else self._mend(symbol, run, [], 0)

    def needs_history(self, symbol: str) -> bool:
        """Tell whether a gap of the symbol is open."""
        run = self._runs.get(symbol)
        return run is not None and run.gap_from is not None

    def unlinked(self) -> None:
        """Take note that a link has ended: until the next, what is polled is all there is."""
        for run in self._runs.values():
            run.pushed, run.live = run.epoch, False

    def tail(self, symbol: str) -> list[Trade]:
        """Return the last trades of a symbol, oldest first."""
        run = self._runs.get(symbol)
        return [] if run is None else list(run.tail)

    def positions(self, symbols: Iterable[str]) -> dict[str, Position]:
        """Return where each of some symbols stands that is held: for `Subscribe.since`."""
        found = ((symbol, self._runs.get(symbol)) for symbol in symbols)
        return {s: Position(run.epoch, run.offset) for s, run in found if run is not None}

    def forget(self, symbol: str) -> None:
        """Know nothing of a symbol any more."""
        self._runs.pop(symbol, None)
        self._epochs.forget(symbol)

    # ---- pushed

    def _push(
        self, symbol: str, trades: list[Trade], at: Position | None, recovered: bool | None
    ) -> TradesChange | None:
        """Take one symbol's part of a message."""
        run = self._runs.get(symbol)
        if at is not None:
            entered = self._epochs.enter(symbol, at.epoch)
            if run is None or entered == "new":
                return self._begin(symbol, trades, at, run)
            run.pushed = at.epoch
        if run is None or run.pushed != run.epoch:
            self.counts.late += len(trades)
            return None
        run.live = True
        end = max(trades[-1].offset if trades else 0, at.offset if at is not None else 0)
        opens = recovered is False and end > run.offset
        if opens:
            self._open(run, run.offset, end)
        new = self._newer(run, trades)
        run.offset = max(run.offset, end)
        if run.gap_from is None:
            return tell(symbol, run, new)
        run.withheld += new
        if len(run.withheld) > WITHHELD:
            return self._mend(symbol, run, [], 0)
        return TradesChange(symbol, needs_history=True) if opens else None

    def _begin(
        self, symbol: str, trades: list[Trade], at: Position, before: Run | None
    ) -> TradesChange | None:
        """Begin to follow a symbol, or begin anew in another epoch."""
        run = self._runs[symbol] = Run(at.epoch, at.offset, self._most)
        run.live = True
        if before is None:
            return tell(symbol, run, trades)
        # How the epoch before ended cannot be known; how this one began perhaps can.
        self._open(run, 0, at.offset)
        run.is_lost = True
        run.withheld = trades
        return TradesChange(symbol, reset=True, needs_history=True, lost="epoch")

    def _open(self, run: Run, start: int, end: int) -> None:
        """Open a gap; one that is open goes on to there."""
        self.counts.gaps += 1
        run.gap_from = start if run.gap_from is None else run.gap_from
        run.gap_end, run.is_lost = end, False

    def _newer(self, run: Run, trades: list[Trade]) -> list[Trade]:
        """Return those that come after where the client stands, and count the others."""
        if not trades or trades[0].offset > run.offset:
            return trades
        known = {trade.offset for trade in (*run.tail, *run.withheld)}
        old = [trade.offset in known for trade in trades if trade.offset <= run.offset]
        self.counts.duplicates += sum(old)
        self.counts.late += len(old) - sum(old)
        return [trade for trade in trades if trade.offset > run.offset]

    # ---- history

    def _begin_by_history(
        self, series: TradeSeries, told: list[Trade], before: Run | None
    ) -> TradesChange:
        symbol = series.symbol
        run = self._runs[symbol] = Run(series.epoch, series.offset, self._most)
        run.tail.extend(told)
        if before is None:
            return TradesChange(symbol, reset=True)
        self.counts.gaps += 1
        return TradesChange(symbol, told, reset=True, lost="epoch")

    def _go_on(self, symbol: str, run: Run, told: list[Trade], end: int) -> TradesChange | None:
        """Take history where no gap is open: what is new in it, and what the tail lacks."""
        joins = run.joins(told)
        new = [trade for trade in told if trade.offset > run.offset]
        if new and not joins and run.live:
            new = []  # What lies between comes by the link.
        first = run.tail[0].offset if run.tail else run.offset + 1
        older = _older(run.tail, told, first, self._most)
        if older:
            run.tail.extendleft(reversed(older))
        lost = bool(new) and not joins
        self.counts.gaps += lost
        if new or joins:
            run.offset = max(run.offset, end)
        run.tail.extend(new)
        if not new and not older:
            return None
        return TradesChange(symbol, new, reset=bool(older), lost="gap" if lost else None)

    def _mend(self, symbol: str, run: Run, told: list[Trade], end: int) -> TradesChange:
        """Close a gap with what history has, and let go what came after it."""
        lost = not run.is_lost and not run.joins(told)
        start = run.gap_from or 0
        by_offset = {trade.offset: trade for trade in told if trade.offset > start}
        by_offset |= {trade.offset: trade for trade in run.withheld}
        new = [by_offset[offset] for offset in sorted(by_offset)]
        run.gap_from, run.withheld = None, []
        run.offset = max(run.offset, end)
        run.tail.extend(new)
        return TradesChange(symbol, new, lost="gap" if lost else None)


def _older(tail: Sequence[Trade], told: list[Trade], first: int, most: int) -> list[Trade]:
    """Return what history has from before the tail, as much as there is room for."""
    room = most - len(tail)
    older = [trade for trade in told if trade.offset < first]
    return older[-room:] if room else []
