"""What is wanted is acknowledged when the source has told how that stands, or after a while."""

from feed_server.ingest.acknowledging import PATIENCE_S, Acknowledging


def test_what_nothing_is_awaited_of_is_acknowledged_at_once() -> None:
    held = Acknowledging()
    held.hold({"g": 1}, (), 0)
    assert held.take(0) == {"g": 1}
    assert held.take(0) is None


def test_what_is_new_is_acknowledged_when_all_of_it_is_told() -> None:
    held = Acknowledging()
    held.hold({"g": 1, "h": 4}, {"A", "B"}, 0)
    assert held.waits
    held.tell(["A", "C"])
    assert held.take(0) is None
    held.tell(["B"])
    assert held.take(0) == {"g": 1, "h": 4}
    assert not held.waits


def test_a_later_change_does_not_overtake_an_earlier_one() -> None:
    held = Acknowledging()
    held.hold({"g": 1}, {"A"}, 0)
    held.hold({"g": 2}, (), 0)
    held.hold({"g": 3, "h": 1}, {"C"}, 0)
    assert held.take(0) is None, "who hears of 2 takes 1 for seen"
    held.tell(["A"])
    assert held.take(0) == {"g": 2}
    held.tell(["C"])
    assert held.take(0) == {"g": 3, "h": 1}


def test_a_source_that_does_not_tell_is_waited_for_a_while() -> None:
    held = Acknowledging()
    held.hold({"g": 1}, {"A"}, 10)
    held.hold({"g": 2}, {"B"}, 10.1)
    assert held.take(10 + PATIENCE_S - 0.01) is None
    assert held.take(10 + PATIENCE_S) == {"g": 1}
    assert held.take(10.1 + PATIENCE_S) == {"g": 2}


def test_what_is_told_before_it_is_asked_for_does_not_count() -> None:
    held = Acknowledging()
    held.tell(["A"])
    held.hold({"g": 1}, {"A"}, 0)
    assert held.take(0) is None
