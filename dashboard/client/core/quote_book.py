"""Quotes as a client keeps them: whole, in order, each once. Pure."""

from collections.abc import Iterable

from dashboard.client.core.latency import Counts
from feed_server.protocol import Position, Quote, QuoteDetails, Quotes


class QuoteBook:
    """The newest quote of every symbol, whatever way it came.

    A poll's answer passes the same rule as what is pushed (`ordering.compare`), so that it never
    takes the place of a newer push.

    Args:
        counts: Where rows are counted.
    """

    def __init__(self, counts: Counts | None = None) -> None:
        self.counts = counts or Counts()

    def apply(self, message: Quotes, *, polled: bool = False) -> list[Quote]:
        """Take a message; return the quotes that changed, each symbol once.

        Args:
            message: As it came.
            polled: Whether it is the answer to a poll. A push that has no details of a symbol goes
                on from the push before, not from a poll's answer.
        """
        raise NotImplementedError

    def unlinked(self) -> None:
        """Take note that a link has ended: the next one tells details of its own."""
        raise NotImplementedError

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol."""
        raise NotImplementedError

    def quotes(self) -> dict[str, Quote]:
        """Return the newest quotes by symbol."""
        raise NotImplementedError

    def positions(self, symbols: Iterable[str]) -> dict[str, Position]:
        """Return where each of some symbols stands that is held: for `Subscribe.since`."""
        raise NotImplementedError

    def forget(self, symbol: str) -> None:
        """Know nothing of a symbol any more; what still arrives of it is late."""
        raise NotImplementedError


def price(last: float, steps: float | None, details: QuoteDetails) -> float | None:
    """Return a bid or an ask exactly; see `QuoteRow.bid`."""
    raise NotImplementedError
