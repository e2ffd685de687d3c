"""A CSV, Parquet or Arrow file as columns, and the row to point at when a value in it is wrong."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feed_server.errors import ReplayFileError
from feed_server.protocol import SYMBOL_PATTERN
from feed_server.providers.bar_columns import Times, Values

CSV_ENDINGS = (".csv", ".csv.gz")
PARQUET_ENDING = ".parquet"
ARROW_ENDING = ".arrows"
ENDINGS = (*CSV_ENDINGS, PARQUET_ENDING, ARROW_ENDING)

Rows = npt.NDArray[np.intp]

_TIME_EXPECTED = "ISO-8601, or epoch milliseconds between 1973 and 2286"
_EPOCH_MS = r"[0-9]{12,13}"
_LARGEST = 2.0**53
_PARTITION = "symbol="


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """The rows of one file.

    Attributes:
        path: The file.
        columns: Its columns as read, by their names in lower case.
        rows: What each row is called: its line in a CSV, its number from 1 in Parquet.
    """

    path: Path
    columns: Mapping[str, pd.Series]
    rows: pd.Index

    def words(self, column: str) -> npt.NDArray[np.object_]:
        """Return a column of words.

        Raises:
            ReplayFileError: One is missing.
        """
        words = _texts(self.columns[column]).fillna("")
        self._check(column, np.asarray(words != "", dtype=bool), "is missing", "a word")
        return words.to_numpy(dtype=object)

    def prices(self, column: str) -> Values:
        """Return a column of numbers above 0.

        Raises:
            ReplayFileError: One is missing, no number, zero, negative, or too large to be exact.
        """
        values = _numbers(self.columns[column])
        good = (values > 0.0) & (values < _LARGEST)
        self._check(column, good, "is not a price", "a number above 0 and below 2**53")
        return values

    def sizes(self, column: str) -> Values:
        """Return a column of numbers of 0 or more.

        Raises:
            ReplayFileError: One is missing, no number, negative, or too large to be exact.
        """
        values = _numbers(self.columns[column])
        good = (values >= 0.0) & (values < _LARGEST)
        self._check(column, good, f"is not a {column}", "a number of 0 or more and below 2**53")
        return values

    def times(self, column: str) -> Times:
        """Return a column of times as UTC epoch milliseconds; naive ones are taken as UTC.

        Raises:
            ReplayFileError: One is missing or no time.
        """
        times = _times(self.columns[column])
        self._check(column, times.notna().to_numpy(), "is not a time", _TIME_EXPECTED)
        return pd.DatetimeIndex(times).as_unit("ms").asi8

    def optional_prices(self, column: str) -> Values:
        """Return a column of numbers above 0, NaN where there is none.

        Raises:
            ReplayFileError: One is zero, negative, or too large to be exact.
        """
        values = _numbers(self.columns[column])
        good = ((values > 0.0) & (values < _LARGEST)) | np.isnan(values)
        self._check(column, good, "is not a price", "a number above 0 and below 2**53, or nothing")
        return values

    def whole_numbers(self, column: str) -> Times | None:
        """Return a column of whole numbers of 0 or more, `None` where there is none such."""
        if column not in self.columns:
            return None
        values = _numbers(self.columns[column])
        if not ((values >= 0.0) & (values < _LARGEST) & (np.rint(values) == values)).all():
            return None
        return values.astype(np.int64)

    def rows_by_symbol(self) -> list[tuple[str, Rows]]:
        """Return of each symbol which rows are its own, in order.

        Raises:
            ReplayFileError: Neither the file nor its name tells a symbol.
        """
        if "symbol" not in self.columns:
            symbol = _symbol_of(self.path)
            if not re.fullmatch(SYMBOL_PATTERN, symbol):
                raise ReplayFileError(
                    f"{self.path}: no symbol; expected a column symbol or a name like IBM_2013.csv"
                )
            return [(symbol, np.arange(len(self.rows)))]
        codes, symbols = pd.factorize(self.words("symbol"))
        for code, symbol in enumerate(symbols):
            if not re.fullmatch(SYMBOL_PATTERN, str(symbol)):
                row = int((codes == code).argmax())
                raise self.fault(row, "symbol", "is no symbol", "up to 64 of A-Z a-z 0-9 _.:^=/-")
        ordered = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[ordered], np.arange(1, len(symbols)))
        return list(zip(map(str, symbols), np.split(ordered, edges), strict=True))

    def fault(self, row: int, column: str, wrong: str, expected: str) -> ReplayFileError:
        """Return the error that points at one value."""
        value = self.columns[column].iloc[row]
        shown = "" if pd.isna(value) else str(value).strip()
        said = f"{shown[:40]!r} {wrong}" if shown else "the value is missing"
        return ReplayFileError(
            f"{self.path}, {self.row_name(row)}, column {column}: {said}; expected {expected}"
        )

    def row_name(self, row: int) -> str:
        """Return what a person finds the row by."""
        unit = "line" if self.path.name.lower().endswith(CSV_ENDINGS) else "row"
        return f"{unit} {self.rows[row]}"

    def _check(self, column: str, good: npt.NDArray[np.bool_], wrong: str, expected: str) -> None:
        if not good.all():
            raise self.fault(int(good.argmin()), column, wrong, expected)


def read_table(path: Path) -> Table:
    """Read a file.

    Raises:
        ReplayFileError: There is no such file, it is empty, damaged, or of another format.
    """
    name = path.name.lower()
    if not name.endswith(ENDINGS):
        raise ReplayFileError(f"{path}: unknown format; expected .csv, .csv.gz or .parquet")
    try:
        frame = _read_csv(path) if name.endswith(CSV_ENDINGS) else _read_arrow(path)
    except FileNotFoundError:
        raise ReplayFileError(f"{path}: no such file; check the path") from None
    except pd.errors.EmptyDataError:
        raise ReplayFileError(
            f"{path}: is empty, or its first line is; expected a header and rows"
        ) from None
    # pandas, pyarrow, gzip and zlib each tell damage in exceptions of their own.
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise ReplayFileError(f"{path}: cannot be read: {reason}") from error
    if frame.empty:
        raise ReplayFileError(f"{path}: has a header but no rows; expected at least one")
    names = [str(name).strip().lower() for name in frame.columns]
    columns = {name: frame.iloc[:, place] for place, name in enumerate(names)}
    return Table(path, columns, frame.index)


def _read_csv(path: Path) -> pd.DataFrame:
    """Read every value as it is written, so that an error can quote it; indexed by line."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("its rows have more fields than its header")
    frame.index += 2
    return frame[(frame != "").any(axis=1)]


def _read_arrow(path: Path) -> pd.DataFrame:
    is_parquet = path.name.lower().endswith(PARQUET_ENDING)
    table = _parquet_table(path) if is_parquet else _stream_table(path)
    frame: pd.DataFrame = table.to_pandas()
    if frame.index.names != [None]:
        frame = frame.reset_index()
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _parquet_table(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read()


def _stream_table(path: Path) -> pa.Table:
    """Read what is whole of a stream: its writer may be at it, or may have been killed."""
    batches = []
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        while True:
            try:
                batches.append(reader.read_next_batch())
            except (StopIteration, OSError, pa.ArrowInvalid):
                return pa.Table.from_batches(batches, reader.schema)


def _symbol_of(path: Path) -> str:
    """Return the symbol that a partition's directory or the file's own name tells."""
    folder = path.parent.name
    if folder.startswith(_PARTITION):
        return unquote(folder.removeprefix(_PARTITION))
    return re.split(r"[_.]", path.name)[0].upper()


def _texts(series: pd.Series) -> pd.Series:
    return series.astype("string[pyarrow]").str.strip()


def _numbers(series: pd.Series) -> Values:
    """Convert to numbers; NaN where there is none."""
    # 32-bit numbers mean the decimal they print as, not the binary fraction they hold.
    if pd.api.types.is_numeric_dtype(series) and series.dtype != np.float32:
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = _texts(series)
    try:
        values = texts.astype("float64[pyarrow]").to_numpy(dtype=np.float64, na_value=np.nan)
    except ValueError:
        return np.array([_number(text) for text in texts.fillna("")], dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


def _number(text: str) -> float:
    try:
        return np.nan if "_" in text else float(text)
    except ValueError:
        return np.nan


def _times(series: pd.Series) -> pd.Series:
    """Convert to UTC timestamps; NaT where there is none."""
    if pd.api.types.is_datetime64_any_dtype(series):
        return pd.to_datetime(series, utc=True)
    texts = _texts(series).fillna("")
    is_epoch = texts.str.fullmatch(_EPOCH_MS)
    if is_epoch.iloc[0]:
        return pd.to_datetime(texts.where(is_epoch).astype("Int64"), unit="ms", utc=True)
    # pandas would take words such as "now" for times.
    texts = texts.where(texts.str.match("[0-9]"), "")
    return pd.to_datetime(texts.astype(object), format="ISO8601", utc=True, errors="coerce")
