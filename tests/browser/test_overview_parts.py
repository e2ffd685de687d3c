"""The ticker tape and the movers by themselves, beside a feed that does as the test says."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.browser import import_map

pytestmark = pytest.mark.browser

# A feed with two symbols; the second one's price is old.
FEED = """
  const infos = ["A", "B"].map((symbol) => [symbol, {
    symbol, name: symbol, decimals: 2, label: "REPLAY", source: "s", zone: "UTC",
  }]);
  const quote = (symbol) => ({
    symbol, last: 11, prev_close: 10, volume: 5, bid: null, ask: null, open: 10, low: 10, high: 11,
    time_ms: 0, session: "", offset: 1,
  });
  let subscribed = 0, asked = [], answers = [];
  const connection = {
    symbols: new Map(infos),
    state: {state: "live"},
    freshness: (symbol) => (symbol === "B" ? {state: "stale", age_ms: 300_000}
      : {state: "live", age_ms: 10}),
    onSymbols: (listener) => { listener(connection.symbols); return () => {}; },
    onState: (listener) => { listener(connection.state); return () => {}; },
    ask: (path, query) => {
      asked.push(query);
      return new Promise((resolve, reject) => answers.push({resolve, reject}));
    },
    subscribeQuotes: (symbols, listener) => {
      subscribed += symbols.length;
      listener(symbols.map(quote));
      return () => (subscribed -= symbols.length);
    },
  };
  const ends = [], until = (end) => ends.push(end);
  const end = () => ends.splice(0).forEach((call) => call());
  const answer = {
    type: "quotes", event_ms: 0, received_ms: 0, cursor: "",
    rows: ["A", "B"].map((symbol, i) => [symbol, 11, 1, null, null, 5, 0, 0, i + 1, 1]),
    details: {A: [10, 11, 10, 10, "", "e"], B: [10, 11, 10, 10, "", "e"]},
  };
  const text = (test_id) => element.querySelector(`[data-testid=${test_id}]`).textContent;
"""


def run(page: Page, script: str) -> Any:
    """Return what a script tells that has the feed."""
    return page.evaluate(f"async () => {{ {FEED} {script} }}")


def test_the_tape_dims_old_prices_and_tells_how_many_and_what_they_are(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        const {TickerTape} = await import("quotewire/overview/ticker_tape.js");
        const {element} = new TickerTape(connection, until);
        const links = [...element.querySelectorAll("a")];
        const stale = links.map((link) => [link.dataset.stale === "", link.title]);
        const said = [text("tape-label"), text("tape-old")];
        connection.freshness = () => ({state: "stale", age_ms: 7_200_000});
        await new Promise((resolve) => {
          const wait = () => text("tape-old") === "All are old" ? resolve() : setTimeout(wait, 50);
          wait();
        });
        end();
        return {stale, said, later: links.map(({title}) => title)};
        """,
    )
    assert told["stale"] == [[False, "A"], [True, "B · 5 min old"]]
    assert told["said"] == ["REPLAY", "1 old"]
    assert told["later"] == ["A · 2 h 0 min old", "B · 2 h 0 min old"]


SPARK = """async (quotes) => {
  const {Path, Sparkline} = await import("quotewire/sparkline.js");
  const [path, spark] = [new Path(), new Sparkline()];
  for (const [session, price, time_ms] of quotes) path.add(session, price, time_ms);
  spark.draw(path);
  const points = spark.element.firstChild.getAttribute("points").trim().split(" ").filter(Boolean);
  return points.map((point) => Number(point.split(",")[0]));
}"""


def across(page: Page, *quotes: tuple[str, float, int]) -> list[float]:
    """Return where the points of a path are from left to right, of 560."""
    found: list[float] = page.evaluate(SPARK, list(quotes))
    return found


def test_a_path_s_points_are_apart_as_their_times_are(blank_page: Page) -> None:
    assert across(blank_page, ("a", 1, 0), ("a", 2, 100), ("a", 1, 1000)) == [0, 56, 560]
    assert across(blank_page, ("a", 1, 0), ("b", 2, 900), ("b", 1, 1000)) == [0, 560]
    assert across(blank_page, ("a", 1, 5), ("a", 2, 5)) == [0, 0]
    assert across(blank_page, ("a", 1, 5)) == []


def test_a_path_never_goes_back_and_one_that_is_replayed_begins_anew(blank_page: Page) -> None:
    late = across(blank_page, ("a", 1, 0), ("a", 2, 100), ("a", 3, 50), ("a", 1, 200))
    assert late == [0, 280, 280, 560]
    assert across(blank_page, ("a", 1, 500), ("a", 2, 900), ("a", 1, 0), ("a", 3, 10)) == [0, 560]


def test_a_long_path_is_thinned_out_and_keeps_its_times(blank_page: Page) -> None:
    points = across(blank_page, *(("a", n % 7, 100 * n) for n in range(1000)))
    assert (points[0], points[-1]) == (0, 560)
    assert len(points) < 50
    steps = [right - left for left, right in pairwise(points)]
    assert max(steps[:-1]) - min(steps[:-1]) <= 1


def test_movers_are_dimmed_where_they_are_old(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        const {Movers} = await import("quotewire/overview/movers_card.js");
        const {element} = new Movers(connection, until);
        answers[0].resolve(answer);
        await new Promise((resolve) => setTimeout(resolve));
        const rows = [...element.querySelectorAll("li")].map((row) => row.dataset.stale === "");
        const said = [text("movers-label"), text("movers-old")];
        end();
        return {rows, said, subscribed};
        """,
    )
    assert told == {"rows": [False, True], "said": ["REPLAY", "1 old"], "subscribed": 0}


def test_movers_are_in_the_order_of_the_numbers_shown_or_of_what_was_when_one_pointed_at_them(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        """
        const {Movers} = await import("quotewire/overview/movers_card.js");
        let hear = () => {};
        connection.subscribeQuotes = (symbols, listener) => { hear = listener; return () => {}; };
        const {element} = new Movers(connection, until);
        document.body.append(element);
        const list = element.querySelector("[data-testid=movers]");
        const rows = () => [...list.querySelectorAll("button")].map((row) => row.textContent);
        const at = (symbol, last) => ({...quote(symbol), last, offset: 2});
        const until_true = async (check) => {
          const end_ms = Date.now() + 10_000;
          while (!check() && Date.now() < end_ms) await new Promise((go) => setTimeout(go, 20));
          return rows();
        };
        answers[0].resolve(answer);
        await new Promise((resolve) => setTimeout(resolve));
        const told = {begin: rows()};
        hear([at("A", 11.5)]);
        told.same = rows();                       // the order is the same: at once
        hear([at("B", 12)]);
        told.before = rows();
        told.turned = await until_true(() => rows()[0].startsWith("B"));
        list.dispatchEvent(new PointerEvent("pointerenter")); // what is there stays in its place
        hear([at("B", 9)]);
        told.held = rows();
        await new Promise((resolve) => setTimeout(resolve, 1200));
        told.later = rows();
        hear([at("B", 11.8)]);
        told.again = rows();
        list.dispatchEvent(new PointerEvent("pointerleave"));
        hear([at("B", 9)]);
        told.gone = await until_true(() => rows().length === 1);
        end();
        element.remove();
        return told;
        """,
    )
    assert told == {
        "begin": ["A11.00+10.00%", "B11.00+10.00%"],
        "same": ["A11.50+15.00%", "B11.00+10.00%"],
        "before": ["A11.50+15.00%", "B11.00+10.00%"],
        "turned": ["B12.00+20.00%", "A11.50+15.00%"],
        "held": ["B9.00−10.00%", "A11.50+15.00%"],
        "later": ["B9.00−10.00%", "A11.50+15.00%"],
        "again": ["B11.80+18.00%", "A11.50+15.00%"],
        "gone": ["A11.50+15.00%"],
    }


def test_a_tap_holds_no_movers(browser: Browser) -> None:
    """The style of what is pointed at stays there until another tap, wherever that is."""
    page = browser.new_page(has_touch=True, is_mobile=True)
    page.set_content(f'<script type="importmap">{json.dumps(import_map())}</script>')
    run(
        page,
        """
        const {Movers} = await import("quotewire/overview/movers_card.js");
        connection.subscribeQuotes = (symbols, listener) => {
          window.hear = (symbol, last) => listener([{...quote(symbol), last, offset: 2}]);
          return () => {};
        };
        document.body.append(new Movers(connection, until).element);
        answers[0].resolve(answer);
        """,
    )
    rows = page.get_by_test_id("movers").get_by_role("button")
    expect(rows).to_have_text([re.compile("^A"), re.compile("^B")])
    rows.first.tap()
    page.evaluate("hear('B', 12)")
    expect(rows).to_have_text([re.compile(r"^B12\.00"), re.compile("^A")])
    page.close()


def test_what_is_not_followed_yet_is_old_while_no_quotes_come(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        const {Movers} = await import("quotewire/overview/movers_card.js");
        connection.freshness = () => ({state: "unknown", age_ms: null});
        connection.ageOf = () => 300_000;
        const {element} = new Movers(connection, until);
        answers[0].resolve(answer);
        await new Promise((resolve) => setTimeout(resolve));
        const live = text("movers-old");
        connection.state = {state: "offline"};
        element.querySelector("button").click(); // ranks anew
        const away = [text("movers-old"), element.querySelector("li button").title];
        end();
        return {live, away};
        """,
    )
    assert told == {"live": "", "away": ["All are old", "A · 5 min old"]}


def test_an_answer_that_comes_late_begins_nothing(blank_page: Page) -> None:
    subscribed = run(
        blank_page,
        """
        const {Movers} = await import("quotewire/overview/movers_card.js");
        const {element} = new Movers(connection, until);
        end();
        answers[0].resolve(answer);
        await new Promise((resolve) => setTimeout(resolve));
        return subscribed;
        """,
    )
    assert subscribed == 0


def test_all_of_a_large_feed_are_ranked_and_a_part_that_fails_stops_no_other(
    blank_page: Page,
) -> None:
    asked = run(
        blank_page,
        """
        const {Movers} = await import("quotewire/overview/movers_card.js");
        const name = (n) => `SYMBOL${n}`;
        connection.symbols = new Map(Array.from({length: 2000}, (_, n) =>
          [name(n), {...infos[0][1], symbol: name(n)}]));
        new Movers(connection, until);
        for (let n = 0; n < answers.length; n += 1) {
          if (n === 0) answers[n].reject(new Error("no"));
          else answers[n].resolve(answer);
          await new Promise((resolve) => setTimeout(resolve));
        }
        end();
        return asked;
        """,
    )
    assert len(asked) > 2
    assert all(len(query["symbols"]) <= 6000 for query in asked)
    assert sum(len(query["symbols"].split(",")) for query in asked) == 2000
