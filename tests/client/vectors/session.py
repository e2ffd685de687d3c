"""Drives a session by a case of ``session.json``: messages as on the wire, actions as JSON."""

from collections.abc import Iterator
from typing import Any

import msgspec

from dashboard.client.core.actions import BarsChanged, StatusChanged
from dashboard.client.core.session import Session, Settings, Want
from feed_server.protocol import BarSeries, Quotes, Status, TradeSeries, decode_server_message

BODIES = {"bars": BarSeries, "trades": TradeSeries}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Lead a conversation; tell actions, and when the next tick is due."""
    draws: Iterator[float] = iter(case.get("random", []))
    settings = msgspec.convert(case.get("settings", {}), Settings)
    session = Session(settings, lambda: next(draws))
    told = []
    for step in case["steps"]:
        event = dict(step["event"])
        kind = event.pop("type")
        actions = _actions(session, kind, step["at_ms"], event)
        told.append({"actions": [_plain(a) for a in actions], "deadline_ms": session.deadline()})
    return {"steps": told, "counts": _counts(session), "sizes": session.sizes()}


def _actions(session: Session, kind: str, at_ms: float, event: dict[str, Any]) -> list[Any]:
    """Return what comes of an event, and of a question what is answered."""
    if kind in ("failure", "failure_reason"):
        failed = session.failure(**event)
        if failed is None:
            return []
        return [failed if kind == "failure" else failed.reason]
    if kind == "history_failure":
        why = session.history_failure(**event)
        return [] if why is None else [why[0]]
    if kind == "has_older":
        return [session.has_older(**event)]
    actions: list[Any] = getattr(session, kind)(at_ms, **_typed(kind, event))
    return actions


def _typed(kind: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return a method's arguments; bodies and messages go through JSON, as from the wire."""
    if "want" in event:
        event["want"] = msgspec.convert(event["want"], Want)
    if kind == "received":
        event["message"] = decode_server_message(msgspec.json.encode(event["message"]))
    if kind == "polled":
        event["quotes"] = msgspec.convert(event["quotes"], Quotes | None)
        event["status"] = msgspec.convert(event.get("status"), Status | None)
    if kind == "loaded":
        body = BODIES["bars" if "interval" in event["series"] else "trades"]
        event["series"] = msgspec.convert(event["series"], body)
    return event


def _plain(action: msgspec.Struct | bool | str) -> dict[str, Any] | bool | str:
    """Return an action as JSON has it; what is an array on the wire gets names."""
    if isinstance(action, bool | str):
        return action
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(action))
    if plain["do"] == "quotes":
        plain["quotes"] = [msgspec.structs.asdict(quote) for quote in action.quotes]  # type: ignore[attr-defined]
    if isinstance(action, BarsChanged):
        plain["finals"] = [[bar.start_ms, bar.close] for bar in action.finals]
    if isinstance(action, StatusChanged):
        plain["sources"] = {name: status.state for name, status in action.sources.items()}
    return plain


def _counts(session: Session) -> dict[str, int]:
    counts = session.meter.counts
    return {
        name: getattr(counts, name)
        for name in ("received", "conflated", "gaps", "duplicates", "late", "reconnects")
    }
