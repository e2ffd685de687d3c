"""What is said and known of alerts, by their modules alone, in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

RULE: dict[str, Any] = {
    "id": "a",
    "symbol": "AAPL",
    "condition": "price_above",
    "level": 580,
    "repeat": False,
    "note": "",
    "created_ms": 1,
    "armed": True,
}


def fired(cursor: str, **fields: object) -> dict[str, Any]:
    return {
        **RULE,
        "price": 580.04,
        "value": 580.04,
        "time_ms": 1,
        "fired_ms": 2,
        "cursor": cursor,
        **fields,
    }


def call(page: Page, module: str, name: str, *arguments: object) -> Any:
    return page.evaluate(
        """async ([module, name, told]) => {
          const made = await import(`quotewire/alerts/${module}.js`);
          return made[name](...told);
        }""",
        [module, name, list(arguments)],
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "price ≥ 580.00"),
        ({"level": 0.00012345}, "price ≥ 0.00012345"),
        ({"level": 1e9}, "price ≥ 1,000,000,000.00"),
        ({"level": 1e-7}, "price ≥ 0.0000001"),
        ({"condition": "price_below"}, "price ≤ 580.00"),
        ({"condition": "change_above", "level": 2.5}, "day change ≥ +2.50%"),
        ({"condition": "change_below", "level": -2.5}, "day change ≤ −2.50%"),
    ],
)
def test_a_level_is_as_precise_as_it_was_given(
    blank_page: Page, fields: dict[str, object], words: str
) -> None:
    assert call(blank_page, "words", "ruleWords", {**RULE, **fields}, 2) == words


def test_what_has_fired_is_told_with_its_price_and_the_user_s_words(blank_page: Page) -> None:
    told = call(blank_page, "words", "firedWords", fired("1-0", note="sell?"), 2)
    assert told == "AAPL rose to 580.04, your alert at 580.00 – sell?"
    change = {"condition": "change_below", "level": -2.5, "value": -2.51, "price": 97.49}
    told = call(blank_page, "words", "firedWords", fired("1-0", **change), 2)
    assert told == "AAPL fell to −2.51% on the day (97.49), your alert at −2.50%"


@pytest.mark.parametrize(
    ("fields", "quote", "words"),
    [
        ({}, {"last": 570, "prev_close": 500}, "Now 570.00, 1.75% away"),
        ({}, {"last": 590, "prev_close": 500}, "Now 590.00: above already"),
        ({"condition": "price_below"}, {"last": 570, "prev_close": 500}, "Now 570.00: below"),
        (
            {"condition": "change_above", "level": 15},
            {"last": 570, "prev_close": 500},
            "1.00% away",
        ),
        ({"condition": "change_above"}, {"last": 570, "prev_close": None}, "Now 570.00"),
        ({"level": None}, {"last": 570, "prev_close": 500}, "Now 570.00"),
        ({}, None, "AAPL has no price yet"),
    ],
)
def test_one_who_sets_an_alert_is_told_how_far_it_is(
    blank_page: Page, fields: dict[str, object], quote: object, words: str
) -> None:
    assert words in call(blank_page, "words", "hintWords", {**RULE, **fields}, quote, 2)


def take(page: Page, *lists: dict[str, Any]) -> Any:
    """Return what a book takes as new of some answers, one after another, and what it has then."""
    return page.evaluate(
        """async (lists) => {
          const {AlertBook} = await import("quotewire/alerts/book.js");
          const book = new AlertBook();
          const fresh = lists.map((list) => book.take(list).map(({cursor}) => cursor));
          return {fresh, cursor: book.cursor, fired: book.fired.map(({cursor}) => cursor)};
        }""",
        list(lists),
    )


def listed(*cursors: str, cursor: str | None = None) -> dict[str, Any]:
    told = [fired(one) for one in cursors]
    return {"alerts": [], "fired": told, "cursor": cursor or cursors[-1], "max_alerts": 9}


def test_what_comes_twice_is_new_once(blank_page: Page) -> None:
    answers = (listed("5-0", "5-1"), listed("5-1", "12-0"), listed(cursor="12-0"), listed("5-0"))
    found = take(blank_page, *answers)
    assert found["fresh"] == [["5-0", "5-1"], ["12-0"], [], []]
    assert (found["cursor"], found["fired"]) == ("12-0", ["5-0", "5-1", "12-0"])


def test_no_more_is_kept_than_by_the_feed(blank_page: Page) -> None:
    found = take(blank_page, *(listed(f"{ms}-0") for ms in range(1, 251)))
    assert (len(found["fired"]), found["fired"][0]) == (200, "51-0")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {**listed("1-0"), "cursor": "later"},
        {**listed("1-0"), "alerts": None},
        {**listed("1-0"), "alerts": [{**RULE, "condition": "<b>"}]},
        {**listed("1-0"), "fired": [fired("1-0", price="1")]},
        {**listed("1-0"), "fired": [fired("x")]},
    ],
)
def test_what_is_no_answer_of_a_feed_is_not_taken(blank_page: Page, body: object) -> None:
    assert call(blank_page, "book", "isAlertList", body) is False
    assert call(blank_page, "book", "isAlertList", listed("1-0")) is True


def test_who_polls_asks_often_while_there_is_something_to_hear(blank_page: Page) -> None:
    beats = [
        call(blank_page, "book", "beat_ms", *state)
        for state in (
            ("live", True, False),
            ("polling", True, False),
            ("polling", False, False),
            ("offline", True, False),
            ("polling", True, True),
        )
    ]
    assert beats == [60_000, 1_000, 10_000, 5_000, 60_000]


def quiet(page: Page, script: str) -> Any:
    """Run a script with a quiet link whose connection is a fake; return what was done."""
    return page.evaluate(
        """async (script) => {
          const {QuietLink} = await import("quotewire/alerts/quiet_link.js");
          const done = [];
          let handlers;
          const link = {send: (message) => done.push(message), close: () => done.push("close")};
          const connection = {
            token: "mine",
            openBeside: (given) => { handlers = given; done.push("open"); return link; },
          };
          const quiet = new QuietLink(connection, () => done.push("hears"));
          const say = (message) => handlers.onMessage(message, 1);
          const end = () => handlers.onClosed(1006, "");
          const timers = [];
          const set = globalThis.setTimeout;
          globalThis.setTimeout = (call) => timers.push(call);
          try {
            new Function("quiet", "say", "end", "timers", script)(quiet, say, end, timers);
          } finally {
            globalThis.setTimeout = set;
          }
          return done;
        }""",
        script,
    )


def test_a_page_at_rest_hears_of_alerts_by_a_link_of_its_own(blank_page: Page) -> None:
    script = """
      quiet.want(true); quiet.want(true);
      say({type: "welcome", auth: "none"}); say({type: "status"}); say({type: "alerted"});
      quiet.want(false);
    """
    assert quiet(blank_page, script) == ["open", "hears", "hears", "close"]


def test_that_link_shows_its_token_and_comes_again_when_it_breaks(blank_page: Page) -> None:
    script = """
      quiet.want(true);
      say({type: "welcome", auth: "required"}); say({type: "authenticated"});
      end(); timers[0]();
    """
    auth = {"type": "auth", "id": 1, "token": "mine"}
    assert quiet(blank_page, script) == ["open", auth, "hears", "open"]
