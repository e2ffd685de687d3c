"""Plans of faults: seeded, each kind in its turn, calm at the end."""

import pytest

from tests.faults.weather import ALL_CUT, BLACKOUT_S, CALM_S, FIRST, Kind, plan


def facts(seed: int, seconds: float) -> list[tuple[float, Kind, float, float]]:
    planned = plan(seed, seconds)
    return [(p.at_s, p.fault.kind, p.fault.seconds, p.fault.amount) for p in planned]


def test_a_seed_is_a_plan() -> None:
    assert facts(7, 600) == facts(7, 600) != facts(8, 600)


@pytest.mark.parametrize("seed", range(50))
def test_of_ten_minutes_every_kind_has_its_turns(seed: int) -> None:
    kinds = [kind for _, kind, _, _ in facts(seed, 600)]
    assert min(kinds.count(kind) for kind in Kind) >= 2
    assert max(kinds.count(kind) for kind in Kind) <= min(map(kinds.count, Kind)) + 2


@pytest.mark.parametrize("seed", range(50))
def test_a_minute_has_time_for_what_matters_most(seed: int) -> None:
    planned = [kind for _, kind, _, _ in facts(seed, 60)]
    assert planned[0] is Kind.HALF_OPEN
    assert {*FIRST, Kind.STALL} <= set(planned)


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("seconds", [60, 600])
def test_there_is_a_blackout_and_a_calm_end(seed: int, seconds: float) -> None:
    planned = facts(seed, seconds)
    dark = [kind for _, kind, lasts_s, _ in planned if lasts_s == BLACKOUT_S]
    assert len(dark) == 1
    assert dark[0] in ALL_CUT
    assert max(at_s + lasts_s for at_s, _, lasts_s, _ in planned) <= seconds - CALM_S
