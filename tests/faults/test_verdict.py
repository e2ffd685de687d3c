"""The verdict on a client finds each kind of lie, and none where there is none."""

from collections.abc import Sequence

import pytest

from tests.faults.record import (
    Closed,
    Entry,
    Lost,
    Quoted,
    Record,
    Told,
    TradeKey,
)
from tests.faults.verdict import of_lossless, of_quotes

TRUTH: list[TradeKey] = [(n, n, float(n), 1.0) for n in range(10, 20)]


def trades(numbers: Sequence[int]) -> list[Entry]:
    return [Told(1000.0 * place, "A", n, n, float(n), 1.0) for place, n in enumerate(numbers)]


def faults(entries: list[Entry]) -> list[str]:
    return list(of_lossless(Record(entries), {"A": TRUTH}, {}))


@pytest.mark.parametrize("numbers", [range(10, 20), range(13, 20), range(3, 20)])
def test_all_from_the_first_on_is_right(numbers: Sequence[int]) -> None:
    assert faults(trades(numbers)) == []


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        ([], "nothing was told"),
        ([10, 11, 13, *range(14, 20)], "1 before (13, 13, 13.0, 1.0) are missing, silently"),
        ([*range(10, 15), 14, *range(15, 20)], "(14, 14, 14.0, 1.0) was told twice"),
        ([*range(10, 15), 12, *range(15, 20)], "(12, 12, 12.0, 1.0) was told again"),
        ([*range(10, 19)], "the last 1 are missing"),
        ([*range(10, 20), 99], "(99, 99, 99.0, 1.0) never was"),
    ],
)
def test_what_is_lost_doubled_moved_or_made_up_is_found(numbers: list[int], fault: str) -> None:
    (found,) = faults(trades(numbers))
    assert fault in found


def test_what_came_after_the_begin_has_to_be_told_from_the_first_on() -> None:
    truth = {"A": TRUTH}
    for first, count in ((10, 0), (12, 0), (13, 1)):
        record = Record(trades(range(first, 20)))
        assert len(list(of_lossless(record, truth, {}, from_ms=12))) == count
    (found,) = of_lossless(Record(trades(range(15, 20))), truth, {}, from_ms=12)
    assert "the first 3 are missing" in found


def test_where_the_feed_has_all_nothing_may_be_told_as_lost() -> None:
    record = Record([*trades([10, 11, 14, *range(15, 20)]), Lost(1500, "trades", "A", None)])
    assert list(of_lossless(record, {"A": TRUTH}, {})) == []
    (found,) = of_lossless(record, {"A": TRUTH}, {}, may_lose=False)
    assert "trades A are said to be lost" in found


def test_a_gap_may_be_told_and_must_be_one() -> None:
    gap = trades([10, 11, 14, *range(15, 20)])
    assert faults([*gap, Lost(1500, "trades", "A", None)]) == []
    assert len(faults([*gap, Lost(1500, "trades", "B", None)])) == 1
    assert len(faults([*gap, Lost(9000, "trades", "A", None)])) == 2
    (found,) = faults([*trades(range(10, 20)), Lost(1500, "trades", "A", None)])
    assert "nothing is missing" in found


def test_who_lost_the_place_where_offsets_jump_may_say_so() -> None:
    truth: list[TradeKey] = [(n, n, 1.0, 1.0) for n in (10, 11, 13, 14)]
    told: list[Entry] = [Told(1000.0 * key[0], "A", *key) for key in truth]
    for lost_ms, count in ((12_000, 0), (10_500, 1)):
        record = Record([*told, Lost(lost_ms, "trades", "A", None)])
        assert len(list(of_lossless(record, {"A": truth}, {}))) == count


def test_bars_go_by_all_their_values() -> None:
    bar = Closed(0.0, "A", "1s", 1000, 1.0, 2.0, 0.5, 1.5, 10.0)
    truth = {("A", "1s"): [(1000, 1.0, 2.0, 0.5, 1.5, 10.0)]}
    assert list(of_lossless(Record([bar]), {}, truth)) == []
    wrong = Closed(0.0, "A", "1s", 1000, 1.0, 2.0, 0.5, 1.5, 11.0)
    (found,) = of_lossless(Record([wrong]), {}, truth)
    assert "never was" in found


@pytest.mark.parametrize(
    ("numbers", "count"), [([12, 15, 19], 0), ([12, 15], 1), ([15, 12, 19], 1), ([], 1)]
)
def test_quotes_only_get_newer_and_end_as_the_feed(numbers: list[int], count: int) -> None:
    record = Record([Quoted(0.0, "A", n, float(n), 1.0) for n in numbers])
    assert len(list(of_quotes(record, {"A": (19, 19.0, 1.0)}, {"A": TRUTH}))) == count


def test_a_price_that_never_was_is_found() -> None:
    record = Record([Quoted(0.0, "A", 12, 13.0, 1.0), Quoted(0.0, "A", 19, 19.0, 1.0)])
    (found,) = of_quotes(record, {"A": (19, 19.0, 1.0)}, {"A": TRUTH})
    assert "13.0 at 12 never was" in found
