import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feed_server.errors import ReplayFileError
from feed_server.providers.replay_files import load_tapes
from tests.harness import Write

T0 = 1_381_152_600_000  # 2013-10-07 13:30 UTC, 09:30 in New York


def said(path: Path) -> str:
    with pytest.raises(ReplayFileError) as caught:
        load_tapes([path], "America/New_York")
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(str(path))


def bar_file(write: Write, *times: str | int) -> Path:
    lines = "".join(f"{time},2,4,1,3,100\n" for time in times)
    return write("IBM.csv", "time,open,high,low,close,volume\n" + lines)


HEADER = "time,price,size\n"
GOOD = f"{T0},13.94,500\n"
TRADE_ERRORS = {
    "no time": (",13.94,500", "column time: the value is missing"),
    "unreadable time": ("yesterday,1,1", "column time: 'yesterday' is not a time; expected ISO-"),
    "a word for a time": ("now,1,1", "column time: 'now' is not a time"),
    "impossible time": ("2013-02-30T00:00:00Z,1,1", "column time: '2013-02-30T00:00:00Z' is not"),
    "epoch seconds": (f"{T0 // 1000},1,1", "column time: '1381152600' is not a time"),
    "epoch microseconds": (f"{T0}000,1,1", "column time: '1381152600000000' is not a time"),
    "no price": (f"{T0},,500", "column price: the value is missing"),
    "a word for a price": (f"{T0},abc,500", "column price: 'abc' is not a price; expected a num"),
    "an odd price": (f"{T0},1_3,500", "column price: '1_3' is not a price"),
    "NaN price": (f"{T0},nan,500", "column price: 'nan' is not a price"),
    "infinite price": (f"{T0},inf,500", "column price: 'inf' is not a price"),
    "zero price": (f"{T0},0.00,500", "column price: '0.00' is not a price; expected a number a"),
    "negative price": (f"{T0},-1,500", "column price: '-1' is not a price"),
    "immense price": (f"{T0},1e300,500", "column price: '1e300' is not a price"),
    "no size": (f"{T0},13.94", "column size: the value is missing"),
    "negative size": (f"{T0},13.94,-5", "column size: '-5' is not a size; expected a number of 0"),
    "NaN size": (f"{T0},13.94,NaN", "column size: 'NaN' is not a size"),
    "time running backwards": (
        f"{T0 - 1},13.94,500",
        f"column time: '{T0 - 1}' does not come after line 2; expected the trades of BAC in order",
    ),
}


@pytest.mark.parametrize(("line", "message"), TRADE_ERRORS.values(), ids=TRADE_ERRORS)
def test_a_wrong_trade_is_pointed_at(write: Write, line: str, message: str) -> None:
    path = write("BAC.csv", HEADER + GOOD + "\n" + line + "\n" + GOOD)
    assert said(path).startswith(f", line 4, {message}")


BAR_ERRORS = {
    "high below low": ("2,1,4,2,9", "column high: '1' is below the low; expected 4.0 or more"),
    "open too low": ("1,4,2,3,9", "column open: '1' is outside the bar; expected a price from "),
    "close too high": ("3,4,2,5,9", "column close: '5' is outside the bar; expected a price from"),
    "zero low": ("2,4,0,3,9", "column low: '0' is not a price"),
    "no close": ("2,4,1,,9", "column close: the value is missing"),
    "negative volume": ("2,4,1,3,-9", "column volume: '-9' is not a volume"),
    "NaN volume": ("2,4,1,3,nan", "column volume: 'nan' is not a volume"),
}


@pytest.mark.parametrize(("values", "message"), BAR_ERRORS.values(), ids=BAR_ERRORS)
def test_a_wrong_bar_is_pointed_at(write: Write, values: str, message: str) -> None:
    path = write("IBM.csv", f"time,open,high,low,close,volume\n{T0},2,4,1,3,9\n{T0 + 1},{values}\n")
    assert said(path).startswith(f", line 3, {message}")


@pytest.mark.parametrize(
    "times",
    [
        [T0, T0 + 60_000, T0 + 60_000],
        [T0, T0 + 120_000, T0 + 60_000],
        ["2013-10-07", "2013-10-08", "2013-10-08"],
        ["2013-10-06 04:30", "2013-10-07 04:30", "2013-10-08 03:30"],
    ],
    ids=["twice", "backwards", "a day twice", "twice in a day"],
)
def test_bars_that_do_not_follow_each_other_are_pointed_at(
    write: Write, times: list[int | str]
) -> None:
    message = said(bar_file(write, *times))
    assert message.startswith(f", line 4, column time: '{times[-1]}' does not come after line 3;")


def test_the_order_is_that_of_each_symbol(write: Write) -> None:
    text = f"symbol,time,price,size\nA,{T0 + 9},1,1\nB,{T0},1,1\nB,{T0 + 5},1,1\nA,{T0 + 8},1,1\n"
    message = said(write("x.csv", text))
    assert message.startswith(f", line 5, column time: '{T0 + 8}' does not come after line 2;")
    assert message.endswith("expected the trades of A in order of time")


def test_a_missing_symbol_is_pointed_at(write: Write) -> None:
    path = write("x.csv", f"symbol,time,price,size\nA,{T0},1,1\n,{T0},1,1\n")
    assert said(path) == ", line 3, column symbol: the value is missing; expected a word"


def test_bars_less_than_a_second_apart_are_refused(write: Write) -> None:
    assert said(bar_file(write, T0, T0 + 999)) == (
        ": bars only 999 ms apart; expected at least 1000 ms"
    )


def test_missing_columns_are_told_with_what_is_there(write: Write) -> None:
    assert said(write("x.csv", "Date,price,size\n2013-10-07,1,1\n")) == (
        ": has the columns date, price, size; expected time, price, size for trades, "
        "time, open, high, low, close, volume for bars or time, bid, ask for quotes"
    )


def test_a_wrong_parquet_value_is_pointed_at_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "BAC.parquet"
    pd.DataFrame({"time": [T0, T0], "price": [1.0, np.nan], "size": [1, 1]}).to_parquet(path)
    assert said(path).startswith(", row 2, column price: the value is missing")
    pd.DataFrame({"time": [T0, T0 - 1], "price": [1, 1], "size": [1, 1]}).to_parquet(path)
    assert said(path).startswith(f", row 2, column time: '{T0 - 1}' does not come after row 1;")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", ": is empty, or its first line is; expected a header and rows"),
        ("x.csv", b"time,price,size\n", ": has a header but no rows; expected at least one"),
        ("x.csv", b"time,price,size\n1,2,3,4\n1,2,3,4\n", ": cannot be read: its rows have more"),
        ("x.csv", b"time,price,size\n1,2,3\n1,2,3,4\n", ": cannot be read: Error tokenizing data"),
        ("x.csv", b"\xff\xfe\x00\x01,", ": cannot be read: 'utf-8' codec can't decode"),
        ("x.csv.gz", b"time,price,size\n", ": cannot be read: Not a gzipped file"),
        ("x.csv.gz", gzip.compress(b"time,price,size\n" * 99, mtime=0)[:-20], ": cannot be read: "),
        (
            "x.csv.gz",
            gzip.compress(b"", mtime=0)[:10] + b"\xff" * 9,
            ": cannot be read: Error -3 while",
        ),
        ("x.parquet", b"", ": cannot be read: "),
        ("x.parquet", b"PAR1 but nothing of it", ": cannot be read: "),
        ("x.txt", b"time,price,size\n", ": unknown format; expected .csv, .csv.gz or .parquet"),
        ("_x.csv", b"time,price,size\n1381152600000,1,1\n", ": no symbol; expected a column symb"),
    ],
)
def test_an_unusable_file_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert said(path).startswith(message)


def test_a_path_to_nothing_is_refused(tmp_path: Path) -> None:
    assert said(tmp_path / "x.csv") == ": no such file; check the path"
    assert said(tmp_path).startswith(": no .csv, .csv.gz or .parquet file in this directory")


def test_files_of_one_symbol_must_not_overlap(write: Write) -> None:
    first = write("IBM_a.csv", f"time,price,size\n{T0},1,1\n{T0 + 9},1,1\n")
    second = write("IBM_b.csv", f"time,price,size\n{T0 + 8},1,1\n")
    with pytest.raises(ReplayFileError, match="IBM begins here before it ends in") as caught:
        load_tapes([second, first], "America/New_York")
    assert str(caught.value).startswith(str(second))
