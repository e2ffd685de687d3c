"""Drives staleness by a case of ``staleness.json``."""

from typing import Any

import msgspec

from dashboard.client.core.staleness import Staleness


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Tell it a case's events; tell how each symbol does."""
    staleness = Staleness()
    return {"steps": [_step(staleness, **step) for step in case["steps"]]}


def _step(
    staleness: Staleness, at_ms: float, event: dict[str, Any] | None = None, **asked: Any
) -> dict[str, Any]:
    if event is not None:
        given = dict(event)
        getattr(staleness, given.pop("type"))(*given.values())
    ages = {symbol: staleness.of(symbol, at_ms) for symbol in asked.get("ages", ())}
    return {"ages": msgspec.to_builtins(ages)}
