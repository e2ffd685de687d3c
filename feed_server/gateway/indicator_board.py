"""Indicators of the bars that pass: one series for all who watch a symbol's bars.

A series begins with history, which takes a moment: until then there are no values, and when it is
there, it is told, so that they are sent. What is heard meanwhile is kept and follows the history.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import structlog
from msgspec.structs import replace

from feed_server.bus.update import StoredUpdate
from feed_server.errors import QuotewireError
from feed_server.gateway.history import JoinedBars
from feed_server.market.history_join import NO_BARS, BarArray
from feed_server.market.indicator_line import Values
from feed_server.market.indicator_spec import IndicatorSpec, parse_spec
from feed_server.market.indicators import Series, computed, named
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar, Bars, Interval, SymbolInfo

LOADED_BARS = 2_500
"""Bars that a series begins with: what an indicator remembers of those before is nothing."""

LOADS_AT_ONCE = 4
RETRY_S = 2.0
AGAIN_S = 60.0
"""A history that lacks what its source could not tell is loaded again after so long."""
PATIENCE_S = 5.0
"""How long who asks over HTTP waits for a series; after it they get what their bars give."""
LINGER_S = 120.0
"""A series is kept for so long after the last who wanted it."""
MAX_LINGERING = 200
"""Series kept that nobody watches; those that were watched last."""
MAX_SERIES = 2_000
"""Series that are computed at once, which take half of a gigabyte; more wait without values."""
MAX_BARE = 1_000
"""Bars of a series that wait for its values, the newest."""
MAX_FOLLOWED = 50
"""Indicators of a series, of which some are not watched any more."""

log = structlog.get_logger(__name__)

Key = tuple[str, Interval]
Computed = tuple[str, Interval, str]
"""A symbol, an interval and the canonical text of an indicator."""


class BarSource(Protocol):
    """Where series begin, as `feed_server.gateway.history.History` gives it."""

    async def bars(
        self, symbol: str, interval: Interval, *, limit: int, start_ms: int = ..., end_ms: int = ...
    ) -> JoinedBars:
        """Return the newest bars of a symbol that begin in ``[start_ms, end_ms]``."""


@dataclass(slots=True, eq=False)
class _Entry:
    """One symbol's bars of one interval.

    Attributes:
        watchers: By indicator how many watch it.
        until_s: Until when it is kept without watchers.
        series: `None` while it may not go with what is heard.
        heard: By start the newest state of what was heard since a load began; `None` where none is
            under way.
        begun_anew: Whether what was heard before is void, so that a load must be repeated.
        awaited_s: Until when it is worth waiting for the series.
        loaded: Set when there is a series.
        bare: By start the final bars that were sent without values, for there was no series.
    """

    watchers: Counter[str] = field(default_factory=Counter)
    until_s: float = 0.0
    series: Series | None = None
    heard: dict[int, Bar] | None = None
    begun_anew: bool = False
    awaited_s: float = 0.0
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    bare: dict[int, Bar] = field(default_factory=dict)


class IndicatorBoard:
    """The series that somebody wants, fed with what passes.

    Args:
        history: Where they begin.
        latest: By symbol the present.
        symbols: Tells the zones by which sessions are dated.
        on_loaded: Called when a series has values that it had not, with the final bars that were
            sent without them.
    """

    def __init__(
        self,
        history: BarSource,
        latest: Mapping[str, StoredUpdate],
        symbols: Callable[[], Mapping[str, SymbolInfo]],
        on_loaded: Callable[[str, Interval, Sequence[Bar]], None],
    ) -> None:
        self._history = history
        self._latest = latest
        self._symbols = symbols
        self._on_loaded = on_loaded
        self._entries: dict[Key, _Entry] = {}
        self._by_symbol: dict[str, dict[Interval, _Entry]] = {}
        self._to_load: asyncio.Queue[tuple[Key, _Entry]] = asyncio.Queue()

    def __len__(self) -> int:
        """Return how many series there are."""
        return len(self._entries)

    def watch(self, wanted: Iterable[Computed]) -> None:
        """Compute these from now on; once more for each call."""
        for symbol, interval, text in wanted:
            entry = self._entry((symbol, interval))
            entry.watchers[text] += 1
            if entry.series is not None:
                entry.series.follow(parse_spec(text))

    def unwatch(self, wanted: Iterable[Computed]) -> None:
        """Take one `watch` of each back."""
        for symbol, interval, text in wanted:
            entry = self._entries.get((symbol, interval))
            if entry is None:
                continue
            entry.watchers[text] -= 1
            if entry.watchers[text] <= 0:
                del entry.watchers[text]
            if not entry.watchers:
                entry.until_s = time.monotonic() + LINGER_S
            _tidy(entry)
        self._let_go()

    def is_awaited(self, symbol: str, interval: Interval) -> bool:
        """Tell whether there are no values yet, but soon will be."""
        entry = self._entries.get((symbol, interval))
        loads = entry is not None and entry.series is None and entry.heard is not None
        return entry is not None and loads and time.monotonic() < entry.awaited_s

    def on_update(self, stored: StoredUpdate) -> None:
        """Take a symbol's next change; none is missing before it."""
        entries = self._by_symbol.get(stored.update.quote.symbol)
        if entries is None:
            return
        for bar in stored.update.bars:
            entry = entries.get(bar.interval)
            if entry is None:
                continue
            if entry.heard is not None:
                entry.heard[bar.start_ms] = bar
            if entry.series is not None:
                entry.series.take(bar)

    def on_restated(self, stored: StoredUpdate) -> None:
        """Take a symbol's state, where what came before it may be missing: begin anew."""
        symbol = stored.update.quote.symbol
        for interval, entry in self._by_symbol.get(symbol, {}).items():
            entry.series = None
            entry.loaded.clear()
            if entry.heard is None:
                self._load((symbol, interval), entry)
            else:
                entry.begun_anew = True

    def annotated(self, message: Bars, indicators: Sequence[str]) -> Bars:
        """Return a message of bars with the values of indicators that are watched."""
        for bar in message.rows:
            entry = self._entries.get((bar.symbol, bar.interval))
            if bar.final and entry is not None and entry.series is None:
                entry.bare[bar.start_ms] = bar
                if len(entry.bare) > MAX_BARE:
                    del entry.bare[next(iter(entry.bare))]
        values = {text: [self._values(text, bar) for bar in message.rows] for text in indicators}
        return replace(message, indicators=values)

    def _values(self, text: str, bar: Bar) -> Values:
        entry = self._entries.get((bar.symbol, bar.interval))
        spec = parse_spec(text)
        if entry is None or entry.series is None:
            return [None] * len(spec.outputs)
        return entry.series.values(spec, bar)

    async def columns(
        self, symbol: str, interval: Interval, specs: Sequence[IndicatorSpec], bars: BarArray
    ) -> dict[str, dict[str, Values]]:
        """Return indicators' values at some bars, the same that are sent with them.

        Those at bars that are older than the series are computed from so many bars before them
        that more would make no difference, but to what sums from the first
        (`IndicatorInfo.from_first`).

        Args:
            symbol: The instrument; it must be kept current.
            interval: Length of the bars.
            specs: Which indicators.
            bars: Oldest first.

        Returns:
            By canonical text and output one value for each bar.

        Raises:
            BusError: Redis cannot be reached.
        """
        entry = await self._asked(symbol, interval)
        # Begun anew meanwhile, it still has what these bars need.
        series = None if entry is None else entry.series
        older = NO_BARS
        if len(bars) and not _reaches(series, int(bars["start_ms"][0])):
            count = min(LOADED_BARS, 500 + 20 * max(spec.lookback for spec in specs))
            before_ms = int(bars["start_ms"][0]) - 1
            joined = await self._history.bars(symbol, interval, limit=count, end_ms=before_ms)
            older = joined.bars
        found = {}
        for spec in specs:
            # Others have their turn in between.
            await asyncio.sleep(0)
            given = np.concatenate([older, bars])
            if series is None:
                table = computed(spec, given, self._calendar(symbol))
            else:
                table = series.columns(spec, given)
            found[spec.text] = named(spec, table[:, len(older) :])
        if entry is not None:
            _tidy(entry)
        return found

    async def run(self) -> None:
        """Load what is wanted until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(LOADS_AT_ONCE):
                tasks.create_task(self._load_all(tasks))

    async def _asked(self, symbol: str, interval: Interval) -> _Entry | None:
        """Return what there is of a series that is asked for, when it is loaded."""
        self._let_go()
        idle = sum(not entry.watchers for entry in self._entries.values())
        known = (symbol, interval) in self._entries
        if symbol not in self._latest or (not known and idle >= MAX_LINGERING):
            return None
        entry = self._entry((symbol, interval))
        entry.until_s = time.monotonic() + LINGER_S
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await entry.loaded.wait()
        return entry

    def _entry(self, key: Key) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
            self._by_symbol.setdefault(key[0], {})[key[1]] = entry
            # Of one that is not current there is news soon, and it begins with that.
            if key[0] in self._latest:
                self._load(key, entry)
        return entry

    def _let_go(self) -> None:
        now_s = time.monotonic()
        idle = sorted((e.until_s, key) for key, e in self._entries.items() if not e.watchers)
        too_many = len(idle) - MAX_LINGERING
        over = [key for n, (until_s, key) in enumerate(idle) if until_s <= now_s or n < too_many]
        for key in over:
            del self._entries[key]
            del self._by_symbol[key[0]][key[1]]
            if not self._by_symbol[key[0]]:
                del self._by_symbol[key[0]]

    def _load(self, key: Key, entry: _Entry) -> None:
        """Have a series loaded: from here on what is heard is kept for it."""
        entry.heard = {}
        entry.begun_anew = False
        entry.awaited_s = time.monotonic() + PATIENCE_S
        self._to_load.put_nowait((key, entry))

    async def _load_all(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            key, entry = await self._to_load.get()
            if self._entries.get(key) is not entry:
                continue
            wait_s = await self._load_one(key, entry)
            if wait_s is not None:
                tasks.create_task(self._load_later(key, entry, wait_s))

    async def _load_later(self, key: Key, entry: _Entry, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        if self._entries.get(key) is entry and entry.heard is None:
            self._load(key, entry)

    async def _load_one(self, key: Key, entry: _Entry) -> float | None:
        """Load a series; return after how many seconds to do it again, if at all."""
        symbol, interval = key
        if entry.series is None and self._computed() >= MAX_SERIES:
            log.warning("too many series of indicators", symbol=symbol, interval=interval)
            entry.heard = None
            return AGAIN_S
        try:
            joined = await self._history.bars(symbol, interval, limit=LOADED_BARS)
        except QuotewireError as error:
            log.warning("indicators wait for history", symbol=symbol, error=str(error))
            entry.heard = None
            return RETRY_S
        latest = self._latest.get(symbol)
        if entry.begun_anew or (latest is not None and latest.epoch != joined.epoch):
            entry.heard = None
            return 0.0 if entry.begun_anew else RETRY_S
        series = Series(self._calendar(symbol))
        series.load(joined.bars)
        for text in list(entry.watchers):
            series.follow(parse_spec(text))
            await asyncio.sleep(0)
        return self._begin(key, entry, series, joined)

    def _begin(self, key: Key, entry: _Entry, series: Series, joined: JoinedBars) -> float | None:
        """Let a series follow what is heard."""
        heard, entry.heard = entry.heard or {}, None
        if entry.begun_anew:
            return 0.0
        latest = self._latest.get(key[0])
        if latest is not None:
            heard |= {b.start_ms: b for b in latest.update.bars if b.interval == key[1]}
        for _, bar in sorted(heard.items()):
            series.take(bar)
        entry.series = series
        entry.loaded.set()
        bare, entry.bare = [bar for _, bar in sorted(entry.bare.items())], {}
        self._on_loaded(*key, bare)
        return None if joined.note is None else AGAIN_S

    def _computed(self) -> int:
        return sum(entry.series is not None for entry in self._entries.values())

    def _calendar(self, symbol: str) -> SessionCalendar:
        info = self._symbols().get(symbol)
        return SessionCalendar(info.zone if info is not None else "UTC")


def _reaches(series: Series | None, start_ms: int) -> bool:
    """Tell whether a series begins no later than a bar."""
    return series is not None and series.start_ms is not None and series.start_ms <= start_ms


def _tidy(entry: _Entry) -> None:
    """Forget indicators that nobody watches, where they have become many."""
    followed = entry.series.indicators if entry.series is not None else []
    if entry.series is not None and len(followed) > MAX_FOLLOWED:
        for text in followed:
            if text not in entry.watchers:
                entry.series.forget(text)
