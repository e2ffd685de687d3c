"""Quotes as a client keeps them: whole, in order, each once. Pure."""

from collections.abc import Iterator

from feed_server.protocol import Quote, QuoteDetails, QuoteRow, Quotes


class QuoteBook:
    """Puts rows and details together and drops what is not newer.

    Attributes:
        dropped: Rows that were duplicates or late.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._details: dict[str, QuoteDetails] = {}
        self._kept: dict[str, tuple[str, int, int]] = {}

    def apply(self, message: Quotes) -> Iterator[Quote]:
        """Take a message; yield what is newer than all before, whole.

        Newer is: a new epoch, else a later event time, else at equal times a higher offset.
        """
        self._details.update(message.details)
        for row in message.rows:
            details = self._details.get(row.symbol)
            if details is None:
                self.dropped += 1
                continue
            time_ms = message.event_ms + row.event_delta_ms
            kept = self._kept.get(row.symbol)
            place = (details.epoch, time_ms, row.offset)
            if kept is not None and kept[0] == place[0] and place[1:] <= kept[1:]:
                self.dropped += 1
                continue
            self._kept[row.symbol] = place
            yield _whole(row, details, time_ms, message.received_ms + row.received_delta_ms)


def _price(last: float, steps: float | None, decimals: int | None) -> float | None:
    """Return a bid or an ask exactly; see `QuoteRow.bid`."""
    if steps is None or decimals is None:
        return steps
    scale: int = 10**decimals
    return (round(last * scale) + steps) / scale


def _whole(row: QuoteRow, details: QuoteDetails, time_ms: int, received_ms: int) -> Quote:
    return Quote(
        symbol=row.symbol,
        last=row.last,
        size=row.size,
        bid=_price(row.last, row.bid, details.decimals),
        ask=_price(row.last, row.ask, details.decimals),
        volume=row.volume,
        open=details.open,
        high=details.high,
        low=details.low,
        prev_close=details.prev_close,
        session=details.session,
        time_ms=time_ms,
        received_ms=received_ms,
        count=row.count,
    )
