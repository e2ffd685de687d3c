"""One round of polling: all symbols at once, or in parts where the feed refuses one of them. Pure.

``/api/quotes`` refuses a whole request for one symbol that it does not know. The round is halved
then until it is known which one that is.
"""

import msgspec


class Part(msgspec.Struct, frozen=True):
    """What to ask for next.

    Attributes:
        id: Its number.
        symbols: Of which instruments.
        since: Cursor of the last answer for just these, None for none.
    """

    id: int
    symbols: list[str]
    since: str | None


class Rounds:
    """The round under way, and where the one before has ended.

    Attributes:
        is_held: Whether the part under way waits to be asked for anew.
    """

    def __init__(self) -> None:
        self._last = 0
        self._parts: list[list[str]] = []
        self._cursor: tuple[list[str], str] | None = None
        self.is_held = False

    @property
    def symbols(self) -> list[str]:
        """What the part under way asks for."""
        return self._parts[0] if self._parts else []

    def is_current(self, number: int) -> bool:
        """Tell whether an answer is of the part under way."""
        return bool(self._parts) and number == self._last

    def begin(self, symbols: list[str]) -> Part:
        """Begin a round, in place of the one under way if there is one."""
        self._parts = [symbols]
        return self._ask()

    def hold(self) -> None:
        """Wait, for another token."""
        self.is_held = True

    def end(self) -> None:
        """Wait for no answer any more."""
        self._parts = []
        self.is_held = False

    def answered(self, cursor: str | None) -> Part | None:
        """Take note that the part under way was answered; None where the round has ended."""
        symbols = self._parts.pop(0)
        self._cursor = None if cursor is None else (symbols, cursor)
        return self._ask() if self._parts else None

    def refused(self) -> Part | None:
        """Take note that the part under way was refused; None where the round has ended.

        Whoever asked for one symbol alone knows now that it is that one.
        """
        symbols = self._parts.pop(0)
        half = len(symbols) // 2
        if half:
            self._parts[:0] = [symbols[:half], symbols[half:]]
        return self._ask() if self._parts else None

    def _ask(self) -> Part:
        self._last += 1
        self.is_held = False
        known = self._cursor is not None and self._cursor[0] == self._parts[0]
        since = self._cursor[1] if self._cursor is not None and known else None
        return Part(self._last, self._parts[0], since)
