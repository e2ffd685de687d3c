"""How the sources do, as they say; one that has fallen silent is down. Pure."""

import msgspec

from feed_server.bus.publisher import STATUS_EXPIRES_MS
from feed_server.protocol import SourceState, SourceStatus


class SourceBoard:
    """The sources' last words, and when they came."""

    def __init__(self) -> None:
        self._statuses: dict[str, SourceStatus] = {}
        self._heard_s: dict[str, float] = {}
        self._told: list[tuple[str, str, SourceState, str]] = []

    def take(self, status: SourceStatus, now_s: float) -> None:
        """Keep what a source said."""
        self._statuses[status.source] = status
        self._heard_s[status.source] = now_s

    def statuses(self, now_s: float) -> list[SourceStatus]:
        """Return how each source does; one that has not renewed its word in time is down."""
        return [
            status if now_s - self._heard_s[source] < STATUS_EXPIRES_MS / 1000 else _down(status)
            for source, status in sorted(self._statuses.items())
        ]

    def has_changed(self, now_s: float) -> bool:
        """Tell whether something a reader should know at once changed since the last call."""
        before, self._told = self._told, [_news(status) for status in self.statuses(now_s)]
        return self._told != before


def _news(status: SourceStatus) -> tuple[str, str, SourceState, str]:
    """Return what is told at once when it changes; the rest changes with every renewal."""
    return status.source, status.label, status.state, status.message


def _down(status: SourceStatus) -> SourceStatus:
    return msgspec.structs.replace(
        status, state=SourceState.DOWN, message="the source has fallen silent"
    )
