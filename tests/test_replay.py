import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from feed_server.errors import ConfigurationError
from feed_server.market.events import MarketEvent, TopOfBook
from feed_server.protocol import Interval, SymbolInfo, Trade
from feed_server.providers.base import Watchlist
from feed_server.providers.replay import ReplayProvider, open_replay

NEW_YORK = "America/New_York"
SAMPLES = Path(__file__).parents[1].parent / "shared/data"
T0 = 1_381_152_600_000  # 2013-10-07 13:30 UTC, 09:30 in New York
LATER = 2_000_000_000_000


def sample(start: date | None = None, speed: float = math.inf) -> ReplayProvider:
    return open_replay([], start, NEW_YORK, speed)


async def played(provider: ReplayProvider) -> list[MarketEvent]:
    return [event async for batch in provider.stream(Watchlist(), {}) for event in batch]


def trade_file(path: Path, times: Sequence[int]) -> Path:
    path.write_text(
        "time,price,size\n" + "".join(f"{time},{n + 1},1\n" for n, time in enumerate(times))
    )
    return path


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_a_speed_must_be_above_zero(speed: float) -> None:
    with pytest.raises(ConfigurationError, match=r"replay speed is .*; expected a number above 0"):
        sample(speed=speed)


async def test_files_without_a_start_are_all_streamed(tmp_path: Path) -> None:
    bac = trade_file(tmp_path / "BAC.csv", [T0, T0 + 10])
    ibm = trade_file(tmp_path / "IBM.csv", [T0 + 5, T0 + 10])
    provider = open_replay([ibm, bac], None, NEW_YORK, math.inf)
    assert await played(provider) == [
        Trade("BAC", T0, 1, 1),
        Trade("IBM", T0 + 5, 1, 1),
        Trade("BAC", T0 + 10, 2, 1),
        Trade("IBM", T0 + 10, 2, 1),
    ]


async def test_what_lies_before_the_start_is_daily_bars_of_the_zone(tmp_path: Path) -> None:
    # 20:30 of the day before, 09:30 and 23:59:59.999 in New York; then midnight
    midnight = T0 + 52_200_000
    path = trade_file(tmp_path / "BAC.csv", [T0 - 46_800_000, T0, midnight - 1, midnight])
    provider = open_replay([path], date(2013, 10, 8), NEW_YORK, math.inf)
    assert await played(provider) == [Trade("BAC", midnight, 4, 1)]
    history = await provider.history("BAC", Interval.DAY, 0, LATER)
    assert [str(time) for time in history.index] == [
        "2013-10-06 00:00:00+00:00",
        "2013-10-07 00:00:00+00:00",
    ]
    assert history.to_numpy().tolist() == [[1, 1, 1, 1, 1], [2, 3, 2, 3, 2]]


async def test_bars_before_the_start_become_daily_bars(tmp_path: Path) -> None:
    path = tmp_path / "IBM.csv"
    bars = [f"{T0},5,6,4,5,10", f"{T0 + 60_000},5,9,5,8,20", f"{T0 + 86_400_000},8,8,8,8,30"]
    path.write_text("\n".join(["time,open,high,low,close,volume", *bars]))
    provider = open_replay([path], date(2013, 10, 8), NEW_YORK, math.inf)
    history = await provider.history("IBM", Interval.DAY, 0, LATER)
    assert history.to_numpy().tolist() == [[5, 9, 4, 8, 30]]
    assert {trade.price for trade in await played(provider) if isinstance(trade, Trade)} == {8}


@pytest.mark.parametrize(
    ("price", "decimals"), [("13", 2), ("13.941", 3), ("0.00012345", 8), ("0.1234567891", 8)]
)
async def test_a_files_instrument_shows_the_digits_of_its_prices(
    tmp_path: Path, price: str, decimals: int
) -> None:
    path = tmp_path / "eurusd_2013.csv"
    path.write_text(f"time,price,size\n{T0},1.5,1\n{T0},{price},1\n")
    (info,) = await open_replay([path], None, NEW_YORK, 1).symbols()
    assert info == SymbolInfo("EURUSD", "EURUSD", "USD", decimals, "replay", "REPLAY", NEW_YORK)


def test_a_start_after_the_data_is_refused(tmp_path: Path) -> None:
    message = "nothing to replay from {}: the data end on {}; choose an earlier start"
    with pytest.raises(ConfigurationError) as caught:
        sample(date(2013, 3, 2))
    assert str(caught.value) == message.format("2013-03-02", "2013-03-01")
    path = trade_file(tmp_path / "BAC.csv", [T0])
    with pytest.raises(ConfigurationError) as caught:
        open_replay([path], date(2013, 10, 8), NEW_YORK, 1)
    assert str(caught.value) == message.format("2013-10-08", "2013-10-07")


def test_a_bar_that_ends_at_midnight_is_of_the_day_before(tmp_path: Path) -> None:
    path = tmp_path / "IBM.csv"
    path.write_text("time,open,high,low,close,volume\n2013-10-07T23:59:00-04:00,2,4,1,3,100\n")
    with pytest.raises(ConfigurationError, match="the data end on 2013-10-07"):
        open_replay([path], date(2013, 10, 8), NEW_YORK, 1)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
def test_an_unknown_zone_is_refused(tmp_path: Path, zone: str) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown time zone .*; expected an IANA name"):
        open_replay([trade_file(tmp_path / "BAC.csv", [T0])], None, zone, 1)


async def test_real_trades_are_streamed_exactly_and_in_order() -> None:
    paths = [SAMPLES / f"ticks/{symbol}_2013-10-07_trades.csv.gz" for symbol in ("BAC", "IBM")]
    if not all(path.exists() for path in paths):
        pytest.skip("no recorded trades on this machine")
    trades = await played(open_replay(paths, None, NEW_YORK, math.inf))
    assert len(trades) == 88_172 + 24_293
    assert all(a.time_ms <= b.time_ms for a, b in pairwise(trades))
    for path in paths:
        symbol = path.name[:3]
        raw = np.loadtxt(path, delimiter=",", skiprows=1, dtype=str)
        times = raw[:, 0].astype("U23").astype("datetime64[ms]").astype(np.int64).tolist()
        expected = [
            Trade(symbol, time, float(price), float(size))
            for time, (_, price, size) in zip(times, raw.tolist(), strict=True)
        ]
        assert [trade for trade in trades if trade.symbol == symbol] == expected


@pytest.mark.parametrize("taken", [{}, {"BAC": 1}, {"BAC": 3, "IBM": 2}, {"IBM": 9, "X": 4}])
async def test_what_was_taken_is_left_out(tmp_path: Path, taken: dict[str, int]) -> None:
    files = [trade_file(tmp_path / f"{symbol}.csv", range(T0, T0 + 5)) for symbol in ("BAC", "IBM")]
    provider = open_replay(files, None, NEW_YORK, math.inf)
    left = [event async for batch in provider.stream(Watchlist(), taken) for event in batch]
    expected = []
    seen: Counter[str] = Counter()
    for event in await played(provider):
        seen[event.symbol] += 1
        if seen[event.symbol] > taken.get(event.symbol, 0):
            expected.append(event)
    assert left == expected


async def test_a_successor_goes_on_anywhere_in_the_sample() -> None:
    def last_days() -> ReplayProvider:
        return sample(date(2013, 2, 20))

    every = await played(last_days())
    for count in (1, 137, 700, 2_000, len(every)):
        taken = Counter(event.symbol for event in every[:count])
        left = last_days().stream(Watchlist(), taken)
        assert [event async for batch in left for event in batch] == every[count:]


async def test_a_successors_clock_begins_with_the_first_trade_left(tmp_path: Path) -> None:
    path = trade_file(tmp_path / "BAC.csv", [T0, T0 + 3_600_000, T0 + 3_600_100])
    provider = open_replay([path], None, NEW_YORK, 1)
    async with asyncio.timeout(30), aclosing(provider.stream(Watchlist(), {"BAC": 1})) as stream:
        assert [event.time_ms for event in await anext(stream)] == [T0 + 3_600_000]


def test_a_run_is_named_by_what_is_replayed_but_not_how_fast(tmp_path: Path) -> None:
    def run(*times: int, start: date | None = None, speed: float = 1, zone: str = NEW_YORK) -> str:
        return open_replay([trade_file(tmp_path / "BAC.csv", times)], start, zone, speed).run

    first = run(T0, T0 + 5)
    assert run(T0, T0 + 5, speed=7) == first
    others = {
        run(T0, T0 + 6),
        run(T0, T0 + 5, T0 + 5),
        run(T0, T0 + 5, zone="UTC"),
        run(T0, T0 + 5, start=date(2013, 10, 7)),
    }
    assert len(others - {first}) == 4


async def test_quotes_are_played_between_the_trades(tmp_path: Path) -> None:
    trades = trade_file(tmp_path / "BAC.csv", [T0, T0 + 10, T0 + 10])
    quotes = tmp_path / "BAC_quotes.csv"
    quotes.write_text(f"time,bid,ask\n{T0 + 5},1,2\n{T0 + 10},1.5,\n")
    provider = open_replay([trades, quotes], None, NEW_YORK, math.inf)
    every = await played(provider)
    assert every == [
        Trade("BAC", T0, 1, 1),
        TopOfBook("BAC", T0 + 5, 1, 2),
        Trade("BAC", T0 + 10, 2, 1),
        Trade("BAC", T0 + 10, 3, 1),
        TopOfBook("BAC", T0 + 10, 1.5, None),
    ]
    left = provider.stream(Watchlist(), {"BAC": 3})
    assert [event async for batch in left for event in batch] == every[3:]


async def test_trades_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "BAC.csv"
    path.write_text(f"time,price,size,trade_id\n{T0},1,1,7\n{T0},2,1,9\n")
    trades = await played(open_replay([path], None, NEW_YORK, math.inf))
    assert trades == [Trade("BAC", T0, 1, 1, 7), Trade("BAC", T0, 2, 1, 9)]
