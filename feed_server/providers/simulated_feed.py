"""The simulated market as it goes on: its events from one moment to the next. Pure."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.protocol import Trade
from feed_server.providers.simulated_market import Numbers, Prints, SimulatedMarket

CELLS_BACK = 64
"""An instrument's last trade is looked for in so many cells; it is seldom further back."""

_AT_ONCE = 1_000
_PRICED_AT_ONCE = 500


class SimulatedFeed:
    """Tells the events of instruments, each once, in order of time.

    Args:
        market: The market.
        names: Symbols of its instruments.
        begin_ms: It begins after this moment.

    Attributes:
        told_ms: All is told that happened up to this moment.
    """

    def __init__(self, market: SimulatedMarket, names: Sequence[str], begin_ms: int) -> None:
        self.told_ms = begin_ms
        self._begin_ms = begin_ms
        self._left_ms: dict[str, int] = {}
        self._market = market
        self._names = names
        self._numbers = {name: number for number, name in enumerate(names)}
        self._carried: frozenset[str] = frozenset()
        self._rows: Numbers = np.empty(0, np.intp)
        self._cell: _Cell | None = None

    def carry(self, symbols: frozenset[str]) -> list[MarketEvent]:
        """Tell of these instruments from now on; return how those stand that it did not tell of.

        The last trade of each is told with it, where it was not told before: bars begin with it.
        """
        if symbols == self._carried:
            return []
        added = symbols - self._carried
        self._left_ms |= dict.fromkeys(self._carried - symbols, self.told_ms)
        self._carried = symbols
        self._rows = self._sorted(symbols)
        self._cell = None
        return self._state_of(added, with_trades=True)

    def state(self, symbols: Collection[str]) -> list[MarketEvent]:
        """Return the last price, and the best ones, of instruments."""
        return self._state_of(symbols, with_trades=False)

    def _state_of(self, symbols: Collection[str], *, with_trades: bool) -> list[MarketEvent]:
        rows = self._sorted(symbols)
        events: list[MarketEvent] = []
        for start in range(0, len(rows), _AT_ONCE):
            found = self._last_trades(rows[start : start + _AT_ONCE])
            for snapshot, (_, trade_id) in zip(self._snapshots(found), found.values(), strict=True):
                events.append(snapshot)
                if with_trades and snapshot.time_ms > self._known_ms(snapshot.symbol):
                    events.append(_trade_of(snapshot, trade_id))
        return events

    def advance(self, until_ms: int) -> list[MarketEvent]:
        """Return what has happened since, up to and with this moment."""
        events: list[MarketEvent] = []
        cell_ms = self._market.cell_ms
        for number in range((self.told_ms + 1) // cell_ms, until_ms // cell_ms + 1):
            if self._cell is None or self._cell.number != number:
                self._cell = _Cell(self._market, self._rows, number)
            events += self._events(self._cell, self._cell.between(self.told_ms, until_ms))
        self.told_ms = max(self.told_ms, until_ms)
        return events

    def _sorted(self, symbols: Collection[str]) -> Numbers:
        numbers = (self._numbers[symbol] for symbol in symbols if symbol in self._numbers)
        return np.array(sorted(numbers), np.intp)

    def _events(self, cell: "_Cell", part: slice) -> list[MarketEvent]:
        """Make trades, and after the last of each instrument its best prices."""
        numbers = cell.instruments[part]
        columns = (numbers, cell.times[part], cell.trade_ids[part], *cell.prints(part))
        events: list[MarketEvent] = []
        for number, time_ms, trade_id, price, size, bid, ask, is_last in zip(
            *(column.tolist() for column in (*columns, _is_last(numbers))), strict=True
        ):
            symbol = self._names[number]
            events.append(Trade(symbol, time_ms, price, size, trade_id))
            if is_last:
                events.append(TopOfBook(symbol, time_ms, bid, ask))
        return events

    def _known_ms(self, symbol: str) -> int:
        """Return up to when an instrument's trades may have been told."""
        return self._left_ms.get(symbol, self._begin_ms)

    def _last_trades(self, numbers: Numbers) -> dict[int, tuple[int, int]]:
        """Return by instrument its last trade's time and number."""
        last_cell = self.told_ms // self._market.cell_ms
        found: dict[int, tuple[int, int]] = {}
        missing = numbers
        for cell in range(last_cell, last_cell - CELLS_BACK, -1):
            arrivals = self._market.arrivals(missing, np.full(len(missing), cell))
            known = arrivals.times <= self.told_ms
            columns = (missing[arrivals.rows], arrivals.times, arrivals.trade_ids)
            for number, *trade in zip(*(column[known].tolist() for column in columns), strict=True):
                found[number] = (trade[0], trade[1])
            missing = np.array([number for number in missing.tolist() if number not in found], int)
            if not len(missing):
                break
        return found

    def _snapshots(self, found: dict[int, tuple[int, int]]) -> list[SessionSnapshot]:
        numbers = np.array(list(found), np.intp)
        trades = np.array(list(found.values()), np.int64).reshape(-1, 2)
        prints = self._market.prints(numbers, trades[:, 0].copy(), trades[:, 1].copy())
        columns = (numbers, trades[:, 0], *prints)
        return [
            SessionSnapshot(
                symbol=self._names[number], time_ms=time_ms, last=price, size=size, bid=bid, ask=ask
            )
            for number, time_ms, price, size, bid, ask in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


class _Cell:
    """The trades of some instruments in one cell, by time.

    Args:
        market: The market.
        rows: The instruments.
        number: Of the cell.
    """

    def __init__(self, market: SimulatedMarket, rows: Numbers, number: int) -> None:
        arrivals = market.arrivals(rows, np.full(len(rows), number))
        order = np.argsort(arrivals.times, kind="stable")
        self.number = number
        self.instruments = rows[arrivals.rows[order]]
        self.times = arrivals.times[order]
        self.trade_ids = arrivals.trade_ids[order]
        self._market = market
        self._prints = Prints(*np.empty((4, len(order))))
        self._priced = 0

    def between(self, after_ms: int, until_ms: int) -> slice:
        """Return which trades come after one moment, up to and with another."""
        first, last = np.searchsorted(self.times, [after_ms + 1, until_ms + 1])
        return slice(int(first), max(int(first), int(last)))

    def prints(self, part: slice) -> Prints:
        """Return some of the trades; a few ahead are priced with them, for many cost no more."""
        if self._priced < part.stop:
            more = slice(self._priced, max(part.stop, self._priced + _PRICED_AT_ONCE))
            made = self._market.prints(
                self.instruments[more], self.times[more], self.trade_ids[more]
            )
            for column, new in zip(self._prints, made, strict=True):
                column[more] = new
            self._priced = more.stop
        return Prints(*(column[part] for column in self._prints))


def _trade_of(state: SessionSnapshot, trade_id: int) -> Trade:
    return Trade(state.symbol, state.time_ms, state.last, state.size or 0.0, trade_id)


def _is_last(numbers: Numbers) -> npt.NDArray[np.bool_]:
    """Tell of each row whether none of the same instrument follows."""
    last = np.zeros(len(numbers), bool)
    _, from_the_end = np.unique(numbers[::-1], return_index=True)
    last[len(numbers) - 1 - from_the_end] = True
    return last
