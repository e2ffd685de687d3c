"""Elements by themselves, beside a feed that does as the test says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from feed_server.market.symbols import candidates, match
from tests.browser.test_chart_parts import call

pytestmark = pytest.mark.browser

FEED = """
  const info = (symbol) => [symbol, {
    symbol, name: symbol, decimals: 2, label: "REPLAY", source: "s", zone: "UTC",
  }];
  const quote = (symbol, last = 11) => ({
    symbol, last, prev_close: 10, volume: 5, bid: null, ask: null, open: 10, low: 10, high: 11,
    time_ms: 0, session: "", offset: 1,
  });
  let heard, onSymbols, age_ms = 10, answer;
  const asked = [];
  const connection = {
    feedUrl: "http://feed", state: {state: "live"}, sources: [],
    symbols: new Map([info("A"), info("B")]),
    freshness: () => ({state: age_ms > 1000 ? "stale" : "live", age_ms}),
    health: () => ({state: "live"}),
    onSymbols: (listener) => {
      onSymbols = listener;
      listener(connection.symbols);
      return () => {};
    },
    onState: (listener) => { listener(connection.state); return () => {}; },
    onStatus: () => () => {},
    onLost: () => () => {},
    ask: () => new Promise((resolve) => (answer = resolve)),
    subscribeQuotes: (symbols, listener) => {
      asked.push(symbols.join());
      heard = listener;
      return () => {};
    },
    subscribeTrades: (symbols, listener) => { heard = listener; return () => {}; },
  };
  const {address} = await import("quotewire/address.js");
  const {pause} = await import("quotewire/pause.js");
  const {settings} = await import("quotewire/settings.js");
  const ends = [], until = (end) => ends.push(end);
  const put = ({element}) => {
    element.style.height = "600px";
    document.body.append(element);
    return element;
  };
  const rest = () => new Promise((resolve) => setTimeout(resolve));
  const until_true = async (check) => {
    const end_ms = Date.now() + 10_000;
    while (!check() && Date.now() < end_ms) await new Promise((go) => setTimeout(go, 50));
    return check();
  };
  const end = () => {
    ends.forEach((call) => call());
    document.body.replaceChildren();
    address.set({symbol: null, sort: "", watchlist: null});
    settings.reset();
  };
"""


def run(page: Page, script: str) -> Any:
    """Return what a script tells that has the feed."""
    return page.evaluate(f"async () => {{ {FEED} {script} }}")


def test_while_the_market_is_paused_its_prices_grow_old_but_keep_their_places(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        """
        const {MarketPage} = await import("quotewire/market/page.js");
        const element = put(new MarketPage(connection, until));
        address.set({sort: "-last"});
        heard([quote("A", 11), quote("B", 12)]);
        const rows = () => [...element.querySelectorAll("[data-symbol]")];
        const order = () => rows().map((row) => row.dataset.symbol).join();
        const before = await until_true(() => order() === "B,A");
        pause.toggle();
        heard([quote("A", 13)]);
        age_ms = 300_000;
        const old = await until_true(() => rows().length > 0
          && rows().every((row) => row.hasAttribute("data-stale")));
        const note = element.querySelector("[data-testid=market-note]").textContent;
        const held = order();
        pause.toggle();
        const moved = await until_true(() => order() === "A,B");
        end();
        return {before, old, note, held, moved};
        """,
    )
    assert told == {
        "before": True,
        "old": True,
        "note": "All are old",
        "held": "B,A",
        "moved": True,
    }


def test_the_market_is_sorted_as_soon_as_prices_are_there_and_keeps_those_a_filter_hid(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        """
        const {MarketPage} = await import("quotewire/market/page.js");
        const element = put(new MarketPage(connection, until));
        const order = () => [...element.querySelectorAll("[data-symbol]")]
          .map((row) => row.dataset.symbol).join();
        address.set({sort: "-last"});
        const before = order();
        heard([quote("A", 11), quote("B", 12)]);
        const first = order();
        address.set({sort: "", find: "A"});
        const filtered = order();
        address.set({find: ""});
        address.set({sort: "-last"});
        const cleared = order();
        end();
        return {before, first, filtered, cleared};
        """,
    )
    assert told == {"before": "A,B", "first": "B,A", "filtered": "A", "cleared": "B,A"}


def test_the_small_lines_are_told_to_be_of_the_session(blank_page: Page) -> None:
    told = run(
        blank_page,
        """
        const {MarketPage} = await import("quotewire/market/page.js");
        const {Watchlist} = await import("quotewire/watchlist.js");
        const model = {named: false, symbols: [], on: () => {}, off: () => {}};
        const heads = [new MarketPage(connection, until), new Watchlist(model, connection, until)]
          .map((made) => put(made).querySelector("[data-testid=sort-trend]"))
          .map(({textContent, title}) => [textContent, title]);
        end();
        return heads;
        """,
    )
    assert [name for name, _ in told] == ["Session", "Session"]
    assert all("from its beginning where the source tells it" in title for _, title in told)
    assert all("else since this page was opened" in title for _, title in told)


def tape(page: Page, script: str) -> list[str]:
    """Return the rows of a tape, from above, after its trades and their history have come."""
    return run(  # type: ignore[no-any-return]
        page,
        f"""
        const {{TradesTape}} = await import("quotewire/trades_tape.js");
        address.set({{symbol: "A"}});
        const element = put(new TradesTape(connection, until));
        const trade = (offset, price) => ({{symbol: "A", time_ms: offset, price, size: 1, offset}});
        const history = (offsets, price) =>
          ({{time_ms: offsets, price, size: price.map(() => 1), offsets}});
        {script}
        const rows = [...element.querySelectorAll("tr[data-offset]")];
        end();
        return rows.map(({{dataset}}) => `${{dataset.offset}} ${{dataset.direction}}`);
        """,
    )


def test_trades_that_come_before_the_history_have_it_beneath_them(blank_page: Page) -> None:
    told = tape(
        blank_page,
        """heard([trade(5, 5), trade(6, 6)], 0);
        answer(history([2, 3, 4, 5], [2, 3, 4, 5]));
        await rest();
        heard([trade(7, 7)], 0);""",
    )
    assert told == ["7 up", "6 up", "5 up", "4 up", "3 up", "2 flat"]


def test_where_the_price_stands_still_it_goes_as_the_history_says_it_went_last(
    blank_page: Page,
) -> None:
    told = tape(
        blank_page,
        """heard([trade(5, 3), trade(6, 3)], 0);
        answer(history([3, 4], [4, 3]));
        await rest();
        heard([trade(7, 3)], 0);""",
    )
    assert told == ["7 down", "6 down", "5 down", "4 down", "3 flat"]


def test_a_trade_that_comes_after_the_history_that_has_it_is_there_once(blank_page: Page) -> None:
    told = tape(
        blank_page,
        """answer(history([3, 4, 5], [1, 2, 3]));
        await rest();
        heard([trade(4, 2), trade(5, 3), trade(6, 4)], 0);""",
    )
    assert told == ["6 up", "5 up", "4 up", "3 flat"]


def test_each_trade_is_there_once_however_the_history_and_what_comes_overlap(
    blank_page: Page,
) -> None:
    """Also while the tape is set up anew, as other wording does it: trades may be held then."""
    told = run(
        blank_page,
        """
        const {TradesTape} = await import("quotewire/trades_tape.js");
        const {mount} = await import("quotewire/live.js");
        address.set({symbol: "A"});
        const upTo = (first, last) =>
          Array.from({length: last - first + 1}, (_, at) => first + at);
        const trades = (offsets) => offsets.map((offset) =>
          ({symbol: "A", time_ms: offset, price: offset, size: 1, offset}));
        const wrong = [];
        let count = 0;
        for (let first = 1; first <= 7; first += 1)          // of those that come by themselves
          for (let from = 1; from <= 4; from += 1)           // the history's first,
            for (let to = Math.max(from, first - 1); to <= 6; to += 1) // and its last
              for (let split = first - 1; split <= 6; split += 1) { // come before the history
                if (split < first && from > first) continue; // it is of later than what is wanted
                const element = put(new TradesTape(connection, until));
                for (const offset of upTo(first, split)) heard(trades([offset]), 0);
                const offsets = upTo(from, to);
                answer({time_ms: offsets, price: offsets, size: offsets, offsets});
                await Promise.resolve();
                await rest();
                heard(trades(upTo(split + 1, 6)), 0);
                const rows = [...element.querySelectorAll("tr[data-offset]")];
                const shown = rows.map(({dataset}) => dataset.offset).join();
                // What comes later than the history ended comes by itself.
                const right = upTo(Math.min(from, first), 6).reverse().join();
                if (shown !== right) wrong.push({first, from, to, split, shown});
                count += 1;
                element.remove();
              }
        end();
        return {wrong: wrong.slice(0, 5), isTried: count > 200};
        """,
    )
    assert told == {"wrong": [], "isTried": True}


# Names that the feed has, or finds when it is asked for them: it tells of those from then on.
ADDRESS = """
  const {checkSymbols} = await import("quotewire/address_symbols.js");
  const {FeedError} = await import("quotewire/feed_error.js");
  const lookedUp = [];
  let away = ["AWAY"];
  const found = {"C/D": "C-D", "NVDA": "NVDA", "AWAY": "AWAY"};
  const tell = async (...names) => {
    connection.symbols = new Map([...connection.symbols, ...names.map(info)]);
    await onSymbols(connection.symbols);
  };
  connection.ask = async (path, {q, symbols: name = q}) => {
    lookedUp.push(`${path} ${name}`);
    if (away.includes(name)) throw new FeedError("source", "it is away");
    if (path === "search") return {symbols: found[name] ? [{symbol: found[name]}] : []};
    return {rows: []};
  };
  // Without waiting: who hears of it asks for nothing that is asked for already.
  connection.loadSymbols = async () => {
    tell(...lookedUp.flatMap((text) => (text.startsWith("quotes ") ? text.slice(7) : [])));
  };
  const toasts = () => [...document.querySelectorAll("*")].flatMap((element) =>
    [...(element.shadowRoot?.querySelectorAll("[data-testid=toast]") ?? [])]);
"""


def test_symbols_of_the_address_are_spelled_as_the_feed_does_and_unknown_ones_go_with_a_word(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        ADDRESS
        + """
        const compare = ["b", "NOPE", "C/D", "AWAY", "NVDA"];
        address.set({symbol: "a", lines: ["5"], compare});
        checkSymbols(connection, until);
        await until_true(() => address.get("compare").length === 4);
        await until_true(() => toasts().some(({textContent}) => textContent.includes("NOPE")));
        const after = ["symbol", "lines", "compare"].map((name) => address.get(name));
        const words = toasts().map((toast) => toast.querySelector("p").textContent);
        const known = [...connection.symbols.keys()];
        address.set({compare: [], lines: []});
        end();
        return {after, words, lookedUp, known};
        """,
    )
    assert told == {
        "after": ["A", ["5"], ["B", "C-D", "AWAY", "NVDA"]],
        "words": ["There is no symbol “NOPE”."],
        "lookedUp": [
            *("search NOPE", "search C/D", "search AWAY", "search NVDA"),
            *("quotes C-D", "quotes NVDA"),
        ],
        "known": ["A", "B", "C-D", "NVDA"],
    }


def test_a_symbol_of_the_address_that_could_not_be_looked_up_is_looked_up_again(
    blank_page: Page,
) -> None:
    told = run(
        blank_page,
        ADDRESS
        + """
        address.set({symbol: "A", compare: ["AWAY"]});
        checkSymbols(connection, until);
        await rest();
        await tell("X");
        away = [];
        await tell("Y");
        await until_true(() => connection.symbols.has("AWAY"));
        await tell("Z"); // what is known is asked for no more
        const compare = address.get("compare");
        address.set({compare: []});
        end();
        return {compare, lookedUp: lookedUp.length};
        """,
    )
    assert told == {"compare": ["AWAY"], "lookedUp": 4}


SYMBOL = st.from_regex(r"[A-Ca-c]{1,6}([./-][A-Ca-c]{1,3})?|[A-C]{3,5}USD", fullmatch=True)


@given(text=SYMBOL, known=st.lists(SYMBOL, max_size=12, unique=True))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(text="BTCUSD", known=["BTC/USD"])
@example(text="btc-usd", known=["BTCUSD"])
@example(text="brk.b", known=["BRKB", "BRK-B"])
@example(text="BRK.B", known=["BRKB"])
def test_a_name_means_the_symbol_that_the_feed_takes_it_for(
    blank_page: Page, text: str, known: list[str]
) -> None:
    for also in ([], candidates(text)[-1:]):
        names = list(dict.fromkeys([*known, *also]))
        assert call(blank_page, "symbol_match", "meant", text, names) == match(text, names)


def test_a_list_s_symbols_are_asked_for_also_where_the_feed_knows_none_of_them_yet(
    blank_page: Page,
) -> None:
    asked = run(
        blank_page,
        """
        const {Watchlist} = await import("quotewire/watchlist.js");
        settings.choose({watchlists: [{name: "Mine", symbols: ["A"]}]});
        const model = {named: true, symbols: [], on: () => {}, off: () => {}};
        put(new Watchlist(model, connection, until));
        settings.choose({watchlists: [{name: "Mine", symbols: ["A", "NEW"]}]});
        onSymbols(connection.symbols);
        end();
        return asked;
        """,
    )
    assert asked[:2] == ["A", "A,NEW"]
    assert "A,NEW" not in asked[2:]
