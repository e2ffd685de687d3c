"""A day of outages in some seconds: nothing grows."""

import asyncio
import gc
import os
import random
from collections import Counter
from dataclasses import dataclass

from dashboard.client import FeedClient
from tests.client.fake_feed import FakeFeed
from tests.client.jumping import JumpingLoop, run_jumping

HOUR_S = 3600.0
SETTLE_S = 40.0


@dataclass(frozen=True)
class Size:
    """What a process holds."""

    tasks: int
    files: int
    timers: int
    objects: int


def size() -> Size:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    gc.collect()
    return Size(
        tasks=len(asyncio.all_tasks()),
        files=len(os.listdir("/proc/self/fd")),
        timers=sum(not timer.cancelled() for timer in loop._scheduled),  # type: ignore[attr-defined]
        objects=len(gc.get_objects()),
    )


async def trouble(feed: FakeFeed, chance: random.Random, kinds: Counter[str]) -> None:
    """Let the feed fail in one of its ways, for a while."""
    kind = chance.choice(["drop", "refuse sockets", "refuse all", "stall"])
    kinds[kind] += 1
    lasts_s = chance.uniform(1, 60)
    if kind == "stall":
        feed.talks = False
    elif kind == "refuse sockets":
        feed.takes_sockets = False
    elif kind == "refuse all":
        feed.takes_sockets = feed.answers = False
    if kind != "stall":
        feed.drop()
    await asyncio.sleep(lasts_s)
    feed.talks = feed.takes_sockets = feed.answers = True


async def hours(feed: FakeFeed, count: float, chance: random.Random, kinds: Counter[str]) -> None:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + count * HOUR_S
    while loop.time() < until_s:
        await trouble(feed, chance, kinds)
        await asyncio.sleep(chance.uniform(1, 120))
        feed.quote("A", "B")
    await asyncio.sleep(SETTLE_S)


async def day() -> tuple[Size, Size, Counter[str], Counter[str]]:
    states: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    chance = random.Random(1)
    async with (
        FakeFeed(heartbeat_ms=10_000) as feed,
        FeedClient(feed.url, poll_ms=5000) as client,
    ):
        client.on_state(lambda state: states.update([state.state]))
        last: dict[str, float] = {}

        async def read() -> None:
            async for quote in client.quotes("A", "B", keep="every"):
                assert quote.last > last.get(quote.symbol, 0)
                last[quote.symbol] = quote.last

        reader = asyncio.create_task(read())
        await hours(feed, 1, chance, kinds)
        before = size()
        await hours(feed, 23, chance, kinds)
        after = size()
        assert client.state.state == "live"
        assert last == {"A": feed.offset, "B": feed.offset}
        assert feed.subscribed["quotes"] == {"A", "B"}
        reader.cancel()
    return before, after, states, kinds


def test_a_day_of_outages_leaves_nothing_behind() -> None:
    before, after, states, kinds = run_jumping(day())
    assert min(kinds.values()) > 100
    assert min(states[name] for name in ("live", "polling", "stale", "offline")) > 100
    assert after.tasks == before.tasks
    assert after.files <= before.files + 2  # of requests that may be kept for a while
    assert after.timers <= before.timers + 2
    assert after.objects < before.objects * 1.02 + 500
