"""How far back the bars of each series were loaded, and with what; how far is wanted. Pure."""

from collections.abc import Iterable

from dashboard.client.core.bar_book import MAX_BARS
from dashboard.client.core.books import Books
from dashboard.client.core.loads import Series
from dashboard.client.core.subscriptions import Subscriptions
from feed_server.protocol import BarSeries


class _Extent:
    """Of one series; ``reach`` is how many bars were asked for beside what is wanted."""

    def __init__(self) -> None:
        self.indicators: tuple[str, ...] = ()
        self.has_older = False
        self.reach = 0


class Extents:
    """Of all series.

    Args:
        wanted: What is wanted of them.
        books: What is held of them.
    """

    def __init__(self, wanted: Subscriptions, books: Books) -> None:
        self._wanted = wanted
        self._books = books
        self._extents: dict[tuple[str, str | None], _Extent] = {}

    def __len__(self) -> int:
        return len(self._extents)

    def forget(self, symbol: str, interval: str | None) -> None:
        """Know nothing of a series any more."""
        self._extents.pop((symbol, interval), None)

    # ---- what is to be loaded

    def is_first(self, series: Series) -> bool:
        """Tell whether all the history that is wanted of bars has to be loaded."""
        symbol, interval = series.symbol, series.interval
        if interval is None or not self._wanted.history(interval, symbol):
            return False
        extent = self._extents.get((symbol, interval))
        names = self._wanted.indicators(interval, symbol)
        lacks = extent is None or not set(names) <= set(extent.indicators)
        return lacks or not self._books.is_loaded(symbol, interval)

    def goal(self, symbol: str, interval: str) -> int:
        """Return how many bars are wanted before the live ones, or were asked for."""
        extent = self._extents.get((symbol, interval))
        reach = 0 if extent is None else extent.reach
        return min(MAX_BARS, max(self._wanted.history(interval, symbol), reach))

    def extend(self, symbol: str, interval: str, bars: int) -> None:
        """Want so many bars before those that are held; to say so twice does not add up."""
        extent = self._extents.get((symbol, interval))
        if extent is not None:
            extent.reach = len(self._books.bars(symbol, interval)) + bars

    def has_older(self, symbol: str, interval: str) -> bool:
        """Tell whether there may be bars before the earliest that is held, and room for them."""
        extent = self._extents.get((symbol, interval))
        held = len(self._books.bars(symbol, interval))
        is_loaded = self._books.is_loaded(symbol, interval)
        return extent is not None and extent.has_older and is_loaded and 0 < held < MAX_BARS

    def short(self, found: Iterable[Series]) -> list[Series]:
        """Return what is older of those series that do not reach as far back as they should."""
        bars = [Series("bars", s.symbol, s.interval, older=True) for s in found if s.interval]
        return [series for series in bars if self.missing(series)]

    def missing(self, series: Series) -> int:
        """Return how many bars a series is short of."""
        symbol, interval = series.symbol, series.interval or ""
        if not self.has_older(symbol, interval):
            return 0
        return max(0, self.goal(symbol, interval) - len(self._books.bars(symbol, interval)))

    def end_ms(self, series: Series) -> int:
        """Return up to which start bars are older than those that are held; there must be some."""
        return self._books.bars(series.symbol, series.interval or "")[0].start_ms - 1

    # ---- what came

    def loaded(self, series: Series, indicators: tuple[str, ...], more: bool) -> None:
        """Take note of what was asked for, and whether there was more, of the newest bars."""
        extent = self._extents.setdefault((series.symbol, series.interval), _Extent())
        extent.indicators, extent.has_older = indicators, more

    def is_of(self, body: BarSeries) -> bool:
        """Tell whether older bars are of the epoch of those that are held."""
        is_loaded = self._books.is_loaded(body.symbol, body.interval)
        if not is_loaded or not self._books.bars(body.symbol, body.interval):
            return False
        held = self._books.positions("bars", body.interval, [body.symbol]).get(body.symbol)
        return body.epoch == ("" if held is None else held.epoch)

    def older_loaded(self, series: Series, body: BarSeries) -> None:
        """Take note of what was told of older bars.

        Where there were none it was the end, unless the source could not tell them now.
        """
        extent = self._extents[series.symbol, series.interval]
        extent.has_older = body.more and (bool(body.start_ms) or body.note is not None)
