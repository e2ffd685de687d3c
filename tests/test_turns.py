import asyncio

import pytest

from feed_server.gateway.turns import BusyError, Turns


class Work:
    """Work that lasts until it is told to end, and what is done of it."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.begun: list[int] = []

    async def do(self, turns: Turns, number: int) -> None:
        async with turns.turn():
            self.begun.append(number)
            await self.end.wait()


async def test_few_have_their_turn_few_wait_in_order_and_others_are_sent_away() -> None:
    turns, work = Turns(2, 2), Work()
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(work.do(turns, number))
        await asyncio.sleep(0)
        assert work.begun == [0, 1]
        with pytest.raises(BusyError):
            await work.do(turns, 4)
        work.end.set()
    assert work.begun == [0, 1, 2, 3]
    await work.do(turns, 5)


async def test_who_waits_no_more_or_fails_leaves_room() -> None:
    turns, work = Turns(1, 1), Work()
    first, second = (asyncio.create_task(work.do(turns, number)) for number in range(2))
    await asyncio.sleep(0)
    for task in (second, first):
        task.cancel()
    await asyncio.wait([first, second])
    with pytest.raises(ZeroDivisionError):
        async with turns.turn():
            raise ZeroDivisionError
    work.end.set()
    await asyncio.gather(work.do(turns, 2), work.do(turns, 3))
    assert work.begun == [0, 2, 3]
