"""What a chart decides by data alone: ticks, ranges, statistics, indicators. In Chromium."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MINUTE_MS = 60_000
DAY_MS = 86_400_000


def call(page: Page, module: str, name: str, *arguments: object) -> Any:
    """Call a module's function."""
    return page.evaluate(
        """async ([module, name, values]) => {
          const found = await import(`quotewire/${module}.js`);
          return found[name](...values);
        }""",
        [module, name, list(arguments)],
    )


def at(text: str) -> int:
    """Return a time in UTC, as YYYY-MM-DD or with HH:MM, in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# ---- ticks of prices


def price_labels(page: Page, low: float, high: float, **options: object) -> list[str]:
    axis = {"low": low, "high": high, "most": 8, "decimals": 2, **options}
    return [tick["label"] for tick in call(page, "chart/price_ticks", "priceTicks", axis)]


def test_prices_are_told_in_round_steps_with_the_instruments_digits(blank_page: Page) -> None:
    assert price_labels(blank_page, 99, 103.2) == ["99.00", "100.00", "101.00", "102.00", "103.00"]


@pytest.mark.parametrize(
    ("low", "high", "decimals"),
    [
        (1.0e-8, 1.3e-8, 10),
        (1e-8, 1e-4, 8),
        (0.99999, 1.00001, 5),
        (950e6, 1_250e6, 2),
        (1_000_000_000.0, 1_000_000_000.4, 2),
        (1e-8, 1e9, 8),
        (-40, 55, 2),
    ],
)
@pytest.mark.parametrize("scale", ["linear", "log", "percent"])
def test_prices_of_any_size_have_short_labels_that_differ(
    blank_page: Page, low: float, high: float, decimals: int, scale: str
) -> None:
    labels = price_labels(blank_page, low, high, decimals=decimals, scale=scale, base=abs(low))
    assert len(labels) >= 2
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 18


def test_no_step_is_finer_than_a_price_can_be(blank_page: Page) -> None:
    assert price_labels(blank_page, 1.001, 1.029, decimals=2) == ["1.01", "1.02"]


def test_a_logarithmic_axis_has_its_steps_by_decades(blank_page: Page) -> None:
    labels = price_labels(blank_page, 0.9, 1_100, scale="log", most=12)
    assert labels == [f"{n:,}.00" for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)]
    few = price_labels(blank_page, 0.9, 1_100, scale="log", most=4)
    assert few == ["1.00", "10.00", "100.00", "1,000.00"]


def test_percent_counts_from_the_base(blank_page: Page) -> None:
    axis = {"low": 90, "high": 121, "most": 4, "decimals": 2, "scale": "percent", "base": 100}
    ticks = call(blank_page, "chart/price_ticks", "priceTicks", axis)
    assert [tick["label"] for tick in ticks] == ["−10%", "0%", "+10%", "+20%"]
    assert [round(tick["at"], 6) for tick in ticks] == [90, 100, 110, 120]


# ---- ticks of dates


def date_labels(page: Page, starts: list[int], apart: int, zone: str = "UTC") -> list[str]:
    ticks = page.evaluate(
        """async ([starts, apart, zone]) => {
          const {dateTicks} = await import("quotewire/chart/date_ticks.js");
          const {zoneOffset} = await import("quotewire/zone.js");
          const daily = starts[1] - starts[0] >= 86400000;
          return dateTicks(starts, apart, {daily, offset: (ms) => zoneOffset(zone, ms)});
        }""",
        [starts, apart, zone],
    )
    for earlier, later in pairwise(ticks):
        assert later["index"] - earlier["index"] >= apart
    return [tick["label"] for tick in ticks]


def sessions(interval_min: int, days: list[str]) -> list[int]:
    """Bars of New York sessions, 13:30 to 20:00 UTC."""
    return [
        at(f"{day}T13:30") + i * interval_min * MINUTE_MS
        for day in days
        for i in range(390 // interval_min)
    ]


WEEK = ["2012-06-07", "2012-06-08", "2012-06-11", "2012-06-12"]


def test_days_begin_where_the_market_opens_and_weekends_take_no_room(blank_page: Page) -> None:
    assert date_labels(blank_page, sessions(5, WEEK), 60) == ["Jun 8", "Jun 11", "Jun 12"]


def test_times_are_told_by_the_markets_clock(blank_page: Page) -> None:
    starts = sessions(1, WEEK[:1])
    assert date_labels(blank_page, starts, 60, "America/New_York")[:3] == [
        "10:00",
        "11:00",
        "12:00",
    ]
    assert date_labels(blank_page, starts, 60)[:3] == ["14:00", "15:00", "16:00"]


def test_seconds_are_told_where_bars_are_that_short(blank_page: Page) -> None:
    starts = [at("2012-06-07T13:30") + i * 1000 for i in range(60)]
    assert date_labels(blank_page, starts, 14) == ["13:30:15", "13:30:30", "13:30:45"]


def test_a_day_is_a_day_in_every_zone(blank_page: Page) -> None:
    starts = [at("2011-12-01") + i * DAY_MS for i in range(90)]
    expected = ["2012", "Feb"]
    assert date_labels(blank_page, starts, 20, "America/New_York") == expected
    assert date_labels(blank_page, starts, 20, "Asia/Tokyo") == expected


def test_the_zones_offset_follows_daylight_saving(blank_page: Page) -> None:
    before, after = at("2012-03-11T06:59"), at("2012-03-11T07:00")
    offsets = [
        call(blank_page, "zone", "zoneOffset", "America/New_York", time_ms) / 3_600_000
        for time_ms in (before, after)
    ]
    assert offsets == [-5, -4]
    assert call(blank_page, "zone", "zoneOffset", "Asia/Kolkata", before) == 5.5 * 3_600_000


def test_an_unknown_zone_is_utc(blank_page: Page) -> None:
    assert call(blank_page, "zone", "zoneOf", "exchange", "Mars/Olympus") == "UTC"
    assert call(blank_page, "zone", "zoneOf", "exchange", "Asia/Tokyo") == "Asia/Tokyo"
    assert call(blank_page, "zone", "zoneOf", "Europe/Berlin", "Asia/Tokyo") == "Europe/Berlin"
    assert call(blank_page, "zone", "zoneOf", 7, None) == "UTC"


def test_a_bar_is_told_by_its_date_and_shorter_ones_by_the_clock(blank_page: Page) -> None:
    start = at("2012-06-07T13:30")
    told = [
        call(blank_page, "zone", "barTime", start, interval, "America/New_York")
        for interval in ("1d", "1m", "5s")
    ]
    assert told == ["2012-06-07", "2012-06-07 09:30 EDT", "2012-06-07 09:30:00 EDT"]


# ---- ranges


def range_start(page: Page, name: str, starts: list[int], zone: str = "UTC") -> tuple[int, bool]:
    found = page.evaluate(
        """async ([name, starts, zone]) => {
          const {rangeStart} = await import("quotewire/chart/ranges.js");
          const {zoneOffset} = await import("quotewire/zone.js");
          return rangeStart(name, starts, (ms) => zoneOffset(zone, ms));
        }""",
        [name, starts, zone],
    )
    return found["index"], found["whole"]


DAILY = [at("2010-12-20") + i * DAY_MS for i in range(600)]  # to 2012-08-10


@pytest.mark.parametrize(
    ("name", "first"),
    [("1m", "2012-07-10"), ("6m", "2012-02-10"), ("ytd", "2012-01-01"), ("1y", "2011-08-10")],
)
def test_ranges_go_by_the_calendar(blank_page: Page, name: str, first: str) -> None:
    index, whole = range_start(blank_page, name, DAILY)
    assert DAILY[index] == at(first)
    assert whole


def test_a_month_before_the_31st_is_the_last_of_a_shorter_one(blank_page: Page) -> None:
    starts = [at("2012-01-01") + i * DAY_MS for i in range(91)]  # to March 31
    index, _ = range_start(blank_page, "1m", starts)
    assert starts[index] == at("2012-02-29")


def test_days_without_bars_are_not_counted(blank_page: Page) -> None:
    starts = sessions(5, ["2012-06-05", "2012-06-06", *WEEK])
    index, whole = range_start(blank_page, "5d", starts, "America/New_York")
    assert (starts[index], whole) == (at("2012-06-06T13:30"), True)
    index, whole = range_start(blank_page, "1d", starts, "America/New_York")
    assert (starts[index], whole) == (at("2012-06-12T13:30"), True)


def test_a_range_that_reaches_further_than_the_bars_is_not_whole(blank_page: Page) -> None:
    assert range_start(blank_page, "5d", sessions(5, WEEK)) == (0, False)
    assert range_start(blank_page, "1y", DAILY[-100:]) == (0, False)
    assert range_start(blank_page, "all", DAILY) == (0, False)


FOLLOWED = """
  async ([name, length_ms]) => {
    const {History} = await import("quotewire/chart/history.js");
    const {Viewport} = await import("quotewire/chart/viewport.js");
    const range = {start: 0, end: 0, setv: (values) => Object.assign(range, values)};
    const bars = {all: [], get extent() { return {first: 0, end: bars.all.length}; }};
    const viewport = new Viewport(range, bars, {
      width: () => 600, onView: () => {}, onMoved: () => (name = ""),
    });
    const figure = {
      bars, viewport,
      draw: (all) => {
        const anew = !bars.all.length;
        bars.all = [...all];
        if (anew) viewport.home();
        else viewport.renumbered(0);
        return anew;
      },
      update: (all) => { bars.all = [...all]; viewport.barsChanged(); },
    };
    const body = {symbol: "A", interval: "1m", epoch: "e", offset: 1, start_ms: []};
    const history = new History({ask: async () => body}, figure, () => name, () => {});
    history.begin("A", "1m", [], "UTC");
    const upTo = (last) => Array.from({length: last + 1}, (_, at) => ({start_ms: at * length_ms}));
    const left = () => Math.ceil(range.start);
    history.take(upTo(300), {reset: true, since_ms: 0});
    const told = [left()];
    history.take(upTo(300), {reset: false, since_ms: 0});
    history.take(upTo(310), {reset: false, since_ms: 0});
    told.push(left());
    history.take(upTo(320), {reset: true, since_ms: 0});
    told.push(left(), Math.floor(range.end) >= 320);
    Object.assign(range, {start: 100, end: 200});
    viewport.moved();
    history.take(upTo(330), {reset: false, since_ms: 0});
    told.push(left());
    return told;
  }
"""


@pytest.mark.parametrize(
    ("name", "length_ms", "lefts"),
    [
        ("all", 60_000, [0, 0, 0]),
        ("1h", 60_000, [240, 250, 260]),
        ("2d", 3_600_000, [264, 264, 288]),
    ],
)
def test_a_range_begins_where_it_does_while_new_bars_come(
    blank_page: Page, name: str, length_ms: int, lefts: list[int]
) -> None:
    assert blank_page.evaluate(FOLLOWED, [name, length_ms]) == [*lefts, True, 100]


@pytest.mark.parametrize("interval", ["1s", "5s", "1m", "5m", "15m", "1h", "1d"])
def test_every_interval_has_ranges_of_a_fair_number_of_bars(
    blank_page: Page, interval: str
) -> None:
    names = [one["name"] for one in call(blank_page, "chart/ranges", "rangesOf", interval)]
    assert names
    assert ("1h" in names) == (interval in ("1s", "5s", "1m"))
    assert ("1y" in names) == (interval in ("1h", "1d"))


# ---- statistics


def bars_of(closes: list[float], step_ms: int = DAY_MS) -> list[dict[str, float]]:
    return [
        {
            "start_ms": i * step_ms,
            "open": close - 0.5,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 10.0 * (i + 1),
        }
        for i, close in enumerate(closes)
    ]


def test_statistics_of_bars(blank_page: Page) -> None:
    told = call(blank_page, "chart/statistics", "statistics", bars_of([100, 120, 90, 99]))
    assert told["bars"] == 4
    assert told["change"] == pytest.approx(-0.01)
    assert (told["high"], told["low"], told["volume"]) == (121, 89, 25)
    assert told["drawdown"] == pytest.approx(0.25)
    steps = [math.log(1.2), math.log(0.75), math.log(1.1)]
    assert told["volatility"] == pytest.approx(math.sqrt(sum(step**2 for step in steps)))
    assert told["yearly"] is False


def test_prices_below_zero_have_the_sign_of_all_other_numbers(blank_page: Page) -> None:
    told = [call(blank_page, "format", "formatPrice", value, 2) for value in (-1.5, 1.5, -0.001)]
    assert told == ["−1.50", "1.50", "−0.00"]


def test_indicators_whose_name_is_looked_for_are_first(blank_page: Page) -> None:
    infos = [
        {"name": "CDL3STARSINSOUTH", "title": "Three Stars In The South", "group": "Patterns"},
        {"name": "STOCHRSI", "title": "Stochastic", "group": "Momentum"},
        {"name": "RSIX", "title": "Another", "group": "Momentum"},
        {"name": "RSI", "title": "Relative Strength Index", "group": "Momentum"},
        {"name": "SMA", "title": "Simple", "group": "Overlap"},
    ]

    def found(text: str) -> list[tuple[str, list[str]]]:
        groups = call(blank_page, "chart/indicator_search", "foundIn", infos, text)
        return [(group, [info["name"] for info in those]) for group, those in groups]

    assert found("rsi") == [
        ("Momentum", ["RSI", "RSIX", "STOCHRSI"]),
        ("Patterns", ["CDL3STARSINSOUTH"]),
    ]
    assert [group for group, _ in found("")] == ["Patterns", "Momentum", "Overlap"]
    assert found("nothing") == []


def test_over_more_than_five_days_volatility_is_a_years(blank_page: Page) -> None:
    closes = [100.0 * 1.01 ** (i % 2) for i in range(366)]
    told = call(blank_page, "chart/statistics", "statistics", bars_of(closes))
    years = timedelta(days=365) / timedelta(days=365.25)
    assert told["yearly"] is True
    assert told["volatility"] == pytest.approx(math.log(1.01) * math.sqrt(365 / years))


def test_nothing_has_no_statistics_and_one_bar_no_volatility(blank_page: Page) -> None:
    assert call(blank_page, "chart/statistics", "statistics", []) is None
    assert call(blank_page, "chart/statistics", "statistics", bars_of([5]))["volatility"] is None


# ---- trades and other symbols


def test_a_trade_at_the_same_price_goes_as_the_one_before(blank_page: Page) -> None:
    directions = blank_page.evaluate(
        """async (prices) => {
          const {TickRule} = await import("quotewire/tick_rule.js");
          const rule = new TickRule();
          return prices.map((price) => rule.next(price));
        }""",
        [10, 10, 11, 11, 10, 10],
    )
    assert directions == ["flat", "flat", "up", "up", "down", "down"]


def test_another_symbol_has_its_last_close_where_it_did_not_trade(blank_page: Page) -> None:
    other = [{"start_ms": 10, "close": 1}, {"start_ms": 30, "close": 3}]
    closes = [
        call(blank_page, "chart/align", "closeAt", other, start_ms) for start_ms in (10, 20, 30, 99)
    ]
    assert closes == [1, 1, 3, 3]
    assert math.isnan(call(blank_page, "chart/align", "closeAt", other, 9))


def test_symbols_start_together_at_the_first_bar_both_have(blank_page: Page) -> None:
    main = [{"start_ms": i, "close": 100 + i} for i in range(3)]
    assert call(blank_page, "chart/align", "bases", main, [None, 50, 60]) == {
        "main": 101,
        "other": 50,
    }
    assert call(blank_page, "chart/align", "bases", main, [None, None, None]) is None


def test_older_bars_of_another_symbol_that_come_late_or_never_are_told(blank_page: Page) -> None:
    told = blank_page.evaluate(
        """async () => {
          const {Comparison} = await import("quotewire/chart/comparison.js");
          const asked = [];
          const connection = {
            ask: () => new Promise((answer, refuse) => asked.push({answer, refuse})),
            subscribeBars: (symbol, interval, listener) => {
              listener([{start_ms: 100, close: 1}], {reset: true});
              return () => {};
            },
            failure: () => null, historyFailure: () => null,
          };
          const compared = {
            shown: [], ratio: () => NaN,
            show: (symbols) => (compared.shown = symbols.map((symbol) => ({symbol, bars: []}))),
            take: (slot, bars) => (compared.shown[slot].bars = bars),
          };
          const bars = {redraw() {}, patchLast() {}};
          const figure = {compared, bars, supply: {want() {}}, requestFit() {}};
          const comparison = new Comparison(connection, figure, () => {});
          const said = () => {
            comparison.describe(null, undefined);
            return comparison.entries[0].element.querySelector("b").textContent;
          };
          const step = () => new Promise((go) => setTimeout(go));
          comparison.show(["A", "B"], "1d");
          comparison.reach(50);
          const loading = said();
          asked[0].refuse(new Error("away"));
          await step();
          const failed = said();
          comparison.show(["C"], "1d");
          asked[1].answer({
            start_ms: [1], open: [1], high: [1], low: [1], close: [1], volume: [1], final: [true],
          });
          await step();
          return [loading, failed, compared.shown[0].bars.length];
        }"""
    )
    assert told == ["loading …", "not loaded", 1]


def test_neither_the_charts_own_symbol_nor_an_unknown_one_is_compared(blank_page: Page) -> None:
    found = blank_page.evaluate(
        """async () => {
          const {comparable} = await import("quotewire/chart/comparable.js");
          const has = (symbol) => symbol !== "X";
          return comparable(["A", "X", "B", "C", "D"], {own: "A", has, room: 2});
        }"""
    )
    assert found == ["B", "C"]


# ---- indicators


def info(name: str, outputs: list[str], overlay: list[str], group: str = "") -> dict[str, object]:
    parameters = [
        {"name": "timeperiod", "kind": "integer", "default": 20, "minimum": 2, "maximum": 2000},
        {"name": "factor", "kind": "real", "default": 2, "minimum": None, "maximum": None},
    ]
    return {
        "name": name,
        "title": name,
        "group": group,
        "outputs": outputs,
        "overlay": overlay,
        "parameters": parameters,
    }


ROOM = {"lines": 4, "dots": 1, "panes": 2, "paneLines": 3}


def planned(page: Page, *infos: dict[str, object], room: dict[str, int] = ROOM) -> Any:
    wanted = [{"spec": one["name"], "key": f"{one['name']}()", "info": one} for one in infos]
    return call(page, "chart/indicator_plan", "plan", wanted, room)


def test_prices_are_drawn_over_the_bars_and_others_in_panes(blank_page: Page) -> None:
    made = planned(
        blank_page,
        info("SMA", ["real"], ["real"]),
        info("MACD", ["macd", "macdsignal", "macdhist"], []),
        info("BBANDS", ["upper", "middle", "lower"], ["upper", "middle", "lower"]),
    )
    slots = [line["slot"] for group in made["overlays"] for line in group["lines"]]
    assert slots == [0, 1, 2, 3]
    (macd,) = made["panes"]
    styles = [(line["label"], line["style"], line["slot"]) for line in macd["lines"]]
    assert styles == [("macd", "line", 0), ("macdsignal", "line", 1), ("macdhist", "columns", 0)]
    assert made["refused"] == []


def test_lines_in_panes_take_no_colour_of_those_over_the_prices(blank_page: Page) -> None:
    sma, bands = info("SMA", ["real"], ["real"]), info("BBANDS", ["upper"], ["upper"])
    macd = info("MACD", ["macd", "macdsignal", "macdhist"], [])
    made = planned(blank_page, sma, macd, bands, info("RSI", ["real"], []))
    colours = [
        [line["colour"] for group in made[place] for line in group["lines"]]
        for place in ("overlays", "panes")
    ]
    assert colours == [[0, 1], [0, 1, 2, 3]]


def test_what_has_no_room_is_refused_and_the_rest_is_drawn(blank_page: Page) -> None:
    made = planned(
        blank_page,
        *(info(name, ["real"], []) for name in ("RSI", "CCI", "MOM")),
        info("SAR", ["real"], ["real"]),
        info("SAREXT", ["real"], ["real"]),
    )
    assert [group["spec"] for group in made["panes"]] == ["RSI", "CCI"]
    assert made["overlays"][0]["lines"][0]["style"] == "dots"
    assert made["refused"] == ["MOM", "SAREXT"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sma(5)", "SMA(5,2)"),
        ("SMA", "SMA(20,2)"),
        ("SMA(5, 0.02)", "SMA(5,0.02)"),
        ("SMA()", "SMA(20,2)"),
        ("SMA(x)", None),
        ("<b>", None),
        ("SMA(5", None),
    ],
)
def test_a_specification_is_written_with_all_its_parameters(
    blank_page: Page, text: str, written: str | None
) -> None:
    parsed = call(blank_page, "chart/indicator_spec", "parseSpec", text)
    if parsed is not None:
        parsed = call(blank_page, "chart/indicator_spec", "whole", parsed, info("SMA", [], []))
        parsed = call(
            blank_page, "chart/indicator_spec", "writeSpec", parsed["name"], parsed["values"]
        )
    assert parsed == written


def test_a_parameter_has_its_bounds(blank_page: Page) -> None:
    parameter = {"kind": "integer", "minimum": 2, "maximum": 9}
    faults = [
        call(blank_page, "chart/indicator_spec", "fault", value, parameter)
        for value in (5, 1, 10, 2.5)
    ]
    assert faults == ["", "at least 2", "at most 9", "a whole number, please"]


def test_indicators_that_are_accepted_after_the_end_change_nothing(blank_page: Page) -> None:
    changes = blank_page.evaluate(
        """async (info) => {
          const {Studies} = await import("quotewire/chart/studies.js");
          let changes = 0;
          const changed = async (end) => {
            const figure = {
              panes: {all: []}, overlays: {show() {}}, bars: {redraw() {}},
              supply: {room: {lines: 4, dots: 1, panes: 1, paneLines: 1}, want() {}},
            };
            const studies = new Studies({}, figure, {onChange: () => (changes += 1)});
            let accept;
            studies.catalog = {
              find: async (spec) => ({spec, key: spec, info}),
              refusal: () => new Promise((resolve) => (accept = resolve)),
            };
            const shown = studies.show(["SMA(5)"], "A");
            await null;
            await null;
            if (end) studies.end();
            accept("");
            await shown;
            return changes;
          };
          return [await changed(false), await changed(true)];
        }""",
        info("SMA", ["real"], ["real"]),
    )
    assert changes == [1, 1]


# ---- lines, the measure, the window in view


FIGURE = """
const {DrawnBars} = await import("quotewire/chart/drawn_bars.js");
const bars = new DrawnBars([]);
const element = document.createElement("div");
const price = document.createElement("div");
element.append(price);
document.body.append(element);
price.style.cssText = "position: relative; width: 100px; height: 100px";
const axis = {text: String, low: 0, high: 10,
  priceAt: (share) => axis.high - share * (axis.high - axis.low),
  share: (price) => (axis.high - price) / (axis.high - axis.low)};
const figure = {bars, element, elements: {price}, width: 100, axis: () => axis,
  viewport: {start: 0, end: 10}};
const draw = (from) => bars.draw(Array.from({length: 20 - from}, (_, i) =>
  ({start_ms: 1000 * (from + i)})));
const key = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", {key}));
"""


def drawing(page: Page, script: str) -> Any:
    """Return what a script does with a figure that is not one."""
    return page.evaluate(f"async () => {{ {FIGURE} {script} }}")


def test_an_arrow_moves_a_line_by_at_least_what_prices_can_differ(blank_page: Page) -> None:
    moved = drawing(
        blank_page,
        """const {PriceLines} = await import("quotewire/chart/price_lines.js");
        const {Address} = await import("quotewire/address.js");
        const location = {search: "", href: "about:blank"};
        const lines = new PriceLines(figure, new Address({location, addEventListener() {}}));
        axis.low = 5; axis.high = 5.02;
        lines.begin("A", 2);
        lines.add(5.01);
        const line = price.querySelector("[role=slider]");
        const told = [lines.prices[0]];
        for (const name of ["ArrowUp", "ArrowDown", "ArrowDown"]) {
          key(line, name);
          told.push(lines.prices[0]);
        }
        axis.low = 0; axis.high = 1000;
        key(line, "ArrowUp");
        lines.end();
        return [...told, lines.prices[0]];""",
    )
    assert moved == [5.01, 5.02, 5.01, 5.0, 10.0]


def test_what_is_measured_stays_at_its_bars_when_older_ones_come(blank_page: Page) -> None:
    told = drawing(
        blank_page,
        """const {Measure} = await import("quotewire/chart/measure.js");
        draw(10);
        const measure = new Measure(figure);
        measure.toggle(document.createElement("button"));
        const layer = price.querySelector(".measure");
        const box = layer.querySelector(".measure-box");
        layer.style.cssText = "position: absolute; inset: 0";
        layer.setPointerCapture = () => {};
        const {left, top} = layer.getBoundingClientRect();
        const point = (type, x) => layer.dispatchEvent(
          new PointerEvent(type, {clientX: left + x, clientY: top + 50}));
        point("pointerdown", 20);
        point("pointermove", 60);
        const before = [box.style.left, box.style.width];
        draw(0);
        Object.assign(figure.viewport, {start: 10, end: 20});
        measure.draw();
        const after = [box.style.left, box.style.width];
        draw(15);
        measure.draw();
        return [before, after, box.hidden];""",
    )
    assert told == [["20px", "40px"], ["20px", "40px"], True]


@pytest.mark.parametrize(
    ("text", "window"),
    [("", None), ("5-3", None), ("3-5", {"from_ms": 3, "to_ms": 5})],
)
def test_a_window_of_time_is_read(blank_page: Page, text: str, window: object) -> None:
    assert call(blank_page, "chart/kept_view", "readWindow", text) == window


@pytest.mark.parametrize(
    ("price", "decimals", "text"),
    [(580, 2, "580"), (600.5, 2, "600.5"), (1e-8, 8, "0.00000001"), (1200, 0, "1200")],
)
def test_a_line_is_written_shortly(
    blank_page: Page, price: float, decimals: int, text: str
) -> None:
    assert call(blank_page, "chart/line_store", "written", price, decimals) == text


# ---- how bars look


def test_hollow_candles_tell_the_close_against_the_one_before(blank_page: Page) -> None:
    def direction(open_: float, close: float, before: float | None) -> str:
        bar = {"open": open_, "close": close}
        told = call(blank_page, "chart/looks", "directionOf", bar, before and {"close": before})
        assert isinstance(told, str)
        return told

    assert direction(1, 2, None) == "up up"
    assert direction(1, 2, 3) == "up down"
    assert direction(2, 1, 0.5) == "down up"
    colours = {"up": "U", "down": "D", "card": "C"}
    hollow = call(blank_page, "chart/looks", "palettes", "hollow", colours)
    assert hollow["fill"] == ["C", "C", "U", "D"]
    assert hollow["outline"] == ["U", "D", "U", "D"]
    candles = call(blank_page, "chart/looks", "palettes", "candles", colours)
    assert candles["fill"] == candles["outline"] == ["U", "U", "D", "D"]
