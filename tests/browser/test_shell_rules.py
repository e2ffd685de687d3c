"""What the shell tells and when, by its pure modules alone, in Chromium."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

Seen = tuple[int, str] | tuple[int, str, bool]


def told(page: Page, seen: Sequence[Seen]) -> list[str]:
    """Return what is told of states seen at milliseconds: when, what, and how long it was."""
    words: list[str] = page.evaluate(
        """async (seen) => {
          const {Outage} = await import("quotewire/outage.js");
          const outage = new Outage();
          return seen.flatMap(([at_ms, state, isSeen = true]) => {
            const word = outage.see(at_ms, {state, word: state, reason: ""}, isSeen);
            return word ? `${at_ms} ${word.tell} ${word.health?.state ?? word.after_ms}` : [];
          });
        }""",
        [list(one) for one in seen],
    )
    return words


def test_a_trouble_is_told_once_it_has_lasted_and_once_more_when_it_is_over(
    blank_page: Page,
) -> None:
    assert told(
        blank_page,
        [
            *(
                (0, "live"),
                (1000, "stale"),
                (3900, "offline"),
                (4000, "offline"),
                (9000, "offline"),
            ),
            *((10_000, "live"), (10_900, "live"), (11_000, "live"), (12_000, "live")),
        ],
    ) == ["4000 trouble offline", "11000 over 9000"]


def test_a_short_trouble_is_the_badges_matter(blank_page: Page) -> None:
    assert told(blank_page, [(0, "live"), (1000, "offline"), (3900, "live"), (9000, "live")]) == []


def test_data_that_comes_for_a_moment_does_not_end_an_outage(blank_page: Page) -> None:
    assert told(
        blank_page,
        [
            *((0, "offline"), (3000, "offline"), (4000, "live"), (4500, "offline")),
            *((9000, "offline"), (10_000, "polling"), (11_500, "live")),
        ],
    ) == ["3000 trouble offline", "11500 over 10000"]


@pytest.mark.parametrize("state", ["live", "polling", "market-closed"])
def test_a_closed_market_and_polling_are_no_trouble(blank_page: Page, state: str) -> None:
    assert told(blank_page, [(0, state), (9000, state)]) == []


@pytest.mark.parametrize("state", ["connecting", "stale", "offline", "source-down", "closed"])
def test_every_other_state_is_a_trouble_when_it_lasts(blank_page: Page, state: str) -> None:
    assert told(blank_page, [(0, state), (9000, state)]) == [f"9000 trouble {state}"]


def test_a_page_that_nobody_sees_is_in_no_trouble(blank_page: Page) -> None:
    hidden = [(1000, "offline", False), (90_000, "offline", False)]
    assert told(blank_page, [(0, "live"), *hidden, (91_000, "connecting"), (92_000, "live")]) == []


def test_an_outage_goes_on_while_nobody_sees_the_page(blank_page: Page) -> None:
    assert told(
        blank_page,
        [
            *((0, "offline"), (3000, "offline"), (4000, "offline", False)),
            *((60_000, "offline"), (61_000, "live"), (62_000, "live")),
        ],
    ) == ["3000 trouble offline", "62000 over 61000"]


def found(page: Page, text: str, most: int = 8) -> list[str]:
    """Return the symbols that a text may mean."""
    symbols: list[str] = page.evaluate(
        """async ([text, most]) => {
          const {suggestions} = await import("quotewire/symbol_match.js");
          const names = {GO: "Grocery Outlet", GOOG: "Google Inc.", AAPL: "Apple Inc.",
            "BTC-USD": "Bitcoin", OG: "Organic Google Trust", APP: "AppLovin"};
          const infos = Object.entries(names).map(([symbol, name]) => ({symbol, name}));
          return suggestions(infos, text, most).map(({symbol}) => symbol);
        }""",
        [text, most],
    )
    return symbols


def test_the_likeliest_symbol_comes_first(blank_page: Page) -> None:
    assert found(blank_page, "app") == ["APP", "AAPL"]
    assert found(blank_page, "go") == ["GO", "GOOG", "OG"]
    assert found(blank_page, " og") == ["OG", "GOOG"]
    assert found(blank_page, "usd") == ["BTC-USD"]
    assert found(blank_page, "zzz") == []


def test_no_more_symbols_are_named_than_asked_for(blank_page: Page) -> None:
    assert found(blank_page, "", most=2) == ["GO", "GOOG"]
    assert found(blank_page, "g", most=1) == ["GO"]


def test_what_was_found_besides_comes_after_what_is_known(blank_page: Page) -> None:
    symbols = blank_page.evaluate(
        """async () => {
          const {joined} = await import("quotewire/symbol_match.js");
          const of = (...names) => names.map((symbol) => ({symbol}));
          return joined(of("A", "B"), of("C", "B", "D"), 3).map(({symbol}) => symbol);
        }"""
    )
    assert symbols == ["A", "B", "C"]


def title(blank_page: Page, /, **facts: object) -> str:
    """Return the document's title."""
    text: str = blank_page.evaluate(
        """async (facts) => {
          const {titleOf} = await import("quotewire/spoken.js");
          const quote = {symbol: "AAPL", last: 506.09, prev_close: 500};
          return titleOf({page: null, quote, decimals: 2, age_ms: null, isPaused: false,
            isSeen: true, ...facts});
        }""",
        facts,
    )
    return text


def test_the_title_has_the_price_and_its_direction(blank_page: Page) -> None:
    assert title(blank_page) == "506.09 ▲ 1.22% AAPL · Quotewire"
    unknown = {"symbol": "X", "last": 1, "prev_close": None}
    assert title(blank_page, quote=unknown, page="symbol") == "1.00 X · Quotewire"
    assert title(blank_page, quote=None) == "Quotewire"
    assert title(blank_page, page="market") == "Live market · Quotewire"


def test_a_title_says_where_its_price_is_old_and_has_none_where_none_comes(
    blank_page: Page,
) -> None:
    assert title(blank_page, age_ms=9000) == "(old) 506.09 ▲ 1.22% AAPL · Quotewire"
    assert title(blank_page, isPaused=True) == "❚❚ 506.09 ▲ 1.22% AAPL · Quotewire"
    assert title(blank_page, isSeen=False) == "AAPL · Quotewire"


def test_a_screen_reader_hears_price_direction_age_and_state(blank_page: Page) -> None:
    said = blank_page.evaluate(
        """async () => {
          const {spokenOf} = await import("quotewire/spoken.js");
          const quote = {symbol: "AAPL", last: 490, prev_close: 500};
          const facts = {quote, decimals: 2, age_ms: null, isPaused: false};
          return [facts, {...facts, age_ms: 9000}, {...facts, quote: null}]
            .map((one) => spokenOf(one, {word: "Live"}));
        }"""
    )
    assert said == [
        "AAPL 490.00, down 2.00%. Live.",
        "AAPL 490.00, down 2.00%, 9 s old. Live.",
        "Live.",
    ]


def pressed(page: Page, script: str) -> list[str]:
    """Return what bindings heard while a script pressed keys."""
    heard: list[str] = page.evaluate(
        """async (script) => {
          const {Keys} = await import("quotewire/keys.js");
          const keys = new Keys(), heard = [];
          const press = (key, on = document.body, more = {}) => {
            const event = new KeyboardEvent("keydown",
              {key, bubbles: true, composed: true, cancelable: true, ...more});
            const hear = (event) => keys.press(event);
            window.addEventListener("keydown", hear, {once: true});
            on.dispatchEvent(event);
            window.removeEventListener("keydown", hear);
          };
          const bind = (which, name) => keys.on(which, name, (key) => heard.push(name + key));
          new Function("press", "bind", "heard", "keys", script)(press, bind, heard, keys);
          return heard;
        }""",
        script,
    )
    return heard


def test_the_newer_of_two_bindings_has_the_key_until_it_ends(blank_page: Page) -> None:
    script = """bind("g", "old "); const end = bind("gh", "new "); press("g"); end(); end();
    press("g"); press("h");"""
    assert pressed(blank_page, script) == ["new g", "old g"]


def test_keys_are_left_to_who_types_and_to_the_browser(blank_page: Page) -> None:
    script = """bind("p", "");
    const host = document.body.appendChild(document.createElement("div"));
    const root = host.attachShadow({mode: "open"});
    root.innerHTML = `<input id="text"><textarea></textarea><select></select>
      <div contenteditable id="rich"></div><div role="dialog"><button></button></div>
      <input type="checkbox" id="box">`;
    for (const where of ["#text", "textarea", "select", "#rich", "[role=dialog] button"]) {
      press("p", root.querySelector(where));
    }
    for (const held of ["ctrlKey", "metaKey", "altKey", "repeat"]) {
      press("p", document.body, {[held]: true});
    }
    heard.push("now"); press("p", root.querySelector("#box")); press("P"); host.remove();"""
    assert pressed(blank_page, script) == ["now", "p"]


def test_the_sheet_lists_each_key_once(blank_page: Page) -> None:
    script = """bind("g", "first"); bind("g", "second"); bind("12", "third");
    heard.push(...keys.list.map(({keys, words}) => `${keys} ${words}`));"""
    assert pressed(blank_page, script) == ["g second", "12 third"]
