"""What the benchmarks' figures rest on.

Frames are cut right, lags and verdicts worked out right, and nothing that is lost goes unnoticed.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.conflation import Frames
from benchmarks.crowd import framed, masked, payload_bounds
from benchmarks.feeder import FIRST_OFFSET
from benchmarks.figures import percentile, show, show_ratio
from benchmarks.flood import BEGIN_MS, MOST_AT_ONCE, FloodProvider, trade, volume_after
from benchmarks.storm import FRAMES, ROWS, SYMBOLS
from benchmarks.witness import QuoteWitness, TradeWitness
from feed_server.protocol import (
    Bar,
    Bars,
    Position,
    QuoteRow,
    Quotes,
    TradeRow,
    Trades,
    decode_server_message,
    encode,
)
from feed_server.providers.base import Watchlist

NODE = Path(__file__).parents[1] / "benchmarks" / "peers" / "node"


@pytest.mark.parametrize("size", [0, 125, 126, 140, 65_535])
def test_a_frame_is_found_where_it_begins_and_only_when_all_of_it_is_there(size: int) -> None:
    text = b"x" * size
    data = framed(b"before") + framed(text) + framed(b"after")
    start = len(framed(b"before"))

    bounds = payload_bounds(data, start)

    assert bounds is not None
    assert data[slice(*bounds)] == text
    assert payload_bounds(data[: bounds[1]], start) == bounds
    for cut in range(start, bounds[1], max(1, size // 7)):
        assert payload_bounds(data[:cut], start) is None


def test_a_clients_frame_has_its_mask() -> None:
    assert masked(b"hi") == bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi"


def test_a_lag_is_counted_from_the_oldest_change_that_a_frame_stands_for() -> None:
    row = QuoteRow("A", 1.0, 1.0, None, None, 130.0, 0, 0, FIRST_OFFSET + 3, 2)
    frames = Frames(every=1)
    frames.take(7, encode(Quotes(0, 0, [row])), 150.0)

    # The frame stands for the third and the fourth value; the client then hears nothing more.
    lags = frames.lags_ms({"A": [100.0, 110.0, 120.0, 130.0]}, end_ms=500.0)

    assert lags == [150.0 - 120.0, 500.0 - 130.0]


def test_a_client_that_is_not_looked_at_is_left_out() -> None:
    frames = Frames(every=10)
    frames.take(7, b"{}", 1.0)
    assert frames.heard == []


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 50) == 51.0
    assert percentile(values, 99) == 100.0
    assert percentile([3.0], 99) == 3.0


def test_a_figure_is_judged_by_its_median(capsys: pytest.CaptureFixture[str]) -> None:
    show("fine", [1.0, 2.0, 9.0], "ms", target=2)
    show("slow", [1.0, 3.0, 9.0], "ms", target=2)
    show_ratio("ratio", [2.0, 4.0], [1.0, 4.0], target=1.25)
    fine, slow, ratio = capsys.readouterr().out.splitlines()
    assert fine.endswith("target ≤ 2 ms: met")
    assert slow.endswith("target ≤ 2 ms: MISSED")
    assert "1.20 ×  (1.00 to 2.00)" in ratio
    assert ratio.endswith("met")


def test_the_node_peer_is_pinned_and_names_no_registry() -> None:
    lock = (NODE / "package-lock.json").read_text()
    assert "resolved" not in lock
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    packages = json.loads(lock)["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


async def test_a_flood_tells_each_symbol_once_and_more_when_told_to() -> None:
    symbols = [f"S{number}" for number in range(30)]
    flood = FloodProvider(symbols)
    batches = []

    async def take() -> None:
        async for batch in flood.stream(Watchlist(), {}):
            batches.append(batch)

    taking = asyncio.create_task(take())
    await flood.pour(0)
    first = [one for batch in batches for one in batch]
    await flood.pour(2)
    taking.cancel()

    assert Counter(first) == Counter(trade(symbol, 1) for symbol in symbols)
    for symbol in symbols:
        told = [one for batch in batches for one in batch if one.symbol == symbol]
        assert told == [trade(symbol, number) for number in (1, 2, 3)]
    for batch in batches:
        assert 1 <= len(batch) <= MOST_AT_ONCE
        assert max(Counter(one.symbol for one in batch).values()) == 1


def _quotes(offset: int, count: int, volume: float, *, snapshot: bool = False) -> Quotes:
    row = QuoteRow("A", 1.0, 1.0, None, None, volume, 0, 0, offset, count)
    return Quotes(0, 0, [row], snapshot=snapshot)


def _trades(*offsets: int, **fields: object) -> Trades:
    told = [(offset, trade("A", offset)) for offset in offsets]
    rows = [TradeRow("A", one.price, one.size, 0, 0, offset) for offset, one in told]
    return Trades(BEGIN_MS, 0, rows, **fields)  # type: ignore[arg-type]


def test_a_witness_of_quotes_finds_what_is_missing_and_what_is_wrong() -> None:
    witness = QuoteWitness(of_flood=True)
    witness.hear(_quotes(3, 1, volume_after(3), snapshot=True))
    witness.hear(_quotes(7, 4, volume_after(7)))
    assert witness.have(["A"], 7)
    assert not witness.have(["A"], 8)
    assert not witness.have(["A", "B"], 7)
    assert witness.gaps == 0

    witness.hear(_quotes(9, 1, volume_after(9)))
    assert witness.gaps == 1
    witness.hear(_quotes(10, 1, volume_after(9)))
    assert witness.gaps == 2


def test_a_witness_of_trades_is_content_with_each_in_its_place() -> None:
    witness = TradeWitness(of_flood=True)
    witness.hear(_trades(positions={"A": Position("e", 4)}))
    witness.hear(_trades(5, 6))
    witness.hear(_trades(7, positions={"A": Position("e", 7)}, recovered={"A": True}))
    assert (witness.gaps, witness.count) == (0, 3)
    assert witness.have(["A"], 7)


@pytest.mark.parametrize(
    "wrong",
    [
        _trades(6),
        _trades(4),
        _trades(5, positions={"A": Position("e", 6)}),
        _trades(positions={"A": Position("e", 5)}, recovered={"A": True}),
        _trades(5, recovered={"A": False}),
        Trades(0, 0, [TradeRow("A", trade("A", 5).price, 6.0, 0, 0, 5)]),
    ],
)
def test_a_witness_of_trades_finds_what_is_missing_and_what_is_wrong(wrong: Trades) -> None:
    witness = TradeWitness(of_flood=True)
    witness.hear(_trades(positions={"A": Position("e", 4)}))
    witness.hear(wrong)
    assert witness.gaps == 1


def test_a_witness_of_trades_wants_to_know_where_it_begins() -> None:
    witness = TradeWitness(of_flood=True)
    witness.hear(_trades(5))
    assert witness.gaps == 1


def test_a_floods_volume_is_what_its_trades_add_up_to() -> None:
    assert volume_after(5) == sum(trade("A", number).size for number in range(1, 6))


@pytest.mark.parametrize("channel", FRAMES)
def test_a_storm_tells_nothing_twice(channel: str) -> None:
    told: set[tuple[str, int]] = set()
    for number in range(5):
        frame = decode_server_message(encode(FRAMES[channel](number)))
        assert frame == FRAMES[channel](number)
        if number == 0:
            continue
        assert isinstance(frame, Quotes | Trades | Bars)
        for row in frame.rows:
            told.add((row.symbol, row.start_ms if isinstance(row, Bar) else row.offset))
    assert len(told) == 4 * ROWS
    assert {symbol for symbol, _ in told} <= set(SYMBOLS)
