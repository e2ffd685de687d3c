"""Which bars a chart's figures have, against all that there are, whatever happens to them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MOST_DRAWN = 6000

# Each step is done to the bars, and then the figures' columns are told against what they must be.
# The source does what one of Bokeh does with its columns.
STEPS = """
async ([steps, empty]) => {
  const {DrawnBars} = await import("quotewire/chart/drawn_bars.js");
  const {BarTable} = await import("quotewire/chart/bar_table.js");
  const source = {
    data: {x: [], close: [], change: []}, told: 0,
    setv({data}) { this.data = data; this.told += data.x.length; },
    patch(patches) {
      for (const [name, changes] of Object.entries(patches))
        for (const [i, value] of changes) {
          if (i < 0 || i >= this.data[name].length) throw new Error(`no row ${i}`);
          this.data[name][i] = value;
          this.told += 1;
        }
    },
    stream(columns, rollover) {
      for (const [name, values] of Object.entries(columns)) {
        const column = this.data[name];
        column.push(...values);
        column.splice(0, column.length - rollover);
      }
      this.told += columns.x.length;
    },
  };
  const change = ({close}, before) => close - (before?.close ?? 0);
  const columns = {close: ({close}) => close, change};
  const table = new BarTable(source, empty ? {} : columns);
  const bars = new DrawnBars([table]);
  bars.clear(); // as each chart begins
  const bar = (start_ms, close) => ({start_ms, close});
  let drawn = !empty;
  const faults = [];
  // Bars that were drawn before, and are drawn again: the same ones, wherever they are now.
  const again = (step, draw) => {
    const x = source.data.x;
    const [from, to] = [bars.at(x[0]), bars.at(x.at(-1))].map((own) => own?.start_ms);
    const isSeen = drawn && x.length > 0;
    draw();
    if (!isSeen || bars.placeOf(from) === null || bars.placeOf(to) === null) return;
    const now = [source.data.x[0], source.data.x.at(-1)].map((place) => bars.at(place)?.start_ms);
    const isGone = now[0] > from || now[1] < to;
    if (isGone) faults.push(`${step}: ${from}-${to} was drawn, now ${now.join("-")}`);
  };
  const check = (step, view) => {
    const {x, close, change} = source.data;
    const {first, end} = bars.extent;
    for (let i = 0; i < x.length; i += 1) {
      const place = x[i] - first;
      const own = bars.all[place];
      const before = bars.all[place - 1]?.close;
      const told = `${step}: row ${i}`;
      if (i && x[i] !== x[i - 1] + 1) faults.push(`${told} does not follow`);
      if (close[i] !== own?.close) faults.push(`${told} is not its bar's`);
      if (place && change[i] !== own?.close - before) faults.push(`${told} by another one`);
    }
    if (!view || !bars.all.length || !drawn) return;
    const [from, to] = [Math.max(first, view[0]), Math.min(end - 1, view[1])];
    const isThere = x[0] <= from && x.at(-1) >= to;
    if (from <= to && !isThere) faults.push(`${step}: not all in view is drawn`);
    const most = 5 * (view[1] - view[0]) + 1000;
    if (x.length > most) faults.push(`${step}: ${x.length} rows are too many`);
  };
  for (const [name, a, b] of steps) {
    const last = bars.all.at(-1)?.start_ms ?? 0;
    let view = null;
    if (name === "draw") {
      bars.draw(Array.from({length: a}, (_, i) => bar(1000 + i, b + i % 7)));
    } else if (name === "older") {
      const start = bars.all[0]?.start_ms ?? 1000;
      const older = Array.from({length: a}, (_, i) => bar(start - a + i, b));
      again(name, () => bars.draw([...older, ...bars.all]));
    } else if (name === "again") {
      again(name, () => bars.draw([...bars.all]));
    } else if (name === "add") {
      const more = Array.from({length: a}, (_, i) => bar(last + 1 + i, b));
      bars.update([...bars.all, ...more], last + 1);
    } else if (name === "change") {
      const since = last - a;
      const changed = bars.all.map((own) => (own.start_ms >= since ? bar(own.start_ms, b) : own));
      bars.update(changed, since);
    } else if (name === "columns") {
      table.columns = columns;
      drawn = true;
      bars.redraw(table);
    } else {
      const {first, end} = bars.extent;
      const from = first + (a % Math.max(1, end - first));
      view = [from, from + b];
      bars.look(...view);
    }
    check(name, view);
  }
  return {faults, rows: source.data.x.length, told: source.told};
}
"""

price = st.integers(1, 1000)
steps = st.one_of(
    # In every other case so many that the oldest roll over with the next ones.
    st.tuples(st.just("draw"), st.integers(0, 3000) | st.just(MOST_DRAWN), price),
    st.tuples(st.just("older"), st.integers(1, 4000), price),
    st.tuples(st.just("again"), st.just(0), st.just(0)),
    st.tuples(st.just("add"), st.integers(1, 300), price),
    st.tuples(st.just("change"), st.integers(0, 80), price),
    st.tuples(st.just("look"), st.integers(0, 7000), st.integers(15, 1500)),
    st.tuples(st.just("columns"), st.just(0), st.just(0)),
)


def done(page: Page, *each: tuple[str, int, int], empty: bool = False) -> Any:
    return page.evaluate(STEPS, [each, empty])


@given(taken=st.lists(steps, max_size=12), empty=st.booleans())
@settings(max_examples=150)
def test_what_is_drawn_is_what_is_in_view_and_right(
    blank_page: Page, taken: list[tuple[str, int, int]], empty: bool
) -> None:
    assert done(blank_page, *taken, empty=empty)["faults"] == []


def test_of_a_long_series_only_what_is_near_the_view_is_drawn(blank_page: Page) -> None:
    facts = done(blank_page, ("draw", 5000, 1), ("look", 4880, 120))
    assert facts["faults"] == []
    assert facts["rows"] < 1000


def test_to_move_a_little_draws_nothing_anew(blank_page: Page) -> None:
    begun = ("draw", 5000, 1), ("look", 4880, 120)
    before = done(blank_page, *begun)["told"]
    moves = [("look", 4880 - step, 120) for step in range(0, 100, 5)]
    assert done(blank_page, *begun, *moves)["told"] == before


def test_bars_that_have_rolled_over_are_drawn_again_where_they_were(blank_page: Page) -> None:
    rolled = [("add", 300, 1)] * 5
    begun = ("draw", MOST_DRAWN - 100, 1), *rolled, ("look", MOST_DRAWN - 200, 120)
    facts = done(blank_page, *begun, ("again", 0, 0))
    assert facts["faults"] == []
    looked = done(blank_page, *begun, ("again", 0, 0), ("look", MOST_DRAWN - 200, 120))
    assert looked["told"] == facts["told"]


def test_all_are_drawn_where_all_are_in_view(blank_page: Page) -> None:
    facts = done(blank_page, ("draw", MOST_DRAWN, 1), ("look", 0, MOST_DRAWN))
    assert (facts["faults"], facts["rows"]) == ([], MOST_DRAWN)


def test_what_comes_for_days_leaves_no_more_than_near_the_view(blank_page: Page) -> None:
    day = [step for _ in range(60) for step in (("add", 100, 1), ("look", 10**6 - 1, 120))]
    facts = done(blank_page, ("draw", 500, 1), *day)
    assert facts["faults"] == []
    assert facts["rows"] <= 1600
