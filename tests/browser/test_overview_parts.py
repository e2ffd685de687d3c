"""The ticker tape and the movers by themselves, beside a feed that does as the test says."""

from typing import Any

import pytest
from playwright.sync_api import Page

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


def test_at_every_moment_movers_are_in_the_order_of_the_numbers_shown(blank_page: Page) -> None:
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
        list.matches = () => true;                // pointed at: what is there stays in its place
        hear([at("B", 9)]);
        await new Promise((resolve) => setTimeout(resolve, 1200));
        told.held = rows();
        hear([at("B", 11.8)]);
        told.again = rows();
        list.matches = () => false;
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
        "held": ["B12.00+20.00%", "A11.50+15.00%"],
        "again": ["B11.80+18.00%", "A11.50+15.00%"],
        "gone": ["A11.50+15.00%"],
    }


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
