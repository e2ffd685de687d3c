import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feed_server.providers.replay_files import load_tapes
from feed_server.providers.replay_tape import BarTape, Tape, TradeTape
from tests.harness import Write

ZONE = "America/New_York"
SAMPLES = Path(__file__).parents[1].parent / "shared/data"
T0 = 1_381_152_600_000  # 2013-10-07 13:30 UTC, 09:30 in New York
DAY_MS = 86_400_000


def load(*paths: Path) -> dict[str, list[Tape]]:
    return load_tapes(paths, ZONE)


def only(tapes: dict[str, list[Tape]]) -> Tape:
    ((tape,),) = tapes.values()
    return tape


def rows(tape: Tape) -> list[tuple[int, float, float]]:
    assert isinstance(tape, TradeTape)
    columns = (tape.times.tolist(), tape.prices.tolist(), tape.sizes.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    "time",
    [
        "2013-10-07T13:30:00.614Z",
        "2013-10-07T13:30:00.614",
        "2013-10-07 13:30:00.614",
        "2013-10-07T09:30:00.614-04:00",
        "2013-10-07T13:30:00.614999Z",
        "1381152600614",
    ],
)
def test_times_are_iso_8601_or_epoch_milliseconds(write: Write, time: str) -> None:
    path = write("BAC.csv", f"time,price,size\n{time},13.94,500\n{time},13.95,0\n")
    assert rows(only(load(path))) == [(T0 + 614, 13.94, 500.0), (T0 + 614, 13.95, 0.0)]


@pytest.mark.parametrize(
    ("name", "symbol"), [("bac_2013-10-07_trades.csv", "BAC"), ("ibm.csv", "IBM")]
)
def test_the_symbol_is_the_files_name_where_no_column_says_it(
    write: Write, name: str, symbol: str
) -> None:
    assert list(load(write(name, f"time,price,size\n{T0},1,1\n"))) == [symbol]


def test_a_column_names_the_symbols_of_mixed_rows(write: Write) -> None:
    text = f"time,symbol,price,size\n{T0},NA,1,1\n{T0 - 5}, IBM ,2,2\n{T0 + 1},NA,3,3\n"
    tapes = load(write("mixed.csv", text))
    assert list(tapes) == ["IBM", "NA"]
    assert rows(tapes["IBM"][0]) == [(T0 - 5, 2, 2)]
    assert rows(tapes["NA"][0]) == [(T0, 1, 1), (T0 + 1, 3, 3)]


def test_interleaved_symbols_keep_their_order(write: Write) -> None:
    lines = [f"{T0},{symbol},{n + 1},1" for n in range(500) for symbol in ("A", "B", "C")]
    tapes = load(write("mixed.csv", "\n".join(["time,symbol,price,size", *lines])))
    for symbol in "ABC":
        assert [price for _, price, _ in rows(tapes[symbol][0])] == list(range(1, 501))


def test_columns_in_any_order_and_case_blank_lines_and_a_byte_order_mark_are_fine(
    write: Write,
) -> None:
    path = write("x.csv", f"\ufeff Size,PRICE,venue,Time\n\n5, 1.5 ,N,{T0}\n\n6,1e1,N,{T0}\n\n")
    assert rows(only(load(path))) == [(T0, 1.5, 5), (T0, 10, 6)]


def test_gzip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "BAC.CSV.GZ"
    path.write_bytes(gzip.compress(f"time,price,size\n{T0},1.5,5\n".encode()))
    assert rows(only(load(path))) == [(T0, 1.5, 5)]


PARQUET_TIMES = {
    "timestamps": pd.to_datetime([T0, T0 + 1], unit="ms", utc=True).as_unit("ns"),
    "timestamps of a zone": pd.to_datetime([T0, T0 + 1], unit="ms", utc=True).tz_convert(ZONE),
    "naive timestamps": pd.to_datetime([T0, T0 + 1], unit="ms"),
    "epoch milliseconds": [T0, T0 + 1],
    "words": ["2013-10-07T13:30:00Z", "2013-10-07T13:30:00.001Z"],
}


@pytest.mark.parametrize("times", PARQUET_TIMES.values(), ids=PARQUET_TIMES)
def test_parquet_is_read(tmp_path: Path, times: object) -> None:
    path = tmp_path / "BAC.parquet"
    frame = pd.DataFrame({"time": times, "price": [13.94, 13.95], "size": [500, 600]})
    frame.to_parquet(path)
    assert rows(only(load(path))) == [(T0, 13.94, 500), (T0 + 1, 13.95, 600)]
    frame.set_index("time").to_parquet(path)
    assert rows(only(load(path))) == [(T0, 13.94, 500), (T0 + 1, 13.95, 600)]


@pytest.mark.parametrize(
    "prices",
    [
        np.array([13.94], dtype=np.float32),
        [Decimal("13.94")],
        ["13.94"],
        pd.array([13.94], dtype="Float64"),
    ],
    ids=["32 bits", "decimals", "words", "nullable"],
)
def test_a_parquet_price_of_any_type_is_the_decimal_it_stands_for(
    tmp_path: Path, prices: object
) -> None:
    path = tmp_path / "BAC.parquet"
    pd.DataFrame({"time": [T0], "price": prices, "size": [1]}).to_parquet(path)
    assert rows(only(load(path))) == [(T0, 13.94, 1)]


def test_a_directory_is_all_files_in_it_and_files_of_a_symbol_follow_each_other(
    write: Write, tmp_path: Path
) -> None:
    write("IBM_2.csv", f"time,price,size\n{T0 + 5},2,2\n")
    write("IBM_3.csv", f"time,price,size\n{T0},1,1\n{T0 + 5},1.5,1\n")
    write("BAC_1.csv", f"time,price,size\n{T0},9,9\n")
    write("._BAC_1.csv", "what a Mac leaves behind")
    write("readme.txt", "not data")
    tapes = load(tmp_path)
    assert list(tapes) == ["BAC", "IBM"]
    ibm = [row for tape in tapes["IBM"] for row in rows(tape)]
    assert ibm == [(T0, 1, 1), (T0 + 5, 1.5, 1), (T0 + 5, 2, 2)]


def bar_file(write: Write, *times: str | int) -> Path:
    lines = "".join(f"{time},2,4,1,3,100\n" for time in times)
    return write("IBM.csv", "time,open,high,low,close,volume\n" + lines)


def bar_tape(write: Write, *times: str | int) -> BarTape:
    tape = only(load(bar_file(write, *times)))
    assert isinstance(tape, BarTape)
    return tape


def test_a_bar_keeps_its_numbers(write: Write) -> None:
    tape = bar_tape(write, T0)
    assert tape.prices.tolist() == [[2, 4, 1, 3]]
    assert tape.sizes.tolist() == [100]


def test_bars_last_as_long_as_the_smallest_step(write: Write) -> None:
    tape = bar_tape(write, T0, T0 + 900_000, T0 + 1_200_000)
    assert (tape.ends - tape.times).tolist() == [300_000] * 3


def test_a_lone_bar_within_a_day_is_a_minute(write: Write) -> None:
    tape = bar_tape(write, T0)
    assert (tape.ends - tape.times).tolist() == [60_000]


@pytest.mark.parametrize(
    "times",
    [
        ["2013-10-07"],
        ["2013-10-07", "2013-10-08"],
        ["2013-10-07T00:00:00-04:00"],
        ["2013-10-07T00:00:00-04:00", "2013-10-08T00:00:00-04:00"],
        ["2013-10-07T13:30:00Z", "2013-10-08T13:30:00Z"],
        ["2013-10-07T16:00:00-04:00", "2013-10-08T16:00:00-04:00"],
    ],
    ids=["one date", "dates", "one local midnight", "local midnights", "opens", "closes"],
)
def test_daily_bars_are_sessions_of_their_date(write: Write, times: list[str]) -> None:
    tape = bar_tape(write, *times)
    assert tape.times.tolist() == [T0, T0 + DAY_MS][: len(times)]
    assert (tape.ends - tape.times).tolist() == [23_400_000] * len(times)


def test_daily_bars_stay_daily_over_the_change_to_summer_time(write: Write) -> None:
    opens = ["2013-03-08T14:30:00Z", "2013-03-09T14:30:00Z", "2013-03-10T13:30:00Z"]
    assert bar_tape(write, *opens).times.tolist() == [
        pd.Timestamp(time).value // 1_000_000 for time in opens
    ]


@pytest.mark.parametrize(("symbol", "count"), [("AIG", 433), ("BAC", 595), ("SPY", 828)])
def test_real_minute_bars_are_read(symbol: str, count: int) -> None:
    path = SAMPLES / f"minute/{symbol}_2013-10-07.csv"
    if not path.exists():
        pytest.skip(f"no sample {path.name} on this machine")
    tape = only(load(path))
    assert isinstance(tape, BarTape)
    assert len(tape.times) == count
    assert set((tape.ends - tape.times).tolist()) == {60_000}
    bars = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(1, 6))
    assert np.array_equal(np.column_stack([tape.prices, tape.sizes]), bars)
