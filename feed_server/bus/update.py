"""One symbol's change, as it is kept and published."""

from typing import Self

import msgspec

from feed_server.protocol import Bar, Position, Quote, TradePrint


class SymbolUpdate(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A symbol's quote, and the trades and bars that changed it.

    Attributes:
        quote: The new last value; its ``count`` says how many changes the update stands for.
        bars: Bars that became final, then every bar that can still change: each interval's oldest
            first, of those that have ended as long as late trades are taken.
        trades: The last of these changes, in order, where they were trades.
        missing: How many trades came before ``trades`` that are told nowhere.
        taken: How many of its source's events the symbol's state includes, from the very first;
            those that were refused among them.
        lacks_ms: Bars that began before this market time may lack what was traded before it; 0
            where none lacks more than what was traded within one minute. Of daily bars it says
            nothing.
    """

    quote: Quote
    bars: list[Bar]
    trades: list[TradePrint] = []
    missing: int = 0
    taken: int = 0
    lacks_ms: int = 0


class StoredUpdate(msgspec.Struct, frozen=True):
    """A `SymbolUpdate` in its place: numbered by the script that published it.

    Attributes:
        epoch: Names the run of offsets; a new one means that what came before is void.
        offset: Changes of the symbol in this epoch up to and with this one.
        update: What changed.
    """

    epoch: str
    offset: int
    update: SymbolUpdate

    @classmethod
    def from_message(cls, message: bytes) -> Self:
        """Decode what was published: ``epoch offset json``.

        Raises:
            ValueError: It is none of ours (`msgspec.DecodeError` is a `ValueError`).
        """
        epoch, offset, payload = message.split(b" ", 2)
        return cls(epoch.decode(), int(offset), decode_update(payload))

    @property
    def position(self) -> Position:
        """Where the symbol stands after this update."""
        return Position(self.epoch, self.offset)

    @property
    def begins_at(self) -> int:
        """The offset before the first of the changes that this update stands for."""
        return self.offset - self.update.quote.count

    def follows(self, other: "StoredUpdate | None") -> bool:
        """Tell whether this is newer than another of the same symbol."""
        return other is None or self.epoch != other.epoch or self.offset > other.offset


encode_update = msgspec.json.Encoder().encode
decode_update = msgspec.json.Decoder(SymbolUpdate).decode
encode_bar = msgspec.json.Encoder().encode
decode_bar = msgspec.json.Decoder(Bar).decode
