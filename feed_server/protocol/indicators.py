"""What indicators there are, for those who choose one, and how several are written."""

import re
from typing import Literal

import msgspec

_PART = re.compile(r"(?:[^,(]|\([^()]*\)?)+")
"""Up to a comma outside of parentheses. It never looks twice at a character: who asks may send
thousands of commas."""


class IndicatorParameter(msgspec.Struct, frozen=True):
    """A number that an indicator takes.

    Attributes:
        name: As TA-Lib names it, in lower case.
        kind: ``integer``, or ``real`` where fractions are allowed, too.
        default: Its value where none is given.
        minimum: The smallest value allowed, null where there is none.
        maximum: The largest value allowed, null where there is none.
        choices: By value what it stands for, where it is one of a list.
    """

    name: str
    kind: Literal["integer", "real"]
    default: float
    minimum: float | None
    maximum: float | None
    choices: dict[int, str] = {}


class IndicatorInfo(msgspec.Struct, frozen=True):
    """An indicator that can be asked for by name.

    Attributes:
        name: What to write; in any case of letters.
        title: For people.
        group: As TA-Lib groups its functions.
        inputs: The columns of the bars that it is computed from.
        parameters: In the order in which they are written.
        outputs: Names of its values, in the order in which they are sent.
        overlay: Those of its outputs that are prices, to be drawn over the bars.
        from_first: Whether every value depends on which bar was the first: of two series that
            begin elsewhere, such values differ in what came before.
    """

    name: str
    title: str
    group: str
    inputs: list[str]
    parameters: list[IndicatorParameter]
    outputs: list[str]
    overlay: list[str]
    from_first: bool


class IndicatorList(msgspec.Struct, frozen=True):
    """Body of ``/api/indicators``."""

    indicators: list[IndicatorInfo]


def split_specs(text: str) -> list[str]:
    """Split a list at its commas, but for those within parentheses."""
    return [part.strip() for part in _PART.findall(text) if part.strip()]
