"""What ``python -m feed_server record`` has written, as tapes: all files of a symbol as one.

The order in which trades were published is that of their offsets, not that of their times: late
ones are played late again. Rows that are there twice, of two recorders or of one that was killed
while it put its files in order, are taken once.
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.errors import ReplayFileError
from feed_server.providers.bar_columns import Times
from feed_server.providers.replay_table import Table
from feed_server.providers.replay_tape import QuoteTape, Tape, TradeTape

PLACE_COLUMNS = frozenset({"epoch", "offset", "received"})
TRADES = {"price", "size"}
QUOTES = {"bid", "ask"}

Columns = dict[str, npt.NDArray[np.generic]]


def is_recorded(table: Table) -> bool:
    """Tell whether a file is of a recording."""
    columns = table.columns.keys()
    return columns >= PLACE_COLUMNS and (columns >= TRADES or columns >= QUOTES)


class Recording:
    """Collects the files of a recording."""

    def __init__(self) -> None:
        self._trades: defaultdict[str, list[Columns]] = defaultdict(list)
        self._quotes: defaultdict[str, list[Columns]] = defaultdict(list)

    def add(self, table: Table) -> None:
        """Take one file.

        Raises:
            ReplayFileError: A value in it cannot be used.
        """
        columns: Columns = {
            "times": table.times("time"),
            "received": table.times("received"),
            "epoch": table.words("epoch"),
            "offset": _offsets(table),
        }
        if table.columns.keys() >= TRADES:
            kept = self._trades
            columns |= {"prices": table.prices("price"), "sizes": table.sizes("size")}
        else:
            kept = self._quotes
            columns |= {name + "s": table.optional_prices(name) for name in ("bid", "ask")}
        for symbol, rows in table.rows_by_symbol():
            kept[symbol].append({name: column[rows] for name, column in columns.items()})

    def tapes(self) -> Iterator[Tape]:
        """Give a tape of each symbol's trades, and one of its quotes."""
        for symbol, parts in self._trades.items():
            rows = _in_order(parts)
            times = rows["times"].to_numpy(np.int64)
            yield TradeTape(
                symbol=symbol,
                times=times,
                prices=rows["prices"].to_numpy(np.float64),
                sizes=rows["sizes"].to_numpy(np.float64),
                dues=np.maximum.accumulate(times),
            )
        for symbol, parts in self._quotes.items():
            rows = _changes(_in_order(parts))
            if rows.empty:
                continue
            times = rows["times"].to_numpy(np.int64)
            yield QuoteTape(
                symbol=symbol,
                times=times,
                bids=rows["bids"].to_numpy(np.float64),
                asks=rows["asks"].to_numpy(np.float64),
                dues=np.maximum.accumulate(times),
            )


def _in_order(parts: list[Columns]) -> pd.DataFrame:
    """Return the rows of one symbol in the order in which they were published, each once."""
    rows = pd.concat([pd.DataFrame(part) for part in parts])
    began = rows.groupby("epoch")["received"].transform("min")
    rows = rows.assign(began=began).sort_values(["began", "epoch", "offset"], kind="stable")
    return rows.drop_duplicates(["epoch", "offset"])


def _changes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose best prices are others than those before."""
    best = rows[["bids", "asks"]].fillna(0.0)
    before = best.shift(fill_value=0.0)
    return rows[(best != before).any(axis=1)]


def _offsets(table: Table) -> Times:
    offsets = table.whole_numbers("offset")
    if offsets is None:
        raise ReplayFileError(f"{table.path}: column offset: expected whole numbers")
    return offsets
