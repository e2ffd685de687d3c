"""Market data as files, read back by pandas."""

import asyncio
import io
import re
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import cast
from urllib.parse import unquote

import httpx
import pandas as pd
import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from feed_server.gateway.http_api import OpenHandler
from feed_server.gateway.metrics import Metrics
from feed_server.gateway.origins import Origins
from feed_server.gateway.requests import RequestError
from feed_server.gateway.table_api import NOTE_CHARS, TableHandler, header_note
from feed_server.gateway.tables import Format, Table, bar_table, quote_table, trade_table, written
from feed_server.gateway.turns import Turns
from feed_server.protocol import BarSeries, ErrorCode, Interval, Quote, TradeSeries
from tests.updates import DAY_MS

FILES = [Format.CSV, Format.PARQUET]
ODD = [1e-8, 0.1 + 0.2, 123456789.123456789, 1e9, 1 / 3]
"""Prices that a rounding would change."""


def series(**others: object) -> BarSeries:
    days = len(ODD)
    made = {
        "symbol": "KO",
        "interval": Interval.DAY,
        "epoch": "e1",
        "offset": 7,
        "time_ms": 0,
        "start_ms": [day * DAY_MS for day in range(days)],
        **dict.fromkeys(("open", "high", "low", "close"), ODD),
        "volume": [float(day) for day in range(days)],
        "final": [True] * (days - 1) + [False],
        **others,
    }
    return BarSeries(**made)  # type: ignore[arg-type]


def trades() -> TradeSeries:
    prices = [1.5, 2.0, 1e-8]
    return TradeSeries("KO", "e1", 9, [1, 1_500, 86_400_001], prices, [1.0, 2.5, 0.0], [7, 8, 9])


def quote(symbol: str, **others: object) -> Quote:
    numbers = {"last": 0.3, "size": 1.0, "bid": 0.1 + 0.2, "ask": None, "volume": 12.5}
    session = {"open": 0.1, "high": 1e9, "low": 1e-8, "prev_close": None, "session": "2026-02-03"}
    times = {"time_ms": 1_338_557_400_123, "received_ms": 1_795_405_076_295, "count": 3}
    return Quote(symbol, **{**numbers, **session, **times, **others})  # type: ignore[arg-type]


def read(table: Table, form: Format) -> pd.DataFrame:
    """Read a file as an analyst does."""
    file = io.BytesIO(written(table, form))
    if form is Format.PARQUET:
        read: pd.DataFrame = pd.read_parquet(file)
        return read
    # Of pandas' engines this one's numbers are exact in every version.
    frame = pd.read_csv(file, engine="python")
    for name in frame.columns.intersection(["time", "received"]):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def as_ms(times: "pd.Series[pd.Timestamp]") -> list[int]:
    assert str(times.dt.tz) == "UTC"
    epoch = pd.Timestamp(0, tz="UTC")
    return [(time - epoch) // pd.Timedelta(milliseconds=1) for time in times]


@pytest.mark.parametrize("form", FILES)
def test_bars_are_read_back_exactly(form: Format) -> None:
    told = series()
    frame = read(bar_table(told, ""), form)
    assert list(frame) == ["time", "open", "high", "low", "close", "volume", "final"]
    assert as_ms(frame["time"]) == told.start_ms
    for name in ("open", "high", "low", "close", "volume", "final"):
        assert frame[name].tolist() == getattr(told, name), name


@pytest.mark.parametrize("form", FILES)
def test_each_output_of_an_indicator_is_a_column_empty_where_it_has_no_value(form: Format) -> None:
    values = [None, None, *ODD[2:]]
    both = {"upper": values, "lower": list(range(5))}
    told = series(indicators={"SMA(3)": {"real": values}, "BB(3,2.5)": both})
    frame = read(bar_table(told, ""), form)
    assert list(frame)[-3:] == ["SMA(3)", "BB(3,2.5).upper", "BB(3,2.5).lower"]
    for name in ("SMA(3)", "BB(3,2.5).upper"):
        assert frame[name].isna().tolist() == [True, True, False, False, False]
        assert frame[name].tolist()[2:] == ODD[2:]


@pytest.mark.parametrize("form", FILES)
def test_trades_are_read_back_exactly(form: Format) -> None:
    told = trades()
    frame = read(trade_table(told, ""), form)
    assert list(frame) == ["time", "price", "size", "offset"]
    assert as_ms(frame["time"]) == told.time_ms
    assert frame["price"].tolist() == told.price
    assert frame["size"].tolist() == told.size
    assert frame["offset"].tolist() == told.offsets


@pytest.mark.parametrize("form", FILES)
def test_quotes_are_read_back_exactly(form: Format) -> None:
    told = [quote("KO"), quote("BRK.B", ask=1 / 3, last=2.0)]
    frame = read(quote_table(told, {"KO": "REPLAY"}, None), form).set_index("symbol")
    assert as_ms(frame["time"]) == [q.time_ms for q in told]
    assert as_ms(frame["received"]) == [q.received_ms for q in told]
    assert frame["bid"].tolist() == [q.bid for q in told]
    assert frame["ask"].isna().tolist() == [True, False]
    assert frame.loc["BRK.B", "ask"] == 1 / 3
    assert frame.loc["KO", "label"] == "REPLAY"
    assert frame["session"].tolist() == ["2026-02-03"] * 2


def test_times_in_csv_are_iso_8601_in_utc() -> None:
    rows = written(trade_table(trades(), ""), Format.CSV).decode().splitlines()
    assert rows[0] == "time,price,size,offset"
    assert rows[2] == "1970-01-01T00:00:01.500Z,2.0,2.5,8"


@pytest.mark.parametrize("form", FILES)
def test_without_rows_there_are_still_columns(form: Format) -> None:
    nothing: dict[str, list[float]] = {
        name: [] for name in ("start_ms", "open", "high", "low", "close", "volume", "final")
    }
    frame = read(bar_table(series(**nothing), ""), form)
    assert list(frame)[:2] == ["time", "open"]
    assert len(frame) == 0
    assert len(read(quote_table([], {}, None), form)) == 0


def test_the_part_before_is_told_where_there_is_one() -> None:
    later = [day * DAY_MS for day in range(1, len(ODD) + 1)]
    assert bar_table(series(more=True, start_ms=later), "").next_end_ms == DAY_MS - 1
    assert bar_table(series(more=True), "").next_end_ms is None  # nothing begins before 1970
    assert bar_table(series(), "").next_end_ms is None


@pytest.mark.parametrize(
    ("symbol", "label", "title"),
    [
        ("KO", "", "KO-1d"),
        ("BTC/USD", "DELAYED 15 min", "BTC-USD-1d-DELAYED-15-min"),
        ("../../etc:x", 'a"; x=\r\n', "etc-x-1d-a-x"),
        ("^GSPC", "é", "GSPC-1d"),
    ],
)
def test_a_file_has_a_name_that_no_system_minds(symbol: str, label: str, title: str) -> None:
    assert bar_table(series(symbol=symbol), label).title == title
    assert re.fullmatch(r"[\w.-]+", title)


def test_a_file_of_quotes_is_labelled_where_all_are_the_same() -> None:
    told = [quote("A"), quote("B")]
    assert quote_table(told, {"A": "REPLAY", "B": "REPLAY"}, None).title == "quotes-REPLAY"
    assert quote_table(told, {"A": "REPLAY"}, None).title == "quotes"


def test_parquet_keeps_what_else_is_to_be_known() -> None:
    import pyarrow.parquet as pq

    table = replace(bar_table(series(), "REPLAY"), note="some are missing")
    metadata = pq.read_schema(io.BytesIO(written(table, Format.PARQUET))).metadata
    assert (metadata[b"symbol"], metadata[b"label"]) == (b"KO", b"REPLAY")
    assert metadata[b"note"] == b"some are missing"


def handler_of(turns: Turns) -> TableHandler:
    return cast(TableHandler, SimpleNamespace(gateway=SimpleNamespace(file_turns=turns)))


async def test_who_would_wait_too_long_for_a_file_is_told_to_come_again() -> None:
    handler, free = handler_of(Turns(1, 0)), threading.Event()
    first = asyncio.create_task(TableHandler.in_thread(handler, lambda: free.wait(20)))
    await asyncio.sleep(0)
    with pytest.raises(RequestError, match="again in 2 s") as raised:
        await TableHandler.in_thread(handler, lambda: True)
    assert raised.value.code.http_status == 429
    free.set()
    assert await first


async def test_the_answer_says_when_to_come_again() -> None:
    class Files(TableHandler):
        def prepare(self) -> None:
            OpenHandler.prepare(self)

        async def get(self) -> None:
            self.answer(await self.in_thread(lambda: 7))

    turns, origin = Turns(1, 0), "https://our.example"
    gateway = SimpleNamespace(origins=Origins([origin]), metrics=Metrics(), file_turns=turns)
    server = HTTPServer(Application([("/", Files, {"gateway": gateway})]))
    listener, port = bind_unused_port()
    server.add_socket(listener)
    try:
        async with httpx.AsyncClient(headers={"Origin": origin}) as client:
            async with turns.turn():
                answer = await client.get(f"http://127.0.0.1:{port}/")
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_commands")
            assert answer.headers["Retry-After"] == "2"
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert (await client.get(f"http://127.0.0.1:{port}/")).json() == 7
    finally:
        server.stop()
        await server.close_all_connections()


@pytest.mark.parametrize("note", ["short: 7 %", "ä" * 5_000, "x" + "😀" * 5_000, "\ud83d!"])
def test_a_note_in_a_header_is_short_and_whole(note: str) -> None:
    coded = header_note(note)
    assert coded.isascii()
    assert len(coded) <= NOTE_CHARS
    text = unquote(coded, errors="strict")
    assert note.replace("\ud83d", "?").startswith(text)
    assert len(coded) > NOTE_CHARS - 12 or text == note.replace("\ud83d", "?")


async def test_a_gateway_without_pyarrow_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    handler = handler_of(Turns(2, 2))
    table = bar_table(series(), "")
    with pytest.raises(RequestError, match=r"no pyarrow.*format=csv") as raised:
        await TableHandler.in_thread(handler, lambda: written(table, Format.PARQUET))
    assert raised.value.code is ErrorCode.BAD_PARAMETER
    body = await TableHandler.in_thread(handler, lambda: written(table, Format.CSV))
    assert body.startswith(b"time,")
