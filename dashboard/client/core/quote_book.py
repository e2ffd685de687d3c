"""Quotes as a client keeps them: whole, in order, each once. Pure."""

from collections.abc import Iterable

from dashboard.client.core.latency import Counts
from dashboard.client.core.ordering import Epochs, compare
from feed_server.protocol import Position, Quote, QuoteDetails, QuoteRow, Quotes


class _Held:
    """What is held of a symbol: its newest quote, and what the next row is measured by."""

    __slots__ = ("details", "epoch", "live", "offset", "pushed", "quote", "time_ms")

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.live = False
        self.quote: Quote | None = None
        self.time_ms = 0
        self.offset = 0
        self.details: QuoteDetails | None = None
        self.pushed: QuoteDetails | None = None


class QuoteBook:
    """The newest quote of every symbol, whatever way it came.

    A poll's answer passes the same rule as what is pushed (`ordering.compare`), so that it never
    takes the place of a newer push.

    Args:
        counts: Where rows are counted.
    """

    def __init__(self, counts: Counts | None = None) -> None:
        self.counts = counts or Counts()
        self._held: dict[str, _Held] = {}
        self._epochs = Epochs()

    def __len__(self) -> int:
        return len(self._held)

    def apply(self, message: Quotes, *, polled: bool = False) -> list[Quote]:
        """Take a message; return the quotes that changed, each symbol once.

        Args:
            message: As it came.
            polled: Whether it is the answer to a poll. A push that has no details of a symbol goes
                on from the push before, not from a poll's answer.
        """
        told, held_of = message.details, self._held
        event_ms, received_ms, snapshot = message.event_ms, message.received_ms, message.snapshot
        changed: dict[str, Quote] = {}
        for row in message.rows:
            symbol = row.symbol
            held = held_of.get(symbol)
            details = told.get(symbol) if told else None
            if details is None:
                details = None if held is None else held.pushed
            else:
                held = self._enter(symbol, details, polled)
            if held is None or details is None or details.epoch != held.epoch:
                self.counts.late += 1
                continue
            time_ms = event_ms + row.event_delta_ms
            if self._is_new(held, details, time_ms, row, snapshot):
                quote = _whole(row, details, time_ms, received_ms + row.received_delta_ms)
                held.quote, held.details = quote, details
                held.time_ms, held.offset = time_ms, row.offset
                changed[symbol] = quote
        self.counts.received += len(message.rows)
        return list(changed.values())

    def unlinked(self) -> None:
        """Take note that a link has ended: the next one goes on from what is held now."""
        for held in self._held.values():
            held.pushed, held.live = held.details, False

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol."""
        held = self._held.get(symbol)
        return None if held is None else held.quote

    def quotes(self) -> dict[str, Quote]:
        """Return the newest quotes by symbol."""
        return {s: held.quote for s, held in self._held.items() if held.quote is not None}

    def positions(self, symbols: Iterable[str]) -> dict[str, Position]:
        """Return where each of some symbols stands that is held: for `Subscribe.since`."""
        found = ((symbol, self._held.get(symbol)) for symbol in symbols)
        return {s: Position(held.epoch, held.offset) for s, held in found if held and held.quote}

    def forget(self, symbol: str) -> None:
        """Know nothing of a symbol any more; what still arrives of it without details is late."""
        self._held.pop(symbol, None)
        self._epochs.forget(symbol)

    def _enter(self, symbol: str, details: QuoteDetails, polled: bool) -> _Held:
        """Return what a row with details belongs to, if their epoch is the same."""
        held = self._held.get(symbol)
        if polled and held is not None and held.live:
            return held
        entered = self._epochs.enter(symbol, details.epoch)
        if held is None or entered == "new":
            held = self._held[symbol] = _Held(details.epoch)
        held.pushed, held.live = details, not polled
        return held

    def _is_new(
        self, held: _Held, details: QuoteDetails, time_ms: int, row: QuoteRow, snapshot: bool
    ) -> bool:
        """Tell whether a row changes what is held, and count what it is otherwise.

        A snapshot repeats what is held by its nature; only an update that does is counted.
        """
        if held.quote is None:
            self.counts.conflated += max(0, row.count - 1)
            return True
        order = compare(held.time_ms, held.offset, time_ms, row.offset)
        if order > 0:
            # Offsets count every change, also those that a poll or a reconnect has skipped.
            self.counts.conflated += max(0, row.offset - held.offset - 1)
            return True
        if order < 0:
            self.counts.late += 1
            return False
        self.counts.duplicates += not snapshot
        return details is not held.details and details != held.details


def _price(last: float, steps: float | None, decimals: int | None) -> float | None:
    """Return a bid or an ask exactly; see `QuoteRow.bid`."""
    if steps is None or decimals is None:
        return steps
    scale: int = 10**decimals
    return (round(last * scale) + steps) / scale


def _whole(row: QuoteRow, details: QuoteDetails, time_ms: int, received_ms: int) -> Quote:
    return Quote(
        row.symbol,
        row.last,
        row.size,
        _price(row.last, row.bid, details.decimals),
        _price(row.last, row.ask, details.decimals),
        row.volume,
        details.open,
        details.high,
        details.low,
        details.prev_close,
        details.session,
        time_ms,
        received_ms,
        row.count,
    )
