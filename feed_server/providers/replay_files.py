"""A user's files of trades, quotes or bars as tapes, checked before anything of them is published.

A file of trades has the columns ``time, price, size`` and perhaps ``trade_id``, one of quotes
``time, bid, ask``, one of bars ``time, open, high, low, close, volume``. The instrument is named in
a column ``symbol``, by a directory ``symbol=…``, or by the file's name up to its first ``_`` or
``.``. Times are ISO-8601 (naive ones UTC) or epoch milliseconds; a bar's is its start. What
``record`` has written is read by `feed_server.providers.replay_recording`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.errors import ReplayFileError
from feed_server.providers.bar_columns import Times, Values
from feed_server.providers.replay_recording import Recording, is_recorded
from feed_server.providers.replay_table import ENDINGS, Rows, Table, read_table
from feed_server.providers.replay_tape import (
    BAR_PRICES,
    BarTape,
    QuoteTape,
    Tape,
    TradeTape,
    daily_tape,
)

TRADE_COLUMNS = ["time", "price", "size"]
QUOTE_COLUMNS = ["time", "bid", "ask"]
BAR_COLUMNS = ["time", *BAR_PRICES, "volume"]

_SHORTEST_BAR_MS = 1_000
_LONE_BAR_MS = 60_000
# A day is 23 hours long when summer time begins.
_DAILY_MS = 23 * 3_600_000

NOT_PLAYED = "gaps"
"""Where a recording tells what it has missed; not to be played."""


def load_tapes(paths: Sequence[Path], zone: str) -> dict[str, list[Tape]]:
    """Read all files, and all that lie in the directories among the paths, however deep.

    Args:
        paths: Files (.csv, .csv.gz, .parquet) and directories.
        zone: IANA name of the zone in which daily bars are dated and sessions last 09:30 to 16:00.

    Returns:
        Tapes by symbol; those of one symbol and kind follow each other in time.

    Raises:
        ReplayFileError: A file cannot be used; says which, where in it, and what is expected.
    """
    found: defaultdict[str, list[tuple[Path, Tape]]] = defaultdict(list)
    recording = Recording()
    for path in _files(paths):
        table = read_table(path)
        if is_recorded(table):
            recording.add(table)
            continue
        for tape in _tapes(table, zone):
            found[tape.symbol].append((path, tape))
    for tape in recording.tapes():
        found[tape.symbol].append((paths[0], tape))
    return {symbol: _in_sequence(symbol, found[symbol]) for symbol in sorted(found)}


def _tapes(table: Table, zone: str) -> Iterator[Tape]:
    columns = set(table.columns)
    if columns.issuperset(TRADE_COLUMNS):
        return _trade_tapes(table)
    if columns.issuperset(BAR_COLUMNS):
        return _bar_tapes(table, zone)
    if columns.issuperset(QUOTE_COLUMNS):
        return _quote_tapes(table)
    raise ReplayFileError(
        f"{table.path}: has the columns {', '.join(table.columns)}; "
        f"expected {', '.join(TRADE_COLUMNS)} for trades, {', '.join(BAR_COLUMNS)} for bars "
        f"or {', '.join(QUOTE_COLUMNS)} for quotes"
    )


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [file for file in sorted(path.rglob("*")) if _is_played(file.relative_to(path))]
        if not inside:
            raise ReplayFileError(f"{path}: no .csv, .csv.gz or .parquet file in this directory")
        yield from (path / file for file in inside)


def _is_played(file: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in file.parts)
    return file.name.lower().endswith(ENDINGS) and not is_hidden and NOT_PLAYED not in file.parts


def _in_sequence(symbol: str, found: list[tuple[Path, Tape]]) -> list[Tape]:
    quotes = [item for item in found if isinstance(item[1], QuoteTape)]
    prices = [item for item in found if not isinstance(item[1], QuoteTape)]
    for of_kind in (prices, quotes):
        of_kind.sort(key=lambda item: int(item[1].dues[0]))
        for (path, tape), (next_path, next_tape) in pairwise(of_kind):
            if next_tape.dues[0] < tape.end_ms:
                raise ReplayFileError(
                    f"{next_path}: {symbol} begins here before it ends in {path}; "
                    "expected files of one symbol to follow each other in time"
                )
    return [tape for _, tape in (*prices, *quotes)]


def _trade_tapes(table: Table) -> Iterator[Tape]:
    times = table.times("time")
    prices, sizes = table.prices("price"), table.sizes("size")
    numbers = table.whole_numbers("trade_id")
    for symbol, rows in table.rows_by_symbol():
        backwards = np.diff(times[rows]) < 0
        _check_order(table, rows, backwards, f"the trades of {symbol} in order of time")
        # Numbers that do not rise are others than those of the symbol's trades.
        is_numbered = numbers is not None and (np.diff(numbers[rows]) > 0).all()
        yield TradeTape(
            symbol=symbol,
            times=times[rows],
            prices=prices[rows],
            sizes=sizes[rows],
            trade_ids=numbers[rows] if numbers is not None and is_numbered else None,
            dues=times[rows],
        )


def _quote_tapes(table: Table) -> Iterator[Tape]:
    times = table.times("time")
    bids, asks = table.optional_prices("bid"), table.optional_prices("ask")
    for symbol, rows in table.rows_by_symbol():
        backwards = np.diff(times[rows]) < 0
        _check_order(table, rows, backwards, f"the quotes of {symbol} in order of time")
        yield QuoteTape(
            symbol=symbol, times=times[rows], bids=bids[rows], asks=asks[rows], dues=times[rows]
        )


def _bar_tapes(table: Table, zone: str) -> Iterator[Tape]:
    times = table.times("time")
    prices = np.column_stack([table.prices(name) for name in BAR_PRICES])
    volumes = table.sizes("volume")
    _check_range(table, prices)
    by_symbol = table.rows_by_symbol()
    step_ms = _step_ms(table, times, by_symbol)
    days = _days(times, step_ms, zone)
    order = times if days is None else days.asi8
    for symbol, rows in by_symbol:
        not_later = np.diff(order[rows]) <= 0
        _check_order(table, rows, not_later, f"the bars of {symbol} in order, one for each time")
        if days is None:
            ends = times[rows] + step_ms
            yield BarTape(symbol, times[rows], ends, prices[rows], volumes[rows])
        else:
            yield daily_tape(symbol, days[rows], prices[rows], volumes[rows], zone)


def _check_order(
    table: Table, rows: Rows, wrong_steps: npt.NDArray[np.bool_], expected: str
) -> None:
    if wrong_steps.any():
        at = int(wrong_steps.argmax())
        before = table.row_name(int(rows[at]))
        raise table.fault(int(rows[at + 1]), "time", f"does not come after {before}", expected)


def _check_range(table: Table, prices: Values) -> None:
    low, high = prices[:, BAR_PRICES.index("low")], prices[:, BAR_PRICES.index("high")]
    if (low > high).any():
        row = int((low > high).argmax())
        raise table.fault(row, "high", "is below the low", f"{low[row]} or more")
    for place, name in enumerate(BAR_PRICES):
        outside = (prices[:, place] < low) | (prices[:, place] > high)
        if outside.any():
            row = int(outside.argmax())
            expected = f"a price from the low {low[row]} to the high {high[row]}"
            raise table.fault(row, name, "is outside the bar", expected)


def _step_ms(table: Table, times: Times, by_symbol: list[tuple[str, Rows]]) -> int:
    """Return the smallest step from one bar to the next: the bars' length.

    Where no symbol has two bars, they are taken as minutes.
    """
    steps = np.concatenate([np.diff(times[rows]) for _, rows in by_symbol])
    step_ms = int(min(steps[steps > 0], default=_LONE_BAR_MS))
    if step_ms < _SHORTEST_BAR_MS:
        raise ReplayFileError(
            f"{table.path}: bars only {step_ms} ms apart; expected at least {_SHORTEST_BAR_MS} ms"
        )
    return step_ms


def _days(times: Times, step_ms: int, zone: str) -> pd.DatetimeIndex | None:
    """Return the sessions' dates if the bars are daily: all at midnight, or a day apart."""
    utc = pd.DatetimeIndex(times.astype("datetime64[ms]"))
    local = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    for clock in (utc, local):
        if (clock == clock.normalize()).all():
            return clock
    return local.normalize() if step_ms >= _DAILY_MS else None
