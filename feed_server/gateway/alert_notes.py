"""Tells a user's connections what has become of the user's alerts."""

from collections.abc import Callable

from feed_server.bus.alerts import AlertNote
from feed_server.gateway.frames import Frame
from feed_server.gateway.subjects import Subjects
from feed_server.protocol import Alerted

TOGETHER_S = 0.1
"""Alerts that are set and removed in so short a time are told of once: who hears asks for all."""


class AlertNotes:
    """Passes notes on: at once what has fired, changes of a user together.

    Args:
        subjects: The connections.
        call_later: Calls in so many seconds.
    """

    def __init__(
        self, subjects: Subjects, call_later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._subjects = subjects
        self._call_later = call_later
        self._changed: dict[str, None] = {}

    def take(self, note: AlertNote) -> None:
        """Pass a note on, or keep it for a moment."""
        fired = note.fired
        if fired is None:
            if not self._changed:
                self._call_later(TOGETHER_S, self._tell_all)
            self._changed[note.subject] = None
            return
        if note.subject in self._changed:
            # In the order in which it happened.
            del self._changed[note.subject]
            self._tell_changed(note.subject)
        frame = Frame(Alerted(fired))
        for client in self._subjects.of(note.subject):
            if client.grant is not None and client.grant.allows("quotes", fired.symbol):
                client.say_frame(frame)

    def _tell_all(self) -> None:
        changed, self._changed = self._changed, {}
        for subject in changed:
            self._tell_changed(subject)

    def _tell_changed(self, subject: str) -> None:
        frame = Frame(Alerted())
        for client in self._subjects.of(subject):
            client.say_frame(frame)
