"""Figures of several runs, printed alike."""

from collections.abc import Sequence
from statistics import median


def show(name: str, values: Sequence[float], unit: str, target: float | None = None) -> None:
    """Print the median of some runs with their spread, and whether it is within a target."""
    _print(name, values, unit, "≤", target)


def show_at_least(name: str, values: Sequence[float], unit: str, target: float) -> None:
    """Print the median of some runs with their spread, and whether it reaches a target."""
    _print(name, values, unit, "≥", target)


def show_ratio(
    name: str, values: Sequence[float], bare: Sequence[float], target: float | None = None
) -> None:
    """Print how much two sets of runs differ, as a factor; with the spread of pairs of runs."""
    ratio = median(values) / median(bare)
    text = f"  {name:<46} {ratio:9.2f} ×"
    if len(values) == len(bare):
        pairs = [value / other for value, other in zip(values, bare, strict=True)]
        text += f"  ({min(pairs):.2f} to {max(pairs):.2f})"
    print(text + _judged(ratio, "×", "≤", target), flush=True)


def show_not_measured(name: str, reason: str) -> None:
    """Print that something could not be measured here, and what would help."""
    print(f"  {name:<46} not measured: {reason}", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _print(name: str, values: Sequence[float], unit: str, rule: str, target: float | None) -> None:
    value = median(values)
    text = f"  {name:<46} {value:9.{_digits(value)}f} {unit}"
    if len(values) > 1:
        low, high = (f"{v:.{_digits(value)}f}" for v in (min(values), max(values)))
        text += f"  ({low} to {high}, {len(values)} runs)"
    print(text + _judged(value, unit, rule, target), flush=True)


def _digits(value: float) -> int:
    return 2 if abs(value) < 1000 else 0


def _judged(value: float, unit: str, rule: str, target: float | None) -> str:
    if target is None:
        return ""
    met = value <= target if rule == "≤" else value >= target
    return f"  target {rule} {target:g} {unit}: {'met' if met else 'MISSED'}"
