"""The small lines' beginnings: what a session was before the page was opened."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

SYMBOLS = 300
LONG_MS = 30_000
NEW_YORK = ZoneInfo("America/New_York")

PLAN = """
  const {SeedPlan, isFree, seedOf, seedQuery} = await import("quotewire/seed_plan.js");
  const {Path} = await import("quotewire/sparkline.js");
"""
# A feed of many symbols, each with one price of 12:00 UTC, that answers when the test says so.
FEED = """
  const {seedsOf} = await import("quotewire/session_seeds.js");
  const {pathsOf} = await import("quotewire/session_paths.js");
  const {pause} = await import("quotewire/pause.js");
  const HOUR = 3_600_000, session = "1970-01-01";
  const names = [..."ABCDEFGH"];
  const asked = [], answers = [], redrawn = [];
  let tell = () => {};
  const connection = {
    state: {state: "live"}, sources: [{source: "s", state: "live"}],
    symbols: new Map(names.map((symbol) => [symbol, {symbol, source: "s", zone: "UTC"}])),
    onState: (listener) => { tell = listener; listener(connection.state); return () => {}; },
    ask: (path, {symbol}) => {
      asked.push(symbol);
      return new Promise((resolve, reject) => answers.push({resolve, reject}));
    },
  };
  const paths = pathsOf(connection), seeds = seedsOf(connection);
  const see = (symbol, more = {}) => paths.add(
    {symbol, session, last: 5, time_ms: 12 * HOUR, received_ms: 0, offset: 1, ...more});
  const bars = {start_ms: [0, HOUR], open: [1, 2], close: [2, 3], final: [true, true]};
  const ends = [], until = (end) => ends.push(end);
  let inView = names;
  const lines = {
    symbols: () => names, isInView: (symbol) => inView.includes(symbol),
    redraw: (symbol) => redrawn.push(symbol),
  };
  const until_true = async (check) => {
    const end_ms = Date.now() + 10_000;
    while (!check() && Date.now() < end_ms) await new Promise((go) => setTimeout(go, 20));
    return check();
  };
  const looks = () => new Promise((go) => setTimeout(() => requestIdleCallback(go), 1300));
"""


def run(page: Page, script: str) -> Any:
    """Return what a script tells that has the plan and the feed."""
    return page.evaluate(f"async () => {{ {PLAN} {FEED} {script} }}")


def test_a_session_s_points_are_where_its_final_bars_end_and_where_the_first_begins(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        """
        const QUARTER = HOUR / 4, open = [1, 2, 3, 4], close = [10, 20, 30, 40];
        const of = (zone, start_ms, final = [true, true, true, false]) =>
          seedOf({start_ms, open, close, final}, "2026-07-01", {zone})
            .map(({time_ms, price}) => [new Date(time_ms).toISOString().slice(8, 16), price]);
        const at = Date.UTC(2026, 6, 1, 3, 45);
        const starts = [at, at + QUARTER, at + 2 * QUARTER, at + 3 * QUARTER];
        return [of("America/New_York", starts), of("UTC", starts), of("Asia/Tokyo", starts),
          of(undefined, starts, [false, false, false, false]), of("No/Zone", [], [])];
        """,
    )
    assert told == [
        [["01T04:00", 2], ["01T04:15", 20], ["01T04:30", 30]],
        [["01T03:45", 1], ["01T04:00", 10], ["01T04:15", 20], ["01T04:30", 30]],
        [["01T03:45", 1], ["01T04:00", 10], ["01T04:15", 20], ["01T04:30", 30]],
        [],
        [],
    ]


def test_only_a_source_without_budgets_is_free_and_one_that_is_not_known_is_not(
    blank_page: Page,
) -> None:
    assert run(
        blank_page,
        """
        const budgets = [{limit: 8, per_s: 60, left: 8}];
        const sources = [{source: "a"}, {source: "b", budgets}, {source: "c", budgets: []}];
        const told = [..."abcd"].map((source) => isFree({source}, sources));
        return [...told, isFree(undefined, sources)];
        """,
    ) == [True, False, True, False, False]


def test_a_path_has_what_was_before_its_first_price_and_not_what_was_after(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        """
        const path = new Path();
        const points = [10, 20, 30, 40].map((time_ms) => ({time_ms, price: time_ms / 10}));
        path.seed("a", points);
        const none = [...path.prices];
        path.add("a", 9, 30);
        path.add("a", 8, 35);
        path.seed("b", points);
        const other = [...path.prices];
        path.seed("a", points);
        path.seed("a", points);
        const seeded = [[...path.times_ms], [...path.prices]];
        path.add("a", 7, 25);
        const again = [[...path.times_ms], [...path.prices]];
        path.add("b", 6, 50);
        return [none, other, seeded, again, path.prices];
        """,
    )
    assert told == [
        [],
        [9, 8],
        [[10, 20, 30, 35], [1, 2, 9, 8]],
        [[10, 20, 25], [1, 2, 7]],
        [6],
    ]


def test_a_session_s_beginning_stays_however_many_prices_come_after(blank_page: Page) -> None:
    times = run(
        blank_page,
        """
        const path = new Path();
        path.add("a", 5, 24 * HOUR);
        path.seed("a", Array.from({length: 96}, (_, n) => ({time_ms: n * HOUR / 4, price: n})));
        for (let n = 1; n <= 20_000; n++) path.add("a", n % 7, 24 * HOUR + n * 100);
        return path.times_ms.map((time_ms) => time_ms / HOUR);
        """,
    )
    assert times[0] == 0
    assert 20 < len(times) < 48
    assert sum(time < 24 for time in times) > 20


def test_a_symbol_is_asked_for_once_a_session_and_after_a_failure_once_more(
    blank_page: Page,
) -> None:
    assert run(
        blank_page,
        """
        const plan = new SeedPlan(), told = [];
        const due = () => told.push(plan.isDue("A", "1"));
        due();
        plan.asked("A", "1"); due();
        plan.returned(); due();
        plan.failed("A"); due();
        plan.returned(); due();
        plan.asked("A", "1"); plan.failed("A"); plan.returned(); due();
        told.push(plan.isDue("A", "2"), plan.isDue("B", "1"));
        return told;
        """,
    ) == [True, False, False, False, True, False, True, True]


def test_lines_in_view_are_asked_for_two_at_a_time_and_are_drawn_again(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        inView = ["B", "C", "D"];
        seeds.follow(lines, until);
        await looks();
        const before = asked.join("");
        names.forEach((symbol) => see(symbol));
        await until_true(() => asked.length === 2);
        await looks();
        const first = asked.join("");
        answers[0].resolve(bars);
        await until_true(() => asked.length === 3 && redrawn.length);
        answers[1].reject(new Error("refused"));
        answers[2].resolve(bars);
        await until_true(() => redrawn.length === 2);
        await looks();
        ends.forEach((end) => end());
        const times = [..."BC"].map((symbol) => paths.of(symbol).times_ms.map((ms) => ms / HOUR));
        return {before, first, all: asked.join(""), redrawn: redrawn.join(""), times};
        """,
    )
    assert told == {
        "before": "",
        "first": "BC",
        "all": "BCD",
        "redrawn": "BD",
        "times": [[0, 0.25, 1.25, 12], [12]],
    }


@pytest.mark.parametrize(
    "why",
    [
        'connection.sources[0].budgets = [{limit: 8, per_s: 60, left: 8}]; see("A");',
        'connection.sources = []; see("A");',
        'pause.toggle(); until(() => pause.toggle()); see("A");',
        'Object.defineProperty(document, "hidden", {value: true, configurable: true});'
        'until(() => delete document.hidden); see("A");',
        'tell({state: "offline"}); see("A");',
        'see("A", {session: ""});',
        'see("A", {session: "1969-12-31"}); see("A", {received_ms: 5000, offset: 2});',
        'see("A"); ends.forEach((end) => end());',
    ],
    ids=["budgets", "unknown", "paused", "hidden", "away", "undated", "whole", "removed"],
)
def test_nothing_is_asked(blank_page: Page, why: str) -> None:
    script = f"seeds.follow(lines, until); {why} await looks();"
    assert run(blank_page, f"{script} ends.forEach((end) => end()); return asked;") == []


def test_what_failed_is_asked_for_again_when_the_feed_is_back_and_then_no_more(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        """
        seeds.follow(lines, until);
        see("A");
        const counts = [];
        for (const count of [1, 2, 2]) {
          await until_true(() => asked.length === count);
          answers[count - 1].reject(new Error("away"));
          await looks();
          counts.push(asked.length);
          tell({state: "offline"});
          tell({state: "live"});
          await looks();
        }
        ends.forEach((end) => end());
        return counts;
        """,
    )
    assert told == [1, 2, 2]


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedProcess]:
    """A large simulated market that tells few prices."""
    settings = {"provider": "simulated", "simulated_symbols": str(SYMBOLS), "simulated_hz": "0.2"}
    with FeedProcess(settings) as feed:
        yield feed


@pytest.fixture(scope="module")
def url(feed: FeedProcess) -> Iterator[str]:
    """The address of its dashboard."""
    dashboard = Dashboard(feed_url=feed.url)
    try:
        dashboard.wait()
        yield dashboard.url
    finally:
        dashboard.stop()


def bars_of_today(feed: FeedProcess, symbol: str) -> int:
    """Return how many quarters of an hour the running session of a symbol has."""
    params = {"symbol": symbol, "interval": "15m", "limit": "100"}
    bars = httpx.get(f"{feed.url}/api/bars", params=params, timeout=20).raise_for_status().json()
    starts = [datetime.fromtimestamp(ms / 1000, NEW_YORK) for ms in bars["start_ms"]]
    return sum(start.date() == starts[-1].date() for start in starts)


@pytest.mark.parametrize(("query", "name"), [("", "card"), ("?page=market", "market")])
def test_lines_begin_with_their_session_and_no_more_than_are_in_view_are_asked_for(
    browser: Browser, feed: FeedProcess, url: str, query: str, name: str
) -> None:
    symbols = httpx.get(f"{feed.url}/api/symbols").raise_for_status().json()["symbols"]
    # By day there are many bars; in a session's first hours few.
    points = min(20, bars_of_today(feed, symbols[0]["symbol"]))
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked: list[str] = []
    page.on("request", lambda it: asked.append(it.url) if "interval=15m" in it.url else None)
    page.goto(url + query)
    for info in symbols[:4]:
        line = page.get_by_test_id(f"{name}-{info['symbol']}").locator(".spark polyline")
        expect(line).to_have_attribute(
            "points", re.compile(rf"^(\d+,\d+ ){{{points},}}"), timeout=LONG_MS
        )
    assert len(asked) == len(set(asked)) <= 60 < SYMBOLS
    page.close()
