"""Updates as tests need them."""

from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.protocol import Bar, Interval, Quote, TradePrint

DAY_MS = 86_400_000


def update(
    symbol: str = "AAPL",
    last: float = 1.0,
    *,
    time_ms: int = 1_000,
    count: int = 1,
    day: int = 0,
    trades: int = 0,
) -> SymbolUpdate:
    """Return a symbol's update whose bar forms on a given day.

    The last ``trades`` of its ``count`` changes are trades that it tells: their sizes count up to
    that of the last.
    """
    quote = Quote(
        symbol=symbol,
        last=float(last),
        size=1.0,
        bid=None,
        ask=None,
        volume=float(last),
        open=1,
        high=9,
        low=1,
        prev_close=None,
        session="1970-01-01",
        time_ms=time_ms,
        received_ms=time_ms + 3,
        count=count,
    )
    told = [TradePrint(time_ms, float(last), float(size)) for size in range(1, trades + 1)]
    missing = count - trades if trades else 0
    return SymbolUpdate(quote, [bar(symbol, last, time_ms=time_ms, day=day)], told, missing)


def bar(
    symbol: str = "AAPL",
    close: float = 1.0,
    *,
    time_ms: int = 1_000,
    day: int = 0,
    final: bool = False,
    interval: Interval = Interval.DAY,
) -> Bar:
    """Return a bar: a day's, or the ``day``-th of a shorter interval."""
    return Bar(symbol, interval, day * interval.ms, 1, 9, 1, close, close, time_ms, final)


def stored(
    symbol: str = "AAPL",
    last: float = 1.0,
    *,
    offset: int = 1,
    epoch: str = "e1",
    count: int = 1,
    trades: int = 0,
) -> StoredUpdate:
    """Return an update as the bus hands it on."""
    sent = update(symbol, last, time_ms=offset, count=count, trades=trades)
    return StoredUpdate(epoch, offset, sent)
