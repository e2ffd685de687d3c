"""All connections of a gateway, seen to in turn rather than all at once. Pure."""

from collections.abc import Iterable, Iterator

from feed_server.gateway.client import Client

SLOTS = 20


class Roll:
    """A ring of slots: each turn brings up the next, so that heartbeats are spread evenly."""

    def __init__(self) -> None:
        self._slots: list[dict[Client, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Client, int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._slot_of))

    def add(self, client: Client) -> None:
        """Take in a client, where there are fewest."""
        slot = min(range(SLOTS), key=lambda i: len(self._slots[i]))
        self._slots[slot][client] = None
        self._slot_of[client] = slot

    def remove(self, client: Client) -> bool:
        """Forget a client; tell whether it was there."""
        slot = self._slot_of.pop(client, None)
        if slot is None:
            return False
        del self._slots[slot][client]
        return True

    def turn(self) -> Iterable[Client]:
        """Return the clients whose turn it is; each comes up once in `SLOTS` turns."""
        self._next = (self._next + 1) % SLOTS
        return list(self._slots[self._next])
