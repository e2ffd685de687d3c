"""A vendor's limits as several processes keep to them, over a real Redis."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from feed_server.bus.quota import MARGIN_MS, Quota
from feed_server.bus.quota_file import QuotaFile
from tests.harness import PATIENCE_S, FeedProcess, wait_for
from tests.vendors.twelvedata_server import KEY, TwelveDataServer

pytestmark = pytest.mark.integration


async def test_no_more_is_given_than_the_limit(redis: Redis) -> None:
    quota = Quota(redis, "vendor", [(8, 60.0), (800, 86_400.0)])
    first = await quota.take(5)
    assert (first.credits, first.left) == (5, [3, 795])
    second = await quota.take(5)
    assert (second.credits, second.left) == (3, [0, 792])
    third = await quota.take(1)
    assert third.credits == 0
    assert 50 < third.wait_s <= 60 + MARGIN_MS / 1000


async def test_several_processes_share_one_budget(redis: Redis) -> None:
    quotas = [Quota(redis, "vendor", [(20, 60.0)]) for _ in range(10)]
    grants = await asyncio.gather(*(quota.take(3) for quota in quotas))
    assert sum(grant.credits for grant in grants) == 20


async def test_a_restart_does_not_forget_what_was_spent(redis: Redis) -> None:
    await Quota(redis, "vendor", [(8, 60.0)]).take(8)
    assert (await Quota(redis, "vendor", [(8, 60.0)]).take(1)).credits == 0


async def test_what_was_spent_comes_back_and_every_stretch_counts(redis: Redis) -> None:
    quota = Quota(redis, "vendor", [(2, 0.3)])
    spent: list[tuple[float, float]] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while len(spent) < 9 and time.monotonic() < deadline_s:
        asked_s = time.monotonic()
        grant = await quota.take(1)
        if grant.credits:
            spent.append((asked_s, time.monotonic()))
        else:
            await asyncio.sleep(grant.wait_s)
    assert len(spent) == 9
    gaps = [later - earlier for (earlier, _), (_, later) in zip(spent, spent[2:], strict=False)]
    assert min(gaps) >= 0.3


async def test_the_tightest_limit_decides(redis: Redis) -> None:
    quota = Quota(redis, "vendor", [(1, 1.0), (25, 86_400.0)])
    assert (await quota.take(5)).credits == 1
    assert (await quota.take(1)).wait_s < 1.5


async def test_the_vendors_own_word_stops_everybody(redis: Redis) -> None:
    quota, other = (Quota(redis, "vendor", [(8, 60.0)]) for _ in range(2))
    await quota.block(37.0)
    grant = await other.take(1)
    assert grant.credits == 0
    assert 30 < grant.wait_s <= 37


async def test_a_shorter_word_does_not_shorten_a_longer_one(redis: Redis) -> None:
    quota = Quota(redis, "vendor", [(8, 60.0)])
    await quota.block(3600.0)
    await quota.block(1.0)
    assert (await quota.take(1)).wait_s > 3500


async def test_asking_for_nothing_only_tells_what_is_left(redis: Redis) -> None:
    quota = Quota(redis, "vendor", [(8, 60.0)])
    await quota.take(1)
    assert (await quota.take(0)).left == [7]
    assert (await quota.take(0)).left == [7]


async def test_vendors_have_budgets_of_their_own(redis: Redis) -> None:
    await Quota(redis, "one", [(1, 60.0)]).take(1)
    assert (await Quota(redis, "other", [(1, 60.0)]).take(1)).credits == 1


async def test_a_file_keeps_what_a_redis_forgets(redis: Redis, tmp_path: Path) -> None:
    path = tmp_path / "new" / "spent.json"
    limits = [(8, 60.0), (25, 86_400.0)]
    before = QuotaFile(redis, path, ["vendor"])
    await before.load()
    await Quota(redis, "vendor", limits).take(5)
    await Quota(redis, "vendor", limits).block(30.0)
    await before.save()
    await redis.flushall()
    await QuotaFile(redis, path, ["vendor"]).load()
    grant = await Quota(redis, "vendor", limits).take(1)
    assert (grant.credits, grant.left) == (0, [3, 20])
    assert 20 < grant.wait_s <= 30


async def test_a_file_that_is_damaged_is_as_none(redis: Redis, tmp_path: Path) -> None:
    path = tmp_path / "spent.json"
    path.write_text("{")
    kept = QuotaFile(redis, path, ["vendor"])
    await kept.load()
    await Quota(redis, "vendor", [(8, 60.0)]).take(1)
    await kept.save()
    await redis.flushall()
    await QuotaFile(redis, path, ["vendor"]).load()
    assert (await Quota(redis, "vendor", [(8, 60.0)]).take(0)).left == [7]


def test_a_restart_of_the_whole_feed_does_not_forget_what_was_spent(tmp_path: Path) -> None:
    with TwelveDataServer() as vendor, ExitStack() as stack:
        settings = {
            "provider": "twelvedata",
            "twelvedata_key": KEY,
            "twelvedata_url": vendor.url,
            "twelvedata_websocket_url": "none",
            "twelvedata_per_minute": "3",
            "symbols": "AAPL,MSFT,NVDA,AMZN,SPY,GOOGL",
            "state_folder": str(tmp_path),
        }
        asked = []
        for _ in range(2):
            feed = FeedProcess(settings)
            stack.callback(feed.stop)
            feed.spawn()
            wait_for("it listens", lambda feed=feed: _listens(feed))  # type: ignore[misc]
            httpx.get(f"{feed.url}/api/quotes", params={"symbols": settings["symbols"]}, timeout=20)
            wait_for("all is spent", lambda feed=feed: _left(feed) == 0)  # type: ignore[misc]
            wait_for("the vendor was asked", lambda: _quoted(vendor) >= 3)
            feed.stop()
            asked.append(_quoted(vendor))
    assert asked == [3, 3]


def _left(feed: FeedProcess) -> int | None:
    sources = httpx.get(f"{feed.url}/api/status", timeout=20).json()["sources"]
    left: list[int] = [source["budgets"][0]["left"] for source in sources if source["budgets"]]
    return left[0] if left else None


def _quoted(vendor: TwelveDataServer) -> int:
    quotes = [r.query["symbol"] for r in vendor.requests if r.path == "/quote"]
    return sum(len(symbols.split(",")) for symbols in quotes)


def _listens(feed: FeedProcess) -> bool:
    try:
        return httpx.get(f"{feed.url}/api/symbols", timeout=2).is_success
    except httpx.TransportError:
        return False
