import math
import time
from collections.abc import Sequence
from contextlib import aclosing
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.errors import UnknownSymbolError
from feed_server.protocol import Interval, Trade
from feed_server.providers.bar_columns import (
    Span,
    bar_starts,
    put_together,
    trade_pieces,
    whole_bars,
)
from feed_server.providers.base import Watchlist
from feed_server.providers.replay import ReplayProvider, open_replay
from tests.bars_of import built_bars
from tests.harness import Write

NEW_YORK = "America/New_York"
SAMPLES = Path(__file__).parents[1].parent / "shared/data"
T0 = 1_381_152_600_000  # 2013-10-07 13:30 UTC, 09:30 in New York
DAY_MS = 86_400_000
LATER = 2_000_000_000_000


async def played(provider: ReplayProvider, batches: int | None = None) -> list[Trade]:
    trades: list[Trade] = []
    async with aclosing(provider.stream(Watchlist(), {})) as stream:
        async for batch in stream:
            trades += (event for event in batch if isinstance(event, Trade))
            batches = None if batches is None else batches - 1
            if batches == 0:
                break
    return trades


async def history(
    provider: ReplayProvider, interval: Interval, start_ms: int = 0, symbol: str = "BAC"
) -> pd.DataFrame:
    return await provider.history(symbol, interval, start_ms, LATER)


def ended(frame: pd.DataFrame, interval: Interval, reached_ms: int) -> pd.DataFrame:
    """Leave out bars that end later."""
    if interval is Interval.DAY:
        reached = pd.Timestamp(reached_ms, unit="ms", tz=NEW_YORK).tz_localize(None).normalize()
        return frame[frame.index < reached.tz_localize("UTC")]
    ends = pd.DatetimeIndex(frame.index) + pd.Timedelta(interval.ms, "ms")
    return frame[ends <= pd.Timestamp(reached_ms, unit="ms", tz="UTC")]


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        left, right, check_exact=True, check_index_type=False, check_freq=False
    )


def bar_lines(step_ms: int, count: int) -> str:
    rng = np.random.default_rng(4)
    lines = ["time,open,high,low,close,volume"]
    for row in range(count):
        low, open_, close, high = np.round(np.sort(rng.uniform(10, 11, 4)), 2).tolist()
        lines.append(
            f"{T0 + row * step_ms},{open_},{high},{low},{close},{int(rng.integers(9, 9999))}"
        )
    return "\n".join(lines)


@pytest.mark.parametrize("interval", Interval)
@pytest.mark.parametrize("step_ms", [1_000, 60_000, 420_000, 3_600_000])
async def test_history_of_bars_is_what_their_trades_make(
    write: Write, step_ms: int, interval: Interval
) -> None:
    provider = open_replay([write("BAC.csv", bar_lines(step_ms, 300))], None, NEW_YORK, math.inf)
    trades = await played(provider)
    expected = ended(built_bars(trades, NEW_YORK)[interval], interval, trades[-1].time_ms)
    same(await history(provider, interval), expected[-5_000:])


@pytest.mark.parametrize("interval", Interval)
async def test_history_of_daily_bars_is_what_their_trades_make(interval: Interval) -> None:
    provider = open_replay([], date(2013, 1, 15), NEW_YORK, math.inf)
    trades = [trade for trade in await played(provider) if trade.symbol == "IBM"]
    first_ms = trades[0].time_ms - trades[0].time_ms % DAY_MS
    expected = ended(built_bars(trades, NEW_YORK)[interval], interval, trades[-1].time_ms)
    assert len(expected) > 30
    same(await history(provider, interval, first_ms, "IBM"), expected)


@pytest.mark.parametrize("interval", Interval)
async def test_history_of_real_trades_is_what_they_make(interval: Interval) -> None:
    path = SAMPLES / "ticks/IBM_2013-10-07_trades.csv.gz"
    if not path.exists():
        pytest.skip("no recorded trades on this machine")
    provider = open_replay([path], None, NEW_YORK, math.inf)
    trades = await played(provider)
    expected = ended(built_bars(trades, NEW_YORK)[interval], interval, trades[-1].time_ms)
    same(await history(provider, interval, symbol="IBM"), expected[-5_000:])


async def test_before_the_stream_history_ends_at_the_start() -> None:
    provider = open_replay([], date(2012, 6, 1), NEW_YORK, math.inf)
    for interval in Interval:
        bars = await history(provider, interval, symbol="IBM")
        assert str(bars.index[-1].date()) == "2012-05-31"


async def test_history_never_tells_what_the_stream_has_not_reached(write: Write) -> None:
    text = "time,price,size\n" + "".join(f"{T0 + n * 700},{n + 1},1\n" for n in range(5_000))
    provider = open_replay([write("BAC.csv", text)], None, NEW_YORK, math.inf)
    for batches in (1, 2, 4):
        trades = await played(provider, batches)
        for interval in (Interval.SECOND, Interval.MINUTE):
            bars = await history(provider, interval)
            last_end = bars.index[-1].value // 10**6 + interval.ms
            reached = trades[-1].time_ms
            assert reached - interval.ms < last_end <= reached
        assert (await history(provider, Interval.DAY)).empty


async def test_a_range_has_the_bars_that_begin_in_it(write: Write) -> None:
    provider = open_replay([write("BAC.csv", bar_lines(60_000, 30))], None, NEW_YORK, math.inf)
    await played(provider)

    async def begins(start_ms: int, end_ms: int) -> list[int]:
        bars = await provider.history("BAC", Interval.MINUTE, start_ms, end_ms)
        return [(time.value // 10**6 - T0) // 60_000 for time in bars.index]

    assert await begins(T0, T0 + 180_000) == [0, 1, 2]
    assert await begins(T0 + 1, T0 + 180_001) == [1, 2, 3]
    assert await begins(T0 + 60_000, T0 + 60_000) == []
    assert await begins(T0 + 60_001, T0 + 60_002) == []
    assert await begins(0, 2**53) == list(range(29))


async def test_an_unknown_symbol_has_no_history() -> None:
    with pytest.raises(UnknownSymbolError, match="XYZ is not among what is replayed"):
        await open_replay([], None, NEW_YORK, 1).history("XYZ", Interval.DAY, 0, LATER)


@pytest.mark.parametrize("step_ms", [60_000, 86_400_000])
async def test_five_thousand_bars_are_told_quickly(write: Write, step_ms: int) -> None:
    provider = open_replay([write("BAC.csv", bar_lines(step_ms, 6_000))], None, NEW_YORK, math.inf)
    provider._reached_ms = provider.source.end_ms
    began_s = time.process_time()
    assert len(await history(provider, Interval.MINUTE)) == 5_000
    assert time.process_time() - began_s < 0.3


prints = st.lists(
    st.tuples(
        st.integers(0, 3 * 3_600_000),
        st.floats(0.01, 1000),
        st.integers(0, 1000) | st.floats(0, 1000),
    ),
    min_size=1,
    max_size=60,
)


@given(prints, st.sampled_from(Interval))
def test_trades_in_any_order_make_the_bars_that_the_feed_builds(
    rows: Sequence[tuple[int, float, float]], interval: Interval
) -> None:
    late = [Trade("BAC", T0 + time, price, size) for time, price, size in rows]
    # Within the grace of the feed, which here is none, all is in time where nothing is final.
    columns = (np.array([getattr(t, name) for t in late]) for name in ("time_ms", "price", "size"))
    made = put_together(trade_pieces(*columns), bar_starts(interval, NEW_YORK), 1_000)
    in_order = sorted(late, key=lambda trade: trade.time_ms)
    expected = built_bars(in_order, NEW_YORK)[interval]
    pd.testing.assert_frame_equal(made, expected, check_index_type=False, rtol=1e-15)


@pytest.mark.parametrize(
    ("asked", "reached", "span"),
    [
        ((0, LATER), T0 + 1, (T0 - 2 * DAY_MS, T0)),
        ((T0 + 1, T0 + 60_001), LATER, (T0 + 60_000, T0 + 120_000)),
        ((T0, T0 + 60_000), T0 + 59_999, (T0, T0)),
        ((T0, T0 + 60_000), T0 + 60_000, (T0, T0 + 60_000)),
    ],
)
def test_whole_minutes(asked: tuple[int, int], reached: int, span: tuple[int, int]) -> None:
    assert whole_bars(Interval.MINUTE, NEW_YORK, Span(*asked), T0, reached) == span


def test_a_session_has_ended_at_midnight_of_its_zone() -> None:
    midnight = T0 + 52_200_000
    day_ms = T0 - 48_600_000
    asked = Span(day_ms, day_ms + 1)
    begin = midnight - DAY_MS
    assert whole_bars(Interval.DAY, NEW_YORK, asked, T0, midnight - 1) == (begin, begin)
    assert whole_bars(Interval.DAY, NEW_YORK, asked, T0, midnight) == (begin, midnight)
