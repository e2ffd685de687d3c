import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.publisher import Beginning, Kept, Publisher
from feed_server.bus.reader import Reader
from feed_server.bus.update import SymbolUpdate
from feed_server.errors import FencedError
from feed_server.protocol import Bar, Interval, Position
from tests.updates import bar, update

pytestmark = pytest.mark.integration

SECOND, MINUTE, DAY = Interval.SECOND, Interval.MINUTE, Interval.DAY
EVER = 10**15


def telling(time_ms: int, *bars: Bar) -> SymbolUpdate:
    """Return an update that tells these bars."""
    return replace(update(time_ms=time_ms), bars=list(bars))


def minute(number: int, *, close: float = 1.0, final: bool = False) -> Bar:
    return bar(close=close, day=number, final=final, interval=MINUTE)


async def kept(
    redis: Redis, interval: Interval, *, start: int = 0, end: int = EVER, limit: int = 100
) -> list[tuple[int, float, bool]]:
    """Give number, close and whether it is final of the bars that are read."""
    history = await Reader(redis).bars("AAPL", interval, start_ms=start, end_ms=end, limit=limit)
    return [(b.start_ms // interval.ms, b.close, b.final) for b in history.bars]


async def since_ms(redis: Redis, interval: Interval) -> int:
    reader = Reader(redis)
    return (await reader.bars("AAPL", interval, start_ms=0, end_ms=EVER, limit=9)).since_ms


async def test_final_bars_are_kept_by_interval(redis: Redis) -> None:
    ended = [bar(day=2, final=True, interval=interval) for interval in Interval]
    await Publisher(redis).publish([telling(1, *ended)])
    for interval in Interval:
        assert await kept(redis, interval) == [(2, 1, True)]


async def test_an_update_without_final_bars_touches_no_sets(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([telling(1, minute(0))])
    await redis.config_resetstat()
    await publisher.publish([telling(2, minute(0, close=2), bar(day=0))])
    commands = set(await redis.info("commandstats"))
    assert not {name for name in commands if name.startswith("cmdstat_z")}
    assert await kept(redis, MINUTE) == [(0, 2, False)]


async def test_all_open_bars_of_an_interval_follow_the_final_ones(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish(
        [telling(1, minute(0, final=True), minute(1), minute(2), bar(day=0, close=7))]
    )
    assert await kept(redis, MINUTE) == [(0, 1, True), (1, 1, False), (2, 1, False)]
    assert await kept(redis, DAY) == [(0, 7, False)]
    assert await kept(redis, SECOND) == []


async def test_open_bars_are_read_by_range_and_count_too(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([telling(1, minute(0, final=True), minute(1), minute(2))])
    assert [n for n, *_ in await kept(redis, MINUTE, start=MINUTE.ms, end=MINUTE.ms)] == [1]
    assert [n for n, *_ in await kept(redis, MINUTE, limit=2)] == [1, 2]


async def test_an_open_bar_takes_no_final_ones_place(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.begin_epoch("AAPL", "e1", [minute(1, close=5, final=True)])
    await publisher.publish([telling(1, minute(1, close=6), minute(2))])
    assert await kept(redis, MINUTE) == [(1, 5, True), (2, 1, False)]


async def test_a_final_bar_that_is_told_again_is_there_once(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.begin_epoch("AAPL", "e1", [minute(1, close=5, final=True)])
    ending = telling(1, minute(1, close=6, final=True), minute(2))
    for _ in range(2):
        assert await publisher.publish([ending]) == {"AAPL": Position("e1", 1)}
    assert await kept(redis, MINUTE) == [(1, 6, True), (2, 1, False)]


async def test_the_newest_bars_of_each_interval_are_kept(redis: Redis) -> None:
    publisher = Publisher(redis, bars_kept=3)
    days = [bar(day=day, final=True) for day in range(3)]
    await publisher.publish([telling(1, *days, *(minute(n, final=True) for n in range(3)))])
    assert (await since_ms(redis, MINUTE), await since_ms(redis, DAY)) == (0, 0)
    await publisher.publish([telling(2, minute(3, final=True), minute(4, final=True), minute(5))])
    assert [n for n, *_ in await kept(redis, MINUTE)] == [2, 3, 4, 5]
    assert [n for n, *_ in await kept(redis, DAY)] == [0, 1, 2]
    assert (await since_ms(redis, MINUTE), await since_ms(redis, DAY)) == (2 * MINUTE.ms, 0)


async def test_an_epoch_begins_with_bars_of_all_intervals_and_forgets_those_before(
    redis: Redis,
) -> None:
    publisher = Publisher(redis, bars_kept=1)
    before = [bar(day=n, final=True, interval=i) for i in Interval for n in (5, 6)]
    await publisher.publish([telling(1, *before)])
    history = [bar(day=1, final=True), minute(7, final=True)]
    await publisher.begin_epochs([Beginning("AAPL", "e2", history, since_ms=420_000)])
    assert {i: await kept(redis, i) for i in Interval if await kept(redis, i)} == {
        DAY: [(1, 1, True)],
        MINUTE: [(7, 1, True)],
    }
    whole = {interval: await since_ms(redis, interval) for interval in Interval}
    assert whole == dict.fromkeys(Interval, 420_000) | {DAY: DAY.ms}


async def test_bars_let_go_tell_from_where_on_they_are_whole_whatever_began_them(
    redis: Redis,
) -> None:
    publisher = Publisher(redis, bars_kept=1)
    await publisher.begin_epochs([Beginning("AAPL", "e1", [], since_ms=150_000)])
    await publisher.publish([telling(1, minute(1, final=True), minute(2, final=True))])
    assert await since_ms(redis, MINUTE) == 150_000
    await publisher.publish([telling(2, minute(3, final=True))])
    assert await since_ms(redis, MINUTE) == 3 * MINUTE.ms


async def test_what_is_kept_counts_intervals(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.begin_epoch("AAPL", "e1", [bar(day=1, final=True), minute(7, final=True)])
    await publisher.begin_epoch("IBM", "e1", [])
    assert await publisher.kept(["AAPL", "IBM", "MSFT"]) == {
        "AAPL": Kept(Position("e1", 0), bars=2, fence=0),
        "IBM": Kept(Position("e1", 0), bars=0, fence=0),
    }


async def test_a_successor_learns_where_the_bars_end(redis: Redis) -> None:
    publisher = Publisher(redis)
    bars = [minute(6, final=True), minute(7, final=True), bar(day=1, final=True)]
    await publisher.begin_epoch("AAPL", "e1", bars)
    await publisher.publish([telling(1, minute(8), bar(day=2))])
    assert await Reader(redis).final_starts(["IBM", "AAPL"]) == {
        "IBM": {},
        "AAPL": {MINUTE: 7 * MINUTE.ms, DAY: DAY.ms},
    }
    assert await Reader(redis).final_starts([]) == {}


async def test_a_successor_learns_what_the_stream_was_of(redis: Redis) -> None:
    reader, publisher = Reader(redis), Publisher(redis)
    assert await reader.run("replay") is None
    await publisher.set_run("replay", "days of BAC")
    await publisher.set_run("coinbase", "live")
    assert await reader.run("replay") == "days of BAC"


async def test_an_earlier_writer_changes_no_bars(redis: Redis) -> None:
    later, earlier = Publisher(redis), Publisher(redis)
    later.fence, earlier.fence = 2, 1
    await later.begin_epoch("AAPL", "e1", [minute(1, final=True)])
    with pytest.raises(FencedError):
        await earlier.publish([telling(1, minute(2, final=True))])
    with pytest.raises(FencedError):
        await earlier.begin_epoch("AAPL", "e2", [])
    assert await kept(redis, MINUTE) == [(1, 1, True)]


async def test_refused_updates_keep_no_bars(redis: Redis) -> None:
    publisher = Publisher(redis)
    await publisher.publish([telling(5, minute(0))])
    await publisher.publish([telling(4, minute(0, final=True))])
    assert not await redis.exists(names.final_bars("AAPL", MINUTE))


async def test_bars_that_are_put_back_are_not_said_to_be_whole_before_the_first(
    redis: Redis,
) -> None:
    first = Bar("BAC", Interval.MINUTE, 600_000, 14.0, 14.0, 14.0, 14.0, 1.0, 600_001, True)
    await Publisher(redis).begin_epochs([Beginning("BAC", "e1", [first], since_ms=60_000)])
    for interval, since_ms in {Interval.MINUTE: 600_000, Interval.HOUR: 60_000}.items():
        kept = await Reader(redis).bars("BAC", interval, start_ms=0, end_ms=10**12, limit=9)
        assert kept.since_ms == since_ms
