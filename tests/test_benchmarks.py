"""What the benchmarks' figures rest on: frames cut right, lags and verdicts worked out right."""

import json
from pathlib import Path

import pytest

from benchmarks.conflation import Frames
from benchmarks.crowd import framed, masked, payload_bounds
from benchmarks.feeder import FIRST_OFFSET
from benchmarks.figures import percentile, show, show_ratio
from feed_server.protocol import QuoteRow, Quotes, encode

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
