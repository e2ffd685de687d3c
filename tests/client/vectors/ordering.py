"""Drives the rule of order by a case of ``ordering.json``."""

from typing import Any

from dashboard.client.core.bars import Bar, compare_bars
from dashboard.client.core.ordering import Epochs, compare

FORMING: dict[str, Any] = {"symbol": "AAPL", "interval": "1m", "start_ms": 0}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Compare what a case gives, or enter its epochs."""
    epochs = Epochs()
    return {"steps": [_step(epochs, **step["event"]) for step in case["steps"]]}


def _step(epochs: Epochs, type: str, **given: Any) -> dict[str, Any]:
    if type == "enter":
        return {"entered": epochs.enter(given["stream"], given["epoch"])}
    if type == "forget":
        epochs.forget(given["stream"])
        return {}
    if type == "quotes":
        return {"newer": _sign(compare(*given["held"], *given["new"]))}
    bars = [Bar(**FORMING, **given[name]) for name in ("held", "new")]
    return {"newer": _sign(compare_bars(*bars))}


def _sign(order: float) -> int:
    return (order > 0) - (order < 0)
