"""What pandas gets."""

import pandas as pd
from msgspec.structs import replace

from dashboard.client import BarHistory, Instruments, Snapshot
from feed_server.protocol import BarSeries, Interval, Quote, SymbolInfo, SymbolList

DAY_MS = 86_400_000
QUOTE = Quote("A", 1.5, 10, None, 1.75, 10, 1, 2, 1, None, "1970-01-02", DAY_MS, DAY_MS + 250, 3)


TWO = [1.0, 2.0]
SERIES = BarSeries(
    "A", Interval.DAY, "e1", 2, None, [0, DAY_MS], TWO, TWO, TWO, TWO, TWO, [True, False]
)


def test_history_is_a_frame_of_bars_by_their_start_in_utc() -> None:
    frame = BarHistory(SERIES).to_pandas()
    assert list(frame.columns) == ["open", "high", "low", "close", "volume", "final"]
    assert frame.index.name == "time"
    assert frame.index[1] == pd.Timestamp("1970-01-02", tz="UTC")
    assert frame.dtypes.map(str).tolist() == ["float64"] * 5 + ["bool"]


def test_indicators_are_columns_and_have_no_value_where_there_is_none() -> None:
    indicators = {
        "SMA(2)": {"real": [None, 1.5]},
        "BBANDS(2,2,2,0)": {"upperband": [None, 3.0], "lowerband": [None, 1.0]},
    }
    frame = BarHistory(replace(SERIES, indicators=indicators)).to_pandas()
    assert list(frame.columns[6:]) == [
        "SMA(2)",
        "BBANDS(2,2,2,0).upperband",
        "BBANDS(2,2,2,0).lowerband",
    ]
    assert frame["SMA(2)"].isna().tolist() == [True, False]


def test_no_history_is_an_empty_frame_with_the_same_columns() -> None:
    empty = BarSeries("A", Interval.DAY, "e1", 0, None, [], [], [], [], [], [], [])
    frame = BarHistory(empty).to_pandas()
    assert len(frame) == 0
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"
    assert frame.dtypes.map(str).tolist() == ["float64"] * 5 + ["bool"]


def test_history_tells_what_it_is_of() -> None:
    history = BarHistory(replace(SERIES, more=True, note="ask again"))
    assert (history.symbol, history.interval, len(history)) == ("A", "1d", 2)
    assert (history.more, history.note) == (True, "ask again")
    assert repr(history) == "BarHistory(A, 1d, 2 bars)"


def test_a_snapshot_is_a_mapping_and_a_frame() -> None:
    snapshot = Snapshot({"A": QUOTE})
    assert dict(snapshot) == {"A": QUOTE}
    frame = snapshot.to_pandas()
    assert frame.loc["A", "time"] == pd.Timestamp("1970-01-02", tz="UTC")
    assert frame.loc["A", "received"] == pd.Timestamp("1970-01-02 00:00:00.250", tz="UTC")
    assert frame.loc["A", "last"] == 1.5
    assert "time_ms" not in frame
    assert repr(snapshot) == "Snapshot(A=1.5)"


def test_an_empty_snapshot_is_an_empty_frame() -> None:
    frame = Snapshot({}).to_pandas()
    assert len(frame) == 0
    assert "last" in frame


def test_instruments_are_a_sequence_and_a_frame() -> None:
    info = SymbolInfo("A", "Alpha", "USD", 2, "fake", "LIVE")
    found = Instruments(SymbolList([info], note="a source could not be asked"))
    assert list(found) == [info]
    assert (len(found), found[0], found[:1]) == (1, info, [info])
    assert found.note == "a source could not be asked"
    assert found.to_pandas().loc["A", "name"] == "Alpha"
    assert repr(found) == "Instruments(A)"
