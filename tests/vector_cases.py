"""The vectors of `tests/vectors`: what both clients must pass, and how their answers are compared.

A runner, in either language, is `run(case)`: it drives what the vectors are about by a case's
inputs, and returns what it saw under the names that the case has for it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"
FOR_PEOPLE = "reason"

Case = dict[str, Any]


def vector_names() -> list[str]:
    """Return the names of all vectors, such as ``machine``."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def vector_cases(name: str) -> list[Case]:
    """Return the cases of the vectors of a name."""
    cases: list[Case] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    return cases


def differences(case: Case, told: Case) -> list[str]:
    """Compare a case with what a runner has told of it; of each difference return one line.

    What is told is compared, in the whole and step by step, where the case says it; the rest of the
    case are inputs. Below that, a mapping must have what the case says, and may have more.
    """
    steps, told_steps = case.get("steps", []), told.get("steps", [])
    if "steps" in told and len(steps) != len(told_steps):
        return [f"steps: {len(steps)} in the case, {len(told_steps)} told"]
    pairs = [("", case, {name: told[name] for name in told if name != "steps"})]
    pairs += [
        (f"steps[{number}].", step, told_step)
        for number, (step, told_step) in enumerate(zip(steps, told_steps, strict=False))
    ]
    compared = [
        (where + name, expected[name], found[name])
        for where, expected, found in pairs
        for name in found
        if name in expected
    ]
    if not compared:
        return [f"nothing was compared: told were {sorted(told)}"]
    return [line for entry in compared for line in _differences(*entry)]


def _differences(where: str, expected: object, told: object) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(told, dict):
        for key in expected:
            if key not in told:
                yield f"{where}.{key}: expected {expected[key]!r}, and it is not there"
            elif key != FOR_PEOPLE:
                yield from _differences(f"{where}.{key}", expected[key], told[key])
    elif isinstance(expected, list) and isinstance(told, list) and len(expected) == len(told):
        for number, pair in enumerate(zip(expected, told, strict=True)):
            yield from _differences(f"{where}[{number}]", *pair)
    elif expected != told:
        yield f"{where}: expected {expected!r}, got {told!r}"
