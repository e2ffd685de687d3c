"""Indicators along a series are those of TA-Lib over the whole of it."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feed_server.market import indicator_line, indicators
from feed_server.market.history_join import NO_BARS, bar_array
from feed_server.market.indicator_functions import function
from feed_server.market.indicator_line import Values
from feed_server.market.indicator_spec import (
    MAX_LOOKBACK,
    IndicatorError,
    IndicatorSpec,
    catalogue,
    parse_spec,
)
from feed_server.market.indicators import Series, computed, named
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar, Interval
from feed_server.protocol.indicators import IndicatorParameter

MINUTES = Path(__file__).parent.parent.parent / "shared" / "data" / "minute"
TALIB = [info.name for info in catalogue() if info.name != "VWAP"]
CLOSED = ["SMA(20)", "RSI(14)", "MACD(12,26,9)", "OBV", "SAR", "KAMA", "HT_SINE", "VWAP", "CDLDOJI"]

Table = npt.NDArray[np.float64]


def series(bars: Iterable[Bar] = (), zone: str = "America/New_York") -> Series:
    made, given = Series(SessionCalendar(zone)), list(bars)
    made.load(bar_array(given))
    for bar in given:
        if not bar.final:
            made.update(bar)
    return made


def walk(count: int, seed: int = 1, step: float = 0.002, scale: float = 1.0) -> list[Bar]:
    """Return final minute bars of a random walk, in cents, some minutes left out."""
    rng = np.random.default_rng(seed)
    close = 100 * scale * np.exp(np.cumsum(rng.normal(0, step, count)))
    opened = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.normal(0, step / 3, count))
    high = np.maximum(opened, close) * (1 + abs(rng.normal(0, step / 2, count)))
    low = np.minimum(opened, close) * (1 - abs(rng.normal(0, step / 2, count)))
    volume = rng.integers(0, 500, count).astype(float)
    starts = 1_381_132_800_000 + 60_000 * np.cumsum(rng.integers(1, 4, count))
    columns = [one.round(2) if scale == 1 else one for one in (opened, high, low, close)]
    rows = zip(starts.tolist(), *(one.tolist() for one in columns), volume.tolist(), strict=True)
    return [
        Bar("IBM", Interval.MINUTE, start, o, h, low, c, v, start + 5_000, True)
        for start, o, h, low, c, v in rows
    ]


def opened(bar: Bar) -> Bar:
    return replace(bar, final=False)


def half(bar: Bar) -> Bar:
    """Return a bar as it stood before its last trades."""
    close = round((bar.open + bar.close) / 2, 2)
    high, low = max(bar.open, close), min(bar.open, close)
    return replace(bar, close=close, high=high, low=low, volume=bar.volume // 2, final=False)


def whole(spec: IndicatorSpec, bars: Sequence[Bar]) -> Table:
    """Return what TA-Lib gives over all bars, one row for each output."""
    columns = [np.array([getattr(bar, name) for bar in bars], dtype=float) for name in spec.inputs]
    found = getattr(talib, spec.name)(*columns, *spec.values)
    table = np.array(found if isinstance(found, tuple) else [found], dtype=float)
    table[:, : spec.lookback] = np.nan
    return table


def assert_equal(values: Values, expected: Table, where: object) -> None:
    told = [np.nan if value is None else value for value in values]
    finite = np.where(np.isfinite(expected), expected, np.nan)
    np.testing.assert_allclose(told, finite, rtol=1e-9, atol=0, err_msg=str(where))


def assert_follows(spec: IndicatorSpec, bars: Sequence[Bar], loaded: int) -> None:
    """Check each bar that comes after those loaded: while it is open, then when it is final."""
    followed = series(bars[:loaded])
    expected = whole(spec, bars)
    for at in (0, loaded // 2, loaded - 1):
        if 0 <= at < loaded:
            assert_equal(followed.values(spec, bars[at]), expected[:, at], (spec, at))
    for at in range(loaded, len(bars)):
        followed.update(half(bars[at]))
        assert len(followed.values(spec, half(bars[at]))) == len(spec.outputs)
        followed.update(opened(bars[at]))
        assert_equal(followed.values(spec, opened(bars[at])), expected[:, at], (spec, at, "open"))
        followed.close(bars[at])
        assert_equal(followed.values(spec, bars[at]), expected[:, at], (spec, at, "final"))


BARS = walk(900)


@pytest.mark.parametrize("name", TALIB)
def test_every_function_follows_the_bars(name: str) -> None:
    spec = parse_spec(name)
    assert np.isfinite(whole(spec, BARS)).any() or name in ("ACOS", "ASIN", "COSH", "EXP", "SINH")
    assert_follows(spec, BARS, 840)


@pytest.mark.parametrize("name", TALIB)
def test_every_function_begins_with_a_short_series(name: str) -> None:
    assert_follows(parse_spec(name), BARS[:150], 0)


def parameter(one: IndicatorParameter) -> st.SearchStrategy[float]:
    low, high = one.minimum, one.maximum
    if one.kind == "integer":
        assert low is not None
        return st.integers(int(low), 13 if one.choices else 60)
    return st.floats(
        0.0 if low is None else low, 5.0 if high is None else high, allow_subnormal=False
    ).map(lambda value: round(value, 3))


@st.composite
def specs(draw: st.DrawFn) -> IndicatorSpec:
    info = function(draw(st.sampled_from(TALIB)))
    values = [str(draw(parameter(one))) for one in info.parameters]
    return parse_spec(f"{info.name}({','.join(values)})")


@settings(max_examples=150)
@given(specs(), st.integers(0, 1_000), st.integers(0, 250))
def test_any_parameters_follow_any_walk(spec: IndicatorSpec, seed: int, loaded: int) -> None:
    assert_follows(spec, walk(300, seed, step=0.02), loaded)


@pytest.mark.parametrize("scale", [1e-9, 1e97])
@pytest.mark.parametrize("name", TALIB)
def test_tiny_and_huge_prices_follow(name: str, scale: float) -> None:
    with np.errstate(all="ignore"):
        assert_follows(parse_spec(name), walk(220, scale=scale), 200)


@pytest.mark.parametrize("path", sorted(MINUTES.glob("*.csv")) or [None], ids=str)
def test_real_minutes_follow(path: Path | None) -> None:
    if path is None:
        pytest.skip("the real minute bars are not beside the project")
    with path.open() as file:
        bars = [real(row) for row in csv.DictReader(file)]
    for name in TALIB:
        assert_follows(parse_spec(name), bars, len(bars) - 20)


def real(row: dict[str, str]) -> Bar:
    start = int(datetime.fromisoformat(row["time"]).timestamp() * 1000)
    o, h, low, c, v = (float(row[name]) for name in ("open", "high", "low", "close", "volume"))
    return Bar("IBM", Interval.MINUTE, start, o, h, low, c, v, start, True)


def wild(numbers: Sequence[float]) -> list[Bar]:
    quintets = zip(*[iter(numbers)] * 5, strict=False)
    return [
        Bar("IBM", Interval.MINUTE, at * 60_000, o, max(o, a, b, c), min(o, a, b, c), c, v, 0, True)
        for at, (o, a, b, c, v) in enumerate(quintets)
    ]


@settings(max_examples=150)
@given(
    specs(),
    st.lists(
        st.sampled_from([0.0, 1e-9, 1.0, 2.0, 1e100]) | st.floats(0, 1e100),
        min_size=5,
        max_size=300,
    ),
)
def test_any_bars_follow(spec: IndicatorSpec, numbers: list[float]) -> None:
    bars = wild(numbers)
    followed = series(bars[: len(bars) // 2])
    with np.errstate(all="ignore"):
        expected = whole(spec, bars)
    for at in range(len(bars) // 2, len(bars)):
        followed.update(opened(bars[at]))
        forming = followed.values(spec, opened(bars[at]))
        followed.close(bars[at])
        assert followed.values(spec, bars[at]) == forming
        assert_equal(forming, expected[:, at], (spec, at))


# ---- open bars -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLOSED)
def test_bars_that_ended_but_are_open_count_before_those_that_follow(name: str) -> None:
    spec = parse_spec(name)
    bars = walk(203)
    followed = series(bars[:200])
    first, second, third = map(opened, bars[200:])
    for bar in (half(first), first, half(second), second, half(third), third):
        followed.update(bar)
        followed.values(spec, bar)
    assert_latest(followed, spec, bars[:200], [first, second, third])
    amended = replace(first, close=first.close + 1, high=first.high + 2, volume=first.volume + 10)
    followed.update(amended)
    assert_latest(followed, spec, bars[:200], [amended, second, third])
    followed.close(replace(amended, final=True))
    assert_latest(followed, spec, [*bars[:200], amended], [second, third])


def assert_latest(
    followed: Series, spec: IndicatorSpec, final: Sequence[Bar], opens: Sequence[Bar]
) -> None:
    fresh = series([*final, *opens])
    for place, bar in enumerate(opens):
        whole_values = series([replace(one, final=True) for one in (*final, *opens[: place + 1])])
        expected = whole_values.values(spec, replace(bar, final=True))
        assert followed.values(spec, bar) == pytest.approx(expected, rel=1e-9)
        assert fresh.values(spec, bar) == pytest.approx(expected, rel=1e-9)


def test_a_state_that_a_bar_no_longer_has_has_no_values() -> None:
    bars = walk(100)
    followed = series(bars[:99])
    followed.update(opened(bars[99]))
    spec = parse_spec("SMA(20)")
    assert followed.values(spec, half(bars[99])) == [None]
    assert followed.values(spec, replace(bars[50], start_ms=7)) == [None]
    assert followed.values(spec, opened(bars[98])) == [None]


def test_what_was_taken_before_changes_nothing() -> None:
    bars = walk(100)
    followed = series(bars)
    spec = parse_spec("SMA(20)")
    before = followed.values(spec, bars[99])
    followed.close(replace(bars[50], close=7.0))
    followed.update(opened(bars[99]))
    followed.close(bars[99])
    assert followed.values(spec, bars[99]) == before
    assert len(followed) == 100


def test_an_indicator_is_computed_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = walk(100)
    followed = series(bars[:99])
    followed.update(opened(bars[99]))
    spec = parse_spec("SMA(20)")
    first = followed.values(spec, opened(bars[99]))
    monkeypatch.setattr(indicator_line, "_outputs", None)
    assert followed.values(spec, opened(bars[99])) is first


def test_an_indicator_that_is_forgotten_is_computed_anew() -> None:
    bars = walk(100)
    followed = series(bars)
    spec = parse_spec("EMA(20)")
    before = followed.values(spec, bars[99])
    assert followed.indicators == ["EMA(20)"]
    followed.forget("EMA(20)")
    assert followed.indicators == []
    assert followed.values(spec, bars[99]) == before


# ---- what comes and goes -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["EMA(50)", "OBV", "SMA(20)", "SAR", "MACD", "CUMSUM"])
def test_bars_that_are_dropped_are_remembered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicators, "MAX_BARS", 100)
    monkeypatch.setattr(indicators, "SLACK", 50)
    spec = parse_spec(name)
    followed = series(BARS[:90])
    expected = whole(spec, BARS)
    followed.values(spec, BARS[0])
    for at, bar in enumerate(BARS[90:], 90):
        followed.close(bar)
        assert_equal(followed.values(spec, bar), expected[:, at], at)
    assert 100 <= len(followed) <= 150
    assert_equal(followed.values(spec, BARS[-100]), expected[:, -100], "kept")
    assert followed.values(spec, BARS[0]) == [None] * len(spec.outputs)


def test_loading_begins_anew() -> None:
    spec = parse_spec("EMA(10)")
    followed = series(BARS[:300])
    followed.values(spec, BARS[299])
    followed.load(bar_array(BARS[200:350]))
    expected = whole(spec, BARS[200:350])
    assert_equal(followed.values(spec, BARS[349]), expected[:, -1], "loaded")
    assert followed.values(spec, BARS[199]) == [None]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e308])
@pytest.mark.parametrize("name", CLOSED)
def test_a_bar_that_is_no_numbers_is_left_out(name: str, bad: float) -> None:
    spec = parse_spec(name)
    bars = walk(120)
    broken = replace(bars[60], close=bad)
    followed = series([*bars[:60], broken, *bars[61:110]])
    for bar in bars[110:]:
        followed.close(replace(bar, volume=bad, start_ms=bar.start_ms - 1))
        followed.update(replace(opened(bar), high=bad))
        followed.close(bar)
    clean = series([*bars[:60], *bars[61:]])
    assert followed.values(spec, broken) == [None] * len(spec.outputs)
    assert followed.values(spec, bars[-1]) == pytest.approx(clean.values(spec, bars[-1]), rel=1e-9)


def test_an_empty_series_has_no_values() -> None:
    followed = series()
    assert followed.values(parse_spec("MACD"), BARS[0]) == [None, None, None]
    assert len(followed) == 0


# ---- VWAP ----------------------------------------------------------------------------------


def vwap_by_pandas(bars: Sequence[Bar], zone: str) -> list[float]:
    frame = pd.DataFrame([(b.start_ms, b.high, b.low, b.close, b.volume) for b in bars])
    day = pd.to_datetime(frame[0], unit="ms", utc=True).dt.tz_convert(zone).dt.date
    typical = (frame[1] + frame[2] + frame[3]) / 3
    sums = pd.DataFrame({"turnover": typical * frame[4], "volume": frame[4]})
    sums = sums.groupby(day).cumsum()
    return (sums["turnover"] / sums["volume"]).tolist()


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Tokyo"])
def test_vwap_begins_anew_with_each_session(zone: str) -> None:
    spec = parse_spec("VWAP")
    hours = [
        replace(bar, start_ms=BARS[0].start_ms + place * 3_600_000, interval=Interval.HOUR)
        for place, bar in enumerate(BARS[:200])
    ]
    expected = vwap_by_pandas(hours, zone)
    followed = series(hours[:100], zone)
    for at in range(100, 200):
        followed.update(opened(hours[at]))
        assert followed.values(spec, opened(hours[at])) == pytest.approx([expected[at]], rel=1e-9)
        followed.close(hours[at])
        assert followed.values(spec, hours[at]) == pytest.approx([expected[at]], rel=1e-9)
    assert followed.values(spec, hours[50]) == pytest.approx([expected[50]], rel=1e-9)


def test_vwap_within_a_session_is_that_of_talib() -> None:
    bars = [replace(bar, volume=bar.volume + 1) for bar in BARS[:400]]
    spec = parse_spec("VWAP")
    (expected,) = whole(spec_of_talib(), bars)
    same_day = series(bars, "UTC")
    days = {bar.start_ms // 86_400_000 for bar in bars}
    assert len(days) == 1
    for at in (0, 1, 200, 399):
        assert same_day.values(spec, bars[at]) == pytest.approx([expected[at]], rel=1e-9)


def spec_of_talib() -> IndicatorSpec:
    columns = ("high", "low", "close", "volume")
    return IndicatorSpec("VWAP", (), "VWAP", columns, ("real",), 0)


def test_vwap_of_a_daily_bar_is_its_own() -> None:
    days = [
        Bar("IBM", Interval.DAY, day * 86_400_000, 1, 9.0 + day, 3, 6, 100.0, 0, True)
        for day in range(5)
    ]
    followed = series(days)
    for day, bar in enumerate(days):
        assert followed.values(parse_spec("VWAP"), bar) == pytest.approx([6 + day / 3])


def test_vwap_has_no_value_while_nothing_was_traded() -> None:
    first, second = (replace(bar, volume=volume) for bar, volume in zip(BARS, (0, 5), strict=False))
    followed = series([first, second])
    typical = (second.high + second.low + second.close) / 3
    assert followed.values(parse_spec("VWAP"), first) == [None]
    assert followed.values(parse_spec("VWAP"), second) == pytest.approx([typical])


# ---- columns -------------------------------------------------------------------------------


def test_columns_are_those_of_talib() -> None:
    bars = [*BARS[:298], opened(BARS[298]), opened(BARS[299])]
    spec = parse_spec("MACD")
    found = named(spec, computed(spec, bar_array(bars), SessionCalendar("UTC")))
    assert list(found) == ["macd", "macdsignal", "macdhist"]
    for place, name in enumerate(spec.outputs):
        assert_equal(found[name], whole(spec, bars)[place], name)
    vwap = computed(parse_spec("VWAP"), bar_array(bars), SessionCalendar("UTC"))
    np.testing.assert_allclose(vwap[0], vwap_by_pandas(bars, "UTC"), rtol=1e-9)


def test_columns_have_nothing_where_a_bar_is_left_out() -> None:
    bars = [*BARS[:50], replace(BARS[50], close=float("nan")), *BARS[51:100]]
    spec = parse_spec("SMA(20)")
    found = named(spec, computed(spec, bar_array(bars), SessionCalendar("UTC")))["real"]
    assert found[50] is None
    assert_equal([*found[:50], *found[51:]], whole(spec, [*bars[:50], *bars[51:]])[0], "others")


def test_columns_of_no_bars_are_empty() -> None:
    spec = parse_spec("SMA(20)")
    assert named(spec, computed(spec, NO_BARS, SessionCalendar("UTC"))) == {"real": []}
    assert named(spec, series().columns(spec, NO_BARS)) == {"real": []}
    assert named(spec, series(BARS).columns(spec, NO_BARS)) == {"real": []}


@pytest.mark.parametrize("name", ["OBV", "EMA(9)", "MACD", "VWAP", "CDLDOJI"])
def test_a_series_gives_its_own_values_and_computes_older_ones(name: str) -> None:
    spec = parse_spec(name)
    bars = [*BARS[:297], *map(opened, BARS[297:300])]
    followed = series(bars[100:])
    table = followed.columns(spec, bar_array(bars))
    assert_equal(named(spec, table)[spec.outputs[0]][:100], before_anew(spec, bars)[0, :100], name)
    for at in range(100, 300):
        expected = np.array(followed.values(spec, bars[at]), dtype=float)
        assert_equal(table[:, at].tolist(), expected, (name, at))


def before_anew(spec: IndicatorSpec, bars: Sequence[Bar]) -> Table:
    return computed(spec, bar_array(bars), SessionCalendar("America/New_York"))


def test_a_series_does_not_compute_again_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = series([*BARS[:298], *map(opened, BARS[298:300])])
    monkeypatch.setattr(indicators, "computed", None)
    table = followed.columns(parse_spec("SMA(20)"), bar_array([*BARS[:298], opened(BARS[299])]))
    assert_equal(
        table[0].tolist(), whole(parse_spec("SMA(20)"), [*BARS[:300]])[0, [*range(298), 299]], ""
    )


# ---- what the catalogue says ---------------------------------------------------------------


def test_overlays_are_near_the_price() -> None:
    close = np.array([bar.close for bar in BARS])
    for info in catalogue():
        if info.name != "VWAP":
            for output, values in zip(
                info.outputs, whole(parse_spec(info.name), BARS), strict=True
            ):
                ratio = (values / close)[np.isfinite(values)]
                near = len(ratio) > 0 and bool(((ratio > 0.5) & (ratio < 2)).all())
                assert near or output not in info.overlay, (info.name, output)


def test_the_longest_lookback_is_served() -> None:
    spec = parse_spec(f"SMA({MAX_LOOKBACK})")
    assert_follows(spec, walk(MAX_LOOKBACK + 3), MAX_LOOKBACK - 2)
    with pytest.raises(IndicatorError):
        parse_spec("DEMA(2000)")


# ---- columns of bars that the series does not have ---------------------------------------------


@pytest.mark.parametrize("name", CLOSED)
def test_a_bar_in_another_state_than_the_series_has_values_of_its_own(name: str) -> None:
    spec = parse_spec(name)
    followed = series([*BARS[:298], opened(BARS[298])])
    given = [*BARS[296:298], half(BARS[298])]
    table = followed.columns(spec, bar_array(given))
    assert_columns(table, spec, [*BARS[:298], half(BARS[298])])


@pytest.mark.parametrize("name", CLOSED)
def test_bars_that_the_series_has_not_heard_of_yet_have_values(name: str) -> None:
    spec = parse_spec(name)
    followed = series([*BARS[:297], half(BARS[297])])
    given = [BARS[296], opened(BARS[297]), half(BARS[298])]
    table = followed.columns(spec, bar_array(given))
    assert_columns(table, spec, [*BARS[:298], half(BARS[298])])


@pytest.mark.parametrize("name", CLOSED)
def test_a_bar_that_the_series_has_closed_since_has_values_of_what_it_was(name: str) -> None:
    spec = parse_spec(name)
    followed = series(BARS[:300])
    given = [*BARS[296:298], half(BARS[298])]
    table = followed.columns(spec, bar_array(given))
    assert_columns(table, spec, [*BARS[:298], half(BARS[298])])


@pytest.mark.parametrize("name", ["OBV", "CUMSUM"])
def test_what_adds_up_goes_on_from_bars_that_were_dropped(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indicators, "MAX_BARS", 100)
    monkeypatch.setattr(indicators, "SLACK", 50)
    spec = parse_spec(name)
    followed = series(BARS[:90])
    followed.follow(spec)
    for bar in BARS[90:298]:
        followed.close(bar)
    table = followed.columns(spec, bar_array([*BARS[296:298], half(BARS[298])]))
    assert_columns(table, spec, [*BARS[:298], half(BARS[298])])


def assert_columns(table: Table, spec: IndicatorSpec, bars: Sequence[Bar]) -> None:
    """Check the columns of the last three of some bars."""
    expected = before_anew(spec, bars)[:, -3:]
    assert not np.isnan(expected).any()
    np.testing.assert_allclose(table, expected, rtol=1e-9)
