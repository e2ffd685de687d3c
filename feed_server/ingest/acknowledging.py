"""When gateways are told that a source has seen what they want. Pure."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

PATIENCE_S = 0.4
"""How long a source has to tell how new symbols stand; gateways wait a second for all of it."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What gateways have come to want at one time.

    Attributes:
        numbers: By gateway the number of its last change.
        awaited: The symbols that the source has told nothing of since.
        until_s: For how long it is waited for.
    """

    numbers: Mapping[str, int]
    awaited: set[str]
    until_s: float


class Acknowledging:
    """Keeps changes of one source back until it has told how what is new in them stands.

    They are let go in order, for who hears of a change takes those before it for seen.
    """

    def __init__(self) -> None:
        self._held: deque[_Change] = deque()

    @property
    def waits(self) -> bool:
        """Whether some are kept back."""
        return bool(self._held)

    def hold(self, numbers: Mapping[str, int], awaited: Collection[str], now_s: float) -> None:
        """Keep a change back.

        Args:
            numbers: By gateway the number of its last change.
            awaited: The symbols of which the source will tell how they stand.
            now_s: The time.
        """
        self._held.append(_Change(numbers, set(awaited), now_s + PATIENCE_S))

    def tell(self, symbols: Iterable[str]) -> None:
        """Note that the source has told something of symbols."""
        told = set(symbols)
        for change in self._held:
            change.awaited.difference_update(told)

    def take(self, now_s: float) -> dict[str, int] | None:
        """Return what can be acknowledged now: by gateway its last change, None where none can."""
        numbers: dict[str, int] = {}
        while self._held and (not self._held[0].awaited or self._held[0].until_s <= now_s):
            numbers |= self._held.popleft().numbers
        return numbers or None
