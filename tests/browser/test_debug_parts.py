"""What the debug panel measures, keeps and says, by its pure modules alone; in Chromium."""

import json

import pytest
from playwright.sync_api import Page

from dashboard.charts.latency import EDGES_MS, MINUTES

pytestmark = pytest.mark.browser

PASSED = """const passed = (kind, body, more = {}) =>
  ({at_ms: 0, direction: "in", way: "websocket", kind, bytes: 10, body, ...more});"""


def told(page: Page, module: str, script: str) -> object:
    """Return what a script says, with a module's exports at hand as `m`."""
    return page.evaluate(
        """async ([module, script]) => {
          const m = await import(`quotewire/${module}.js`);
          return new Function("m", script)(m);
        }""",
        [module, f"{PASSED}\n{script}"],
    )


def test_python_and_the_browser_have_the_same_bins(blank_page: Page) -> None:
    assert told(blank_page, "debug/histogram", "return m.EDGES_MS") == list(EDGES_MS)
    assert told(blank_page, "debug/series", "return m.MINUTES") == MINUTES


def test_a_histogram_counts_each_sample_in_its_bin(blank_page: Page) -> None:
    counts = told(
        blank_page,
        "debug/histogram",
        """const h = new m.Histogram();
        [0, 0.9, 1, 4.9, 5000, 9e9].forEach((ms) => h.add(ms));
        return [h.counts, h.shares.reduce((a, b) => a + b), h.length];""",
    )
    assert counts == [[2, 1, 1, *[0] * 9, 2], pytest.approx(1), 6]


def test_a_histogram_forgets_its_oldest_samples(blank_page: Page) -> None:
    counts = told(
        blank_page,
        "debug/histogram",
        """const h = new m.Histogram();
        for (let i = 0; i < 10; i += 1) h.add(7000);
        for (let i = 0; i < 3995; i += 1) h.add(0);
        return [h.counts[0], h.counts.at(-1), h.length];""",
    )
    assert counts == [3995, 5, 4000]


def test_a_ring_is_bounded_in_number_and_in_length(blank_page: Page) -> None:
    kept = told(
        blank_page,
        "debug/ring",
        """const few = new m.Ring(3, 1e9), short = new m.Ring(100, 25);
        for (let i = 0; i < 50; i += 1) {
          for (const ring of [few, short]) ring.add(passed(`k${i}`, null));
        }
        short.add(passed("long", null, {bytes: 900}));
        const names = (ring) => ring.all().map(({kind}) => kind).join();
        return [names(few), few.length, few.count, names(short), short.length];""",
    )
    assert kept == ["k47,k48,k49", 3, 50, "long", 1]


def test_a_ring_tells_the_newest_that_pass_and_can_stand_still(blank_page: Page) -> None:
    newest = told(
        blank_page,
        "debug/ring",
        """const ring = new m.Ring(10, 1e9);
        ["a", "b", "a", "b", "a"].forEach((kind) => ring.add(passed(kind, null)));
        const numbers = (...args) => ring.newest(({kind}) => kind === "a", ...args)
          .map(({number}) => number);
        return [numbers(9), numbers(2), numbers(9, 4)];""",
    )
    assert newest == [[5, 3, 1], [5, 3], [3, 1]]


def test_messages_are_found_by_kind_and_symbol(blank_page: Page) -> None:
    found = told(
        blank_page,
        "debug/message_words",
        """const all = [
          passed("quotes", {type: "quotes", rows: [["AAPL", 1], ["IBM", 2]]}),
          passed("subscribe", {type: "subscribe", symbols: ["MSFT"]}),
          passed("error", {type: "error", symbol: "IBM"}), passed("close", null),
          passed("GET symbols", {symbols: [{symbol: "FB"}]}),
        ];
        const kinds = (kind, symbol) => all.filter(m.filterOf(kind, symbol)).map((one) => one.kind);
        return [kinds("", ""), kinds("", " ib"), kinds("quotes", "msft"), kinds("", "FB"),
          m.kindsOf(all)];""",
    )
    every = ["quotes", "subscribe", "error", "close", "GET symbols"]
    assert found == [every, ["quotes", "error"], [], ["GET symbols"], sorted(every)]


def test_what_is_told_of_a_message_is_short_and_text(blank_page: Page) -> None:
    brief = told(
        blank_page,
        "debug/message_words",
        """return [m.briefly(passed("a", {type: "a", x: "y".repeat(999)})).length,
          m.briefly(passed("a", null)), m.linesOf([passed("a", {x: 1}), passed("b", null)])];""",
    )
    assert isinstance(brief, list)
    assert brief[:2] == [241, ""]
    assert [json.loads(line)["kind"] for line in brief[2].splitlines()] == ["a", "b"]


def test_latency_is_of_pushed_changes_that_are_painted(blank_page: Page) -> None:
    counts = told(
        blank_page,
        "debug/latency_samples",
        """const samples = new m.LatencySamples(), none = () => false;
        const quotes = (event_ms, received_ms, more = {}) => passed("quotes",
          {event_ms, received_ms, rows: [["A", 1, 1, 0, 0, 1, 0, 0, 1, 1]], ...more});
        samples.take(quotes(1000, 1003), none);                      // event 3 ms
        samples.take(quotes(1000, 1003, {snapshot: true}), none);    // state: no measure
        samples.take(quotes(1000, 1000 + 86_400_000), none);         // replayed: painted only
        samples.take(passed("trades", {event_ms: 5, received_ms: 5, rows: [["A", 1, 1, 0, 60, 1]]}),
          (symbol) => symbol === "A");                               // replayed, says its source
        samples.paint(1010, null);                                   // the clock is not known
        samples.take(quotes(1000, 1003), none);
        samples.paint(1000, 10);                                     // 1010 - 1003
        samples.take(quotes(1000, 1003), none); samples.skip(); samples.paint(9000, 0);
        return [samples.event.counts.indexOf(3), samples.event.length,
          samples.painted.counts.indexOf(1), samples.painted.length];""",
    )
    assert counts == [2, 3, 3, 1]


def test_a_series_keeps_minutes_and_survives_a_clock_set_back(blank_page: Page) -> None:
    series = told(
        blank_page,
        "debug/series",
        """const series = new m.Series();
        for (let s = 0; s <= 400; s += 1) series.add({at_ms: s * 1000, values: {a: s, b: null}});
        const {x, a, b} = series.columns(["a", "b"], 400_000);
        const ends = [x[0], x.at(-1), a.at(-1), Number.isNaN(b[0])];
        const before = [series.length, ...ends, series.most(["a"])];
        series.add({at_ms: 200_000, values: {a: 1}});
        return [...before, series.points.at(-2).at_ms];""",
    )
    assert series == [301, -300, 0, 400, True, 400, 199_000]


def test_rates_begin_with_the_second_reading_and_anew_with_a_counter(blank_page: Page) -> None:
    rates = told(
        blank_page,
        "debug/series",
        """const rates = new m.Rates();
        return [rates.read("g", 1000, {n: 5}), rates.read("g", 3000, {n: 9}),
          rates.read("g", 3000, {n: 9}), rates.read("g", 4000, {n: 1}),
          rates.read("g", 5000, {n: 2})];""",
    )
    assert rates == [None, {"n": 2}, None, None, {"n": 1}]


def test_each_layer_says_how_it_does_in_words(blank_page: Page) -> None:
    layers = told(
        blank_page,
        "debug/layers",
        """const brief = ({tone, word, detail}) => `${tone} ${word}: ${detail}`;
        const source = (source, state, message) => ({source, state, message, label: ""});
        const link = (state, reason) => ({state, way: "websocket", reason, at_ms: 0});
        return [
          m.panelLayer({isThere: false, since_ms: 0, losses: 2}, 5000),
          m.linkLayer(link("live", "connected"), 12, 5000),
          m.linkLayer(link("offline", "no answer"), 12, 5000),
          m.sourceLayer([source("a", "live", "streaming"), source("b", "down", "no key")]),
          m.sourceLayer([]), m.freshnessLayer([]),
          m.freshnessLayer([{state: "fresh", age_ms: 500}, {state: "stale", age_ms: 65_000}]),
          m.freshnessLayer([{state: "closed", age_ms: 5000}]),
        ].map(brief);""",
    )
    assert layers == [
        "bad Away: for 5 s · lost 2 ×",
        "good Live: WebSocket · round trip 12 ms · for 5 s",
        "bad Offline: no answer · for 5 s",
        "bad Down: b · no key · 2 sources",
        "idle Unknown: no source has said how it does",
        "idle Nothing wanted: no symbol is on the screen",
        "warn Some stale: 1 fresh · 1 stale · oldest 1 min",
        "idle Market closed: 1 closed · oldest 5 s",
    ]


def test_a_source_tells_its_circuit_budgets_and_refusals(blank_page: Page) -> None:
    words = told(
        blank_page,
        "debug/source_words",
        """const circuit = (state, failures, next_try_ms) =>
          m.circuitWords({state, failures, next_try_ms}, 1000);
        return [circuit("live"), circuit("live", 1), circuit("down", 4, 31_000),
          m.whenWords(undefined, 0), m.whenWords(5, 9),
          m.budgetWords({limit: 8, per_s: 60, left: 3}),
          m.budgetWords({limit: 800, per_s: 86400, left: 0}),
          m.refusedWords({late: 2, out_of_order: 30, none: 0}), m.refusedWords()];""",
    )
    assert words == [
        "closed (works)",
        "closed, after 1 failure",
        "open, 4 failures in a row; tries in 30 s",
        "–",
        "now",
        "3 left of 8 per minute",
        "0 left of 800 per day",
        "30 out of order, 2 late",
        "none",
    ]


def test_subscriptions_are_counted_by_what_they_are_of(blank_page: Page) -> None:
    rows = told(
        blank_page,
        "debug/subscription_rows",
        """const wants = [
          {channel: "quotes", symbols: ["B", "A"]}, {channel: "quotes", symbols: ["A"]},
          {channel: "bars", symbols: ["A"], interval: "1m", indicators: ["SMA(20)"]},
        ];
        return [m.rowsOf(wants), m.quotedOf(wants), m.mostWanted({A: 1, B: 3, C: 1}, 2)];""",
    )
    assert rows == [
        [
            {"what": "bars · 1m · SMA(20)", "symbols": ["A"], "askers": 1},
            {"what": "quotes", "symbols": ["A", "B"], "askers": 2},
        ],
        ["B", "A"],
        {"told": [["B", 3], ["A", 1]], "left": 1, "symbols": 3},
    ]


def test_diagnostics_hold_no_secret_wherever_one_stands(blank_page: Page) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
    text = told(
        blank_page,
        "debug/diagnostics",
        f"""return m.diagnosticsOf({{a: "x {token} y", b: ["s3cret", {{c: "s3cret!"}}],
          feed: "redis://me:pw@host:1/0", page: "http://127.0.0.1:1/dashboard?x=1"}},
          ["s3cret", ""]);""",
    )
    facts = json.loads(str(text))
    assert facts == {
        "kind": "quotewire diagnostics",
        "a": "x *** y",
        "b": ["***", {"c": "***!"}],
        "feed": "redis://***@host:1/0",
        "page": "http://127.0.0.1:1/dashboard?x=1",
    }
