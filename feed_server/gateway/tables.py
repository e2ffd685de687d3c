"""Market data as a file that spreadsheets and pandas open: CSV or Parquet. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from feed_server.protocol import BarSeries, Quote, TradeSeries

PRICES = ("open", "high", "low", "close", "volume")


class Format(StrEnum):
    """How an answer is written."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


MEDIA = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    # https://www.iana.org/assignments/media-types/application/vnd.apache.parquet
    Format.PARQUET: "application/vnd.apache.parquet",
}


class Kind(StrEnum):
    """What a column holds; a value is None where there is none."""

    TIME = "time"
    """UTC epoch milliseconds."""
    NUMBER = "number"
    COUNT = "count"
    FLAG = "flag"
    TEXT = "text"


QUOTED = {
    "symbol": Kind.TEXT,
    "session": Kind.TEXT,
    "time_ms": Kind.TIME,
    "received_ms": Kind.TIME,
    "count": Kind.COUNT,
}
"""Fields of a quote that are no prices or sizes."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    kind: Kind
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length.

    Attributes:
        title: What the file is called, without its ending.
        columns: In order.
        next_end_ms: Up to where to ask for the part before this one; None where there is none.
        note: Why rows are missing that a source may have, for a person.
        about: What else is to be known of it; Parquet keeps it in the file.
    """

    title: str
    columns: Sequence[Column]
    next_end_ms: int | None = None
    note: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns[0].values)


def bar_table(series: BarSeries, label: str) -> Table:
    """Return bars with their indicators: named and ordered as by the Python client.

    Args:
        series: The bars.
        label: As `SymbolInfo.label`: what a reader of the file must know of its prices.
    """
    columns = [
        Column("time", Kind.TIME, series.start_ms),
        *(Column(name, Kind.NUMBER, getattr(series, name)) for name in PRICES),
        Column("final", Kind.FLAG, series.final),
    ]
    for name, outputs in series.indicators.items():
        for output, values in outputs.items():
            of_many = f"{name}.{output}" if len(outputs) > 1 else name
            columns.append(Column(of_many, Kind.NUMBER, values))
    first_ms = series.start_ms[0] if series.more and series.start_ms else 0
    about = {"symbol": series.symbol, "interval": series.interval.value, "label": label}
    older = first_ms - 1 if first_ms > 0 else None
    return Table(_title(series.symbol, series.interval, label), columns, older, series.note, about)


def trade_table(series: TradeSeries, label: str) -> Table:
    """Return trades, oldest first."""
    columns = [
        Column("time", Kind.TIME, series.time_ms),
        Column("price", Kind.NUMBER, series.price),
        Column("size", Kind.NUMBER, series.size),
        Column("offset", Kind.COUNT, series.offsets),
    ]
    about = {"symbol": series.symbol, "epoch": series.epoch, "label": label}
    return Table(_title(series.symbol, "trades", label), columns, about=about)


def quote_table(quotes: Sequence[Quote], labels: Mapping[str, str], note: str | None) -> Table:
    """Return one row a symbol.

    Args:
        quotes: The last values.
        labels: By symbol.
        note: Why some are missing or old.
    """
    columns = []
    for name in Quote.__struct_fields__:
        values = [getattr(quote, name) for quote in quotes]
        columns.append(Column(name.removesuffix("_ms"), QUOTED.get(name, Kind.NUMBER), values))
    of_each = [labels.get(quote.symbol, "") for quote in quotes]
    columns.append(Column("label", Kind.TEXT, of_each))
    common = of_each[0] if len(set(of_each)) == 1 else ""
    return Table(_title("quotes", common), columns, note=note)


def written(table: Table, form: Format) -> bytes:
    """Return a table as a file.

    It takes a moment, and Parquet loads a library: not to be called on an event loop.

    Raises:
        ImportError: It is Parquet, and the library is missing.
    """
    return _parquet(table) if form is Format.PARQUET else _csv(table)


def _csv(table: Table) -> bytes:
    """Return RFC 4180: times as ISO 8601 in UTC; numbers are exact, and told from whole ones."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.name for column in table.columns])
    writer.writerows(zip(*(_texts(column) for column in table.columns), strict=True))
    return out.getvalue().encode()


def _texts(column: Column) -> Iterable[object]:
    match column.kind:
        case Kind.TIME:
            times = np.array(column.values, "datetime64[ms]")
            return (f"{text}Z" for text in np.datetime_as_string(times, unit="ms"))
        case Kind.FLAG:
            return ("true" if value else "false" for value in column.values)
        case _:
            return column.values


def _parquet(table: Table) -> bytes:
    # Here, for a gateway that nobody asks for Parquet does without.
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        Kind.TIME: pa.timestamp("ms", "UTC"),
        Kind.NUMBER: pa.float64(),
        Kind.COUNT: pa.int64(),
        Kind.FLAG: pa.bool_(),
        Kind.TEXT: pa.string(),
    }
    columns = {column.name: pa.array(column.values, types[column.kind]) for column in table.columns}
    about = table.about if table.note is None else {**table.about, "note": table.note}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, metadata=about), sink)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _title(*parts: str) -> str:
    """Return a name that every file system takes."""
    texts = (re.sub(r"[^A-Za-z0-9_.]+", "-", part).strip("-.") for part in parts)
    return "-".join(filter(None, texts))
