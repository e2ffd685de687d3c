"""How tests of our own end that hang or fail."""

import asyncio

import pytest

from tests.deadline import ending_in_order


async def test_a_test_that_hangs_is_cancelled_and_so_is_all_that_it_began() -> None:
    began: list[asyncio.Task[None]] = []
    closed = []

    async def hangs() -> None:
        began.append(asyncio.create_task(asyncio.sleep(3600)))
        try:
            await asyncio.Event().wait()
        finally:
            closed.append("its socket")

    with pytest.raises(TimeoutError):
        await ending_in_order(hangs, 0.05)()
    assert closed == ["its socket"]
    assert [task.cancelled() for task in began] == [True]


async def test_a_failed_test_leaves_no_task_but_those_that_were_there_before() -> None:
    fixture = asyncio.create_task(asyncio.sleep(3600))
    began: list[asyncio.Task[None]] = []

    async def fails() -> None:
        began.append(asyncio.create_task(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        raise AssertionError("as it were")

    with pytest.raises(AssertionError, match="as it were"):
        await ending_in_order(fails, 60)()
    assert [task.cancelled() for task in began] == [True]
    assert not fixture.done()
    fixture.cancel()


@pytest.mark.timeout(90)
async def test_every_asynchronous_test_has_a_deadline_before_that_of_the_whole() -> None:
    loop = asyncio.get_running_loop()
    due_s = [
        handle.when() - loop.time()
        for handle in loop._scheduled  # type: ignore[attr-defined]
        if not handle.cancelled()
    ]
    assert any(50 < s <= 60 for s in due_s)
