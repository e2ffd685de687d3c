"""A CSV or Parquet file as columns, and the row to point at when a value in it is wrong."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from feed_server.errors import ReplayFileError
from feed_server.providers.replay_path import Times, Values

CSV_ENDINGS = (".csv", ".csv.gz")
PARQUET_ENDING = ".parquet"

_TIME_EXPECTED = "ISO-8601, or epoch milliseconds between 1973 and 2286"
_EPOCH_MS = r"[0-9]{12,13}"
_LARGEST = 2.0**53


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
        unit = "row" if self.path.name.lower().endswith(PARQUET_ENDING) else "line"
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
    if not name.endswith((*CSV_ENDINGS, PARQUET_ENDING)):
        raise ReplayFileError(f"{path}: unknown format; expected .csv, .csv.gz or .parquet")
    try:
        frame = _read_parquet(path) if name.endswith(PARQUET_ENDING) else _read_csv(path)
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


def _read_parquet(path: Path) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    if frame.index.names != [None]:
        frame = frame.reset_index()
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


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
