"""The files of a recording: a journal that survives its writer, and Parquet made of it.

What passes is appended each second to a journal (an Arrow stream for each table). When it has
grown large or old, and at the end, it is divided by date and symbol into Parquet files, each of
which appears under its name only when it is whole; then the journal goes. So a recorder that is
killed leaves journals, of which all but the last second can be read; the next one divides those of
the dead, by the same names, so that doing it twice does no harm.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import IO
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

JOURNAL = "_journal-"
JOURNAL_ENDING = ".arrows"

_TIME = pa.timestamp("ms", tz="UTC")
_PLACE = [("epoch", pa.string()), ("offset", pa.int64())]
_PRICES = ("bid", "ask", "last", "size", "volume", "open", "high", "low", "prev_close")

SCHEMAS: Mapping[str, pa.Schema] = {
    "trades": pa.schema(
        [
            ("symbol", pa.string()),
            ("time", _TIME),
            ("price", pa.float64()),
            ("size", pa.float64()),
            ("received", _TIME),
            *_PLACE,
        ]
    ),
    "quotes": pa.schema(
        [
            ("symbol", pa.string()),
            ("time", _TIME),
            *((name, pa.float64()) for name in _PRICES),
            ("session", pa.string()),
            ("received", _TIME),
            *_PLACE,
        ]
    ),
    "gaps": pa.schema(
        [
            ("symbol", pa.string()),
            ("time", _TIME),
            ("reason", pa.string()),
            ("after", pa.int64()),
            ("until", pa.int64()),
            ("received", _TIME),
            ("epoch", pa.string()),
        ]
    ),
}

Row = tuple[object, ...]


class Journal:
    """Rows of one table, appended as they come.

    Args:
        folder: Of the table.
        schema: Of the table.
        part: Name of this part of the recording.
    """

    def __init__(self, folder: Path, schema: pa.Schema, part: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{JOURNAL}{part}{JOURNAL_ENDING}"
        self.rows = 0
        self._schema = schema
        # Without a buffer of our own: what is written survives us.
        self._file: IO[bytes] = self.path.open("xb", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._writer = pa.ipc.new_stream(self._file, schema)

    def append(self, rows: Sequence[Row]) -> None:
        """Write rows.

        Raises:
            OSError: They cannot be written.
        """
        columns = zip(*rows, strict=True)
        arrays = [
            pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self.rows += len(rows)

    def finish(self) -> None:
        """Divide it into Parquet files."""
        self._writer.close()
        divide(self.path)
        self._file.close()

    def abandon(self) -> None:
        """Leave it as it is."""
        with suppress(OSError):
            self._writer.close()
        self._file.close()


class Journals:
    """A journal for each table, from one roll to the next.

    Args:
        folder: Of the recording.
        part: Its name.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self._journals: dict[str, Journal] = {}
        try:
            for name, schema in SCHEMAS.items():
                self._journals[name] = Journal(folder / name, schema, part)
        except OSError:
            self.abandon()
            raise

    @property
    def rows(self) -> int:
        """How many rows they have."""
        return sum(journal.rows for journal in self._journals.values())

    def append(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Write rows by table.

        Raises:
            OSError: They cannot be written.
        """
        for name, of_table in rows.items():
            if of_table:
                self._journals[name].append(of_table)

    def finish(self) -> None:
        """Divide them into Parquet files.

        Raises:
            OSError: A file cannot be written; the journals stay.
        """
        for journal in self._journals.values():
            journal.finish()

    def abandon(self) -> None:
        """Leave them as they are."""
        for journal in self._journals.values():
            journal.abandon()


def part_names(began: datetime) -> Iterator[str]:
    """Give names for the parts of a recording, each after the one before."""
    run = f"{began.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    number = 0
    while True:
        yield f"{run}-{number:04d}"
        number += 1


def recover(folder: Path) -> list[Path]:
    """Divide the journals that killed recorders have left; return which.

    Raises:
        OSError: A file cannot be read or written; nothing is lost.
    """
    found = []
    for path in sorted(folder.glob(f"*/{JOURNAL}*{JOURNAL_ENDING}")):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # Its writer lives.
            divide(path)
            found.append(path)
    return found


def divide(path: Path) -> None:
    """Make Parquet files of a journal, by date and, but for gaps, by symbol; remove it.

    Raises:
        OSError: A file cannot be read or written; the journal stays.
    """
    part = path.name.removeprefix(JOURNAL).removesuffix(JOURNAL_ENDING)
    for folder, rows in _divided(path):
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder / f"part-{part}.parquet"
        unfinished = folder / f".part-{part}.parquet.part"
        pq.write_table(rows, unfinished)
        os.replace(unfinished, whole)
    path.unlink()


def _divided(path: Path) -> Iterator[tuple[Path, pa.Table]]:
    """Give each partition's directory and rows, in their order."""
    table = read_journal(path)
    if table is None or not table.num_rows:
        return
    by_symbol = path.parent.name != "gaps"
    dates = pc.strftime(table["time"], format="%Y-%m-%d").to_numpy(zero_copy_only=False)
    symbols = table["symbol"].to_numpy(zero_copy_only=False)
    days, day_codes = np.unique(dates.astype(str), return_inverse=True)
    names, codes = np.unique(symbols.astype(str), return_inverse=True)
    groups = day_codes * len(names) + (codes if by_symbol else 0)
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[order], prepend=-1, append=-1))
    for first, last in pairwise(edges.tolist()):
        rows = table.take(order[first:last])
        folder = path.parent / f"date={days[day_codes[order[first]]]}"
        if by_symbol:
            symbol = str(names[codes[order[first]]])
            folder, rows = folder / f"symbol={quote(symbol, safe='')}", rows.drop(["symbol"])
        yield folder, rows


def read_journal(path: Path) -> pa.Table | None:
    """Return what is whole of a journal, `None` where it has not begun."""
    with path.open("rb") as file:
        try:
            reader = pa.ipc.open_stream(file)
        except (OSError, pa.ArrowInvalid):
            return None
        return pa.Table.from_batches(_whole_batches(reader), reader.schema)


def _whole_batches(reader: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with suppress(OSError, pa.ArrowInvalid):
        yield from reader
