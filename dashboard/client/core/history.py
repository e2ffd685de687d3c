"""When history is loaded, and what becomes of it: at the beginning, over gaps, and for polls. Pure.

A series is loaded once it is subscribed to, so that no bar is missed between the two.
"""

from collections.abc import Callable, Iterable
from typing import Literal

from dashboard.client.core.actions import Action, Load
from dashboard.client.core.books import Books
from dashboard.client.core.loads import Loads, Series
from dashboard.client.core.login import DENIALS
from dashboard.client.core.machine import Machine
from dashboard.client.core.subscriptions import Subscriptions
from feed_server.protocol import BarSeries, Channel, ErrorCode, TradeSeries

MOST_BARS = 5_000
"""Asked for at most, to mend a gap."""
MOST_TRADES = 10_000
POLLED_TRADES = 500
LEAST_BARS = 2
"""Asked for to know where a series stands of which no history is wanted."""
REFUSED = 6
"""A refusal counts as so many failures: it is asked for again, but seldom."""

_PASSING = {"unreachable", "timeout", *DENIALS, *(str(code) for code in ErrorCode if code.retry)}


class History:
    """Loads what is wanted.

    Args:
        wanted: What that is.
        books: What is held.
        random: Uniform in [0, 1), for the jitter of another try.
    """

    def __init__(self, wanted: Subscriptions, books: Books, random: Callable[[], float]) -> None:
        self._wanted = wanted
        self._books = books
        self._loads = Loads(random)
        self._loaded_with: dict[Series, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._loads) + len(self._loaded_with)

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is."""
        return self._loads.deadline()

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._loads.clear()

    def tick(self, now_ms: float, machine: Machine) -> list[Action]:
        """Ask again for what has failed a while ago."""
        if machine.is_hidden:
            return []
        return self._ask_all(now_ms, self._loads.tick(now_ms), machine)

    def subscribed(
        self,
        now_ms: float,
        channel: Channel,
        interval: str | None,
        symbols: Iterable[str],
        machine: Machine,
    ) -> list[Action]:
        """Load what is missing of series that are pushed from now on."""
        if channel == "quotes":
            return []
        found = [Series(channel, symbol, interval) for symbol in symbols]
        return self._need([s for s in found if self._is_missing(s)], now_ms, machine)

    def wanted(
        self, now_ms: float, interval: str, symbols: Iterable[str], machine: Machine
    ) -> list[Action]:
        """Load the history of bars that are followed already, where it is wanted now."""
        return self.subscribed(now_ms, "bars", interval, symbols, machine)

    def mend(self, now_ms: float, machine: Machine) -> list[Action]:
        """Load what mends the gaps that were found."""
        if not self._books.needs:
            return []
        needs, self._books.needs = self._books.needs, []
        return self._need([s for s in needs if self._is_missing(s)], now_ms, machine)

    def polled(self, now_ms: float, machine: Machine) -> list[Action]:
        """Load what would be pushed if there was a link."""
        channels: tuple[Literal["bars", "trades"], ...] = ("trades", "bars")
        series = [
            Series(channel, symbol, interval)
            for channel in channels
            for symbol, interval in self._wanted.wanted(now_ms, channel)
        ]
        return self._need(series, now_ms, machine)

    def loaded(
        self, now_ms: float, number: int, body: BarSeries | TradeSeries, machine: Machine
    ) -> list[Action]:
        """Take an answer."""
        taken = self._loads.take(number)
        if taken is None:
            return []
        series, running = taken
        if running.start_ms is None and series.channel == "bars":
            self._loaded_with[series] = running.indicators
        actions = self._books.loaded(now_ms, body, running.start_ms)
        needs, self._books.needs = self._books.needs, []
        if series in needs and self._books.has_gap(series):
            self._loads.failed(now_ms, series)
        else:
            again = running.again
            self._loads.drop(series)
            if again:
                actions += self._need([series], now_ms, machine)
        return actions

    def failed(self, now_ms: float, number: int, code: str, reason: str) -> list[Action]:
        """Take note that there is no answer."""
        taken = self._loads.take(number)
        if taken is None:
            return []
        series, _ = taken
        if code in _PASSING:
            self._loads.failed(now_ms, series)
            return []
        if self._books.has_gap(series):
            self._loads.drop(series)
            return self._books.give_up(now_ms, series, code, reason)
        self._loads.failed(now_ms, series, times=REFUSED)
        return []

    def forget(self, channel: Channel, interval: str | None, symbol: str) -> None:
        """Let go what is held, and wait for nothing of it."""
        self._books.forget(channel, interval, symbol)
        if channel != "quotes":
            series = Series(channel, symbol, interval)
            self._loads.drop(series)
            self._loaded_with.pop(series, None)

    # ---- how

    def _need(self, needed: Iterable[Series], now_ms: float, machine: Machine) -> list[Action]:
        ready = [series for series in needed if self._loads.need(series)]
        return self._ask_all(now_ms, ready, machine)

    def _ask_all(self, now_ms: float, ready: Iterable[Series], machine: Machine) -> list[Action]:
        actions: list[Action] = []
        for series in ready:
            if self._wanted.holds(series.channel, series.interval, series.symbol):
                actions.append(self._ask(now_ms, series, machine))
            else:
                self._loads.drop(series)
        return actions

    def _ask(self, now_ms: float, series: Series, machine: Machine) -> Load:
        symbol, interval = series.symbol, series.interval
        start_ms: int | None = None
        limit = MOST_TRADES if self._books.has_gap(series) else POLLED_TRADES
        indicators: tuple[str, ...] = ()
        if interval is not None:
            indicators = self._wanted.indicators(interval, symbol)
            limit = max(self._wanted.history(interval, symbol), LEAST_BARS)
            if not self._is_first(series):
                start_ms = self._books.resume_from(symbol, interval)
                limit = limit if start_ms is None else MOST_BARS
        return Load(
            "relay" if machine.live_way() == "relay" else "polling",
            self._loads.begin(now_ms, series, start_ms, indicators),
            series.channel,
            symbol,
            limit,
            interval,
            start_ms,
            None,
            indicators,
        )

    def _is_missing(self, series: Series) -> bool:
        return self._books.has_gap(series) or self._is_first(series)

    def _is_first(self, series: Series) -> bool:
        """Tell whether all the history that is wanted of bars has to be loaded."""
        symbol, interval = series.symbol, series.interval
        if interval is None or not self._wanted.history(interval, symbol):
            return False
        have = self._loaded_with.get(series)
        lacks = have is None or not set(self._wanted.indicators(interval, symbol)) <= set(have)
        return lacks or not self._books.is_loaded(symbol, interval)
