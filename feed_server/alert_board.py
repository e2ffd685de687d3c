"""All alerts that are evaluated, so that a price costs what it crosses, not what is set. Pure."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf

from feed_server.alerts import Arming, Firing, Standing, Tick, Turn, Watch, reading
from feed_server.protocol import Alert, Condition

Entry = tuple[float, int, Watch]
"""By what it is sorted, a number that no other entry has, and what it is of."""


class _Shelf:
    """Alerts in the order of a number."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def up_to(self, value: float) -> list[Entry]:
        """Return those whose number is not above a value."""
        if not self.entries or self.entries[0][0] > value:
            return []
        return self.entries[: bisect_left(self.entries, (value, inf))]

    def from_(self, value: float) -> list[Entry]:
        """Return those whose number is not below a value."""
        if not self.entries or self.entries[-1][0] < value:
            return []
        return self.entries[bisect_left(self.entries, (value, -1)) :]


class _Levels:
    """Alerts on one reading of a symbol, by the side from which their levels are crossed next."""

    __slots__ = ("falling", "rising")

    def __init__(self) -> None:
        self.rising, self.falling = _Shelf(), _Shelf()


class SymbolAlerts:
    """The alerts of one symbol, and the last price that was evaluated.

    Attributes:
        last: That price; `None` where it is not known.
    """

    def __init__(self) -> None:
        self.last: Tick | None = None
        self._price, self._change = _Levels(), _Levels()
        self._resting = _Shelf()
        self._places: dict[Watch, tuple[_Shelf, Entry]] = {}
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, watch: Watch) -> None:
        """Evaluate an alert from the next price on."""
        # Of one that has fired it is asked first on which side the last price was.
        rested = not watch.armed and watch.rests_until_ms > 0
        self._put(watch, self._resting if rested else None)

    def remove(self, watch: Watch) -> None:
        """Evaluate an alert no more."""
        shelf, entry = self._places.pop(watch)
        del shelf.entries[bisect_left(shelf.entries, entry[:2])]

    def evaluate(
        self, trades: Iterable[Tick], last: Tick, prev_close: float | None, now_ms: int
    ) -> Iterable[Turn]:
        """Yield what prices, one after another, do to the alerts, and note it.

        A trade that came late, with an event time before one that was evaluated, was at no time the
        last: it does nothing.

        Args:
            trades: In the order in which they came.
            last: The last price after them; where it comes of a trade, again.
            prev_close: Last price of the session before, where it is known.
            now_ms: Our clock.
        """
        for trade in trades:
            if self.last is None or trade.time_ms >= self.last.time_ms:
                yield from self._take(trade, prev_close, now_ms)
        if self.last is not None and self.last.time_ms > last.time_ms:
            # It is the last price whatever its source says of its time.
            last = Tick(self.last.time_ms, last.price, last.epoch)
        yield from self._take(last, prev_close, now_ms)

    def _take(self, tick: Tick, prev_close: float | None, now_ms: int) -> Iterable[Turn]:
        yield from self._wake(prev_close, now_ms)
        self.last = tick
        for watch in self._near(tick.price, prev_close):
            yield from self._turn(watch, tick, prev_close, now_ms)

    def _near(self, price: float, prev_close: float | None) -> Iterable[Watch]:
        """Return the alerts whose levels a price has reached from where they wait."""
        change = reading(Condition.CHANGE_ABOVE, price, prev_close)
        for levels, value in ((self._price, price), (self._change, change)):
            if value is not None:
                near = levels.rising.up_to(value) + levels.falling.from_(value)
                yield from [watch for _, _, watch in near]

    def _wake(self, prev_close: float | None, now_ms: int) -> Iterable[Turn]:
        """Let those go on whose rest is over: armed, where the last price was back meanwhile."""
        for _, _, watch in self._resting.up_to(now_ms):
            self.remove(watch)
            self._put(watch)
            if self.last is not None:
                yield from self._turn(watch, self.last, prev_close, now_ms)

    def _turn(
        self, watch: Watch, tick: Tick, prev_close: float | None, now_ms: int
    ) -> Iterable[Turn]:
        turn = watch.turn(tick, prev_close, now_ms)
        if turn is None:
            return
        self.remove(watch)
        watch.take(turn)
        if isinstance(turn, Arming):
            self._put(watch)
        elif watch.alert.repeat:
            self._put(watch, self._resting)
        yield turn

    def _put(self, watch: Watch, shelf: _Shelf | None = None) -> None:
        condition, level = watch.alert.condition, watch.alert.level
        self._numbers += 1
        if shelf is self._resting:
            entry = (float(watch.rests_until_ms), self._numbers, watch)
        else:
            levels = self._change if condition.is_change else self._price
            # One that waits is armed on the way back.
            rises = condition.is_above is watch.armed
            shelf, entry = levels.rising if rises else levels.falling, (level, self._numbers, watch)
        insort(shelf.entries, entry)
        self._places[watch] = shelf, entry


class AlertBoard:
    """All alerts, by the symbol that they look at and by user.

    Args:
        writer: Who evaluates them here, as `Standing.writer` has it.
    """

    def __init__(self, writer: str) -> None:
        self._writer = writer
        self._by_symbol: dict[str, SymbolAlerts] = {}
        self._by_subject: dict[str, dict[str, Watch]] = {}

    @property
    def subjects(self) -> frozenset[str]:
        """Whose alerts there are."""
        return frozenset(self._by_subject)

    @property
    def symbols(self) -> Iterable[str]:
        """At which symbols they look."""
        return self._by_symbol.keys()

    def counts(self) -> Counter[str]:
        """Return by symbol how many alerts look at it."""
        return Counter({symbol: len(some) for symbol, some in self._by_symbol.items()})

    def of(self, symbol: str) -> SymbolAlerts | None:
        """Return the alerts that look at a symbol; `None` where none does."""
        return self._by_symbol.get(symbol)

    def replace(self, subject: str, alerts: Iterable[tuple[Alert, Standing]]) -> set[str]:
        """Take a user's alerts as they are kept; return the symbols of those that are new."""
        before = self._by_subject.pop(subject, {})
        for watch in before.values():
            self._drop(watch)
        now = self._by_subject[subject] = {}
        for alert, standing in alerts:
            watch = now[alert.id] = Watch(subject, alert, standing, self._writer)
            self._by_symbol.setdefault(alert.symbol, SymbolAlerts()).add(watch)
        if not now:
            del self._by_subject[subject]
        self._forget_empty(watch.alert.symbol for watch in before.values())
        return {watch.alert.symbol for name, watch in now.items() if name not in before}

    def evaluate(
        self,
        symbol: str,
        trades: Iterable[Tick],
        last: Tick,
        prev_close: float | None,
        now_ms: int,
    ) -> Sequence[Turn]:
        """Return what prices do to a symbol's alerts, and note it, see `SymbolAlerts.evaluate`."""
        alerts = self._by_symbol.get(symbol)
        if alerts is None:
            return ()
        turns = list(alerts.evaluate(trades, last, prev_close, now_ms))
        for turn in turns:
            if isinstance(turn, Firing) and not turn.watch.alert.repeat:
                mine = self._by_subject[turn.watch.subject]
                del mine[turn.watch.alert.id]
                if not mine:
                    del self._by_subject[turn.watch.subject]
        if turns:
            self._forget_empty([symbol])
        return turns

    def _drop(self, watch: Watch) -> None:
        self._by_symbol[watch.alert.symbol].remove(watch)

    def _forget_empty(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            if symbol in self._by_symbol and not len(self._by_symbol[symbol]):
                del self._by_symbol[symbol]
