"""The functions that indicators are computed by: TA-Lib's, and VWAP by session.

What TA-Lib does not tell Python, the ranges of its parameters, is found by asking it: a value out
of its range is refused as ``TA_BAD_PARAM``.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from feed_server.market.indicator_vwap import SessionVwap
from feed_server.market.session import SessionCalendar
from feed_server.market.talib_alone import abstract, stream, talib
from feed_server.protocol.indicators import IndicatorInfo, IndicatorParameter

Column: TypeAlias = npt.NDArray[np.float64]
Number: TypeAlias = int | float
Value: TypeAlias = float | tuple[float, ...]

MAX_PERIOD = 2_000
"""The longest period: TA-Lib would take 100,000 bars, of which no source has as many."""

NO_LIMIT = 3e37
"""TA-Lib's largest number (``TA_REAL_MAX``): what reaches so far has no limit."""

VWAP = "VWAP"
REFUSED = {
    "MAVP": "needs a period of its own for every bar, which a specification cannot tell; "
    "MA has one period",
}
"""Functions of TA-Lib that cannot be asked for, and why."""

NOT_PRICES = {("AVGDEV", "real"), ("SAREXT", "real"), ("SUPERTREND", "trend")}
"""Outputs of functions that TA-Lib says have the price's scale: one is a deviation, one negative
while it is short, and one a direction."""


_ANY = np.ones(3)


class Handle(Protocol):
    """A function that goes on from bar to bar; at ``copy`` it forks."""

    def update(self, *inputs: float) -> Value:
        """Take the next bar for good; return its value."""

    def peek(self, *inputs: float) -> Value:
        """Return what `update` would return, and stay."""

    def copy(self) -> "Handle":
        """Return one that goes on from here by itself."""


Opener: TypeAlias = Callable[..., tuple[Handle, "Column | tuple[Column, ...]"]]


@cache
def names_by_group() -> Mapping[str, Sequence[str]]:
    """Return the names of all that can be asked for, by TA-Lib's groups."""
    groups = cast(Mapping[str, Sequence[str]], talib.get_function_groups())
    return {
        group: sorted({*names, VWAP} if group == _VWAP_INFO.group else {*names} - REFUSED.keys())
        for group, names in groups.items()
    }


@cache
def function(name: str) -> IndicatorInfo:
    """Return what there is to know of a function, which must be one of `names_by_group`."""
    if name == VWAP:
        return _VWAP_INFO
    (group,) = (group for group, names in names_by_group().items() if name in names)
    return _describe(name, group)


_VWAP_INFO = IndicatorInfo(
    name=VWAP,
    title="Volume Weighted Average Price of the session",
    group="Volume Indicators",
    inputs=["start_ms", "high", "low", "close", "volume"],
    parameters=[],
    outputs=["real"],
    overlay=["real"],
    from_first=False,
)


def opener(name: str, calendar: SessionCalendar) -> Opener:
    """Return what opens a function: called with columns and parameters.

    It returns a handle after the last bar, and the values up to there. It raises
    `talib.InsufficientHistory` where the bars are too few for a value.
    """
    if name == VWAP:
        return cast(Opener, lambda *columns: SessionVwap.open(calendar, *columns))
    return cast(Opener, getattr(stream, name).open_and_fill)


def whole(name: str) -> Callable[..., "Column | tuple[Column, ...]"]:
    """Return TA-Lib's function over whole columns."""
    return cast(Callable[..., "Column | tuple[Column, ...]"], getattr(talib, name))


def lookback(name: str, values: Sequence[Number]) -> int:
    """Return how many bars come before the first that has a value."""
    if name == VWAP:
        return 0
    names = [parameter.name for parameter in function(name).parameters]
    return int(_abstract(name, **dict(zip(names, values, strict=True))).lookback)


def accepts(name: str, parameters: Mapping[str, Number]) -> bool:
    """Ask TA-Lib whether it takes these parameters."""
    try:
        whole(name)(*[_ANY] * len(_inputs(name)), **parameters)
    except Exception as error:
        # TA-Lib's wrapper raises no kind of its own.
        if "TA_BAD_PARAM" in str(error):
            return False
        raise
    return True


def _abstract(name: str, **parameters: Number) -> Any:
    return abstract.Function(name, **parameters)  # type: ignore[attr-defined]


def _describe(name: str, group: str) -> IndicatorInfo:
    info = _abstract(name).info
    flags = cast(Sequence[str], info["function_flags"] or ())
    outputs = cast(list[str], info["output_names"])
    prices = outputs if "Output scale same as input" in flags else []
    return IndicatorInfo(
        name=name,
        title=str(info["display_name"]),
        group=group,
        inputs=_inputs(name),
        parameters=[_parameter(name, key, value) for key, value in info["parameters"].items()],
        outputs=outputs,
        overlay=[output for output in prices if (name, output) not in NOT_PRICES],
        from_first="Output is path-dependent" in flags,
    )


@cache
def _inputs(name: str) -> list[str]:
    """Return the columns of a function in order; of two free ones TA-Lib takes high and low."""
    columns: list[str] = []
    for named in _abstract(name).input_names.values():
        columns += [named] if isinstance(named, str) else named
    return columns


def _parameter(name: str, parameter: str, default: Number) -> IndicatorParameter:
    whole_numbers = isinstance(default, int)
    low = _limit(name, parameter, default, -NO_LIMIT)
    high = _limit(name, parameter, default, NO_LIMIT)
    choices: dict[int, str] = {}
    if parameter.endswith("matype"):
        choices = dict(talib.MA_Type._lookup)  # type: ignore[attr-defined]
    elif whole_numbers:
        high = min(high or MAX_PERIOD, MAX_PERIOD)
    kind: Literal["integer", "real"] = "integer" if whole_numbers else "real"
    return IndicatorParameter(parameter, kind, default, low, high, choices)


def _limit(name: str, parameter: str, good: Number, bad: float) -> Number | None:
    """Return the last value that a parameter can have towards a bad one, by bisection.

    Args:
        name: The function.
        parameter: Which.
        good: A value that it can have.
        bad: One that it cannot have, unless there is no limit.
    """
    whole_numbers = isinstance(good, int)
    if whole_numbers:
        bad = int(np.clip(bad, -(2**31) + 1, 2**31 - 1))
    if accepts(name, {parameter: bad}):
        return None
    for _ in range(200):
        middle = (good + bad) // 2 if whole_numbers else (good + bad) / 2
        if middle in (good, bad):
            break
        if accepts(name, {parameter: middle}):
            good = middle
        else:
            bad = middle
    return good if whole_numbers else round(good, 9)
