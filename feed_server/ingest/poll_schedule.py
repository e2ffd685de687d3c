"""Which symbols a source is asked for next: all in turn, the stalest first. Pure."""

import random
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

JITTER = 0.1


@dataclass(slots=True)
class _Turn:
    """When a symbol was asked for, and when it may be again."""

    asked_s: float
    due_s: float
    urgent: bool = False


class PollSchedule:
    """Follows what is wanted, and gives the symbols that were asked for longest ago.

    Args:
        poll_s: A symbol is asked for again after this, or later where the budget is small.
        jitter: Gives numbers from 0 to 1: symbols that came together do not stay together.
    """

    def __init__(self, poll_s: float, jitter: Callable[[], float] = random.random) -> None:
        self.poll_s = poll_s
        self._jitter = jitter
        self._own: Mapping[str, float] = {}
        self._turns: dict[str, _Turn] = {}

    @property
    def symbols(self) -> frozenset[str]:
        """What is wanted."""
        return frozenset(self._turns)

    def want(self, symbols: Collection[str]) -> None:
        """Ask for these and no others from now on; those that are new come first."""
        wanted = set(symbols)
        for symbol in self._turns.keys() - wanted:
            del self._turns[symbol]
        for symbol in sorted(wanted - self._turns.keys()):
            self._turns[symbol] = _Turn(float("-inf"), float("-inf"))

    def pace(self, poll_s: float, own: Mapping[str, float] | None = None) -> None:
        """Ask for each symbol every ``poll_s`` seconds from now on.

        Args:
            poll_s: Of most of them.
            own: By symbol, of those that have a pace of their own.
        """
        own = own or {}
        if poll_s == self.poll_s and own == self._own:
            return
        self.poll_s, self._own = poll_s, own
        for symbol, turn in self._turns.items():
            turn.due_s = min(turn.due_s, turn.asked_s + self._pace_of(symbol))

    def urge(self, symbol: str) -> None:
        """Ask for a wanted symbol as soon as there is a budget: somebody waits for it."""
        if symbol in self._turns:
            self._turns[symbol].urgent = True

    def next(self, now_s: float, most: int) -> list[str]:
        """Return the symbols whose turn it is: those somebody waits for, then the stalest."""
        due = (
            (not turn.urgent, turn.asked_s, symbol)
            for symbol, turn in self._turns.items()
            if turn.urgent or turn.due_s <= now_s
        )
        return [symbol for *_, symbol in sorted(due)[:most]]

    def asked(self, symbols: Iterable[str], now_s: float) -> None:
        """Note that symbols were asked for, whatever came of it."""
        for symbol in symbols:
            turn = self._turns.get(symbol)
            if turn is not None:
                pause_s = self._pace_of(symbol) * (1 + JITTER * (self._jitter() - 0.5))
                turn.asked_s, turn.due_s, turn.urgent = now_s, now_s + pause_s, False

    def failed(self, symbols: Iterable[str], now_s: float) -> None:
        """Note that nothing was answered: their turn is now, behind those asked longer ago."""
        for symbol in symbols:
            turn = self._turns.get(symbol)
            if turn is not None:
                turn.due_s = min(turn.due_s, now_s)

    def postpone(self, symbol: str, until_s: float) -> None:
        """Do not ask for a symbol before a time: it was told that this does not help."""
        if symbol in self._turns:
            self._turns[symbol].due_s = until_s

    def is_new(self, symbol: str) -> bool:
        """Tell whether a symbol was not asked for since it is wanted."""
        turn = self._turns.get(symbol)
        return turn is not None and turn.asked_s == float("-inf")

    def due_s(self) -> float | None:
        """Return when the next turn is; `None` where nothing is wanted."""
        turns = self._turns.values()
        if any(turn.urgent for turn in turns):
            return float("-inf")
        return min((turn.due_s for turn in turns), default=None)

    def _pace_of(self, symbol: str) -> float:
        return self._own.get(symbol, self.poll_s)
