"""At most so many applies a second: the first at once, then the newest of what came. Pure."""

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class Pace(Generic[Key, Item]):
    """Holds what changed until it may be applied.

    Args:
        max_hz: Applies a second at most; 0 for no limit.
        merge: Makes one item of the held and the newer one of a key; without it the newer counts.
    """

    def __init__(
        self, max_hz: float = 0, merge: Callable[[Item, Item], Item] | None = None
    ) -> None:
        self._gap_ms = _gap(max_hz)
        self._merge = merge
        self._held: dict[Key, Item] = {}
        self._free_ms = float("-inf")
        self._hidden = False

    def configure(self, max_hz: float) -> None:
        """Set another rate; it counts from the last apply on."""
        gap_ms = _gap(max_hz)
        self._free_ms += gap_ms - self._gap_ms
        self._gap_ms = gap_ms

    def offer(self, now_ms: float, items: Mapping[Key, Item]) -> dict[Key, Item]:
        """Take what changed; return what to apply now, nothing where it is too early."""
        for key, item in items.items():
            if self._merge is not None and key in self._held:
                item = self._merge(self._held[key], item)  # noqa: PLW2901
            self._held[key] = item
        return self.take(now_ms)

    def take(self, now_ms: float) -> dict[Key, Item]:
        """Return what to apply now, nothing where it is too early or there is nothing."""
        if self._hidden or not self._held or now_ms < self._free_ms:
            return {}
        held, self._held = self._held, {}
        self._free_ms = now_ms + self._gap_ms
        return held

    def deadline(self) -> float | None:
        """Return when to `take`, None where nothing waits for the time."""
        return self._free_ms if self._held and not self._hidden else None

    def hide(self) -> None:
        """Hold everything from now on."""
        self._hidden = True

    def show(self, now_ms: float) -> dict[Key, Item]:
        """Hold no longer; return what to apply now."""
        self._hidden = False
        return self.take(now_ms)

    def clear(self) -> None:
        """Drop what is held."""
        self._held = {}


def _gap(max_hz: float) -> float:
    return 1000 / max_hz if max_hz else 0.0
