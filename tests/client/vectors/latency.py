"""Drives what measures by a case of ``latency.json``."""

from dataclasses import dataclass
from typing import Any

import msgspec

from dashboard.client.core.latency import Meter


@dataclass
class Newest:
    symbol: str
    time_ms: int
    received_ms: int


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Tell a meter a case's events; tell its facts after each."""
    meter = Meter()
    meter.replayed = frozenset(case.get("replayed", ()))
    told = []
    for step in case["steps"]:
        at_ms = step["at_ms"]
        for event in step["events"]:
            _do(meter, at_ms, **event)
        facts = msgspec.to_builtins(meter.facts(at_ms))
        told.append({"facts": facts, "server_ms": meter.server_ms(at_ms)})
    return {"steps": told, "counts": msgspec.to_builtins(meter.counts)}


def _do(meter: Meter, at_ms: float, type: str, **given: Any) -> None:
    if type == "applied":
        newest = given.get("newest")
        meter.applied(at_ms, given["rows"], None if newest is None else Newest(**newest))
    elif type == "ponged":
        meter.ponged(given["ping"], given["server_ms"], at_ms)
    elif type == "pinged":
        meter.pinged(given["ping"], at_ms)
    elif type == "seen":
        meter.seen(given["seen"])
    elif type == "welcomed":
        meter.welcomed()
    elif type == "handed":
        meter.handed(at_ms, given["received"])
    elif type == "message":
        meter.message(at_ms, given["size_bytes"])
    else:
        meter.shown(at_ms)
