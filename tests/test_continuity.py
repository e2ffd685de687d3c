from collections.abc import Sequence

import pytest

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.continuity import MAX_HELD, Flow, Mended, chain
from tests.desk import at, traded


def flowing(offset: int = 1, epoch: str = "e1") -> Flow:
    """Return a flow that has read a symbol's state and stands there."""
    flow = Flow()
    read(flow, traded(offset, epoch=epoch))
    return flow


def read(
    flow: Flow, newest: StoredUpdate | None, log: Sequence[StoredUpdate] = ()
) -> list[tuple[str, int]]:
    """Let a flow read; return the places of what it passes on."""
    flow.begin_read()
    return places(flow.end_read(newest, log))


def places(mended: Mended) -> list[tuple[str, int]]:
    return [(stored.epoch, stored.offset) for stored in mended.updates]


# ---- chain ----------------------------------------------------------------------------------


def test_a_chain_leaves_out_what_is_known_and_what_is_there_twice() -> None:
    updates = [traded(1), traded(2), traded(3), traded(3), traded(5, trades=2)]
    linked = chain(at(2), updates)
    assert linked is not None
    assert [stored.offset for stored in linked] == [3, 5]


def test_a_chain_without_anything_new_is_empty() -> None:
    assert chain(at(2), [traded(1), traded(2)]) == []
    assert chain(at(2), []) == []


@pytest.mark.parametrize(
    "updates",
    [
        [traded(4)],
        [traded(3), traded(5)],
        [traded(4, trades=3)],
        [traded(3), traded(4, epoch="e2")],
        [traded(2, epoch="e0"), traded(3)],
    ],
    ids=["hole", "later hole", "overlap", "epoch", "older epoch"],
)
def test_a_chain_with_a_gap_is_none(updates: list[StoredUpdate]) -> None:
    assert chain(at(2), updates) is None


# ---- hearing --------------------------------------------------------------------------------


def test_what_comes_next_is_passed_on() -> None:
    flow = flowing(1)
    assert flow.hear(traded(2))
    assert flow.hear(traded(5, trades=3))
    assert flow.latest == traded(5, trades=3)
    assert not flow.waits


@pytest.mark.parametrize("offset", [3, 2, 1])
def test_what_was_there_already_is_left_out(offset: int) -> None:
    flow = flowing(3)
    assert not flow.hear(traded(offset))
    assert not flow.waits


@pytest.mark.parametrize(
    "heard",
    [traded(5), traded(4, trades=2), traded(4, epoch="e2")],
    ids=["hole", "overlap", "epoch"],
)
def test_a_gap_asks_for_a_read_and_nothing_is_passed_on_before_it(heard: StoredUpdate) -> None:
    flow = flowing(3)
    assert not flow.hear(heard)
    assert flow.waits
    assert not flow.hear(traded(4))


def test_while_a_read_is_due_nothing_is_passed_on() -> None:
    flow = flowing(1)
    flow.interrupt()
    assert not flow.hear(traded(2))
    assert read(flow, traded(2), [traded(2)]) == [("e1", 2)]
    assert flow.hear(traded(3))


# ---- mending --------------------------------------------------------------------------------


def test_a_flow_begins_with_a_read_of_the_state() -> None:
    flow = Flow()
    assert flow.waits
    assert not flow.hear(traded(2))
    assert flow.begin_read() is None
    mended = flow.end_read(traded(2), [])
    assert (mended.restated, mended.updates, mended.again) == (traded(2), [], False)
    assert flow.hear(traded(3))


def test_a_gap_is_mended_from_the_log() -> None:
    flow = flowing(1)
    flow.hear(traded(4))
    assert flow.begin_read() == 1
    mended = flow.end_read(traded(4), [traded(2), traded(3), traded(4)])
    assert places(mended) == [("e1", 2), ("e1", 3), ("e1", 4)]
    assert mended.restated is None
    assert flow.hear(traded(5))


def test_what_is_heard_during_a_read_follows_what_was_read() -> None:
    flow = flowing(1)
    flow.hear(traded(3))
    flow.begin_read()
    flow.hear(traded(4))
    flow.hear(traded(5))
    mended = flow.end_read(traded(4), [traded(2), traded(3)])
    assert places(mended) == [("e1", offset) for offset in (2, 3, 4, 5)]
    assert flow.latest == traded(5)
    assert flow.hear(traded(6))


def test_what_the_log_told_before_it_was_heard_is_not_passed_on_again() -> None:
    """The log is read after the last value: it may have what came between."""
    flow = flowing(1)
    flow.interrupt()
    assert read(flow, traded(2), [traded(2), traded(3)]) == [("e1", 2), ("e1", 3)]
    assert not flow.hear(traded(3))
    assert flow.hear(traded(4))


def test_a_gap_that_the_log_does_not_reach_restates() -> None:
    flow = flowing(1)
    flow.hear(traded(9))
    flow.begin_read()
    mended = flow.end_read(traded(9), [traded(8), traded(9)])
    assert (mended.updates, mended.restated) == ([], traded(9))
    assert not flow.hear(traded(9))
    assert flow.hear(traded(10))


def test_a_restated_symbol_stands_where_it_was_heard_last() -> None:
    flow = flowing(1)
    flow.hear(traded(8))
    flow.begin_read()
    flow.hear(traded(9))
    assert flow.end_read(traded(8), [traded(8)]).restated == traded(9)
    assert flow.hear(traded(10))


def test_an_interruption_without_a_gap_passes_nothing_on() -> None:
    flow = flowing(3)
    flow.interrupt()
    flow.begin_read()
    assert flow.end_read(traded(3), []) == Mended()
    assert not flow.waits
    assert flow.hear(traded(4))


def test_a_last_value_from_before_what_was_heard_takes_nothing_back() -> None:
    """As from a replica that is behind."""
    flow = flowing(5)
    flow.interrupt()
    assert read(flow, traded(3)) == []
    assert flow.latest == traded(5)
    assert flow.hear(traded(6))


def test_a_new_epoch_restates() -> None:
    flow = flowing(7)
    assert not flow.hear(traded(1, epoch="e2"))
    flow.begin_read()
    mended = flow.end_read(traded(1, epoch="e2"), [])
    assert mended.restated == traded(1, epoch="e2")
    assert flow.hear(traded(2, epoch="e2"))


def test_an_epoch_that_begins_during_a_read_is_read_again() -> None:
    flow = flowing(7)
    flow.interrupt()
    flow.begin_read()
    flow.hear(traded(1, epoch="e2"))
    mended = flow.end_read(traded(8), [traded(8)])
    assert mended == Mended(again=True)
    assert flow.waits
    flow.begin_read()
    assert flow.end_read(traded(1, epoch="e2"), []).restated == traded(1, epoch="e2")


def test_a_straggler_of_an_old_epoch_is_read_about_once_and_forgotten() -> None:
    flow = flowing(2, epoch="e2")
    assert not flow.hear(traded(9, epoch="e1"))
    assert flow.waits
    flow.begin_read()
    assert flow.end_read(traded(2, epoch="e2"), []) == Mended()
    assert not flow.waits
    assert flow.hear(traded(3, epoch="e2"))


def test_a_symbol_that_is_gone_is_forgotten_and_begins_anew() -> None:
    flow = flowing(4)
    flow.interrupt()
    flow.begin_read()
    assert flow.end_read(None, []) == Mended()
    assert flow.latest is None
    assert not flow.waits
    assert not flow.hear(traded(1, epoch="e2"))
    flow.begin_read()
    assert flow.end_read(traded(1, epoch="e2"), []).restated == traded(1, epoch="e2")


def test_a_symbol_that_begins_while_nothing_is_found_is_read_again() -> None:
    flow = Flow()
    flow.begin_read()
    flow.hear(traded(1))
    assert flow.end_read(None, []).again
    flow.begin_read()
    assert flow.end_read(traded(1), []).restated == traded(1)


def test_an_interruption_during_a_read_is_not_forgotten() -> None:
    flow = flowing(1)
    flow.hear(traded(3))
    flow.begin_read()
    flow.interrupt()
    assert flow.end_read(traded(3), [traded(2), traded(3)]) == Mended(again=True)
    assert flow.waits
    assert read(flow, traded(4), [traded(2), traded(3), traded(4)]) == [
        ("e1", 2),
        ("e1", 3),
        ("e1", 4),
    ]
    assert not flow.waits


def test_an_interruption_during_the_first_read_is_not_forgotten() -> None:
    flow = Flow()
    flow.begin_read()
    flow.interrupt()
    assert flow.end_read(None, []).again
    assert flow.waits


def test_a_hole_in_what_was_heard_during_a_read_is_mended_by_the_next() -> None:
    flow = flowing(1)
    flow.interrupt()
    flow.begin_read()
    flow.hear(traded(4))
    mended = flow.end_read(traded(2), [traded(2)])
    assert (places(mended), mended.again) == ([("e1", 2)], True)
    assert flow.waits
    assert not flow.hear(traded(5))
    assert flow.begin_read() == 2
    mended = flow.end_read(traded(4), [traded(3), traded(4)])
    assert (places(mended), mended.again) == ([("e1", 3), ("e1", 4), ("e1", 5)], False)
    assert flow.hear(traded(6))


def test_a_hole_that_no_read_brings_closer_restates() -> None:
    flow = flowing(5)
    flow.interrupt()
    flow.begin_read()
    flow.hear(traded(9))
    assert flow.end_read(traded(3), []).restated == traded(9)
    assert not flow.waits


def test_a_read_that_fails_is_made_up_for_by_the_next() -> None:
    flow = flowing(1)
    flow.hear(traded(3))
    flow.begin_read()
    flow.hear(traded(4))
    assert flow.begin_read() == 1
    mended = flow.end_read(traded(4), [traded(2), traded(3), traded(4)])
    assert places(mended) == [("e1", 2), ("e1", 3), ("e1", 4)]


def test_what_is_held_is_bounded_and_the_rest_is_in_the_log() -> None:
    flow = flowing(1)
    flow.interrupt()
    newest = MAX_HELD + 500
    for offset in range(2, 300):
        flow.hear(traded(offset))
    flow.begin_read()
    for offset in range(300, newest + 1):
        flow.hear(traded(offset))
    mended = flow.end_read(traded(299), [traded(offset) for offset in range(2, 300)])
    assert (len(mended.updates), mended.again) == (298, True)
    flow.begin_read()
    mended = flow.end_read(traded(newest), [traded(offset) for offset in range(300, newest + 1)])
    assert (len(mended.updates), mended.again) == (newest - 299, False)
    assert flow.hear(traded(newest + 1))


def test_a_log_longer_than_one_read_is_read_in_several() -> None:
    flow = flowing(1)
    flow.hear(traded(50))
    flow.begin_read()
    mended = flow.end_read(traded(50), [traded(offset) for offset in range(2, 30)])
    assert (places(mended)[-1], mended.again) == (("e1", 29), True)
    assert flow.begin_read() == 29
    mended = flow.end_read(traded(50), [traded(offset) for offset in range(30, 51)])
    assert (places(mended)[-1], mended.again) == (("e1", 50), False)


def test_an_epoch_heard_during_a_read_is_noticed_though_the_oldest_were_let_go() -> None:
    flow = flowing(1)
    flow.interrupt()
    for offset in range(2, MAX_HELD + 2):
        flow.hear(traded(offset))
    flow.begin_read()
    flow.hear(traded(1, epoch="e2"))
    assert flow.end_read(traded(MAX_HELD + 1), []).again
