"""The browser's connection in a world whose clock, network and page a test moves, in Chromium."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from dashboard.browser import import_map, module_url

pytestmark = pytest.mark.browser

WORLD = Path(__file__).parent / "world.js"

SET_UP = """
async (settings) => {
  const {World, HEARTBEAT_MS} = await import("test/world.js");
  const {Connection} = await import("quotewire/connection.js");
  const world = new World();
  const connection = new Connection("http://feed.test", {settings, environment: world.environment});
  const told = [];
  const shown = [];
  connection.onState(({state, code, way}) => told.push([state, code, way]));
  connection.subscribeQuotes(["AAPL"], (quotes) => shown.push(quotes[0].offset));
  connection.subscribeBars("AAPL", "1d", () => {});
  connection.subscribeTrades(["AAPL"], () => {});
  Object.assign(window, {world, connection, told, shown, HEARTBEAT_MS});
}
"""

# Every minute or so something happens to the network, or the user does something.
LIVE_THROUGH = """
async (hours) => {
  const {world, connection} = window;
  const open = () => [...world.links][0];
  const events = [
    () => open()?.end(null, "the connection broke"),
    () => open()?.end(4008, "too slow"),
    () => open()?.fallSilent(),
    () => open()?.say({type: "shutdown", reconnect_ms: 3000}),
    () => { world.link = "refuses"; open()?.end(1001, "going away"); },
    () => { world.link = "silent"; open()?.end(null, "the connection broke"); },
    () => { world.link = "works"; },
    () => { world.link = "works"; },
    () => { world.http = !world.http; },
    () => { world.http = true; world.online(); },
    () => { world.show(world.hidden); },
    () => { world.show(true); },
    () => connection.configure({mode: world.random(0, 1) < 0.2 ? "polling" : "auto"}),
    () => connection.subscribeQuotes(["AAPL"], () => {})(),
  ];
  const end_ms = world.now_ms + hours * 3_600_000;
  while (world.now_ms < end_ms) {
    await world.pass(world.random(1000, 60_000));
    events[Math.floor(world.random(0, events.length))]();
  }
  window.told.length = window.shown.length = 0;
  return {timers: world.timers, most: world.most, opened: world.opened};
}
"""

Play = Callable[..., Page]


@pytest.fixture
def play(browser: Browser) -> Iterator[Play]:
    """Opens a page with a connection in a world of its own; an error in the page fails the test."""
    pages: list[Page] = []
    errors: list[str] = []

    def play(**settings: object) -> Page:
        page = browser.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        modules = {
            "imports": {
                **import_map()["imports"],
                "test/world.js": module_url("test/world.js", WORLD),
            }
        }
        page.set_content(f'<script type="importmap">{json.dumps(modules)}</script>')
        page.evaluate(SET_UP, settings)
        return page

    yield play
    for page in pages:
        page.close()
    assert errors == []


def run(page: Page, script: str) -> Any:
    """Run statements that see the world, and return what they return."""
    names = "const {world, connection, told, shown, HEARTBEAT_MS} = window;"
    return page.evaluate(f"async () => {{ {names} {script} }}")


def states(page: Page) -> list[list[str]]:
    told: list[list[str]] = page.evaluate("window.told")
    return told


def test_it_is_live_within_the_first_second_and_tells_each_state_once(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000);")
    assert [state for state, _, _ in states(page)][-2:] == ["connecting", "live"]
    assert run(page, "return shown.length") == 1


def test_a_link_that_is_refused_is_polled_around_and_taken_up_again_without_a_jump(
    play: Play,
) -> None:
    page = play()
    run(page, "world.link = 'refuses'; connection.start(); await world.pass(4000);")
    assert states(page)[-1][0] == "polling"
    before = run(page, "return shown.length")
    run(page, "world.link = 'works'; await world.pass(20_000);")
    assert states(page)[-1][0::2] == ["live", "websocket"]
    assert [state for state, _, _ in states(page)].count("polling") == 1
    offsets = run(page, "return shown")
    assert offsets == sorted(set(offsets)), "neither repeated nor taken back"
    assert len(offsets) > before


def test_a_link_that_the_browser_does_not_open_is_polled_around(play: Play) -> None:
    page = play()
    run(page, "world.link = 'barred'; connection.start(); await world.pass(4000);")
    assert states(page)[-1][0] == "polling"
    run(page, "world.link = 'works'; await world.pass(20_000);")
    assert states(page)[-1][0::2] == ["live", "websocket"]


def test_a_page_that_may_neither_open_nor_ask_is_served_by_relay(play: Play) -> None:
    page = play()
    run(
        page,
        """
        const {open} = world.environment.direct();
        const relayed = (handlers) => {
          world.link = "works";
          const link = open(handlers);
          world.link = "barred";
          return link;
        };
        Object.assign(world, {link: "barred", http: false});
        connection.setRelay({open: relayed, get: () => new Promise(() => {})});
        connection.start();
        await world.pass(10_000);
        """,
    )
    assert states(page)[-1] == ["live", "relayed", "relay"]


def test_what_cannot_be_done_leaves_the_next_tick_planned(play: Play) -> None:
    planned = run(
        play(),
        """
        const {Runner} = await import("quotewire/runner.js");
        const waits = [];
        const environment = {now: () => 5, setTimeout: (call, wait_ms) => waits.push(wait_ms)};
        const act = () => { throw new Error("cannot be done"); };
        const runner = new Runner({deadline: () => 12}, environment, act);
        let thrown = "";
        try { runner.run(() => [{do: "open"}]); } catch (error) { thrown = error.message; }
        return [thrown, waits];
        """,
    )
    assert planned == ["cannot be done", [7]]


def test_silence_is_stale_before_it_is_given_up(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000); [...world.links][0].fallSilent();")
    run(page, "await world.pass(HEARTBEAT_MS + 1100);")
    assert states(page)[-1][:2] == ["stale", "silent"]
    run(page, "world.link = 'refuses'; await world.pass(2000);")
    assert states(page)[-1][0] == "polling"


def test_a_terminal_close_ends_all_tries(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(6000);")
    run(page, "[...world.links][0].end(4010, 'access was revoked');")
    opened, asked = run(page, "await world.pass(1000); return [world.opened, world.asked]")
    told = run(page, "return connection.state")
    assert (told["state"], told["code"]) == ("closed", "revoked")
    assert told["reason"] == "access was revoked"
    run(page, "await world.pass(600_000); world.online(); await world.pass(60_000);")
    assert run(page, "return [world.opened, world.asked, world.timers]") == [opened, asked, 0]


def test_the_network_that_is_back_is_used_at_once(play: Play) -> None:
    page = play(mode="websocket")
    run(page, "world.link = 'refuses'; world.http = false; connection.start();")
    run(page, "await world.pass(60_000);")
    assert states(page)[-1][0] == "offline"
    run(page, "world.link = 'works'; world.online(); await world.pass(100);")
    assert states(page)[-1][0] == "live"


def test_a_hidden_page_is_shown_nothing_asks_nothing_and_catches_up(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(6000); world.show(false);")
    run(page, "await world.pass(3000);")
    counts = "return [shown.length, world.asked, connection.stats().received]"
    before = run(page, counts)
    run(page, "await world.pass(120_000);")
    assert run(page, counts) == before
    run(page, "world.show(true); await world.pass(200);")
    assert run(page, "return shown.at(-1) === world.offset")


def test_updates_are_handed_over_no_more_often_than_the_setting_allows(play: Play) -> None:
    page = play(max_hz=2)
    run(page, "connection.start(); await world.pass(1000);")
    before = run(page, "return shown.length")
    run(
        page,
        """
        for (let i = 0; i < 100; i += 1) {
          world.move();
          [...world.links][0].say({
            type: "quotes", event_ms: world.event_ms, received_ms: world.event_ms,
            rows: [["AAPL", 11, 1, -1, 1, 1, 0, 0, world.offset, 1]],
          });
          await world.pass(50);
        }
        await world.pass(1000);
        """,
    )
    assert 8 <= run(page, "return shown.length") - before <= 11
    assert run(page, "return shown.at(-1) === world.offset")


def test_what_comes_between_two_frames_is_handed_over_once(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000);")
    told = run(
        page,
        """
        const before = shown.length;
        for (let i = 0; i < 20; i += 1) {
          world.move();
          [...world.links][0].say({
            type: "quotes", event_ms: world.event_ms, received_ms: world.event_ms,
            rows: [["AAPL", 11, 1, -1, 1, 1, 0, 0, world.offset, 1]],
          });
        }
        await world.pass(15);
        const early = shown.length - before;
        await world.pass(15);
        return [early, shown.length - before, shown.at(-1) === world.offset];
        """,
    )
    assert told == [0, 1, True]


def test_what_elements_want_is_asked_for_once_and_let_go_with_the_last_of_them(
    play: Play,
) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000);")
    told = run(
        page,
        """
        const [link] = world.links;
        const said = [];
        const send = link.send.bind(link);
        link.send = (message) => {
          const {type, channel, symbols} = message;
          if (type !== "ping") said.push([type, channel, ...symbols]);
          send(message);
        };
        const ends = [1, 2].map(() => connection.subscribeQuotes(["AAPL", "IBM"], () => {}));
        await world.pass(5000);
        ends[0]();
        await world.pass(5000);
        const wanted = said.splice(0);
        ends[1]();
        ends[1]();
        const back = connection.subscribeQuotes(["IBM"], () => {}); // drawn anew
        await world.pass(5000);
        const kept = said.splice(0);
        back();
        await world.pass(5000);
        return {wanted, kept, gone: said};
        """,
    )
    assert told == {
        "wanted": [["subscribe", "quotes", "IBM"]],
        "kept": [],
        "gone": [["unsubscribe", "quotes", "IBM"]],
    }


TRADES = """
const trades = (numbers, more = {}) => [...world.links][0].say({
  type: "trades", event_ms: 0, received_ms: 0,
  rows: numbers.map((number) => ["AAPL", 10, 1, number, number, number]), ...more,
});
"""


def test_trades_are_handed_over_each_once_in_order_and_a_gap_that_stays_is_said(
    play: Play,
) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000);")
    told = run(
        page,
        TRADES
        + """
        const got = [];
        const lost = [];
        connection.subscribeTrades(["AAPL"], (trades) => got.push(...trades.map((t) => t.offset)));
        connection.onLost(({channel, symbol, code}) => lost.push([channel, symbol, code]));
        trades([1, 2], {positions: {AAPL: ["e1", 2]}});
        trades([3, 4]);
        trades([4, 5]);
        await world.pass(100);
        world.offset = 40; // of these history has nothing
        trades([41, 42], {recovered: {AAPL: false}});
        await world.pass(20_000);
        return {got, lost, last: connection.timeline.last("lost", 1)[0]};
        """,
    )
    assert told["got"] == [1, 2, 3, 4, 5, 41, 42]
    assert told["lost"] == [["trades", "AAPL", "gap"]]
    assert told["last"]["symbol"] == "AAPL"
    assert run(page, "return connection.stats().gaps") == 1


def test_live_bars_are_drawn_though_their_history_cannot_be_had(play: Play) -> None:
    page = play()
    run(page, "world.history = false; connection.start(); await world.pass(100);")
    told = run(
        page,
        """
        const drawn = [];
        const why = () => connection.historyFailure("AAPL", "1d")?.reason ?? null;
        connection.subscribeBars("AAPL", "1d", (bars, {reset}) => drawn.push([bars.length, reset]));
        [...world.links][0].say({
          type: "bars", interval: "1d", epochs: {AAPL: "e1"}, offsets: {AAPL: 0}, snapshot: true,
          rows: [["AAPL", "1d", 86400000, 1, 1, 1, 1, 1, 0, false]],
        });
        await world.pass(50);
        const first = [drawn.splice(0), why()];
        await world.pass(4000); // nothing more is pushed
        const then = [drawn.splice(0), why(), connection.timeline.last("trouble", 1)[0].symbol];
        world.history = true;
        await world.pass(20_000);
        return [first, then, [drawn, why()]];
        """,
    )
    reason = "the feed cannot be reached"
    assert told == [[[], None], [[[1, True]], reason, "AAPL"], [[[2, True]], None]]


def test_who_comes_later_can_ask_why_the_feed_does_not_give_something(play: Play) -> None:
    page = play()
    run(page, "world.refused = {AAPL: 'forbidden'}; connection.start(); await world.pass(100);")
    told = run(
        page,
        """
        connection.subscribeQuotes(["AAPL"], () => {});
        await world.pass(100);
        const asked = [["quotes", null, "AAPL"], ["bars", "1d", "AAPL"], ["quotes", null, "X"]];
        return asked.map((one) => connection.failure(...one)?.code ?? null);
        """,
    )
    assert told == ["forbidden", "forbidden", None]


def test_trouble_of_a_source_is_kept_and_changes_no_state(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000);")
    told = run(
        page,
        """
        const states = [];
        connection.subscribeQuotes(["AAPL"], () => {});
        connection.onState(({state}) => states.push(state));
        const trouble = {type: "error", code: "source", message: "av: spent", symbol: "AAPL"};
        [...world.links][0].say(trouble);
        await world.pass(100);
        return {states, last: connection.timeline.last("trouble", 1)[0]};
        """,
    )
    assert told["states"] == ["live"]
    assert (told["last"]["symbol"], told["last"]["reason"]) == ("AAPL", "av: spent")


def test_more_trades_than_a_page_can_take_are_not_kept_but_counted(play: Play) -> None:
    page = play()
    run(page, "connection.start(); await world.pass(1000);")
    told = run(
        page,
        TRADES
        + """
        const got = [];
        connection.subscribeTrades(["AAPL"], (all, skipped) => got.push([all.length, skipped]));
        trades([], {positions: {AAPL: ["e1", 0]}});
        world.hidden = true; // without a word: as in a frame out of sight, which gets no frames
        for (let i = 1; i <= 6000; i += 1) trades([i]);
        world.hidden = false;
        await world.pass(100);
        return got;
        """,
    )
    assert told == [[5000, 1000]]


def test_what_makes_no_sense_ends_the_link_and_the_next_one_goes_on(browser: Browser) -> None:
    page = browser.new_page()
    modules = {
        "imports": {**import_map()["imports"], "test/world.js": module_url("test/world.js", WORLD)}
    }
    page.set_content(f'<script type="importmap">{json.dumps(modules)}</script>')
    page.evaluate(SET_UP, {})
    run(page, "connection.start(); await world.pass(6000);")
    run(page, "[...world.links][0].say({type: 'quotes', rows: 7}); await world.pass(10_000);")
    assert run(page, "return [connection.state.state, world.opened]") == ["live", 2]
    page.close()


def heap_bytes(session: CDPSession) -> float:
    """Return what the page's objects take once all garbage is gone."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(m["value"]) for m in metrics if m["name"] == "JSHeapUsedSize")


def test_a_day_of_reconnects_leaves_nothing_behind(play: Play) -> None:
    page = play()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    run(page, "connection.start()")
    page.evaluate(LIVE_THROUGH, 60)  # until what is bounded has reached its bounds
    before = heap_bytes(session)
    told = page.evaluate(LIVE_THROUGH, 24)
    grown = heap_bytes(session) - before
    assert told["opened"] > 1000
    assert told["most"]["links"] == 1
    assert told["most"]["timers"] < 20
    assert grown < 100_000, f"{grown:.0f} bytes more"
    assert run(page, "connection.stop(); await world.pass(0); return world.links.size") == 0
    assert run(page, "return [world.timers, world.page.size]") == [0, 0]
