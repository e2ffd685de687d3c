"""What every source of market data offers."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import pandas as pd

from feed_server.protocol import Interval, SymbolInfo, Trade


class Provider(Protocol):
    """A source: which symbols it knows, their history, and a live stream of trades.

    Attributes:
        name: Short name, as in ``QUOTEWIRE_PROVIDER``.
        label: What a reader must know of its prices, see `SymbolInfo.label`.
        zone: IANA name of the zone by which its trading sessions are dated.
    """

    name: str
    label: str
    zone: str

    def symbols(self) -> Sequence[SymbolInfo]:
        """Return the instruments it can stream."""
        ...

    async def history(self, symbol: str, interval: Interval) -> pd.DataFrame:
        """Return the final bars before the stream's first trade, oldest first.

        Returns:
            Columns ``open, high, low, close, volume`` (float64), indexed by each bar's start as UTC
            timestamps named ``time``; empty where there is no history.
        """
        ...

    def stream(self) -> AsyncIterator[Sequence[Trade]]:
        """Yield trades as they happen, in order of event time, those of one moment together.

        It ends when the source has no more.
        """
        ...
