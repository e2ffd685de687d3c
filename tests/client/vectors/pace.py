"""Drives a pace by a case of ``pace.json``."""

from typing import Any

from dashboard.client.core.pace import Pace


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Offer it a case's items; tell what was to be applied when, and when it is due."""
    pace: Pace[str, int] = Pace(case["max_hz"], _sum if case.get("merge") == "sum" else None)
    return {"steps": [_step(pace, step["at_ms"], **step["event"]) for step in case["steps"]]}


def _sum(held: int, newer: int) -> int:
    return held + newer


def _step(pace: Pace[str, int], at_ms: float, type: str, **given: Any) -> dict[str, Any]:
    applied: dict[str, int] = {}
    if type == "offer":
        applied = pace.offer(at_ms, given["items"])
    elif type == "take":
        applied = pace.take(at_ms)
    elif type == "show":
        applied = pace.show(at_ms)
    elif type == "hide":
        pace.hide()
    elif type == "clear":
        pace.clear()
    else:
        pace.configure(given["max_hz"])
    return {"applied": [list(item) for item in applied.items()], "deadline_ms": pace.deadline()}
