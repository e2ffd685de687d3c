"""The client's core, driven by the vectors that any client must pass."""

from importlib import import_module
from typing import Any

import pytest

from tests.vector_cases import differences, vector_cases, vector_names

CASES = [(name, case) for name in vector_names() for case in vector_cases(name)]


@pytest.mark.parametrize(
    ("name", "case"), [pytest.param(*pair, id=f"{pair[0]}: {pair[1]['name']}") for pair in CASES]
)
def test_the_vectors_pass(name: str, case: dict[str, Any]) -> None:
    runner = import_module(f"tests.client.vectors.{name}")
    assert differences(case, runner.run(case)) == []


@pytest.mark.parametrize("name", vector_names())
def test_each_vector_has_cases_and_each_case_a_name_of_its_own(name: str) -> None:
    names = [case["name"] for case in vector_cases(name)]
    assert names
    assert len(set(names)) == len(names)
