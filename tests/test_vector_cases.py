import pytest

from tests.vector_cases import Case, differences

CASE: Case = {
    "name": "a case",
    "random": [0.5],
    "steps": [
        {"at_ms": 0, "actions": [{"do": "open", "reason": "said otherwise"}], "deadline_ms": 5},
        {"at_ms": 5, "actions": []},
    ],
    "counts": {"late": 1},
}


def told(**changes: object) -> Case:
    actions = [{"do": "open", "way": "websocket", "reason": "starts"}]
    steps = [{"actions": actions, "deadline_ms": 5}, {"actions": [], "deadline_ms": 7}]
    return {"steps": steps, "counts": {"late": 1, "gaps": 0}, "held": [], **changes}


def test_what_the_case_says_is_compared_and_nothing_else() -> None:
    assert differences(CASE, told()) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"counts": {"late": 2}}, "counts.late"),
        ({"counts": {}}, "counts.late"),
        ({"steps": [{"actions": []}, {"actions": []}]}, "steps[0].actions"),
        ({"steps": [{"actions": [{"do": "close"}]}, {"actions": []}]}, "steps[0].actions[0].do"),
        ({"steps": [{"deadline_ms": 5}]}, "steps"),
    ],
)
def test_a_difference_is_told_with_its_place(changes: Case, where: str) -> None:
    assert differences(CASE, told(**changes))[0].startswith(f"{where}:")


def test_a_runner_that_tells_nothing_fails() -> None:
    assert differences(CASE, {"held": []}) != []
