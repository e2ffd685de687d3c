"""Trouble that sources have with symbols: each is told once, and again after a while. Pure."""

from dashboard.client.core.actions import Trouble

AGAIN_MS = 600_000
"""A source that goes on to refuse a symbol says so at every try: it is told so seldom."""


class Troubles:
    """What was told of late."""

    def __init__(self) -> None:
        self._told: dict[Trouble, float] = {}

    def came(self, now_ms: float, trouble: Trouble) -> list[Trouble]:
        """Return what is to be told of a trouble: nothing, where it was a short while ago."""
        recent = {told: at for told, at in self._told.items() if now_ms - at < AGAIN_MS}
        self._told = {trouble: now_ms, **recent}
        return [] if trouble in recent else [trouble]
