"""Hands what a session tells of to the sinks that take it. Pure."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from dashboard.client.core.actions import BarsChanged, Failed, Lost, QuotesChanged, TradesChanged
from dashboard.client.core.bars import Bar
from dashboard.client.core.session import Session, Want
from dashboard.client.core.trades import Trade
from dashboard.client.errors import FeedError, feed_error, in_python
from dashboard.client.streams import Loss, Sink
from feed_server.protocol import Channel, Error, ErrorCode, Quote

Key = tuple[Channel, str, str | None]
"""Channel, symbol, and the interval of bars."""


class Delivery:
    """Sinks, by what they want.

    Args:
        session: What holds what came.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sinks: dict[Sink[Any], bool] = {}
        self._by_key: dict[Key, list[Sink[Any]]] = {}

    def __iter__(self) -> Iterator[Sink[Any]]:
        return iter(list(self._sinks))

    def __contains__(self, sink: Sink[Any]) -> bool:
        return sink in self._sinks

    @property
    def crowded(self) -> bool:
        """Whether a reader should be let run before more comes."""
        return any(sink.buffer.crowded for sink in self._sinks)

    @property
    def is_read(self) -> bool:
        """Whether readers have all the quotes that came."""
        return not any(sink.buffer for sink in self._sinks if sink.want.channel == "quotes")

    def add(self, sink: Sink[Any]) -> None:
        """Add a sink that gets nothing yet."""
        self._sinks[sink] = False

    def begin(self, sink: Sink[Any]) -> None:
        """Fill a sink from now on; first with what is held already, which is not told again."""
        self._sinks[sink] = True
        for key in _keys(sink.want):
            self._by_key.setdefault(key, []).append(sink)
            channel, symbol, interval = key
            failed = self._session.failure(channel, interval, symbol, sink.want.indicators)
            if failed is not None:
                sink.trouble(_refusal(failed))
        if sink.want.channel == "quotes":
            held = (self._session.quote(symbol) for symbol in dict.fromkeys(sink.want.symbols))
            sink.put([quote for quote in held if quote is not None])
        elif sink.want.channel == "bars" and sink.want.interval is not None:
            sink.put(_open_since(0, self._session.bars(sink.want.symbols[0], sink.want.interval)))

    def remove(self, sink: Sink[Any]) -> bool:
        """Remove a sink that is there; return whether it was being filled."""
        begun = self._sinks.pop(sink)
        for key in _keys(sink.want) if begun else ():
            self._by_key[key].remove(sink)
            if not self._by_key[key]:
                del self._by_key[key]
        return begun

    def quotes_changed(self, changed: QuotesChanged) -> None:
        """Hand quotes over."""
        self._put("quotes", changed.quotes)

    def trades_changed(self, changed: TradesChanged) -> None:
        """Hand trades over."""
        self._put("trades", changed.trades)

    def bars_changed(self, changed: BarsChanged) -> None:
        """Hand bars over: those that became final, then those that may still change."""
        bars = list(changed.finals)
        if changed.since_ms is not None:
            held = self._session.bars(changed.symbol, changed.interval)
            bars += _open_since(changed.since_ms, held)
        for sink in self._of("bars", changed.symbol, changed.interval):
            sink.put(bars)

    def lost(self, lost: Lost) -> None:
        """Tell of a gap."""
        for sink in self._of(lost.channel, lost.symbol, lost.interval):
            sink.lose(Loss(lost.symbol, None, lost.reason))

    def failed(self, failed: Failed) -> None:
        """Tell of what the feed does not give."""
        for sink in self._of(failed.channel, failed.symbol, failed.interval):
            if not failed.indicators or {*failed.indicators} & {*sink.want.indicators}:
                sink.trouble(_refusal(failed))

    def _of(self, channel: Channel, symbol: str, interval: str | None) -> Sequence[Sink[Any]]:
        return self._by_key.get((channel, symbol, interval), ())

    def _put(self, channel: Channel, items: Sequence[Quote] | Sequence[Trade]) -> None:
        by_sink: dict[Sink[Any], list[Quote | Trade]] = {}
        for item in items:
            for sink in self._by_key.get((channel, item.symbol, None), ()):
                taken = by_sink.get(sink)
                if taken is None:
                    by_sink[sink] = [item]
                else:
                    taken.append(item)
        for sink, taken in by_sink.items():
            sink.put(taken)


def _refusal(failed: Failed) -> FeedError:
    named = failed.symbol in failed.reason
    text = failed.reason if named else f"{failed.symbol}: {failed.reason}"
    return feed_error(in_python(Error(msgspec.convert(failed.code, ErrorCode), text)))


def _keys(want: Want) -> Iterator[Key]:
    for symbol in dict.fromkeys(want.symbols):
        yield want.channel, symbol, want.interval


def _open_since(since_ms: int, bars: Sequence[Bar]) -> list[Bar]:
    """Return the bars at the end that may still change, from a start on."""
    opened = takewhile(lambda bar: not bar.final and bar.start_ms >= since_ms, reversed(bars))
    return list(opened)[::-1]
