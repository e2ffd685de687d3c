from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from feed_server.bus.connection import connect
from feed_server.bus.leases import Leases, WantedReader
from feed_server.bus.lock import ProviderLock
from feed_server.bus.publisher import Kept, Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.update import SymbolUpdate
from feed_server.protocol import Interval, Position, SourceState, SourceStatus, SymbolInfo
from tests.harness import free_port, wait_for
from tests.servers import ValkeyServer
from tests.updates import bar, update

pytestmark = pytest.mark.integration

SYMBOLS = [f"S{number}" for number in range(200)]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Redis]:
    """The only node of a cluster: it has all slots, and refuses what would need two of them."""
    # By itself the cluster's own port is 10,000 above the other, and may be none.
    own_port = ("--cluster-port", str(free_port()))
    with ValkeyServer(tmp_path, "--cluster-enabled", "yes", *own_port) as server:
        server.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        wait_for("the cluster is up", lambda: b"cluster_state:ok" in server.ask("CLUSTER", "INFO"))
        redis = connect(server.url)
        yield redis
        await redis.aclose()


def ending(symbol: str) -> SymbolUpdate:
    """Return an update in which bars of all intervals become final."""
    ended = [bar(symbol, day=2, final=True, interval=interval) for interval in Interval]
    return replace(update(symbol, trades=1), bars=[*ended, bar(symbol, day=3)])


async def test_no_call_needs_two_slots(cluster: Redis) -> None:
    publisher, reader = Publisher(cluster), Reader(cluster)
    lock = ProviderLock(cluster, "replay")
    publisher.fence = await lock.acquire()
    await lock.release()
    await publisher.declare_symbols(
        [SymbolInfo(s, s, "USD", 2, "replay", "REPLAY") for s in SYMBOLS]
    )
    await publisher.add_symbols([SymbolInfo("S0", "S0", "USD", 2, "replay", "REPLAY")])
    await publisher.set_run("replay", "one")
    for symbol in SYMBOLS:
        history = [bar(symbol, day=1, final=True)]
        await publisher.begin_epoch(symbol, "e1", history)
    await publisher.publish([ending(symbol) for symbol in SYMBOLS])
    for source in ("one", "two"):
        status = SourceStatus(source, "", SourceState.LIVE, "streaming", None, 0)
        await publisher.publish_status(status)
    leases = Leases(cluster, "gateway")
    await leases.hold(dict.fromkeys(SYMBOLS, 1))
    await leases.renew()

    assert await reader.run("replay") == "one"
    assert len(await reader.symbols()) == len(SYMBOLS)
    assert len(await reader.last_values(SYMBOLS)) == len(SYMBOLS)
    missed = await reader.updates_since(dict.fromkeys(SYMBOLS, 0), limit=10)
    assert {len(updates) for updates in missed.values()} == {1}
    assert len((await reader.trades("S7", 10)).trades) == 1
    assert {len(starts) for starts in (await reader.final_starts(SYMBOLS)).values()} == {7}
    bars = await reader.bars("S7", Interval.DAY, start_ms=0, end_ms=10**15, limit=10)
    assert len(bars.bars) == 3
    assert len(await reader.statuses()) == 2
    kept = Kept(Position("e1", 1), bars=7, fence=publisher.fence)
    assert await publisher.kept(SYMBOLS) == dict.fromkeys(SYMBOLS, kept)
    assert await WantedReader(cluster).counts() == dict.fromkeys(SYMBOLS, 1)
    await leases.release()
