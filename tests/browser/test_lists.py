"""Which of the user's named lists is shown, by the page's modules alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LISTS = """
  const {settings} = await import("quotewire/settings.js");
  const {address} = await import("quotewire/address.js");
  const {followList} = await import("quotewire/market/lists.js");
  const {listSelect} = await import("quotewire/market/list_select.js");
  const connection = {symbols: null, onSymbols: (listener) => { listener(null); return () => {}; }};
  const ends = [], until = (end) => ends.push(end);
  const lists = (...names) => settings.choose({
    watchlists: names.map((name) => ({name, symbols: ["A"]})),
  });
"""


@pytest.fixture
def page(blank_page: Page) -> Iterator[Page]:
    """A page on which nothing is chosen."""
    yield blank_page
    run(blank_page, "settings.reset(); address.set({watchlist: null});")


def run(page: Page, script: str) -> Any:
    """Return what a script tells that has lists."""
    return page.evaluate(f"async () => {{ {LISTS} {script} }}")


def test_the_list_that_is_shown_stays_so_under_another_name(page: Page) -> None:
    told = run(
        page,
        """
        lists("Usual", "Banks");
        address.set({watchlist: "Banks"});
        const shown = [];
        followList(connection, ({name}) => shown.push(name), until);
        lists("Usual", "Lenders");
        ends.forEach((end) => end());
        return {shown, address: address.get("watchlist")};
        """,
    )
    assert told == {"shown": ["Banks", "Lenders"], "address": "Lenders"}


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (["Usual", "Other"], "Other"),
        (["Banks", "Usual"], None),  # they have changed places
        (["Usual"], None),
        (["Usual", "Mine", "Other"], None),
        (["Usual", "Banks"], None),
    ],
)
def test_what_a_list_is_called_now(page: Page, after: list[str], shown: str | None) -> None:
    told = page.evaluate(
        """async (after) => {
          const {renamed} = await import("quotewire/watchlist_edits.js");
          const lists = (names) => names.map((name) => ({name, symbols: []}));
          return renamed(lists(["Usual", "Banks"]), lists(after), "Banks");
        }""",
        after,
    )
    assert told == shown


def test_the_choice_offers_what_was_added_elsewhere(page: Page) -> None:
    told = run(
        page,
        """
        lists("Usual", "Banks");
        const select = listSelect(connection, until);
        lists("Usual", "Banks", "Oil");
        const offered = [...select.options].map(({text}) => text);
        const before = select.value;
        select.value = "Oil";
        select.dispatchEvent(new Event("change"));
        const chosen = address.get("watchlist");
        lists("Usual", "Oil");
        const after = [select.value, select.options.length];
        ends.forEach((end) => end());
        return {offered, before, chosen, after};
        """,
    )
    assert told == {
        "offered": ["Usual", "Banks", "Oil"],
        "before": "Usual",
        "chosen": "Oil",
        "after": ["Oil", 2],
    }


def test_a_link_to_a_list_that_one_does_not_have_says_so_once(page: Page) -> None:
    run(page, """lists("Usual"); address.set({watchlist: "Banks"});""")
    said = page.get_by_test_id("toast")
    expect(said).to_have_text("You have no list “Banks”: “Usual” is shown.×")
    run(page, """address.set({watchlist: null}); address.set({watchlist: "Oil"}); lists("Oil");""")
    run(page, """address.set({watchlist: "Banks"}); address.set({watchlist: "Gold"});""")
    expect(said).to_have_count(2)
    expect(said.last).to_contain_text("“Gold”")
