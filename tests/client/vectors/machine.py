"""Drives the connection's state machine by a case of ``machine.json``."""

from typing import Any

import msgspec

from dashboard.client.core.machine import Machine


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Step a machine through a case; tell its actions, and when the next tick is due."""
    draws = iter(case.get("random", []))
    machine = Machine(
        mode=case.get("mode", "auto"),
        poll_ms=case.get("poll_ms", 1000),
        relay=case.get("relay", False),
        renewable=case.get("renewable", False),
        random=lambda: next(draws),
    )
    told = []
    for step in case["steps"]:
        event = dict(step["event"])
        actions = getattr(machine, event.pop("type"))(step["at_ms"], **event)
        told.append({"actions": msgspec.to_builtins(actions), "deadline_ms": machine.deadline()})
    return {"steps": told}
