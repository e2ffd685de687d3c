from itertools import pairwise

import pytest
from redis.crc import key_slot

from feed_server.bus import names
from feed_server.bus.partitions import TAGS, partition, tag
from feed_server.protocol import Interval

SLOTS = 16_384
BAND = SLOTS // 128


def slot(key: str) -> int:
    return key_slot(key.encode())


def test_each_partition_has_its_own_band_of_the_slots() -> None:
    assert [slot(f"quotewire:{{{text}}}:AAPL:last") // BAND for text in TAGS] == list(range(128))


@pytest.mark.parametrize("nodes", [1, 2, 3, 5, 7, 16, 100])
def test_partitions_are_spread_evenly_over_any_number_of_nodes(nodes: int) -> None:
    bounds = [SLOTS * node // nodes for node in range(nodes + 1)]
    slots = [slot(text) for text in TAGS]
    shares = [sum(low <= s < high for s in slots) for low, high in pairwise(bounds)]
    assert max(shares) - min(shares) <= 2


def test_symbols_are_spread_evenly_over_partitions() -> None:
    counts = [0] * len(TAGS)
    for number in range(12_800):
        counts[partition(f"S{number}")] += 1
    assert min(counts) > 50
    assert max(counts) < 150


@pytest.mark.parametrize("symbol", ["AAPL", "BRK.B", "BTC/USD", "EUR:USD"])
def test_a_symbols_keys_share_a_slot(symbol: str) -> None:
    keys = [
        names.last_value(symbol),
        names.update_log(symbol),
        names.final_bars(symbol, Interval.DAY),
        names.updates(symbol),
    ]
    assert {slot(key) for key in keys} == {slot(tag(symbol))}
    assert len(set(keys)) == len(keys)


def test_leases_share_a_slot() -> None:
    assert slot(names.SERVERS) == slot(names.server("a")) == slot(names.server("b"))


def test_a_symbol_stays_where_it_is_kept() -> None:
    assert names.last_value("AAPL") == "quotewire:{u}:AAPL:last"
