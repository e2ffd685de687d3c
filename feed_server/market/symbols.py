"""Names of instruments as people type them, and as sources spell them. Pure."""

import re
from collections.abc import Collection

from feed_server.protocol import SYMBOL_PATTERN

SEPARATORS = ".-/"
"""What one source or another puts between a share and its class, or between two currencies."""

_SEPARATED = re.compile(r"([A-Z0-9]+)[./-]([A-Z0-9]+)")
_PAIR = re.compile(r"([A-Z]{3,5})([A-Z]{3})")
"""Two currencies without anything between them; the second is nearly always of three letters."""


def normalised(text: str) -> str:
    """Return a symbol as it is mostly written: in capitals, without spaces around it.

    Raises:
        ValueError: It is no symbol; the text says what one looks like.
    """
    return _trimmed(text).upper()


def candidates(text: str) -> list[str]:
    """Return spellings under which sources may know what a person means, the likeliest first.

    The text as it stands, then in capitals, then with the other separators: ``BRK.B`` is ``BRK-B``
    and ``BRK/B`` elsewhere, ``EUR/USD`` is ``EURUSD``.

    Raises:
        ValueError: It is no symbol.
    """
    trimmed = _trimmed(text)
    capitals = trimmed.upper()
    return list(dict.fromkeys([trimmed, capitals, *_respelt(capitals)]))


def match(text: str, known: Collection[str]) -> str | None:
    """Return which of the known symbols a text means, `None` where it means none of them.

    Of symbols that differ in their letters' case only, and none of which is meant exactly, it is
    the first of the alphabet.

    Raises:
        ValueError: It is no symbol.
    """
    spellings = candidates(text)
    for spelling in spellings:
        if spelling in known:
            return spelling
    by_capitals = {symbol.upper(): symbol for symbol in sorted(known, reverse=True)}
    return next((by_capitals[name] for name in spellings if name in by_capitals), None)


def _trimmed(text: str) -> str:
    trimmed = text.strip()
    # Before it is put in capitals: those of ``ß`` and ``ı`` would pass for what they are not.
    if not re.fullmatch(SYMBOL_PATTERN, trimmed):
        shown = trimmed if len(trimmed) <= 64 else trimmed[:64] + "…"
        raise ValueError(
            f"{shown!a} is no symbol; expected 1 to 64 of the letters A-Z, digits and _ . : ^ = / -"
        )
    return trimmed


def _respelt(capitals: str) -> list[str]:
    if parts := _SEPARATED.fullmatch(capitals):
        first, second = parts.groups()
        joined = first + second
        spellings = [f"{first}{separator}{second}" for separator in SEPARATORS]
        # A share's class is not a currency: BRKB would be another share.
        return [*spellings, joined] if _PAIR.fullmatch(joined) and len(second) == 3 else spellings
    if parts := _PAIR.fullmatch(capitals):
        return [separator.join(parts.groups()) for separator in "/-."]
    return []
