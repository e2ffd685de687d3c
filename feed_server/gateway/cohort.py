"""Members of the fan-out that share each frame. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from feed_server.gateway.pending import Batch, Pending
from feed_server.gateway.topics import Topic

Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[Member]):
    """One message for several members: encode it once.

    Attributes:
        members: For whom.
        topic: Of what.
        batch: The message.
        cohort: Whose it is; None where it is for one member alone.
    """

    members: tuple[Member, ...]
    topic: Topic
    batch: Batch
    cohort: "Cohort[Member] | None" = None


class Cohort(Generic[Member]):
    """Members that share each frame."""

    __slots__ = (
        "_as_tuple",
        "due_s",
        "lossless",
        "members",
        "next_flush_s",
        "pending",
        "symbols",
        "topic",
    )

    def __init__(self, topic: Topic, symbols: frozenset[str], pending: Pending) -> None:
        self.topic = topic
        self.symbols = symbols
        self.pending = pending
        self.lossless = topic.lossless
        self.members: dict[Member, None] = {}
        self.due_s: float | None = None
        self.next_flush_s = 0.0
        self._as_tuple: tuple[Member, ...] | None = None

    def join(self, member: Member) -> None:
        """Let a member have each frame from now on."""
        self.members[member] = None
        self._as_tuple = None

    def leave(self, member: Member) -> None:
        """Let a member have none any more; safe to call twice."""
        self.members.pop(member, None)
        self._as_tuple = None

    def take(self) -> Delivery[Member]:
        """Return what is pending, for all members."""
        if self._as_tuple is None:
            self._as_tuple = tuple(self.members)
        return Delivery(self._as_tuple, self.topic, self.pending.take(), self)
