"""Functions that are called with what happens."""

from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Listeners(Generic[T]):
    """Those who listen to one kind of event."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def add(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Add one, and return what ends that."""
        self._listeners.append(listener)

        def end() -> None:
            with suppress(ValueError):  # it has ended already
                self._listeners.remove(listener)

        return end

    def __call__(self, event: T, call: Callable[[Callable[[T], object], T], object]) -> None:
        """Have all called with an event."""
        for listener in self._listeners:
            call(listener, event)
