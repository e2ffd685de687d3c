"""What went wrong at a source, for those who watch over it."""

import msgspec


class SourceError(msgspec.Struct, frozen=True):
    """Something that a source could not do.

    Attributes:
        source: The provider's name.
        symbol: The instrument it concerns, `None` where it is the whole source.
        message: For a person: what was wrong and what happens now.
        time_ms: When, UTC epoch milliseconds.
    """

    source: str
    symbol: str | None
    message: str
    time_ms: int


encode_error = msgspec.json.Encoder().encode
decode_error = msgspec.json.Decoder(SourceError).decode
