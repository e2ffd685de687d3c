"""What a browser keeps of a user's settings, by its modules alone, in Chromium."""

import json
from typing import Any, cast

import pytest
from playwright.sync_api import Page

from dashboard.settings import Settings, schema
from deploy.settings_schema import TARGET, schema_module
from feed_server.protocol import MAX_SETTINGS_BYTES

pytestmark = pytest.mark.browser

STORE = """async ([kept, steps]) => {
  const {Settings} = await import("quotewire/settings.js");
  let text = kept, elsewhere = () => {};
  const parsed = () => { try { return JSON.parse(text); } catch { return null; } };
  const settings = new Settings({
    belongTo: () => false,
    load: parsed,
    keep: (entries) => { text = JSON.stringify(entries); return true; },
    onElsewhere: (listener) => (elsewhere = listener),
  });
  const heard = [], refused = [];
  settings.onChange((values) => heard.push(values));
  settings.onRefused((names) => refused.push(...names));
  const answers = steps.map(([name, argument]) => {
    if (name !== "tab") return settings[name](argument);
    text = JSON.stringify(argument);
    return elsewhere();
  });
  return {values: settings.values, kept: parsed(), heard, refused, answers};
}"""


def store(page: Page, kept: object, *steps: tuple[str, object]) -> dict[str, Any]:
    """Return what becomes of settings that are kept, by some calls; `tab` is another tab's."""
    text = kept if isinstance(kept, str) else json.dumps(kept)
    told: dict[str, Any] = page.evaluate(STORE, [text, steps])
    return told


def at(at_ms: int, value: object) -> dict[str, object]:
    return {"value": value, "at_ms": at_ms}


USUAL = {name: told["default"] for name, told in schema().items()}
BROKEN: dict[str, object] = {
    "mode": "carrier pigeon",
    "poll_ms": "often",
    "max_hz": 61,
    "theme": "sepia",
    "palette": ["blue_orange"],
    "animations": "true",
    "flash": 1,
    "timezone": "Mars/Olympus_Mons",
    "number_format": "1'234.56",
    "default_page": "../admin",
    "watchlists": {"name": "a"},
    "chart_templates": [7],
}
GOOD: dict[str, object] = {
    "mode": "polling",
    "poll_ms": 500,
    "max_hz": 5,
    "theme": "light",
    "palette": "red_up",
    "animations": False,
    "flash": False,
    "timezone": "Asia/Tokyo",
    "number_format": "1.234,56",
    "default_page": "market",
    "watchlists": [{"name": "Tech", "symbols": ["AAPL", "BTC-USD"]}],
    "chart_templates": [{"name": "Mine", "indicators": ["SMA(20)", "BBANDS(20,2,2)"]}],
}


def test_the_browser_s_schema_is_that_of_the_code() -> None:
    assert TARGET.read_text(encoding="utf-8") == schema_module(), (
        "settings_schema.js is old: python -m deploy.settings_schema"
    )


def test_every_setting_has_a_title_and_a_description() -> None:
    for name, told in schema().items():
        assert told["title"], name
        assert told["description"], name
        assert Settings.param[name].default == told["default"]


def test_nothing_kept_is_as_usual(blank_page: Page) -> None:
    told = store(blank_page, {})
    assert told["values"] == USUAL
    assert (told["refused"], told["heard"]) == ([], [USUAL])


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null"])
def test_what_is_kept_and_is_nonsense_is_as_usual_and_told(blank_page: Page, text: str) -> None:
    told = store(blank_page, text)
    assert told["values"] == USUAL
    assert told["refused"] == list(USUAL)
    assert told["kept"] == {}


@pytest.mark.parametrize("name", USUAL)
def test_one_bad_value_falls_back_alone_and_is_told(blank_page: Page, name: str) -> None:
    kept = {one: at(5, value) for one, value in GOOD.items()} | {name: at(6, BROKEN[name])}
    told = store(blank_page, kept)
    assert told["values"] == GOOD | {name: USUAL[name]}
    assert told["refused"] == [name]
    assert name not in told["kept"]  # so that it is told once


def test_a_bad_list_goes_alone(blank_page: Page) -> None:
    lists = [
        {"name": "Good", "symbols": ["AAPL"]},
        {"name": "Bad", "symbols": ["<img src=x>"]},
        {"name": "Good", "symbols": []},
        {"name": "More", "symbols": [], "than": "is known"},
        {"name": "  ", "symbols": []},
        None,
    ]
    told = store(blank_page, {"watchlists": at(5, lists)})
    assert told["values"]["watchlists"] == lists[:1]
    assert told["refused"] == ["watchlists"]


def lists_of(count: int, longest: int) -> list[dict[str, object]]:
    """Return so many full lists, whose symbols have so many characters."""
    symbols = [str(number).rjust(longest, "X") for number in range(500)]
    return [{"name": f"List {number}", "symbols": symbols} for number in range(count)]


def test_lists_can_be_as_long_as_the_feed_keeps_and_no_longer(blank_page: Page) -> None:
    told = store(
        blank_page,
        {},
        ("choose", {"watchlists": lists_of(20, 16)}),
        ("choose", {"watchlists": lists_of(20, 24)}),
    )
    assert told["answers"] == [[], ["watchlists"]]
    assert told["values"]["watchlists"] == lists_of(20, 16)
    kept = store(blank_page, {"watchlists": at(5, lists_of(20, 64))})
    assert kept["values"]["watchlists"] == lists_of(5, 64)
    assert kept["refused"] == ["watchlists"]


def test_all_that_may_be_set_is_no_more_than_the_feed_keeps() -> None:
    lists = sum(cast(int, told.get("maxBytes", 0)) for told in schema().values())
    assert all("maxBytes" in told for told in schema().values() if told.get("type") == "array")
    others = len(schema()) * 200
    assert lists + others <= MAX_SETTINGS_BYTES


def test_what_is_no_text_is_not_kept(blank_page: Page) -> None:
    lists = [{"name": "Half \ud83d", "symbols": []}]
    told = store(blank_page, {}, ("choose", {"watchlists": lists}))
    assert told["answers"] == [["watchlists"]]


def test_the_feed_s_time_of_a_choice_counts_where_this_clock_is_ahead(blank_page: Page) -> None:
    ours = {"theme": at(9_000, "dark"), "palette": at(9_000, "red_up"), "flash": at(5, False)}
    told = {"theme": at(6, "dark"), "palette": at(6, "green_red"), "flash": at(4, False)}
    sent = {name: ours[name] for name in ("theme", "palette")}
    held_back = """async (all) =>
      (await import("quotewire/settings_entries.js")).heldBack(...all)"""
    held = blank_page.evaluate(held_back, [ours, sent, told])
    assert held == {"theme": at(6, "dark")}
    later = {**ours, "theme": at(9_001, "dark")}  # chosen anew meanwhile
    assert blank_page.evaluate(held_back, [later, sent, told]) == {}
    kept = store(blank_page, ours, ("restamp", held))["kept"]
    assert kept == {**ours, "theme": at(6, "dark")}


def test_what_this_page_does_not_know_is_left_out(blank_page: Page) -> None:
    told = store(blank_page, {"wings": at(5, 2), "__proto__": at(5, 2), "flash": at(5, False)})
    assert told["values"] == USUAL | {"flash": False}
    assert told["refused"] == []


def test_a_choice_is_kept_with_its_time(blank_page: Page) -> None:
    told = store(blank_page, {}, ("choose", {"palette": "red_up", "poll_ms": 1000}))
    assert told["values"] == USUAL | {"palette": "red_up"}
    assert list(told["kept"]) == ["palette"]  # the other is so already
    assert told["kept"]["palette"]["at_ms"] > 1_700_000_000_000


def test_what_may_not_be_is_not_chosen(blank_page: Page) -> None:
    told = store(blank_page, {}, *(("choose", {name: value}) for name, value in BROKEN.items()))
    assert told["values"] == USUAL
    assert told["answers"] == [[name] for name in BROKEN]


def test_the_newest_choice_of_each_counts(blank_page: Page) -> None:
    told = store(
        blank_page,
        {"flash": at(5, False), "palette": at(5, "red_up")},
        ("take", {"flash": at(4, True), "palette": at(6, "green_red")}),
    )
    assert told["values"] == USUAL | {"flash": False, "palette": "green_red"}
    assert told["kept"] == {"flash": at(5, False), "palette": at(6, "green_red")}


def test_a_choice_is_newer_than_one_of_a_clock_ahead(blank_page: Page) -> None:
    ahead = 9_000_000_000_000
    told = store(blank_page, {"flash": at(ahead, False)}, ("choose", {"flash": True}))
    assert told["kept"] == {"flash": at(ahead + 1, True)}


def test_another_tab_s_choice_counts_at_once(blank_page: Page) -> None:
    told = store(blank_page, {}, ("tab", {"theme": at(5, "dark"), "max_hz": at(5, -1)}))
    assert [values["theme"] for values in told["heard"]] == ["system", "dark"]
    assert told["refused"] == ["max_hz"]


def test_reset_is_a_choice_too(blank_page: Page) -> None:
    told = store(blank_page, {name: at(5, value) for name, value in GOOD.items()}, ("reset", None))
    assert told["values"] == USUAL
    assert {entry["value"] for entry in told["kept"].values()} == {None}


def test_what_a_page_was_made_with_counts_until_its_browser_chooses(blank_page: Page) -> None:
    told = store(
        blank_page,
        {},
        ("suggest", {"mode": "polling", "poll_ms": 700, "max_hz": 99}),
        ("choose", {"mode": "auto", "poll_ms": "often"}),
        ("suggest", {"mode": "polling", "max_hz": 5}),
    )
    heard = [(one["mode"], one["poll_ms"], one["max_hz"]) for one in told["heard"]]
    # 99 a second is no rate, and "often" no time.
    assert heard == [
        ("auto", 1000, 0),
        ("polling", 700, 0),
        ("auto", 700, 0),
        ("auto", 700, 5),
    ]
