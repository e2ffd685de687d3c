"""What a relay has for a page, and when it goes there: in batches, few and bounded. Pure."""

from math import inf

from msgspec.structs import replace

from dashboard.relay.messages import Answer, Batch

EVERY_MS = 250
MAX_BYTES = 256 * 1024
MAX_UNANSWERED = 2
STALL_MS = 10_000


class Outbox:
    """Gathers what comes between two batches; nothing is dropped and nothing overtakes.

    The first thing after a pause goes at once. The page answers each batch; while too many are
    unanswered nothing goes, and once the box is full whoever fills it has to wait. So it is the
    feed that conflates for a slow page, as it does for any client that reads slowly.

    Args:
        relay: Names the link.
        every_ms: Between two batches at least.
        max_bytes: What may wait before the box is full.
        max_unanswered: Batches under way at most.
        stall_ms: A page that leaves a batch unanswered for so long is gone.
    """

    def __init__(
        self,
        relay: str,
        *,
        every_ms: float = EVERY_MS,
        max_bytes: int = MAX_BYTES,
        max_unanswered: int = MAX_UNANSWERED,
        stall_ms: float = STALL_MS,
    ) -> None:
        self._relay = relay
        self._every_ms = every_ms
        self._max_bytes = max_bytes
        self._max_unanswered = max_unanswered
        self._stall_ms = stall_ms
        self._texts: list[str] = []
        self._answers: list[Answer] = []
        self._bytes = 0
        self._number = 0
        self._last_ms = -inf
        self._under_way: dict[int, float] = {}

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be put in for now."""
        return self._bytes >= self._max_bytes

    def put_text(self, text: str) -> None:
        """Add a message of the feed."""
        self._texts.append(text)
        self._bytes += len(text)

    def put_answer(self, answer: Answer) -> None:
        """Add an answer to a request."""
        self._answers.append(answer)
        self._bytes += len(answer.body or "")

    def answered(self, number: int) -> None:
        """Take that the page has this batch, and so all before it."""
        self._under_way = {n: at_ms for n, at_ms in self._under_way.items() if n > number}

    def is_stalled(self, now_ms: float) -> bool:
        """Tell whether the page has left a batch unanswered for too long."""
        return now_ms >= self._stalls_ms()

    def deadline_ms(self) -> float:
        """Return when to look again at the latest; infinite while nothing is to be done."""
        return min(self._due_ms(), self._stalls_ms())

    def take(self, now_ms: float) -> Batch | None:
        """Return the next batch, if it is due; it counts as sent."""
        return self._cut(now_ms) if now_ms >= self._due_ms() else None

    def last(self, number: int | None, reason: str) -> Batch:
        """Return the batch that ends the link, with all that still waits, due or not.

        Args:
            number: The close code, if there was one.
            reason: For a person.
        """
        return replace(self._cut(-inf), closed=(number, reason))

    def _cut(self, now_ms: float) -> Batch:
        self._number += 1
        batch = Batch(self._relay, self._number, self._texts, self._answers)
        self._texts, self._answers, self._bytes = [], [], 0
        self._last_ms = self._under_way[self._number] = now_ms
        return batch

    def _due_ms(self) -> float:
        waits = bool(self._texts or self._answers)
        free = len(self._under_way) < self._max_unanswered
        return self._last_ms + self._every_ms if waits and free else inf

    def _stalls_ms(self) -> float:
        return min(self._under_way.values(), default=inf) + self._stall_ms
