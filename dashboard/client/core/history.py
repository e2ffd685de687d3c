"""When history is loaded, and what becomes of it: at the beginning, over gaps, and for polls. Pure.

A series is loaded once it is subscribed to, so that no bar is missed between the two. What is older
than what was loaded first is loaded where it is wanted, beside all else.
"""

from collections.abc import Callable, Iterable
from typing import Literal

from dashboard.client.core.actions import Action, Load, Trouble
from dashboard.client.core.books import Books
from dashboard.client.core.extents import Extents
from dashboard.client.core.loads import Loads, Running, Series
from dashboard.client.core.login import DENIALS
from dashboard.client.core.machine import Machine
from dashboard.client.core.subscriptions import Subscriptions
from feed_server.protocol import BarSeries, Channel, ErrorCode, TradeSeries

MOST_BARS = 5_000
"""Asked for at most, to mend a gap."""
MOST_TRADES = 10_000
POLLED_TRADES = 500
"""Asked for by each poll; as many as there are where those do not reach back to what is held."""
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
        self._extents = Extents(wanted, books)
        self._far: set[Series] = set()

    def __len__(self) -> int:
        return len(self._loads) + len(self._extents)

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
        missing = [series for series in found if self._is_missing(series)]
        return self._need([*missing, *self._extents.short(found)], now_ms, machine)

    def wanted(
        self, now_ms: float, interval: str, symbols: Iterable[str], machine: Machine
    ) -> list[Action]:
        """Load the history of bars that are followed already, where it is wanted now."""
        return self.subscribed(now_ms, "bars", interval, symbols, machine)

    def has_older(self, symbol: str, interval: str) -> bool:
        """Tell whether there may be bars before the earliest that is held."""
        return self._extents.has_older(symbol, interval)

    def older(
        self, now_ms: float, symbol: str, interval: str, bars: int, machine: Machine
    ) -> list[Action]:
        """Load so many bars before the earliest that is held."""
        if not self.has_older(symbol, interval):
            return []
        self._extents.extend(symbol, interval, bars)
        series = Series("bars", symbol, interval)
        return self._need(self._extents.short([series]), now_ms, machine)

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
        if series.older and isinstance(body, BarSeries):
            return self._older_loaded(now_ms, series, running, body, machine)
        if running.start_ms is None and isinstance(body, BarSeries):
            self._extents.loaded(series, running.indicators, body.more)
        if isinstance(body, TradeSeries) and self._falls_short(series, body):
            self._far.add(series)
            self._loads.drop(series)
            return self._need([series], now_ms, machine)
        self._far.discard(series)
        actions = self._books.loaded(now_ms, body, running.start_ms)
        needs, self._books.needs = self._books.needs, []
        if series in needs and self._books.has_gap(series):
            self._loads.failed(now_ms, series)
        else:
            again = running.again
            self._loads.drop(series)
            needs = [series] if again else []
            actions += self._need([*needs, *self._extents.short([series])], now_ms, machine)
        return actions

    def _falls_short(self, series: Series, body: TradeSeries) -> bool:
        """Tell whether a poll's trades end after what is held, and older ones can be asked for."""
        if series in self._far or self._books.has_gap(series):
            return False
        return len(body.offsets) >= POLLED_TRADES and not self._books.reaches(body)

    def _older_loaded(
        self, now_ms: float, series: Series, running: Running, body: BarSeries, machine: Machine
    ) -> list[Action]:
        self._loads.drop(series)
        if not self._extents.is_of(body):
            return []  # The series has begun anew since, and is loaded from the beginning.
        actions: list[Action] = []
        if running.end_ms == self._extents.end_ms(series):
            self._extents.older_loaded(series, body)
            actions = self._books.loaded(now_ms, body, None, running.end_ms)
        if body.start_ms:
            actions += self._need(self._extents.short([series]), now_ms, machine)
        return actions

    def failed(self, now_ms: float, number: int, code: str, reason: str) -> list[Action]:
        """Take note that there is no answer."""
        taken = self._loads.take(number)
        if taken is None:
            return []
        series, _ = taken
        if code in _PASSING:
            self._loads.failed(now_ms, series, (code, reason))
            return self._trouble(series)
        if series.older:
            self._loads.drop(series)
            return []
        if self._books.has_gap(series):
            self._loads.drop(series)
            return self._books.give_up(now_ms, series, code, reason)
        self._loads.failed(now_ms, series, (code, reason), times=REFUSED)
        return self._trouble(series)

    def failure(self, symbol: str, interval: str) -> tuple[str, str] | None:
        """Return code and reason why the history of bars is not there; None where it may come."""
        if self._books.is_loaded(symbol, interval):
            return None
        return self._loads.failure(Series("bars", symbol, interval))

    def _trouble(self, series: Series) -> list[Action]:
        why = self._loads.failure(series)
        if why is None:
            return []
        code, reason = why
        named = "trades" if series.interval is None else f"bars of {series.interval}"
        return [Trouble(series.symbol, code, f"history of its {named} cannot be had: {reason}")]

    def forget(self, channel: Channel, interval: str | None, symbol: str) -> None:
        """Let go what is held, and wait for nothing of it."""
        self._books.forget(channel, interval, symbol)
        if channel != "quotes":
            for older in (False, True):
                self._loads.drop(Series(channel, symbol, interval, older))
            self._far.discard(Series(channel, symbol, interval))
            self._extents.forget(symbol, interval)

    # ---- how

    def _need(self, needed: Iterable[Series], now_ms: float, machine: Machine) -> list[Action]:
        ready = [series for series in needed if self._loads.need(series)]
        return self._ask_all(now_ms, ready, machine)

    def _ask_all(self, now_ms: float, ready: Iterable[Series], machine: Machine) -> list[Action]:
        actions: list[Action] = []
        for series in ready:
            is_held = self._wanted.holds(series.channel, series.interval, series.symbol)
            if is_held and (not series.older or self._extents.missing(series)):
                actions.append(self._ask(now_ms, series, machine))
            else:
                self._loads.drop(series)
        return actions

    def _ask(self, now_ms: float, series: Series, machine: Machine) -> Load:
        symbol, interval = series.symbol, series.interval
        names = () if interval is None else self._wanted.indicators(interval, symbol)
        start_ms, end_ms, limit = self._span(series)
        return Load(
            "relay" if machine.live_way() == "relay" else "polling",
            self._loads.begin(now_ms, series, (start_ms, end_ms), names),
            series.channel,
            symbol,
            limit,
            interval,
            start_ms,
            end_ms,
            names,
        )

    def _span(self, series: Series) -> tuple[int | None, int | None, int]:
        """Return from where to where to ask, and for how many at most."""
        symbol, interval = series.symbol, series.interval
        if interval is None:
            is_far = series in self._far or self._books.has_gap(series)
            return None, None, MOST_TRADES if is_far else POLLED_TRADES
        if series.older:
            return None, self._extents.end_ms(series), self._extents.missing(series)
        first = self._extents.is_first(series)
        start_ms = None if first else self._books.resume_from(symbol, interval)
        if start_ms is not None:
            return start_ms, None, MOST_BARS
        return None, None, max(self._extents.goal(symbol, interval), LEAST_BARS)

    def _is_missing(self, series: Series) -> bool:
        return self._books.has_gap(series) or self._extents.is_first(series)
