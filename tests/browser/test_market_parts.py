"""What the market's table, map and movers decide by data alone. In Chromium."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from dashboard.browser import module_url
from tests.browser.test_chart_parts import call

pytestmark = pytest.mark.browser

Rect = dict[str, float]
PLACE = {"x": 3, "y": 5, "width": 800, "height": 450}
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def row(symbol: str, last: float | None, prev_close: float = 100, **more: Any) -> dict[str, Any]:
    """Return a row of the table; of no price where `last` is None."""
    info = {"symbol": symbol, "name": more.get("name", symbol), "decimals": 2}
    quote = {
        "symbol": symbol,
        "last": last,
        "prev_close": prev_close,
        "volume": 10,
        "bid": 99,
        "ask": 101,
        "low": 90,
        "high": 110,
        **more,
    }
    return {"info": info, "quote": None if last is None else quote, "age_ms": 5}


def order(page: Page, rows: list[dict[str, Any]], sort: str) -> str:
    """Return the rows' symbols as they are sorted."""
    found = call(page, "market/order", "sorted", rows, sort)
    return " ".join(one["info"]["symbol"] for one in found)


# ---- the table's order


def test_rows_are_sorted_by_a_column_and_what_is_not_known_is_last(blank_page: Page) -> None:
    rows = [row("B", 101), row("N", None), row("A", 103), row("C", 98)]
    assert order(blank_page, rows, "percent") == "C B A N"
    assert order(blank_page, rows, "-percent") == "A B C N"
    assert order(blank_page, rows, "symbol") == "A B C N"
    assert order(blank_page, rows, "-symbol") == "N C B A"
    assert order(blank_page, rows, "") == "B N A C"
    assert order(blank_page, rows, "nonsense") == "B N A C"


def test_equal_rows_stay_in_the_order_of_their_list(blank_page: Page) -> None:
    rows = [row(name, 100) for name in "QAZXSW"]
    assert order(blank_page, rows, "-percent") == "Q A Z X S W"
    assert order(blank_page, rows, "percent") == "Q A Z X S W"


def test_numbers_within_symbols_are_numbers(blank_page: Page) -> None:
    rows = [row(name, 1) for name in ("S10", "S9", "S100")]
    assert order(blank_page, rows, "symbol") == "S9 S10 S100"


def test_a_head_sorts_by_the_largest_then_the_smallest_then_not(blank_page: Page) -> None:
    def after(sort: str, name: str) -> Any:
        return call(blank_page, "market/order", "nextSort", sort, name)

    assert [after("", "last"), after("-last", "last"), after("last", "last")] == [
        *("-last", "last", ""),
    ]
    assert [after("-last", "symbol"), after("symbol", "symbol")] == ["symbol", "-symbol"]


def may_move(page: Page, steps: list[list[Any]]) -> list[bool]:
    """Return whether rows may change places at each of the times that are asked about."""
    answers: list[bool] = page.evaluate(
        """async (steps) => {
          const {Calm} = await import("quotewire/market/order.js");
          const calm = new Calm();
          return steps.flatMap(([name, value]) => {
            if (name === "may") return calm.mayMove(value);
            calm[name](value);
            return [];
          });
        }""",
        steps,
    )
    return answers


def test_rows_change_places_at_most_once_a_second(blank_page: Page) -> None:
    steps: list[list[Any]] = [["may", 0], ["moved", 0], ["may", 999], ["may", 1000]]
    assert may_move(blank_page, steps) == [True, False, True]


def test_rows_stay_under_the_pointer_and_while_keys_go_through_them(blank_page: Page) -> None:
    steps: list[list[Any]] = [
        *(["pointer", True], ["may", 60_000], ["pointer", False], ["may", 60_001]),
        *(["pressed", 70_000], ["may", 71_999], ["may", 72_000]),
    ]
    assert may_move(blank_page, steps) == [False, True, False, True]


# ---- its columns


def texts(page: Page, one: dict[str, Any]) -> dict[str, str]:
    """Return what each column says of a row."""
    said: dict[str, str] = page.evaluate(
        """async (row) => {
          const {COLUMNS} = await import("quotewire/market/columns.js");
          return Object.fromEntries(COLUMNS.map((column) => [column.name, column.text(row)]));
        }""",
        one,
    )
    return said


def test_each_column_says_its_part_of_a_quote(blank_page: Page) -> None:
    said = texts(blank_page, row("A", 104, prev_close=100, volume=24_600_000))
    assert (said["last"], said["change"], said["percent"]) == ("104.00", "▲ 4.00", "+4.00%")
    assert (said["bid"], said["ask"], said["spread"]) == ("99.00", "101.00", "2.00")
    assert (said["volume"], said["age"]) == ("24.6M", "< 1 s")


def test_what_is_not_known_is_said_so(blank_page: Page) -> None:
    assert set(texts(blank_page, {**row("A", None), "age_ms": None}).values()) == {"A", "–", ""}
    assert texts(blank_page, row("A", 5, bid=None))["spread"] == "–"


def test_prices_of_any_size_are_told_with_the_instruments_digits(blank_page: Page) -> None:
    tiny = row("T", 1.3e-8)
    tiny["info"]["decimals"] = 10
    assert texts(blank_page, tiny)["last"] == "0.0000000130"
    assert texts(blank_page, row("H", 1e9))["last"] == "1,000,000,000.00"


def test_columns_are_chosen_in_their_own_order_and_the_symbol_stays(blank_page: Page) -> None:
    def names(chosen: list[str]) -> list[str]:
        found = call(blank_page, "market/columns", "chosenColumns", chosen)
        return [column["name"] for column in found]

    assert names(["percent", "last", "nonsense"]) == ["symbol", "last", "percent"]
    every = names([])
    assert len(every) == 11
    fewer = call(blank_page, "market/columns", "withColumn", [], "bid", False)
    assert names(fewer) == [name for name in every if name != "bid"]
    assert call(blank_page, "market/columns", "withColumn", fewer, "bid", True) == []


# ---- rows in view


@pytest.mark.parametrize(
    ("top", "count", "first", "end"),
    [(0, 2000, 0, 26), (34_000, 2000, 994, 1026), (67_320, 2000, 1974, 2000), (0, 3, 0, 3)],
)
def test_only_rows_in_view_and_a_few_beyond_are_drawn(
    blank_page: Page, top: int, count: int, first: int, end: int
) -> None:
    view = {"top": top, "height": 680}
    found = call(blank_page, "market/rows_in_view", "rowsInView", view, 34, count)
    assert found == {"first": first, "end": end}


def test_a_table_that_got_shorter_than_it_is_scrolled_has_no_rows_beyond_its_end(
    blank_page: Page,
) -> None:
    view = {"top": 34_000, "height": 680}
    found = call(blank_page, "market/rows_in_view", "rowsInView", view, 34, 5)
    assert found["first"] <= found["end"] == 5


def test_keys_go_through_the_rows_and_stop_at_the_ends(blank_page: Page) -> None:
    def to(key: str, at: int) -> Any:
        return call(blank_page, "market/rows_in_view", "rowAt", key, at, 50, 20)

    assert [to("ArrowDown", 3), to("ArrowUp", 0), to("PageDown", 40)] == [4, 0, 49]
    assert [to("Home", 30), to("End", 30), to("x", 3)] == [0, 49, None]


def test_of_more_symbols_than_a_page_gets_the_ones_in_view_are_live(blank_page: Page) -> None:
    names = [f"S{n}" for n in range(10)]
    found = call(blank_page, "market/rows_in_view", "liveSymbols", names, ["S3", "S8", "S9"], 5)
    assert found == {"first": names[:5], "beside": ["S8", "S9"]}


# A row of the only symbol, at three times: shown, shown again after a while without the feed,
# and when that is there again.
HIDDEN_ROW = """async (url) => {
  const {World} = await import(url);
  const {Connection} = await import("quotewire/connection.js");
  const {LiveRows} = await import("quotewire/market/live_rows.js");
  const world = new World();
  const connection = new Connection("http://feed.test", {environment: world.environment});
  const ends = [];
  let heard = 0;
  const rows = new LiveRows(connection, () => (heard += 1), (end) => ends.push(end));
  const info = {symbol: "AAPL", name: "AAPL", decimals: 2};
  const told = () => {
    const [{quote, age_ms, isStale}] = rows.all;
    return {priced: quote !== null, age_s: age_ms && Math.round(age_ms / 1000), isStale};
  };
  connection.start();
  rows.show([info]);
  rows.tick();
  const begun = told();
  await world.pass(7000);
  rows.tick();
  const live = told();
  rows.show([]);
  await world.pass(10_000); // longer than what nobody wants is held
  world.link = "refuses";
  world.http = false;
  for (const link of [...world.links]) link.end(null, "away");
  await world.pass(60_000);
  rows.show([info]);
  rows.tick();
  const away = told();
  world.link = "works";
  world.http = true;
  const before = heard;
  while (heard === before && world.now_ms < 1e7) await world.pass(100);
  const back = told();
  ends.forEach((end) => end());
  connection.stop();
  return {begun, live, away, back};
}"""


def test_a_price_from_before_a_filter_hid_it_is_old_until_another_one_comes(
    blank_page: Page,
) -> None:
    url = module_url("test/world.js", Path(__file__).parent / "world.js")
    told = blank_page.evaluate(HIDDEN_ROW, url)
    assert told["begun"] == {"priced": False, "age_s": None, "isStale": False}
    assert (told["live"]["priced"], told["live"]["isStale"]) == (True, False)
    assert (told["away"]["priced"], told["away"]["isStale"]) == (True, True)
    assert 70 <= told["away"]["age_s"] <= 80
    assert (told["back"]["priced"], told["back"]["isStale"]) == (True, False)


# ---- the heat map


def treemap(page: Page, values: Sequence[float], place: Mapping[str, float] = PLACE) -> list[Rect]:
    """Return where each value's tile is."""
    found: list[Rect] = call(page, "market/treemap", "treemap", values, place)
    return found


def area(rect: Mapping[str, float]) -> float:
    return rect["width"] * rect["height"]


def overlap(a: Rect, b: Rect) -> float:
    """Return the area that two have in common."""
    width = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    height = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return max(0.0, width) * max(0.0, height)


VALUES = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40)


@FEW
@given(values=VALUES, width=st.floats(1, 3000), height=st.floats(1, 3000))
def test_areas_are_in_proportion_and_cover_the_place_without_overlapping(
    blank_page: Page, values: list[float], width: float, height: float
) -> None:
    values.sort(reverse=True)
    place = {"x": -7.5, "y": 11, "width": width, "height": height}
    rects = treemap(blank_page, values, place)
    whole = width * height
    for value, rect in zip(values, rects, strict=True):
        assert math.isclose(area(rect), whole * value / sum(values), rel_tol=1e-6, abs_tol=1e-6)
        assert rect["x"] >= place["x"] - 1e-6
        assert rect["y"] >= place["y"] - 1e-6
        assert rect["x"] + rect["width"] <= place["x"] + width + 1e-6
        assert rect["y"] + rect["height"] <= place["y"] + height + 1e-6
    assert math.isclose(sum(map(area, rects)), whole, rel_tol=1e-6)
    assert all(overlap(a, b) <= whole * 1e-9 for a, b in combinations(rects, 2))


def test_the_example_of_its_authors_is_as_in_their_paper(blank_page: Page) -> None:
    place = {"x": 0, "y": 0, "width": 6, "height": 4}
    rects = treemap(blank_page, [6, 6, 4, 3, 2, 2, 1], place)
    sizes = [(round(r["width"], 6), round(r["height"], 6)) for r in rects]
    assert sizes[:4] == [(3, 2), (3, 2), (1.714286, 2.333333), (1.285714, 2.333333)]


def test_tiles_are_nearly_square(blank_page: Page) -> None:
    rects = treemap(blank_page, [48.0 - n for n in range(48)])
    squarish = [r for r in rects if 1 / 2 <= r["width"] / r["height"] <= 2]
    assert len(squarish) >= 44  # the last few get the place that is left


@pytest.mark.parametrize("values", [[], [0], [0, 0, 0], [5, 0, -3], [1e300, 1e-300], [1, 5, 1e-12]])
def test_what_has_no_size_has_no_area(blank_page: Page, values: list[float]) -> None:
    rects = treemap(blank_page, values)
    assert len(rects) == len(values)
    assert all(math.isfinite(part) and part >= 0 for r in rects for part in r.values())
    assert all(area(r) == 0 for v, r in zip(values, rects, strict=True) if v <= 0)
    if any(value > 0 for value in values):
        assert math.isclose(sum(map(area, rects)), area(PLACE), rel_tol=1e-6)


def steady(page: Page, before: list[str], values: Mapping[str, float]) -> str:
    """Return the order of a map's tiles after another one."""
    found: list[str] = page.evaluate(
        """async ([before, values]) => {
          const {steadyOrder} = await import("quotewire/market/treemap.js");
          return steadyOrder(before, new Map(Object.entries(values)));
        }""",
        [before, values],
    )
    return "".join(found)


def test_tiles_change_places_only_when_one_has_outgrown_another_well(blank_page: Page) -> None:
    assert steady(blank_page, [], {"a": 1, "b": 3, "c": 2}) == "bca"
    assert steady(blank_page, list("bca"), {"a": 1, "b": 3, "c": 3.5}) == "bca"
    assert steady(blank_page, list("bca"), {"a": 1, "b": 3, "c": 4}) == "cba"
    assert steady(blank_page, list("bca"), {"c": 2, "a": 1, "d": 9}) == "dca"


def test_the_scale_of_colours_fits_the_changes_and_stays_while_it_fits(blank_page: Page) -> None:
    def scale(ratios: list[float], before: float | None) -> Any:
        return call(blank_page, "market/heat", "heatScale", ratios, before)

    assert scale([0.001, -0.02, 0.004], None) == 2
    assert scale([0.001, -0.028, 0.004], 2) == 2
    assert scale([0.001, -0.04, 0.004], 2) == 5
    assert scale([0.0001, -0.0002], 2) == 0.1
    assert scale([], None) == 3


def test_colours_are_stronger_for_larger_changes(blank_page: Page) -> None:
    def heat(ratio: float | None) -> Any:
        return call(blank_page, "market/heat", "heatOf", ratio, 2)

    assert [heat(None), heat(0), heat(0.01), heat(-0.01), heat(0.5)] == [0, 0, 0.5, 0.5, 1]


# ---- movers


def test_movers_gain_lose_or_are_traded_most(blank_page: Page) -> None:
    quotes = [
        row("UP", 110)["quote"],
        row("UPMORE", 120)["quote"],
        row("FLAT", 100, volume=9000)["quote"],
        row("DOWN", 95)["quote"],
        row("NEW", 95, prev_close=None, volume=0)["quote"],  # type: ignore[arg-type]
    ]

    def ranked(ranking: str, most: int = 5) -> Any:
        return call(blank_page, "market/movers", "movers", quotes, ranking, most)

    assert ranked("gainers") == ["UPMORE", "UP"]
    assert ranked("losers") == ["DOWN"]
    assert ranked("active", 2) == ["FLAT", "UPMORE"]


def test_a_mover_that_fell_out_does_not_come_back_by_an_older_poll(blank_page: Page) -> None:
    def newest(*received_ms: int | None) -> Any:
        quotes = [None if ms is None else {"received_ms": ms} for ms in received_ms]
        return call(blank_page, "market/movers", "newest", *quotes)

    assert newest(5, 7)["received_ms"] == newest(7, 5)["received_ms"] == 7
    assert newest(5, None)["received_ms"] == newest(None, 5)["received_ms"] == 5


# ---- the list that is shown


def shown(page: Page, lists: list[dict[str, Any]], name: str | None, known: list[str]) -> Any:
    """Return the list that is shown of a user's lists."""
    return page.evaluate(
        """async ([lists, name, known]) => {
          const {shownList} = await import("quotewire/market/lists.js");
          return shownList(lists, name, new Map(known.map((symbol) => [symbol, {symbol}])));
        }""",
        [lists, name, known],
    )


def test_a_list_is_found_by_its_name_and_an_empty_one_is_all_of_the_feed(blank_page: Page) -> None:
    lists = [{"name": "All", "symbols": []}, {"name": "Mine", "symbols": ["B", "X"]}]
    mine = shown(blank_page, lists, "Mine", ["A", "B"])
    assert (mine["at"], mine["isAll"], mine["symbols"]) == (1, False, ["B", "X"])
    assert mine["infos"] == [{"symbol": "B"}]
    gone = shown(blank_page, lists, "Gone", ["A", "B"])
    assert (gone["name"], gone["isAll"], gone["symbols"]) == ("All", True, ["A", "B"])


HEAT_MAP = """async (steps) => {
  const {HeatMap} = await import("quotewire/market/heat_map.js");
  const ends = [];
  const map = new HeatMap((end) => ends.push(end));
  map.element.firstChild.style.cssText = "position: relative; width: 900px; height: 600px";
  document.body.append(map.element);
  const rows = (volume) => (percent, i) => ({
    info: {symbol: `S${i}`, name: `S${i}`, decimals: 2}, age_ms: 0, isStale: false,
    quote: percent === null ? null : {
      symbol: `S${i}`, last: 100 + percent, prev_close: 100, volume: (i + 1) * volume,
    },
  });
  const heat = ({dataset, style}) => dataset.direction + " " + style.getPropertyValue("--heat");
  const told = steps.map(({percents, volume}) => {
    map.show(percents.map(rows(volume)));
    return {
      tiles: Object.fromEntries([...map.element.querySelectorAll("[data-symbol]")].map((tile) =>
        [tile.dataset.symbol, heat(tile)])),
      areas: [...map.element.querySelectorAll("[data-symbol]")].map(({style}) =>
        Math.round(parseFloat(style.width) * parseFloat(style.height) / 1000)),
      full: map.element.querySelector("ol").lastChild.textContent,
      note: map.element.querySelector("footer span").textContent,
    };
  });
  ends.forEach((end) => end());
  map.element.remove();
  return told;
}"""


def heat_maps(page: Page, *steps: tuple[list[float | None], int]) -> Any:
    """Return what the map shows of some changes in percent, with some volume."""
    asked = [{"percents": percents, "volume": volume} for percents, volume in steps]
    return page.evaluate(HEAT_MAP, asked)


def test_tiles_have_the_colours_of_the_legend_also_when_its_scale_is_another(
    blank_page: Page,
) -> None:
    calm, wild = heat_maps(blank_page, ([0.5, 0.5], 1), ([0.5, 10.0], 1))
    assert (calm["full"], calm["tiles"]["S0"]) == ("+0.50%", "up 45%")
    assert (wild["full"], wild["tiles"]["S1"]) == ("+10.00%", "up 45%")
    assert wild["tiles"]["S0"] == "up 0%"  # a twentieth of the scale


def test_the_heat_map_tells_who_has_no_price_yet_and_when_nothing_was_traded(
    blank_page: Page,
) -> None:
    early, traded = heat_maps(blank_page, ([1.0, 2.0, None], 0), ([1.0, 2.0, None], 5))
    assert early["note"] == "Nothing was traded yet: all tiles are equal · 1 have no price yet"
    assert early["areas"][0] == early["areas"][1]
    assert traded["note"] == "Area: price × volume of the session · 1 have no price yet"
    assert traded["areas"][0] != traded["areas"][1]
