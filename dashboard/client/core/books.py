"""What came of all that is wanted: books, measures, and what they tell of a message. Pure."""

from collections.abc import Iterable, Sequence
from typing import Literal

from dashboard.client.core.actions import (
    Action,
    BarsChanged,
    Lost,
    QuotesChanged,
    StatusChanged,
    TradesChanged,
)
from dashboard.client.core.bar_book import BarBook, BarsChange
from dashboard.client.core.bars import Bar
from dashboard.client.core.latency import Counts, Meter
from dashboard.client.core.loads import Series
from dashboard.client.core.quote_book import QuoteBook
from dashboard.client.core.staleness import Age, Staleness
from dashboard.client.core.trade_book import TradeBook
from dashboard.client.core.trades import Trade, TradesChange
from feed_server.protocol import (
    Bars,
    BarSeries,
    Channel,
    Position,
    Quote,
    Quotes,
    SourceStatus,
    Status,
    SymbolInfo,
    Trades,
    TradeSeries,
)

_REASONS = {
    "gap": "history does not reach back to where it broke off",
    "epoch": "the feed began anew, and how it ended before cannot be known",
}


class Books:
    """All that is held.

    Attributes:
        meter: What is measured, and counted.
        sources: What the feed said of its sources, by their names.
        needs: Series of which history has to be loaded; whoever loads them empties it.
    """

    def __init__(self) -> None:
        self.meter = Meter(Counts())
        self.sources: dict[str, SourceStatus] = {}
        self.needs: list[Series] = []
        self._quotes = QuoteBook(self.meter.counts)
        self._bars = BarBook(self.meter.counts)
        self._trades = TradeBook(self.meter.counts)
        self._staleness = Staleness()

    def __len__(self) -> int:
        return len(self._quotes) + len(self._trades) + len(self._bars)

    # ---- what comes

    def quotes_came(self, now_ms: float, message: Quotes, *, polled: bool = False) -> list[Action]:
        """Take quotes."""
        changed = self._quotes.apply(message, polled=polled)
        if not changed:
            return []
        pushed = not (polled or message.snapshot)
        heard = self._staleness.heard
        newest = None
        for quote in changed:
            if heard(quote.symbol, quote.received_ms):
                newest = quote
        self.meter.applied(now_ms, len(changed), newest if pushed else None)
        return [QuotesChanged(changed, pushed)]

    def trades_came(self, now_ms: float, message: Trades) -> list[Action]:
        """Take trades."""
        return self._trades_changed(now_ms, self._trades.apply(message))

    def bars_came(self, now_ms: float, message: Bars) -> list[Action]:
        """Take bars."""
        return self._bars_changed(now_ms, self._bars.apply(message))

    def loaded(
        self,
        now_ms: float,
        body: BarSeries | TradeSeries,
        start_ms: int | None,
        end_ms: int | None = None,
    ) -> list[Action]:
        """Take history, asked for from a start on, or up to an end."""
        if isinstance(body, BarSeries):
            bars = self._bars.apply_series(body, start_ms=start_ms, end_ms=end_ms)
            return [] if bars is None else self._bars_changed(now_ms, [bars])
        trades = self._trades.apply_series(body)
        return [] if trades is None else self._trades_changed(now_ms, [trades])

    def give_up(self, now_ms: float, series: Series, code: str, reason: str) -> list[Action]:
        """End a gap that cannot be mended, for the reason that is given."""
        if series.channel == "trades":
            trades = self._trades.give_up(series.symbol)
            found = [] if trades is None else self._trades_changed(now_ms, [trades])
        else:
            bars = self._bars.give_up(series.symbol, series.interval or "")
            found = [] if bars is None else self._bars_changed(now_ms, [bars])
        lost = Lost(series.channel, series.symbol, series.interval, code, reason)
        return [lost if isinstance(action, Lost) else action for action in found]

    def status_came(self, message: Status) -> list[Action]:
        """Take how the sources do; nothing is told where that is known."""
        sources = {status.source: status for status in message.sources}
        if sources == self.sources:
            return []
        self.sources = sources
        self._staleness.sources({name: status.state for name, status in sources.items()})
        return [StatusChanged(sources)]

    def symbols_came(self, symbols: Iterable[SymbolInfo]) -> None:
        """Take what instruments there are."""
        known = list(symbols)
        self._staleness.symbols({info.symbol: info.source for info in known})
        self.meter.replayed = frozenset(i.symbol for i in known if i.label.startswith("REPLAY"))

    def connection(self, state: str) -> None:
        """Take how the connection does."""
        self._staleness.connection(state)

    def unlinked(self) -> None:
        """Take note that nothing is pushed until it is asked for again."""
        self._quotes.unlinked()
        self._trades.unlinked()
        self._bars.unlinked()

    def forget(self, channel: Channel, interval: str | None, symbol: str) -> None:
        """Let go what is held of something."""
        if channel == "quotes":
            self._quotes.forget(symbol)
            self._staleness.forget(symbol)
        elif channel == "trades":
            self._trades.forget(symbol)
        else:
            self._bars.forget(symbol, interval or "")

    # ---- what is known

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol."""
        return self._quotes.quote(symbol)

    def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """Return the bars of a series, oldest first."""
        return self._bars.bars(symbol, interval)

    def outputs(self, indicator: str) -> Sequence[str]:
        """Return the names of an indicator's outputs; empty before history told them."""
        return self._bars.outputs(indicator)

    def trades(self, symbol: str) -> list[Trade]:
        """Return the last trades of a symbol, oldest first."""
        return self._trades.tail(symbol)

    def age(self, symbol: str, now_ms: float) -> Age:
        """Tell how old a symbol's quote is."""
        return self._staleness.of(symbol, self.meter.server_ms(now_ms))

    def positions(
        self, channel: Channel, interval: str | None, symbols: Iterable[str]
    ) -> dict[str, Position]:
        """Return where each of some symbols stands that is held."""
        if channel == "quotes":
            return self._quotes.positions(symbols)
        if channel == "trades":
            return self._trades.positions(symbols)
        return self._bars.positions(symbols, interval or "")

    def reaches(self, body: TradeSeries) -> bool:
        """Tell whether trades go on from those that are held, or could not."""
        return self._trades.reaches(body)

    def has_gap(self, series: Series) -> bool:
        """Tell whether a series has a gap that history may mend."""
        if series.channel == "trades":
            return self._trades.needs_history(series.symbol)
        return self._bars.needs_history(series.symbol, series.interval or "")

    def is_loaded(self, symbol: str, interval: str) -> bool:
        """Tell whether the history before the live bars is held."""
        return self._bars.is_loaded(symbol, interval)

    def resume_from(self, symbol: str, interval: str) -> int | None:
        """Return the start from which bars have to be asked for again."""
        return self._bars.resume_from(symbol, interval)

    # ---- how

    def _trades_changed(self, now_ms: float, changes: Sequence[TradesChange]) -> list[Action]:
        actions: list[Action] = []
        trades: list[Trade] = []
        for change in changes:
            if change.lost:
                actions.append(_lost("trades", change.symbol, None, change.lost))
            if change.needs_history:
                self.needs.append(Series("trades", change.symbol, None))
            trades += change.trades
        if trades:
            self.meter.applied(now_ms, len(trades))
            actions.append(TradesChanged(trades))
        return actions

    def _bars_changed(self, now_ms: float, changes: Sequence[BarsChange]) -> list[Action]:
        actions: list[Action] = []
        for change in changes:
            symbol, interval = change.symbol, change.interval
            if change.lost:
                actions.append(_lost("bars", symbol, interval, change.lost))
            if change.needs_history or change.lost == "epoch":
                self.needs.append(Series("bars", symbol, interval))
            if change.since_ms is not None or change.finals:
                finals = list(change.finals)
                told = BarsChanged(symbol, interval, change.reset, change.since_ms, finals)
                actions.append(told)
                self.meter.applied(now_ms, 1)
        return actions


def _lost(channel: Literal["bars", "trades"], symbol: str, interval: str | None, code: str) -> Lost:
    return Lost(channel, symbol, interval, code, _REASONS.get(code, code))
