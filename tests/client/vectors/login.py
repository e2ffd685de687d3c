"""Drives the login by a case of ``login.json``."""

from typing import Any

import msgspec

from dashboard.client.core.login import Login

TIMELESS = ("take", "closed", "restart", "accepted")


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Step a login through a case; tell its actions, and when the next tick is due."""
    login = Login(case.get("renewable", False))
    told = []
    for step in case["steps"]:
        event = dict(step["event"])
        kind = event.pop("type")
        times = () if kind in TIMELESS else (step["at_ms"],)
        actions = getattr(login, kind)(*times, **event)
        told.append(
            {"actions": msgspec.to_builtins(actions or []), "deadline_ms": login.deadline()}
        )
    return {"steps": told}
