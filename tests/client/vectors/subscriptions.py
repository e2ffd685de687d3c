"""Drives subscriptions by a case of ``subscriptions.json``."""

from typing import Any

import msgspec

from dashboard.client.core.entries import Want
from dashboard.client.core.subscriptions import Subscriptions

TIMELESS = ("want", "linked", "unlinked", "rest", "configure", "failure")


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Step subscriptions through a case; tell actions, the deadline, and what is to be polled."""
    subscriptions = Subscriptions(case.get("max_hz", 0))
    told = []
    for step in case["steps"]:
        event = dict(step["event"])
        kind = event.pop("type")
        if "want" in event:
            event["want"] = msgspec.convert(event["want"], Want)
        if "indicators" in event:
            event["indicators"] = tuple(event["indicators"])
        times = () if kind in TIMELESS else (step["at_ms"],)
        actions = getattr(subscriptions, kind)(*times, **event)
        if kind == "failure":
            actions = [] if actions is None else [actions]
        told.append(
            {
                "actions": msgspec.json.decode(msgspec.json.encode(actions or [])),
                "deadline_ms": subscriptions.deadline(),
                "polled": [symbol for symbol, _ in subscriptions.wanted(step["at_ms"], "quotes")],
                "held": len(subscriptions),
            }
        )
    return {"steps": told}
