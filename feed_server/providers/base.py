"""What every source of market data offers; ``docs/providers.md`` tells how to add one."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from feed_server.errors import NotOfferedError, ProviderError
from feed_server.market.events import MarketEvent, SessionSnapshot
from feed_server.protocol import Interval, SymbolInfo

BAR_COLUMNS = ["open", "high", "low", "close", "volume"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A vendor's limit: at most so many requests (or credits) within any such stretch of time."""

    limit: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a source can do, and what its vendor allows.

    Attributes:
        streams: Whether `Provider.stream` gives data as they happen.
        polls: Whether `Provider.quotes` can be asked.
        open_list: Whether symbols that `Provider.symbols` does not list can be asked for as well.
        batch: Symbols at most in one call of `Provider.quotes`.
        per_symbol: Whether a call of `Provider.quotes` costs one credit for each symbol, not one.
        rates: The vendor's limits on all calls together.
        poll_s: A symbol's quote is not asked for more often than this, in seconds.
        tells_sessions: Whether `Provider.quotes` tells the session's figures, not the price only.
        intervals: Bars that `Provider.history` has.
        history_bars: Bars at most that one call of `Provider.history` returns.
        counts_gaps: Whether those that there never were count among them: a call covers a stretch
            of so many intervals.
        resumable: Whether `Provider.stream` can go on where another process has ended.
        tells_state: Whether `Provider.stream` tells how a symbol stands as soon as it is to carry
            it, and not only what changes: who asks for it is answered after that.
        heals: Whether a stream that begins again makes up for the trades that were missed since.
    """

    streams: bool = False
    polls: bool = False
    open_list: bool = False
    batch: int = 1
    per_symbol: bool = False
    rates: tuple[Rate, ...] = ()
    poll_s: float = 15.0
    tells_sessions: bool = True
    intervals: frozenset[Interval] = frozenset()
    history_bars: int = 1_000
    counts_gaps: bool = False
    resumable: bool = False
    tells_state: bool = False
    heals: bool = False


class Watchlist:
    """The symbols that a stream shall carry; they change while it runs.

    Attributes:
        refused: Those that the stream cannot carry, as its provider sets it: they are polled, or
            asked of another source.
    """

    def __init__(self, symbols: Collection[str] = ()) -> None:
        self.refused: frozenset[str] = frozenset()
        self._symbols = frozenset(symbols)
        self._changed = asyncio.Event()

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols as of now."""
        return self._symbols

    def set(self, symbols: Collection[str]) -> None:
        """Carry these and no others from now on."""
        if frozenset(symbols) != self._symbols:
            self._symbols = frozenset(symbols)
            self._changed.set()
            self._changed = asyncio.Event()

    async def changed(self, known: frozenset[str]) -> frozenset[str]:
        """Return the symbols when they are others than ``known``."""
        while self._symbols == known:
            await self._changed.wait()
        return self._symbols


class Provider(ABC):
    """A source of market data. What it cannot do, its `capabilities` do not name.

    All methods raise `ProviderError` (`feed_server.errors` has the kinds) where the vendor cannot
    or does not want to answer; no text of it contains a key. Retrying, waiting and keeping to the
    limits is not theirs to do: who asks them does it, by the kind of the error.

    Attributes:
        name: Short name, as in ``QUOTEWIRE_PROVIDER``.
        label: What a reader must know of its prices, see `SymbolInfo.label`.
        zone: IANA name of the zone by which its trading sessions are dated.
        capabilities: What it can do.
        run: Names what its stream is a stream of: with another name, as of other files that are
            replayed, what was published before has nothing to do with what comes.
    """

    name: str
    label: str
    zone: str
    capabilities: Capabilities
    run: str = "live"

    @abstractmethod
    async def symbols(self) -> Sequence[SymbolInfo]:
        """Return the instruments that can be asked for from the start."""

    def stream(
        self, watchlist: Watchlist, taken: Mapping[str, int]
    ) -> AsyncGenerator[Sequence[MarketEvent]]:
        """Yield events as they happen, a symbol's in order of event time, those due together.

        It ends when the source has no more, and raises when it has failed: it is begun again then.

        Args:
            watchlist: What to carry; follow its changes. A source without `Capabilities.open_list`
                may carry all that it has.
            taken: Where `Capabilities.resumable`: by symbol how many of its events (from the very
                first) were taken already, by this process or one before; they are left out.
        """
        raise NotOfferedError(f"{self.name} has no stream")

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        """Return for each symbol its quote, or why there is none; at most `Capabilities.batch`."""
        raise NotOfferedError(f"{self.name} cannot be asked for quotes")

    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        """Return the bars that begin in ``[start_ms, end_ms)``, oldest first, that have ended.

        Where there are more than `Capabilities.history_bars`, the newest of them.

        Returns:
            Columns ``open, high, low, close, volume`` (float64), indexed by each bar's start as UTC
            timestamps named ``time`` (a daily bar's is 00:00 UTC of its session's date); empty
            where there are none.
        """
        raise NotOfferedError(f"{self.name} has no history")

    async def search(self, text: str) -> list[SymbolInfo]:
        """Return instruments whose symbol or name fits a text, the best first.

        One whose symbol is the text itself comes first: so a symbol is looked up, too.
        """
        wanted = text.casefold()
        found = [
            info
            for info in await self.symbols()
            if wanted in info.symbol.casefold() or wanted in info.name.casefold()
        ]
        return sorted(found, key=lambda info: (info.symbol.casefold() != wanted, info.symbol))

    async def aclose(self) -> None:  # noqa: B027 (most have none)
        """Let go of connections."""


def bar_frame(
    starts_ms: Sequence[int], columns: Mapping[str, Sequence[float]] | None = None
) -> pd.DataFrame:
    """Return bars as `Provider.history` does.

    Args:
        starts_ms: Where each begins, UTC epoch milliseconds.
        columns: By name of `BAR_COLUMNS`; `None` where there are no bars.
    """
    times = pd.DatetimeIndex(pd.to_datetime(list(starts_ms), unit="ms", utc=True), name="time")
    return pd.DataFrame(columns or {}, times, BAR_COLUMNS, "float64")
