import math
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feed_server.market.bar_shelf import BarShelf
from feed_server.market.bars import RUNGS, BarBuilder, BarLadder
from feed_server.market.session import DAY_MS, SessionCalendar, daily_bar_start_ms
from feed_server.protocol import Bar, Interval

ZONE = "America/New_York"
GRACE_MS = 2_000
T0 = 1_381_154_400_000
"""2013-10-07, 10:00 in New York."""
TICKS = Path(__file__).parent.parent.parent / "shared" / "data" / "ticks"

Row = tuple[int, float, float]
"""A trade: event time, price, size."""


def builder(interval: Interval = Interval.SECOND, *, grace_ms: int = GRACE_MS) -> BarBuilder:
    return BarBuilder("BAC", interval, SessionCalendar(ZONE), grace_ms)


def ladder(*, grace_ms: int = GRACE_MS) -> BarLadder:
    return BarLadder("BAC", SessionCalendar(ZONE), grace_ms)


def ohlcv(bar: Bar) -> tuple[float, ...]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_bar_tells_first_highest_lowest_last_and_the_sum() -> None:
    made = builder()
    for after_ms, price, size in ((0, 10, 1), (1, 12, 2), (2, 9, 3), (999, 11, 4)):
        assert made.apply(T0 + after_ms, price, size)
    (bar,) = made.open_bars()
    assert bar == Bar("BAC", Interval.SECOND, T0, 10, 12, 9, 11, 10, T0 + 999, final=False)


def test_a_bar_is_final_when_the_grace_after_its_end_has_passed() -> None:
    made = builder()
    made.apply(T0, 10, 1)
    made.apply(T0 + 1_000, 11, 1)
    assert made.advance(T0 + 1_000 + GRACE_MS - 1) == []
    assert [bar.final for bar in made.open_bars()] == [False, False]
    (ended,) = made.advance(T0 + 1_000 + GRACE_MS)
    assert (ended.start_ms, ended.final) == (T0, True)
    assert [bar.start_ms for bar in made.open_bars()] == [T0 + 1_000]


def test_a_bar_becomes_final_although_nothing_is_traded_after_it() -> None:
    made = builder()
    made.apply(T0, 10, 1)
    assert [bar.final for bar in made.advance(T0 + 60_000)] == [True]
    assert made.open_bars() == []


def test_bars_become_final_oldest_first_and_a_gap_stays_a_gap() -> None:
    made = builder()
    for second in (5, 0, 3):
        made.apply(T0 + second * 1_000, 10, 1)
    ended = made.advance(T0 + 60_000)
    assert [bar.start_ms - T0 for bar in ended] == [0, 3_000, 5_000]


def test_a_late_trade_amends_the_bar_it_falls_in() -> None:
    made = builder()
    made.apply(T0 + 500, 10, 1)
    made.apply(T0 + 1_500, 20, 1)
    assert made.apply(T0 + 600, 11, 2)
    assert made.apply(T0 + 400, 8, 4)
    first, second = made.open_bars()
    assert ohlcv(first) == (8, 11, 8, 11, 7)
    assert first.time_ms == T0 + 600
    assert ohlcv(second) == (20, 20, 20, 20, 1)


def test_a_late_trade_between_the_first_and_the_last_changes_neither() -> None:
    made = builder()
    for after_ms, price in ((100, 10), (900, 11), (500, 15)):
        made.apply(T0 + after_ms, price, 1)
    assert ohlcv(made.open_bars()[0]) == (10, 15, 10, 11, 3)


def test_of_trades_at_one_time_the_first_to_come_opens_and_the_last_closes() -> None:
    made = builder()
    for price in (10, 11, 12):
        made.apply(T0, price, 1)
    assert ohlcv(made.open_bars()[0]) == (10, 12, 10, 12, 3)


def test_a_late_trade_makes_the_bar_of_a_bucket_that_had_none() -> None:
    made = builder()
    made.apply(T0, 10, 1)
    made.apply(T0 + 2_000, 11, 1)
    made.advance(T0 + 2_000)
    assert made.apply(T0 + 1_000, 12, 1)
    assert [bar.close for bar in made.open_bars()] == [10, 12, 11]


def test_a_trade_whose_bar_is_final_is_late() -> None:
    made = builder()
    made.apply(T0, 10, 1)
    (ended,) = made.advance(T0 + 10_000)
    assert not made.apply(T0 + 999, 99, 1)
    assert made.open_bars() == []
    assert ended.close == 10


def test_a_trade_of_an_empty_bucket_beyond_the_grace_is_late() -> None:
    made = builder()
    made.apply(T0 + 10_000, 10, 1)
    made.advance(T0 + 10_000)
    assert not made.apply(T0 + 7_999, 99, 1)
    assert made.apply(T0 + 8_000, 11, 1)


def test_the_markets_clock_does_not_go_back() -> None:
    made = builder()
    made.apply(T0, 10, 1)
    made.advance(T0 + 10_000)
    assert made.advance(T0) == []
    assert not made.apply(T0, 10, 1)


@pytest.mark.parametrize("day", [date(2013, 3, 10), date(2013, 11, 3), date(2013, 7, 1)])
def test_a_daily_bar_lasts_from_midnight_to_midnight_in_the_markets_zone(day: date) -> None:
    begin_ms, end_ms = SessionCalendar(ZONE).bounds_ms(day)
    made = builder(Interval.DAY)
    for time_ms in (begin_ms - 1, begin_ms, end_ms - 1, end_ms):
        made.apply(time_ms, 10, 1)
    start_ms = daily_bar_start_ms(day)
    told = [(bar.start_ms, bar.volume) for bar in made.open_bars()]
    assert told == [(start_ms - DAY_MS, 1), (start_ms, 2), (start_ms + DAY_MS, 1)]
    ended = made.advance(end_ms + GRACE_MS)
    assert [bar.start_ms for bar in ended] == [start_ms - DAY_MS, start_ms]


def test_volumes_add_up_without_rounding_on_the_way() -> None:
    made = builder()
    sizes = [1e15, *[0.1] * 1_000]
    for size in sizes:
        made.apply(T0, 1, size)
    assert made.open_bars()[0].volume == math.fsum(sizes)


@given(st.lists(st.decimals(0, 10**6, places=8).map(float), min_size=1, max_size=300))
def test_fractional_volumes_are_exact(sizes: list[float]) -> None:
    made = builder()
    for size in sizes:
        made.apply(T0, 1, size)
    assert made.open_bars()[0].volume == math.fsum(sizes)


def test_a_bar_that_is_put_in_is_amended_by_what_comes() -> None:
    made = builder(Interval.DAY)
    made.apply(T0, 10, 1)
    start_ms = daily_bar_start_ms(date(2013, 10, 7))
    told = Bar("BAC", Interval.DAY, start_ms, 5, 20, 4, 12, 100, T0 + 5, final=False)
    assert made.put(told)
    made.apply(T0 + 6, 21, 1)
    assert [ohlcv(bar) for bar in made.open_bars()] == [(5, 21, 4, 21, 101)]


def test_a_bar_that_is_final_cannot_be_put_in() -> None:
    made = builder()
    made.apply(T0, 10, 1)
    (ended,) = made.advance(T0 + 10_000)
    assert not made.put(ended)
    assert made.open_bars() == []


def test_after_a_resume_nothing_is_amended_that_was_final() -> None:
    made = builder()
    made.resume([], T0)
    assert not made.apply(T0 + 999, 10, 1)
    assert not made.apply(T0 - 5_000, 10, 1)
    assert made.apply(T0 + 1_000, 10, 1)


def test_after_a_resume_an_open_price_stays_since_its_time_is_not_known() -> None:
    made = builder()
    made.resume([Bar("BAC", Interval.SECOND, T0, 10, 11, 9, 10, 5, T0 + 500, final=False)], None)
    made.apply(T0 + 100, 8, 1)
    made.apply(T0 + 499, 8, 1)
    made.apply(T0 + 500, 10.5, 1)
    assert [ohlcv(bar) for bar in made.open_bars()] == [(10, 11, 8, 10.5, 8)]


def test_a_ladder_tells_in_how_many_bars_a_trade_counts() -> None:
    made = ladder()
    assert made.apply(T0 + 10_000, 10, 1) == RUNGS
    made.advance(T0 + 10_000)
    # Its second and its five seconds are over.
    assert made.apply(T0, 11, 1) == RUNGS - 2
    made.advance(T0 + DAY_MS)
    assert made.apply(T0 + 20_000, 12, 1) == 0


def test_nothing_of_a_trade_whose_session_is_over_counts() -> None:
    # In Kolkata a session ends in the middle of an hour that is still open then.
    made = BarLadder("TCS", SessionCalendar("Asia/Kolkata"), GRACE_MS)
    midnight_ms = ms("2013-10-07T18:30:00+00:00")
    made.advance(midnight_ms + GRACE_MS)
    assert made.apply(midnight_ms - 1, 10, 1) == 0
    assert made.open_bars() == []


def test_a_ladders_bars_come_by_interval_oldest_first() -> None:
    made = ladder()
    made.apply(T0, 10, 1)
    made.apply(T0 + 60_000, 11, 1)
    intervals = [bar.interval for bar in made.open_bars()]
    assert intervals == sorted(intervals, key=list(Interval).index)
    assert [bar.close for bar in made.open_bars() if bar.interval is Interval.MINUTE] == [10, 11]
    assert [bar.close for bar in made.sessions()] == [11]


# -- against a model, and against pandas ---------------------------------------------------------


class Model:
    """What bars are, told simply: all trades of each, sorted by event time when asked."""

    def __init__(self, interval: Interval, grace_ms: int) -> None:
        self.interval = interval
        self.grace_ms = grace_ms
        self.market_ms = -(2**63)
        self.trades: dict[int, list[Row]] = {}
        self.ends: dict[int, int] = {}
        self.calendar = SessionCalendar(ZONE)

    def apply(self, time_ms: int, price: float, size: float) -> bool:
        start_ms = time_ms // self.interval.ms * self.interval.ms
        end_ms = start_ms + self.interval.ms
        if self.interval is Interval.DAY:
            day = datetime.fromtimestamp(time_ms / 1000, pd.Timestamp(0, tz=ZONE).tz).date()
            start_ms, end_ms = daily_bar_start_ms(day), self.calendar.bounds_ms(day)[1]
        if end_ms + self.grace_ms <= self.market_ms:
            return False
        self.ends[start_ms] = end_ms
        self.trades.setdefault(start_ms, []).append((time_ms, price, size))
        return True

    def bars(self) -> list[Bar]:
        return [
            self._bar(start_ms, sorted(self.trades[start_ms], key=lambda row: row[0]))
            for start_ms in sorted(self.trades)
        ]

    def _bar(self, start_ms: int, rows: list[Row]) -> Bar:
        prices = [price for _, price, _ in rows]
        ohlc = (prices[0], max(prices), min(prices), prices[-1])
        volume = math.fsum(size for _, _, size in rows)
        final = self.ends[start_ms] + self.grace_ms <= self.market_ms
        return Bar("BAC", self.interval, start_ms, *ohlc, volume, rows[-1][0], final)


NEW_YORK_CHANGES_CLOCKS = ms("2013-11-03T06:00:00+00:00")
steps = st.lists(
    st.one_of(
        # A trade so long after (or before) the newest.
        st.tuples(st.integers(-8_000, 4_000), st.integers(1, 9), st.integers(0, 5)),
        st.tuples(st.integers(-90_000_000, 9_000_000), st.integers(1, 9), st.integers(0, 5)),
        # A step of the market's clock.
        st.integers(-5_000, 20_000),
    ),
    max_size=60,
)


@given(steps, st.sampled_from(Interval), st.sampled_from([0, 1, 500, 2_000, 60_000]), st.data())
def test_a_builder_does_as_the_model_also_where_another_goes_on(
    steps: list[tuple[int, int, int] | int], interval: Interval, grace_ms: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(steps)))
    model = Model(interval, grace_ms)
    made = builder(interval, grace_ms=grace_ms)
    ended: list[Bar] = []
    reached_ms, in_order = NEW_YORK_CHANGES_CLOCKS, True
    for number, step in enumerate(steps):
        if number == cut:
            went_on = builder(interval, grace_ms=grace_ms)
            went_on.resume(made.open_bars(), ended[-1].start_ms if ended else None)
            went_on.advance(made.market_ms)
            made = went_on
        if isinstance(step, int):
            model.market_ms = max(model.market_ms, reached_ms + step)
            ended += made.advance(reached_ms + step)
        else:
            time_ms, price, size = reached_ms + step[0], float(step[1]), float(step[2])
            assert made.apply(time_ms, price, size) == model.apply(time_ms, price, size)
            in_order &= number < cut or time_ms >= reached_ms
            reached_ms = max(reached_ms, time_ms)
    told = [*ended, *made.open_bars()]
    if not in_order:
        # When a bar was opened is not handed on: an earlier trade does not change it then.
        assert _without_open(told) == _without_open(model.bars())
    else:
        assert told == model.bars()


def _without_open(bars: list[Bar]) -> list[Bar]:
    return [replace(bar, open=0.0) for bar in bars]


@given(steps, st.sampled_from([0, 2_000]))
def test_a_ladder_does_as_its_builders_alone(
    steps: list[tuple[int, int, int] | int], grace_ms: int
) -> None:
    made = ladder(grace_ms=grace_ms)
    models = [Model(interval, grace_ms) for interval in Interval]
    ended: list[Bar] = []
    reached_ms = NEW_YORK_CHANGES_CLOCKS
    for step in steps:
        if isinstance(step, int):
            ended += made.advance(reached_ms + step)
            for model in models:
                model.market_ms = max(model.market_ms, reached_ms + step)
        else:
            row = (reached_ms + step[0], float(step[1]), float(step[2]))
            day = models[-1].apply(*row)
            assert made.apply(*row) == (day and 1 + sum(m.apply(*row) for m in models[:-1]))
            reached_ms = max(reached_ms, row[0])
    told = [*ended, *made.open_bars()]
    for model in models:
        assert [bar for bar in told if bar.interval is model.interval] == model.bars()


def real_day(symbol: str) -> list[Row]:
    file = TICKS / f"{symbol}_2013-10-07_trades.csv.gz"
    if not file.exists():
        pytest.skip(f"no {file.name}: the real trades are not part of the project")
    table = pd.read_csv(file, parse_dates=["time"])
    times = table["time"].astype("datetime64[ms, UTC]").astype("int64")
    return list(zip(times.tolist(), table["price"].tolist(), table["size"].tolist(), strict=True))


def resampled(rows: list[Row], interval: Interval) -> list[tuple[int, ...]]:
    """Return start, open, high, low, close and volume of bars as pandas makes them."""
    table = pd.DataFrame(rows, columns=["time", "price", "size"])
    table.index = pd.DatetimeIndex(pd.to_datetime(table["time"], unit="ms", utc=True))
    table = table.sort_index(kind="stable")
    lengths = {Interval.MINUTE: "1min", Interval.FIVE_MINUTES: "5min"}
    lengths |= {Interval.QUARTER_HOUR: "15min", Interval.DAY: "1D"}
    if interval is Interval.DAY:
        table = table.tz_convert(ZONE)
    groups = table.resample(lengths.get(interval, str(interval)))
    bars = groups["price"].ohlc().join(groups["size"].sum()).dropna()
    if interval is Interval.DAY:
        bars = bars.tz_localize(None).tz_localize(UTC)
    starts = bars.index.astype("datetime64[ms, UTC]").astype("int64").tolist()
    return [(start, *row) for start, row in zip(starts, bars.to_numpy().tolist(), strict=True)]


def built(rows: Iterable[Row], grace_ms: int) -> list[Bar]:
    made, told = ladder(grace_ms=grace_ms), []
    for row in rows:
        assert made.apply(*row) == RUNGS
        told += made.advance(row[0])
    return told + made.open_bars()


@pytest.mark.parametrize("symbol", ["BAC", "IBM"])
def test_the_bars_of_a_real_day_are_exactly_those_of_pandas(symbol: str) -> None:
    rows = real_day(symbol)
    told = built(rows, GRACE_MS)
    for interval in Interval:
        bars = [(bar.start_ms, *ohlcv(bar)) for bar in told if bar.interval is interval]
        assert bars == resampled(rows, interval)


@pytest.mark.parametrize("symbol", ["BAC", "IBM"])
def test_a_real_day_that_comes_out_of_order_has_the_same_bars(symbol: str) -> None:
    rows = real_day(symbol)
    chance = random.Random(1)
    came = sorted(rows, key=lambda row: row[0] + chance.randrange(GRACE_MS))
    told = built(came, GRACE_MS)
    for interval in Interval:
        bars = [(bar.start_ms, *ohlcv(bar)) for bar in told if bar.interval is interval]
        assert bars == resampled(came, interval)


@given(st.lists(st.tuples(st.integers(0, 3 * DAY_MS), st.integers(1, 99), st.integers(0, 99))))
def test_days_on_which_clocks_change_are_those_of_pandas(rows: list[tuple[int, int, int]]) -> None:
    begin_ms = NEW_YORK_CHANGES_CLOCKS - DAY_MS
    moved = [(begin_ms + after_ms, float(p), float(s)) for after_ms, p, s in rows]
    made = builder(Interval.DAY)
    for row in moved:
        made.apply(*row)
    told = [(bar.start_ms, *ohlcv(bar)) for bar in made.open_bars()]
    assert told == (resampled(moved, Interval.DAY) if moved else [])


# -- kept bars ----------------------------------------------------------------------------------


def test_a_shelf_keeps_the_newest_bars_as_they_were() -> None:
    shelf = BarShelf("BAC", Interval.SECOND, 3)
    bars = [
        Bar("BAC", Interval.SECOND, T0 + n, 0.1, 3 * n, 1e-9, n, 0.1 * n, T0, final=True)
        for n in range(11)
    ]
    for number, bar in enumerate(bars, 1):
        shelf.append(bar)
        assert list(shelf) == bars[max(0, number - 3) : number]
        assert shelf[-1] == bar
    assert shelf[1:] == bars[-2:]
    with pytest.raises(IndexError):
        shelf[3]
