"""What waits for a slow reader, and what is dropped."""

import pytest

from dashboard.client.buffers import Every, Latest, latest_bars, latest_quotes
from dashboard.client.core.bars import Bar
from feed_server.protocol import Quote


def quote(symbol: str, last: float, count: int = 1) -> Quote:
    return Quote(symbol, last, 1, None, None, 1, 1, 1, 1, None, "2023-11-14", 1, 1, count)


def test_every_item_is_kept_in_order() -> None:
    buffer: Every[int] = Every(4)
    assert buffer.extend([1, 2, 3]) == 0
    assert [buffer.pop(), buffer.pop(), buffer.pop()] == [1, 2, 3]
    with pytest.raises(LookupError):
        buffer.pop()


def test_the_oldest_are_dropped_where_there_is_no_room_and_counted() -> None:
    buffer: Every[int] = Every(3)
    assert buffer.extend([1, 2]) == 0
    assert buffer.extend([3, 4, 5]) == 2
    assert [buffer.pop() for _ in range(len(buffer))] == [3, 4, 5]
    assert buffer.extend(list(range(7))) == 4
    assert len(buffer) == 3


def test_a_buffer_that_is_more_than_half_full_is_crowded() -> None:
    buffer: Every[int] = Every(4)
    buffer.extend([1, 2])
    assert not buffer.crowded
    buffer.extend([3])
    assert buffer.crowded


def test_of_each_symbol_the_latest_quote_waits_and_says_for_how_many_it_stands() -> None:
    buffer = latest_quotes(10)
    buffer.extend([quote("A", 1), quote("B", 2), quote("A", 3, count=4)])
    assert [(q.symbol, q.last, q.count) for q in (buffer.pop(), buffer.pop())] == [
        ("A", 3, 5),
        ("B", 2, 1),
    ]
    buffer.extend([quote("A", 4)])
    assert buffer.pop().count == 1
    assert len(buffer) == 0


def test_bars_are_read_in_the_order_in_which_they_became_final() -> None:
    def bar(start_ms: int, *, final: bool) -> Bar:
        return Bar("A", "1s", start_ms, 1, 1, 1, 1, 1, None, final)

    buffer = latest_bars(10)
    buffer.extend([bar(3000, final=False)])
    buffer.extend([bar(n, final=True) for n in (1000, 2000, 3000)] + [bar(4000, final=False)])
    assert [buffer.pop().start_ms for _ in range(4)] == [1000, 2000, 3000, 4000]


def test_kinds_are_bounded_too() -> None:
    buffer: Latest[int] = Latest(lambda number: number, lambda _older, newer: newer, 2)
    assert buffer.extend([1, 2, 3, 3]) == 1
    assert [buffer.pop(), buffer.pop()] == [2, 3]
