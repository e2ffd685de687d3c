import asyncio

import pytest

from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.reader import Reader
from tests.harness import PATIENCE_S

pytestmark = pytest.mark.integration


async def ask_for_ever(reader: Reader) -> None:
    while True:
        await reader.ping()
        await asyncio.sleep(1)


async def test_a_cancelled_task_ends_at_whatever_step_it_was(valkey: EmbeddedValkey) -> None:
    for steps in range(1, 60):
        redis = connect(valkey.url)
        task = asyncio.create_task(ask_for_ever(Reader(redis)))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        _, running = await asyncio.wait([task], timeout=PATIENCE_S)
        assert not running, f"after {steps} steps"
        await redis.aclose()
