"""The address tells what the page shows; by its module alone, in Chromium."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from dashboard.browser import import_map

pytestmark = pytest.mark.browser

URL = "http://quotewire.test/dashboard"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that has an address of its own, without a server."""
    html = f'<script type="importmap">{json.dumps(import_map())}</script>'
    page = browser.new_page()

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html")

    page.route("**/*", answer)
    yield page
    page.close()


def opened(page: Page, query: str = "") -> Page:
    """Open an address afresh; the page's own `address` is `place` there."""
    page.goto(URL + query)
    page.evaluate(
        """async () => {
          const {address} = await import("quotewire/address.js");
          address.ours = true;
          window.place = address;
        }"""
    )
    return page


def place(page: Page, *names: str) -> list[Any]:
    """Return what the address tells."""
    values = page.evaluate("(names) => names.map((name) => place.get(name))", list(names))
    assert isinstance(values, list)
    return values


def test_all_that_a_link_tells_is_read(page: Page) -> None:
    opened(
        page,
        "?page=symbol&symbol=BTC-USD&interval=5m&range=6m&kind=line&scale=log"
        "&indicators=SMA(20);MACD(12,26,9)&compare=IBM;FB&watchlist=my%20list"
        "&view=map&sort=-volume&find=goo",
    )
    assert place(page, "page", "symbol", "interval", "range", "kind", "scale") == [
        *("symbol", "BTC-USD", "5m", "6m", "line", "log"),
    ]
    assert place(page, "indicators", "compare", "watchlist", "view", "sort", "find") == [
        ["SMA(20)", "MACD(12,26,9)"],
        ["IBM", "FB"],
        *("my list", "map", "-volume", "goo"),
    ]


@pytest.mark.parametrize(
    ("query", "name", "usual"),
    [
        ("page=nowhere", "page", None),
        ("page=__proto__", "page", None),
        ("symbol=<img src=x>", "symbol", None),
        ("symbol=" + "A" * 65, "symbol", None),
        ("symbol=", "symbol", None),
        ("interval=2m", "interval", "1d"),
        ("range=forever", "range", ""),
        ("range=0d", "range", ""),
        ("range=007y", "range", ""),
        ("kind=pie", "kind", "hollow"),
        ("scale=sideways", "scale", "linear"),
        ("indicators=<b>;;sma", "indicators", []),
        ("compare=" + ";".join("A" * 65 for _ in range(3)), "compare", []),
        ("watchlist=" + "w" * 41, "watchlist", None),
        ("view=cube", "view", "table"),
        ("sort=a b", "sort", ""),
    ],
)
def test_what_cannot_be_is_as_usual_and_the_rest_counts(
    page: Page, query: str, name: str, usual: object
) -> None:
    other = "find" if name == "page" else "page"
    opened(page, f"?{query}&{other}=debug")
    assert place(page, name, other) == [usual, "debug"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("interval=2m", "There is no interval “2m”."),
        ("kind=xx&scale=yy", "There is no kind of chart “xx” and no scale “yy”."),
        ("range=9x&sort=-nope", "There is no range “9x” and no column “nope”."),
        ("range=0d", "There is no range “0d”."),
        ("compare=IBM;a%20b", "There is no symbol “a b”."),
        ("page=" + "w" * 99, f"There is no page “{'w' * 40}…”."),
        (
            "page=1&interval=2&kind=3&scale=4&view=5&size=6",
            "There is no page “1”, no interval “2”, no kind of chart “3”, no scale “4”"
            " and 2 more that are not there.",
        ),
        ("page=market&range=9y&sort=-last&columns=last;bid&compare=IBM&other=x", ""),
    ],
)
def test_what_cannot_be_read_is_told_in_words(page: Page, query: str, words: str) -> None:
    opened(page, f"?{query}")
    told = page.evaluate(
        """async () => {
          const {strangeIn, strangeWords} = await import("quotewire/address_check.js");
          const strange = strangeIn(location.search);
          return strange.length ? strangeWords(strange) : "";
        }"""
    )
    assert told == words


def test_a_symbol_of_64_characters_is_one(page: Page) -> None:
    opened(page, "?symbol=" + "A" * 64)
    assert place(page, "symbol") == ["A" * 64]


def test_a_list_is_bounded_and_names_each_once(page: Page) -> None:
    opened(page, "?compare=" + ";".join(f"S{n % 30}" for n in range(60)))
    assert place(page, "compare") == [[f"S{n}" for n in range(20)]]


def test_a_link_opened_elsewhere_shows_the_same(page: Page) -> None:
    opened(page, "?other=kept&symbol=IBM")
    link = page.evaluate(
        """() => place.linkTo({page: "symbol", indicators: ["SMA(20)", "BBANDS(5,2,2,0)"],
          find: "a & b=c", kind: "hollow"})"""
    )
    assert place(page, "page") == [None]  # a link goes nowhere by itself
    opened(page, link.removeprefix(URL))
    assert place(page, "page", "symbol", "indicators", "find") == [
        *("symbol", "IBM", ["SMA(20)", "BBANDS(5,2,2,0)"], "a & b=c"),
    ]
    assert "other=kept" in page.url
    assert "kind=" not in page.url  # what is as usual is not told


def test_back_and_forward_go_where_one_was(page: Page) -> None:
    opened(page, "?symbol=IBM")
    page.evaluate(
        """() => {
          window.heard = [];
          place.on("page", (page) => heard.push(page));
          place.set({page: "market"}, {push: true});
          place.set({sort: "-last"});
          place.set({page: "symbol", symbol: "FB"}, {push: true});
        }"""
    )
    page.go_back()
    assert place(page, "page", "symbol", "sort") == ["market", "IBM", "-last"]
    page.go_back()
    assert place(page, "page", "symbol", "sort") == [None, "IBM", ""]
    page.go_forward()
    page.go_forward()
    assert place(page, "page", "symbol", "sort") == ["symbol", "FB", "-last"]
    assert page.evaluate("heard") == [None, "market", "symbol", "market", None, "market", "symbol"]


def test_setting_what_is_so_already_adds_nothing_to_go_back_through(page: Page) -> None:
    opened(page, "?page=market")
    length = page.evaluate("history.length")
    page.evaluate(
        """() => {
          window.moves = -1; // told at once, too
          place.onMove(() => (window.moves += 1));
          place.set({page: "market"}, {push: true});
        }"""
    )
    assert page.evaluate("history.length") == length
    assert page.evaluate("moves") == 0
    page.evaluate("""() => place.set({symbol: "IBM", find: "x"})""")
    assert page.evaluate("moves") == 1


def test_what_is_of_one_chart_alone_is_not_told_of_another(page: Page) -> None:
    query = "?page=symbol&symbol=IBM&at=1000-2000&lines=580;600.5"
    for values, told in [
        ({"kind": "line"}, ["1000-2000", ["580", "600.5"]]),
        ({"interval": "1h"}, ["", ["580", "600.5"]]),
        ({"page": "market"}, ["", ["580", "600.5"]]),
        ({"range": "1y"}, ["", ["580", "600.5"]]),
        ({"symbol": "FB"}, ["", []]),
        ({"symbol": "FB", "lines": ["7"]}, ["", ["7"]]),
    ]:
        opened(page, query)
        link = page.evaluate("(values) => place.linkTo(values)", values)
        page.evaluate("(values) => place.set(values)", values)
        assert place(page, "at", "lines") == told
        assert page.url == link


def test_what_cannot_be_is_not_set(page: Page) -> None:
    opened(page, "?symbol=IBM")
    page.evaluate("""() => place.set({symbol: "<b>", kind: "pie", find: "ok"})""")
    assert place(page, "symbol", "kind", "find") == ["IBM", "hollow", "ok"]


def test_an_address_that_is_not_ours_is_left_alone(page: Page) -> None:
    opened(page)
    page.evaluate("""() => { place.ours = false; place.set({symbol: "IBM"}, {push: true}); }""")
    assert place(page, "symbol") == ["IBM"]
    assert page.url == URL
