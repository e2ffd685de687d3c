"""All symbols' lines, and which source each is fed by."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from feed_server.errors import NotOfferedError, ProviderError, UnknownSymbolError
from feed_server.ingest.line import Line
from feed_server.ingest.router import Router
from feed_server.market.events import MarketEvent
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Quote, SymbolInfo
from feed_server.providers.base import Provider

MAX_AHEAD_MS = 5_000
"""A live source's clock may be so far ahead of ours; what is later is refused."""
UNKNOWN = "unknown_symbol"
"""Why an event was not taken of which nobody asked for the symbol."""


class Floor:
    """Takes what sources tell of symbols to their lines. Pure but for the callbacks.

    Args:
        providers: The preferred first.
        grace_ms: For how long late trades amend a bar that has ended.
        now_ms: The clock, UTC epoch milliseconds.
        on_due: Called with a symbol when something of it has to be published.
        on_waiting: Called with a symbol that still has.
        offers: See `Router`.

    Attributes:
        lines: By symbol.
        router: Which source a symbol comes from.
        refused: By source and reason how many events were not taken.
        market_ms: By source the event time that it has reached.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        grace_ms: int,
        now_ms: Callable[[], int],
        on_due: Callable[[str], None],
        on_waiting: Callable[[str], None],
        offers: Callable[[str, str], bool] = lambda _source, _symbol: True,
    ) -> None:
        self.lines: dict[str, Line] = {}
        self.router = Router([provider.name for provider in providers], offers)
        self.refused: dict[str, Counter[str]] = {p.name: Counter() for p in providers}
        self.market_ms: dict[str, int] = {}
        self._reached_ms: dict[str, int] = {}
        self._providers = {provider.name: provider for provider in providers}
        self._calendars = {p.name: SessionCalendar(p.zone) for p in providers}
        self._grace_ms = grace_ms
        self._now_ms = now_ms
        self._on_due = on_due
        self._on_waiting = on_waiting
        self._one_source = len(providers) == 1
        self._wanted: set[str] = set()

    def open(self, info: SymbolInfo) -> Line:
        """Return the line of a symbol, a new one where there was none."""
        line = self.lines.get(info.symbol)
        if line is None:
            max_ahead_ms = (
                None if self._providers[info.source].capabilities.resumable else MAX_AHEAD_MS
            )
            line = self.lines[info.symbol] = Line(
                info,
                self._calendars[info.source],
                grace_ms=self._grace_ms,
                max_ahead_ms=max_ahead_ms,
            )
            line.want(info.symbol in self._wanted)
        return line

    def take(self, source: str, events: Iterable[MarketEvent]) -> list[SymbolInfo]:
        """Take a source's events; return the symbols whose source is another now."""
        received_ms = self._now_ms()
        refused, lines = self.refused[source], self.lines
        moved = []
        newest_ms = self.market_ms.get(source, 0)
        for event in events:
            line = lines.get(event.symbol)
            if line is None:
                refused[UNKNOWN] += 1
                continue
            if not self._one_source:
                is_new = self.router.take(source, event.symbol)
                if is_new is None:
                    continue
                if is_new and line.info.source != source:
                    self._move(line, source)
                    moved.append(line.info)
            reason = line.apply(event, received_ms)
            if reason is not None:
                refused[reason] += 1
            newest_ms = max(newest_ms, event.time_ms if reason is None else 0)
            if line.due:
                self._on_due(event.symbol)
        if newest_ms > self.market_ms.get(source, 0):
            self.market_ms[source], self._reached_ms[source] = newest_ms, received_ms
        return moved

    def _move(self, line: Line, source: str) -> None:
        """Feed a line from another source: what a reader must know of its prices changes."""
        provider = self._providers[source]
        line.info = replace(line.info, source=source, label=provider.label, zone=provider.zone)

    def advance(self) -> None:
        """Close bars that are over although nothing trades, and publish what has waited."""
        now_ms = self._now_ms()
        clocks = {source: self._clock_ms(source, now_ms) for source in self._providers}
        for symbol, line in self.lines.items():
            line.advance(clocks[line.info.source])
            if line.due or line.overdue(now_ms):
                self._on_waiting(symbol)

    def _clock_ms(self, source: str, now_ms: int) -> int:
        """Return how far a source's market is: as late as its newest event was, where it is live.

        By our own clock, a source whose prices are delayed would find its bars closed.
        """
        market_ms = self.market_ms.get(source, 0)
        if not market_ms or self._providers[source].capabilities.resumable:
            return market_ms
        return min(now_ms, market_ms + now_ms - self._reached_ms[source])

    def want(self, symbols: Collection[str], wanted: bool) -> None:
        """Keep trades of symbols, also of lines to come, for publishing from now on, or no more."""
        if wanted:
            self._wanted.update(symbols)
        else:
            self._wanted.difference_update(symbols)
        for symbol in symbols:
            line = self.lines.get(symbol)
            if line is not None:
                line.want(wanted)
                if wanted and line.due:
                    self._on_due(symbol)

    def taken(self, source: str) -> Mapping[str, int]:
        """Return by symbol that comes from a source how many events were taken."""
        return {s: line.taken for s, line in self.lines.items() if line.info.source == source}

    def quote(self, symbol: str) -> Quote | None:
        """Return what was taken for publishing last of a symbol; `None` where nothing was."""
        line = self.lines.get(symbol)
        return None if line is None or line.last_update is None else line.last_update.quote

    def received_ms(self, symbol: str) -> int:
        """Return when a symbol's newest data came, 0 where there are none."""
        quote = self.quote(symbol)
        return 0 if quote is None else quote.received_ms

    def refuse(self, source: str, symbol: str, error: ProviderError, now_s: float) -> None:
        """Note that a source cannot serve a symbol, or could not this time."""
        if isinstance(error, (UnknownSymbolError, NotOfferedError)):
            self.router.refuse(source, symbol, now_s)
        else:
            self.router.doubt(source, symbol)
        self.refused[source][type(error).__name__] += 1
