"""A fan-out as the hub uses it: the latest value is kept before it is offered."""

from collections.abc import Iterable, Sequence

import msgspec

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.cohort import Delivery
from feed_server.gateway.fanout import Fanout
from feed_server.gateway.topics import Topic
from feed_server.protocol import Bar, Bars, Interval, Position, QuoteRow, Quotes, Trades
from tests.updates import bar, stored

QUOTES = Topic("quotes", None, max_hz=10)
SLOW_QUOTES = Topic("quotes", None, max_hz=1)
TRADES = Topic("trades", None, max_hz=10)
SLOW_TRADES = Topic("trades", None, max_hz=1)
DAILY = Topic("bars", Interval.DAY, max_hz=10)
MINUTES = Topic("bars", Interval.MINUTE, max_hz=10)


class Desk:
    """A fan-out with the state that it reads from, and all updates there were, by symbol."""

    def __init__(self) -> None:
        self.latest: dict[str, StoredUpdate] = {}
        self.log: dict[str, list[StoredUpdate]] = {}
        self.fanout: Fanout[str] = Fanout(self.latest)

    def offer(self, update: StoredUpdate, now_s: float = 0.0) -> None:
        symbol = update.update.quote.symbol
        self.latest[symbol] = update
        self.log.setdefault(symbol, []).append(update)
        self.fanout.offer(update, now_s)

    def restate(self, update: StoredUpdate, now_s: float = 0.0) -> None:
        self.latest[update.update.quote.symbol] = update
        self.fanout.restate(update, now_s)

    def due(self, now_s: float = 0.0) -> list[Delivery[str]]:
        return list(self.fanout.take_due(now_s))

    def logged_after(self, symbol: str, offset: int, page: int = 1000) -> list[StoredUpdate]:
        return [kept for kept in self.log.get(symbol, []) if kept.offset > offset][:page]

    def recover(self, member: str, now_s: float = 0.0, page: int = 1000) -> list[Delivery[str]]:
        """Bring all recoveries of a member to their end, page by page."""
        sent: list[Delivery[str]] = []
        for recovery in self.fanout.recoveries_of(member):
            while recovery.since:
                sent += self.advance(member, now_s, page)
        return sent

    def advance(self, member: str, now_s: float = 0.0, page: int = 1000) -> list[Delivery[str]]:
        """Give the first recovery of a member its next page of the log."""
        recovery = self.fanout.recoveries_of(member)[0]
        log = {s: self.logged_after(s, at.offset, page) for s, at in recovery.since.items()}
        return self.fanout.advance(recovery, log, now_s)


def traded(
    offset: int, symbol: str = "AAPL", *, trades: int = 1, epoch: str = "e1", missing: int = 0
) -> StoredUpdate:
    """Return an update whose last trade has an offset, and that offset as its price."""
    count = trades + missing
    sent = stored(symbol, offset, offset=offset, epoch=epoch, count=count, trades=trades)
    return with_(sent, missing=missing)


def closing(offset: int, day: int, symbol: str = "AAPL", epoch: str = "e1") -> StoredUpdate:
    """Return a trade that makes a day's bar final and opens the next one's."""
    ended = bar(symbol, day, day=day, final=True, time_ms=offset)
    begun = bar(symbol, offset, day=day + 1, time_ms=offset)
    return with_(traded(offset, symbol, epoch=epoch), bars=[ended, begun])


def quoted(offset: int, symbol: str = "AAPL", *, bars: Sequence[Bar] = ()) -> StoredUpdate:
    """Return an update in which the best prices alone have changed."""
    return with_(stored(symbol, offset, offset=offset), bars=list(bars))


def with_(update: StoredUpdate, **changes: object) -> StoredUpdate:
    """Return an update that tells something else."""
    return msgspec.structs.replace(update, update=msgspec.structs.replace(update.update, **changes))


def quotes_of(delivery: Delivery[str]) -> Quotes:
    assert isinstance(delivery.batch.message, Quotes)
    return delivery.batch.message


def trades_of(delivery: Delivery[str]) -> Trades:
    assert isinstance(delivery.batch.message, Trades)
    return delivery.batch.message


def bars_of(delivery: Delivery[str]) -> Bars:
    assert isinstance(delivery.batch.message, Bars)
    return delivery.batch.message


def rows(delivery: Delivery[str]) -> list[QuoteRow]:
    return quotes_of(delivery).rows


def lasts(deliveries: Iterable[Delivery[str]]) -> list[tuple[tuple[str, ...], str, float, int]]:
    return [(d.members, row.symbol, row.last, row.count) for d in deliveries for row in rows(d)]


def offsets(deliveries: Iterable[Delivery[str]], member: str) -> list[tuple[str, int]]:
    """Return the trades that a member is sent, in order."""
    return [
        (row.symbol, row.offset)
        for delivery in deliveries
        if member in delivery.members and isinstance(delivery.batch.message, Trades)
        for row in delivery.batch.message.rows
    ]


def at(offset: int, epoch: str = "e1") -> Position:
    return Position(epoch, offset)
