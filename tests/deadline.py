"""An asynchronous test that hangs or fails ends in order: the next ones do not fail by it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import ParamSpec

import pytest

P = ParamSpec("P")

SHARE = 2 / 3
"""Of the time that a test has with all its fixtures. At the end of that time, the whole loop would
be torn away, and whatever its tasks hold would be left open."""
LEAVE_S = 5.0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each asynchronous test its deadline."""
    usual_s = float(config.getini("timeout"))
    for item in items:
        if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
            marker = item.get_closest_marker("timeout")
            limit_s = SHARE * (usual_s if marker is None else float(marker.args[0]))
            item.obj = ending_in_order(item.obj, limit_s)


def ending_in_order(
    test: Callable[P, Awaitable[None]], limit_s: float
) -> Callable[P, Awaitable[None]]:
    """Return a test that has a deadline and, where it fails, leaves no task running."""

    @wraps(test)
    async def bounded(*arguments: P.args, **named: P.kwargs) -> None:
        before = asyncio.all_tasks()
        try:
            async with asyncio.timeout(limit_s):
                await test(*arguments, **named)
        except BaseException:
            left = asyncio.all_tasks() - before
            for task in left:
                task.cancel()
            if left:
                # While its fixtures are there: no connection is made when they are closed.
                await asyncio.wait(left, timeout=LEAVE_S)
            raise

    return bounded
