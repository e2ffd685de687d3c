"""What an indicator is asked for by: a name and numbers, as in ``BBANDS(20,2,2)``. Pure.

Names are TA-Lib's, in any case of letters. Parameters come in TA-Lib's order or by its names in
lower case (``MACD(signalperiod=5)``); those that are left out have TA-Lib's defaults. One
indicator has one canonical text, with all its parameters, so that it is computed once however it
was written.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from feed_server.market.indicator_functions import (
    REFUSED,
    Number,
    accepts,
    function,
    lookback,
    names_by_group,
)
from feed_server.protocol.indicators import IndicatorInfo, IndicatorParameter

MAX_LOOKBACK = 2_000
"""Bars that may come before the first value: more are not loaded for it."""

MAX_TEXT = 200
"""Characters: no specification of ours is longer."""

MAX_INDICATORS = 20
"""Of one subscription or request."""

_SHAPE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?:\(([^()]*)\))?\s*", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_REAL = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)


class IndicatorError(ValueError):
    """No indicator can be made of a text: its message lists what is allowed."""


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """An indicator with all its parameters.

    Attributes:
        name: As TA-Lib names it.
        values: Of its parameters, in TA-Lib's order.
        text: Its canonical text.
        inputs: The columns of the bars that it is computed from.
        outputs: Names of its values.
        lookback: How many bars come before the first that has a value.
    """

    name: str
    values: tuple[Number, ...]
    text: str = field(compare=False)
    inputs: tuple[str, ...] = field(compare=False)
    outputs: tuple[str, ...] = field(compare=False)
    lookback: int = field(compare=False)


def catalogue() -> list[IndicatorInfo]:
    """Return all that can be asked for, by name."""
    return [function(name) for name in sorted(_names())]


def parse_specs(texts: Iterable[str]) -> tuple[IndicatorSpec, ...]:
    """Return some indicators, once each and sorted, so that the order of asking is no difference.

    Raises:
        IndicatorError: One of them is none, or there are more than `MAX_INDICATORS`.
    """
    written = dict.fromkeys(texts)
    # Before they are looked at: of thousands that would take long.
    if len(written) > MAX_INDICATORS:
        raise IndicatorError(f"{len(written)} indicators asked for, {MAX_INDICATORS} allowed")
    found = {spec.text: spec for spec in map(parse_spec, written)}
    return tuple(spec for _, spec in sorted(found.items()))


@lru_cache(maxsize=1_024)
def parse_spec(text: str) -> IndicatorSpec:
    """Return the indicator that a text asks for.

    Raises:
        IndicatorError: There is none of this name, or a parameter is not allowed.
    """
    shape = _SHAPE.fullmatch(text) if len(text) <= MAX_TEXT else None
    if shape is None:
        raise IndicatorError(
            f"indicator {text[:MAX_TEXT]!r} must be a name and, in parentheses, numbers, "
            "such as SMA(20) or MACD(12,26,signalperiod=9)"
        )
    info = _info(shape[1].upper())
    values = _values(info, _arguments(shape[2] or ""))
    spec = IndicatorSpec(
        info.name,
        values,
        _canonical(info.name, values),
        tuple(info.inputs),
        tuple(info.outputs),
        lookback(info.name, values),
    )
    if spec.lookback > MAX_LOOKBACK:
        raise IndicatorError(
            f"indicator {spec.text} has its first value after {spec.lookback} bars, "
            f"{MAX_LOOKBACK} are allowed: shorten its periods"
        )
    return spec


def _names() -> list[str]:
    return [name for names in names_by_group().values() for name in names]


def _info(name: str) -> IndicatorInfo:
    if name in REFUSED:
        raise IndicatorError(f"indicator {name} {REFUSED[name]}")
    known = _names()
    if name not in known:
        near = get_close_matches(name, known, n=5, cutoff=0.6)
        hint = f", did you mean {', '.join(near)}?" if near else ""
        groups = "; ".join(
            f"{group}: {', '.join(names)}" for group, names in names_by_group().items()
        )
        raise IndicatorError(f"no indicator {name!r}{hint}; there are {groups}")
    return function(name)


def _arguments(text: str) -> list[tuple[str, str]]:
    """Return each argument's name, empty where it has none, and its value."""
    if not text.strip():
        return []
    pairs = (part.rpartition("=") for part in text.split(","))
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def _values(info: IndicatorInfo, arguments: Sequence[tuple[str, str]]) -> tuple[Number, ...]:
    parameters = info.parameters
    names = [parameter.name for parameter in parameters]
    if len(arguments) > len(parameters):
        raise IndicatorError(f"too many parameters; {_signature(info)}")
    given: dict[str, str] = {}
    for place, (name, value) in enumerate(arguments):
        if not name and any(earlier for earlier, _ in arguments[:place]):
            raise IndicatorError(f"parameters without a name come first; {_signature(info)}")
        key = name or names[place]
        if key not in names or key in given:
            raise IndicatorError(
                f"parameter {key!r} is {'given twice' if key in given else 'unknown'}; "
                f"{_signature(info)}"
            )
        given[key] = value
    values = tuple(
        _number(info, parameter, given[parameter.name])
        if parameter.name in given
        else _plain(parameter, parameter.default)
        for parameter in parameters
    )
    if not accepts(info.name, dict(zip(names, values, strict=True))):
        raise IndicatorError(f"TA-Lib refuses these parameters together; {_signature(info)}")
    return values


def _number(info: IndicatorInfo, parameter: IndicatorParameter, text: str) -> Number:
    shape = _INTEGER if parameter.kind == "integer" else _REAL
    value = float(text) if shape.fullmatch(text) else None
    low, high = parameter.minimum, parameter.maximum
    if (
        value is None
        or abs(value) > 1e30
        or (low is not None and value < low)
        or (high is not None and value > high)
    ):
        raise IndicatorError(
            f"parameter {parameter.name} of {info.name} must be {_allowed(parameter)}, "
            f"not {text!r}; {_signature(info)}"
        )
    return _plain(parameter, value)


def _plain(parameter: IndicatorParameter, value: float) -> Number:
    # Zero has no sign: -0 would be another text.
    return int(value) if parameter.kind == "integer" else value + 0.0


def _allowed(parameter: IndicatorParameter) -> str:
    kind = "a whole number" if parameter.kind == "integer" else "a number"
    low, high = parameter.minimum, parameter.maximum
    if parameter.choices:
        meanings = "; ".join(f"{value}: {title}" for value, title in parameter.choices.items())
        return f"one of {meanings}"
    if low is not None and high is not None:
        return f"{kind} from {low:g} to {high:g}"
    return kind if low is None else f"{kind} of at least {low:g}"


def _signature(info: IndicatorInfo) -> str:
    if not info.parameters:
        return f"{info.name} has no parameters"
    allowed = ", ".join(
        f"{one.name}={one.default:g} ({'choice' if one.choices else _allowed(one)})"
        for one in info.parameters
    )
    return f"{info.name} takes {allowed}"


def _canonical(name: str, values: Sequence[Number]) -> str:
    if not values:
        return name
    return f"{name}({','.join(_written(value) for value in values)})"


def _written(value: Number) -> str:
    """Write a number as short as it can be read back."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)
