"""Clients that check what they get: whether anything is missing, or is not what it should be."""

from collections.abc import Iterable

from benchmarks.flood import trade, volume_after
from feed_server.protocol import Quotes, Trades


class Witness:
    """What both have in common.

    Args:
        of_flood: Whether it hears a flood, of which an offset tells what must come with it.

    Attributes:
        offsets: By symbol where it stands.
        gaps: How often something was missing, out of place, or not what belongs there.
    """

    def __init__(self, *, of_flood: bool = False) -> None:
        self.offsets: dict[str, int] = {}
        self.gaps = 0
        self._of_flood = of_flood

    def have(self, symbols: Iterable[str], offset: int) -> bool:
        """Tell whether each of some symbols has reached an offset."""
        return all(self.offsets.get(symbol, -1) >= offset for symbol in symbols)


class QuoteWitness(Witness):
    """Adds up the changes that a client of quotes is told of."""

    def hear(self, message: Quotes) -> None:
        """Take a message."""
        for row in message.rows:
            before = self.offsets.get(row.symbol)
            follows = before is None or message.snapshot or row.offset == before + row.count
            right = not self._of_flood or row.volume == volume_after(row.offset)
            self.gaps += not (follows and right)
            self.offsets[row.symbol] = row.offset


class TradeWitness(Witness):
    """Checks that a client of trades gets every single one, in order, from where it began.

    Attributes:
        count: Trades that came.
    """

    def __init__(self, *, of_flood: bool = False) -> None:
        super().__init__(of_flood=of_flood)
        self.count = 0

    def hear(self, message: Trades) -> None:
        """Take a message: its rows, then where they have led to."""
        for row in message.rows:
            self.count += 1
            follows = row.offset == self.offsets.get(row.symbol, -1) + 1
            told = trade(row.symbol, row.offset)
            right = not self._of_flood or (row.price, row.size) == (told.price, told.size)
            self.gaps += not (follows and right)
            self.offsets[row.symbol] = row.offset
        for symbol, position in message.positions.items():
            self.gaps += self.offsets.get(symbol, position.offset) != position.offset
            self.offsets[symbol] = position.offset
        self.gaps += sum(not complete for complete in message.recovered.values())
