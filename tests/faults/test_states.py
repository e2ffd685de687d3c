"""The verdict on what a client showed finds each state that was not true."""

from collections.abc import Sequence

import pytest

from tests.faults.proxy import Delivery
from tests.faults.record import Entry, Record, Sample, StateChange
from tests.faults.states import of_states
from tests.faults.weather import Kind, Spell


def states(entries: list[Entry], heard: Sequence[float], *spells: Spell) -> list[str]:
    deliveries = [Delivery(at_ms, "ws") for at_ms in heard]
    return list(
        of_states(
            Record(entries), deliveries, spells, heartbeat_ms=1000, poll_ms=1000, until_ms=60_000
        )
    )


def shown(state: str, begin_ms: int, end_ms: int) -> list[Entry]:
    return [Sample(float(at_ms), state, "websocket") for at_ms in range(begin_ms, end_ms, 100)]


def test_live_is_who_hears_something() -> None:
    assert states(shown("live", 0, 5000), range(0, 3000, 1000)) == []
    assert len(states(shown("live", 0, 5000), [0])) == 19
    assert states(shown("stale", 0, 5000), [0]) == []
    assert len(states(shown("stale", 0, 5000), range(0, 5000, 1000))) == 11


def test_long_after_all_was_cut_it_is_offline() -> None:
    spell = Spell(Kind.STALL, 0, 20_000)
    assert states(shown("offline", 0, 20_000), [], spell) == []
    assert len(states(shown("stale", 0, 20_000), [], spell)) == 40
    assert states(shown("stale", 0, 14_000), [], spell) == []


def test_long_after_all_is_well_it_is_live() -> None:
    spell = Spell(Kind.DROP, 1000, 1000)
    assert len(states(shown("connecting", 0, 22_000), [], spell)) == 10
    assert states(shown("connecting", 0, 21_000), [], spell) == []


def test_who_was_told_a_state_is_not_told_again() -> None:
    change = StateChange(0, "live", "welcomed", "websocket")
    assert len(states([change, change], [0])) == 1


def test_what_is_shown_is_what_was_told() -> None:
    live = StateChange(0, "live", "welcomed", "websocket")
    gone = StateChange(2000, "offline", "unreachable", "polling")
    heard = range(0, 2000, 1000)
    assert states([live, gone, *shown("live", 0, 1900), *shown("offline", 1900, 4000)], heard) == []
    found = states([live, gone, *shown("live", 0, 1200), *shown("offline", 1200, 4000)], heard)
    assert [text for text in found if "offline is shown, live was told" in text] == found[:3]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("kind", "before", "after", "others", "count"),
    [
        (Kind.NO_WEBSOCKET, "live", "offline", (), 14),
        (Kind.DROP, "live", "connecting", (), 14),
        (Kind.DROP, "live", "polling", (), 0),
        (Kind.DROP, "polling", "offline", (), 0),
        (Kind.BAD_GATEWAY, "live", "offline", (), 0),
        (Kind.DROP, "live", "offline", (Spell(Kind.NO_HTTP, 4000, 6000),), 0),
        (Kind.DROP, "live", "offline", (Spell(Kind.NO_HTTP, 11_000, 13_000),), 1),
    ],
)
def test_who_was_live_falls_back_in_time(
    kind: Kind, before: str, after: str, others: Sequence[Spell], count: int
) -> None:
    entries = [*shown(before, 0, 5000), *shown(after, 5000, 12_400)]
    spell = Spell(kind, 4950, 4950)
    found = states(entries, range(0, 5000, 1000), spell, *others)
    assert sum(f"ms after {kind}" in text for text in found) == count


def test_who_shows_nothing_new_for_long_is_found() -> None:
    assert len(states([*shown("offline", 0, 1000), *shown("offline", 7000, 8000)], [])) == 1
