"""Figures of several runs, printed alike."""

from collections.abc import Sequence
from statistics import median


def show(name: str, values: Sequence[float], unit: str, target: float | None = None) -> None:
    """Print the median of some runs with their spread, and whether it is within a target."""
    text = f"  {name:<46} {median(values):7.2f} {unit}"
    text += f"  ({min(values):.2f} to {max(values):.2f}, {len(values)} runs)"
    if target is not None:
        text += f"  target ≤ {target:g} {unit}: {'met' if median(values) <= target else 'MISSED'}"
    print(text, flush=True)


def show_ratio(name: str, values: Sequence[float], bare: Sequence[float]) -> None:
    """Print how much the medians of two sets of runs differ, as a factor."""
    print(f"  {name:<46} {median(values) / median(bare):7.2f} ×", flush=True)
