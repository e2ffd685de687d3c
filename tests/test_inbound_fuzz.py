import gc
import json
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz_inbound import ANSWERS, SYMBOLS, Report, Target, fuzz

CASES = int(os.environ.get("FUZZ_CASES", "6000"))

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([*SYMBOLS, "quotes", "trades", "bars", "1d"])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
commands = st.fixed_dictionaries(
    {"type": st.sampled_from(["subscribe", "unsubscribe", "list", "ping", "auth", "dance"])},
    optional=dict.fromkeys(
        ("id", "channel", "symbols", "interval", "max_hz", "since", "snapshot", "token"),
        json_values,
    ),
)


@pytest.fixture
def target() -> Iterator[Target]:
    with ExitStack() as stack:
        yield Target(stack, auth=False)


async def test_whatever_is_said_gets_one_answer_and_is_kept_within_bounds() -> None:
    report = await fuzz(CASES)
    assert report.cases == CASES
    # All kinds were reached, so the cases are not all nonsense.
    assert set(report.answers) == ANSWERS
    assert report.most_symbols == 3
    assert report.closes == 0


async def test_nothing_that_was_said_is_kept() -> None:
    with ExitStack() as stack:
        targets = [Target(stack, auth=False), Target(stack, auth=True)]
        await fuzz(1_000, seed=1, targets=targets)
        gc.collect()
        tracemalloc.start()
        try:
            await fuzz(2_000, seed=2, targets=targets)
            gc.collect()
            grown_bytes, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown_bytes < 200_000


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.binary() | json_values.map(json.dumps) | commands.map(json.dumps))
async def test_any_text_or_json_gets_one_answer(target: Target, said: str | bytes) -> None:
    target.run(said, Report())


async def test_half_a_surrogate_gets_one_answer(target: Target) -> None:
    for said in ("\ud800", '{"type":"ping","id":1,"\udfff":2}', '{"type":"\ud83d","id":1}'):
        target.run(said, Report())
