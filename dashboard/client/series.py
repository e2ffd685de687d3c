"""What the feed answers at once, as Python and pandas have it: quotes, bars, instruments."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar, overload

import msgspec
import pandas as pd

from feed_server.protocol import BarSeries, Quote, SymbolInfo, SymbolList

S = TypeVar("S", bound=msgspec.Struct)


class Snapshot(Mapping[str, Quote]):
    """The last values of some symbols, by symbol."""

    def __init__(self, quotes: Mapping[str, Quote]) -> None:
        self._quotes = dict(quotes)

    def __getitem__(self, symbol: str) -> Quote:
        return self._quotes[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._quotes)

    def __len__(self) -> int:
        return len(self._quotes)

    def __repr__(self) -> str:
        return f"Snapshot({', '.join(f'{s}={q.last}' for s, q in self._quotes.items())})"

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a symbol.

        Returns:
            The fields of `Quote`, with ``time`` and ``received`` (UTC timestamps) for ``time_ms``
            and ``received_ms``, indexed by ``symbol``.
        """
        return quote_frame(list(self._quotes.values())).set_index("symbol")


class Instruments(Sequence[SymbolInfo]):
    """Some instruments, in the feed's order.

    Attributes:
        note: Why sources could not be asked, so that there may be more; None where they were.
    """

    def __init__(self, listed: SymbolList) -> None:
        self.note = listed.note
        self._symbols = listed.symbols

    @overload
    def __getitem__(self, index: int) -> SymbolInfo: ...

    @overload
    def __getitem__(self, index: slice) -> list[SymbolInfo]: ...

    def __getitem__(self, index: int | slice) -> SymbolInfo | list[SymbolInfo]:
        return self._symbols[index]

    def __len__(self) -> int:
        return len(self._symbols)

    def __repr__(self) -> str:
        return f"Instruments({', '.join(info.symbol for info in self._symbols)})"

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an instrument: the fields of `SymbolInfo`, indexed by ``symbol``."""
        return _columns(SymbolInfo, self._symbols).set_index("symbol")


class BarHistory:
    """Bars of one symbol, oldest first; the last may still be forming.

    Attributes:
        series: As the feed told it: columns of equal length.
    """

    def __init__(self, series: BarSeries) -> None:
        self.series = series

    @property
    def symbol(self) -> str:
        """The instrument, as the feed names it."""
        return self.series.symbol

    @property
    def interval(self) -> str:
        """Length of the bars."""
        return str(self.series.interval)

    @property
    def more(self) -> bool:
        """Whether there can be older bars within what was asked for."""
        return self.series.more

    @property
    def note(self) -> str | None:
        """Why bars are missing that a source may have; None where none is."""
        return self.series.note

    def __len__(self) -> int:
        return len(self.series.start_ms)

    def __repr__(self) -> str:
        return f"BarHistory({self.symbol}, {self.interval}, {len(self)} bars)"

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a bar.

        Returns:
            Columns ``open, high, low, close, volume`` (float64), ``final`` (bool; False for bars
            that may still change), and of each indicator that was asked for one column an output,
            such as ``SMA(20)`` or ``BBANDS(20,2,2,0).upperband``; indexed by each bar's start as
            UTC timestamps named ``time``.
        """
        series = self.series
        time = pd.to_datetime(series.start_ms, unit="ms", utc=True).as_unit("ns").rename("time")
        columns = ("open", "high", "low", "close", "volume")
        frame = pd.DataFrame({c: getattr(series, c) for c in columns}, time, dtype="float64")
        frame["final"] = pd.Series(series.final, time, dtype="bool")
        for name, outputs in series.indicators.items():
            for output, values in outputs.items():
                column = name if len(outputs) == 1 else f"{name}.{output}"
                frame[column] = pd.Series(values, time, dtype="float64")
        return frame


def quote_frame(quotes: Sequence[Quote]) -> pd.DataFrame:
    """Return quotes as a frame, one row each, with times as UTC timestamps."""
    frame = _columns(Quote, quotes)
    for name in ("time", "received"):
        frame[f"{name}_ms"] = pd.to_datetime(frame[f"{name}_ms"], unit="ms", utc=True)
    return frame.rename(columns={"time_ms": "time", "received_ms": "received"})


def _columns(kind: type[S], structs: Sequence[S]) -> pd.DataFrame:
    names = kind.__struct_fields__
    return pd.DataFrame({name: [getattr(struct, name) for struct in structs] for name in names})
