"""What is exported: what the feed is asked for, and the code for the same; by the modules alone."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Route

from dashboard.browser import import_map
from tests.browser.charts import bars
from tests.harness import PROJECT, FeedProcess

pytestmark = pytest.mark.browser

URL = "http://quotewire.test"
DAY_MS = 86_400_000
SHOWN: dict[str, Any] = {
    "feedUrl": URL,
    "symbol": "AAPL",
    "label": "REPLAY",
    "interval": "1d",
    "indicators": [],
    "bars": [{"start_ms": day * DAY_MS} for day in (2, 3, 4)],
    "isLive": False,
}


class Feed:
    """Answers a page in a feed's place.

    Attributes:
        parts: What is answered to each request, in order: status, headers and body.
        asked: The requests' addresses.
        tokens: What they showed.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[int, dict[str, str], str | bytes]] = []
        self.asked: list[str] = []
        self.tokens: list[str | None] = []

    def answer(self, route: Route) -> None:
        if "/api/" not in route.request.url:
            html = f'<script type="importmap">{json.dumps(import_map())}</script>'
            route.fulfill(body=html, content_type="text/html")
            return
        self.asked.append(route.request.url.removeprefix(f"{URL}/api/"))
        self.tokens.append(route.request.header_value("Authorization"))
        status, headers, body = self.parts.pop(0)
        route.fulfill(status=status, headers=headers, body=body)


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[tuple[Page, Feed]]:
    page, feed = browser.new_page(), Feed()
    page.route("**/*", feed.answer)
    page.goto(URL)
    yield page, feed
    page.close()


@pytest.fixture
def page(opened: tuple[Page, Feed]) -> Page:
    return opened[0]


@pytest.fixture
def feed(opened: tuple[Page, Feed]) -> Feed:
    opened[1].__init__()  # type: ignore[misc]
    return opened[1]


def planned(page: Page, function: str, shown: dict[str, Any]) -> list[dict[str, Any]]:
    code = f"async (shown) => (await import('quotewire/exports/plan.js')).{function}(shown)"
    found = page.evaluate(code, shown)
    assert isinstance(found, list)
    return found


def test_bars_in_view_are_asked_for_by_where_they_begin(page: Page) -> None:
    view, whole = planned(page, "barExports", {**SHOWN, "indicators": ["SMA(20)", "OBV"]})
    everything = {"symbol": "AAPL", "interval": "1d", "indicators": "SMA(20),OBV", "limit": 10_000}
    assert whole["queries"] == [everything]
    assert view["queries"] == [{**everything, "start": 2 * DAY_MS, "end": 4 * DAY_MS}]
    assert view["rows"] == 3


def test_with_the_newest_bar_in_view_newer_ones_belong_to_it(page: Page) -> None:
    view, _ = planned(page, "barExports", {**SHOWN, "isLive": True})
    assert "end" not in view["queries"][0]
    assert "end=" not in view["code"]


def test_without_bars_there_is_still_the_history(page: Page) -> None:
    assert [one["name"] for one in planned(page, "barExports", {**SHOWN, "bars": []})] == ["all"]


def test_a_part_has_no_more_values_than_the_feed_writes(page: Page) -> None:
    many = [f"BBANDS({n},2,2,0)" for n in range(10, 30)]
    view, _ = planned(page, "barExports", {**SHOWN, "indicators": many})
    assert view["queries"][0]["limit"] * 3 * len(many) <= 200_000


def test_quotes_are_asked_for_in_as_many_parts_as_their_names_need(page: Page) -> None:
    symbols = [f"SYMBOL/{n:04}" for n in range(1000)]
    shown = {"feedUrl": URL, "symbols": symbols, "isAll": False}
    (found,) = planned(page, "quoteExports", shown)
    names = [query["symbols"] for query in found["queries"]]
    assert ",".join(names).split(",") == symbols
    assert len(names) > 1
    assert max(map(len, names)) < 4000
    assert planned(page, "quoteExports", {**shown, "symbols": []}) == []


# ---- files


def part(text: str, name: str = "KO.csv", *, rows: int = 1, link: str = "", note: str = "") -> Any:
    headers = {
        "Quotewire-Rows": str(rows),
        "Content-Disposition": f'attachment; filename="{name}"',
        **({"Link": f'<{link}>; rel="next"'} if link else {}),
        **({"Quotewire-Note": note} if note else {}),
    }
    return 200, headers, text


def downloaded(page: Page, form: str, queries: list[dict[str, Any]]) -> dict[str, Any]:
    """Download as the menu does; an error is told in `error`."""
    code = """async ({form, queries, url}) => {
      const {download} = await import("quotewire/exports/download.js");
      const feed = {url, headers: {Authorization: "Bearer secret"}};
      const told = [];
      try {
        const found = await download(feed, {path: "bars", queries}, form, {
          signal: new AbortController().signal, onRows: (rows) => told.push(rows),
        });
        const texts = await Promise.all(found.files.map(({blob}) => blob.text()));
        return {...found, files: found.files.map(({name}, at) => [name, texts[at]]), told};
      } catch (error) {
        return {error: `${error.name} ${error.code ?? ""} ${error.message}`};
      }
    }"""
    found = page.evaluate(code, {"form": form, "queries": queries, "url": URL})
    assert isinstance(found, dict)
    return found


def test_parts_of_csv_become_one_file_oldest_first(page: Page, feed: Feed) -> None:
    feed.parts = [
        part("time,SMA(3)\r\n3,c\r\n", link="?symbol=KO&end=2"),
        part("time,SMA(3)\r\n2,b\r\n", link="?symbol=KO&end=1"),
        part("time,SMA(3)\r\n1,a\r\n"),
    ]
    found = downloaded(page, "csv", [{"symbol": "KO"}])
    assert found["files"] == [["KO.csv", "time,SMA(3)\r\n1,a\r\n2,b\r\n3,c\r\n"]]
    assert found["told"] == [1, 2, 3]
    assert feed.asked == [
        "bars?symbol=KO&format=csv",
        "bars?symbol=KO&end=2",
        "bars?symbol=KO&end=1",
    ]
    assert set(feed.tokens) == {"Bearer secret"}
    assert "secret" not in "".join(feed.asked)


def test_parts_of_parquet_stay_files_that_sort_as_they_follow(page: Page, feed: Feed) -> None:
    feed.parts = [part("new", "KO.parquet", link="?end=1"), part("old", "KO.parquet")]
    found = downloaded(page, "parquet", [{}])
    assert found["files"] == [
        ["KO-part-01-of-2.parquet", "old"],
        ["KO-part-02-of-2.parquet", "new"],
    ]


def test_several_queries_follow_each_other(page: Page, feed: Feed) -> None:
    feed.parts = [part("h\r\na\r\n"), part("h\r\nb\r\n")]
    assert downloaded(page, "csv", [{"n": 1}, {"n": 2}])["files"] == [["KO.csv", "h\r\na\r\nb\r\n"]]


def test_an_end_is_put_to_very_long_histories_and_said(page: Page, feed: Feed) -> None:
    feed.parts = [part("h\r\n", rows=150_000, link="?end=1") for _ in range(3)]
    found = downloaded(page, "csv", [{}])
    assert len(feed.asked) == 2
    assert "older ones" in found["note"]


def test_a_part_without_rows_is_the_last(page: Page, feed: Feed) -> None:
    feed.parts = [part("h\r\n", rows=0, link="?end=1")]
    assert downloaded(page, "csv", [{}])["rows"] == 0


def test_why_rows_are_missing_is_told(page: Page, feed: Feed) -> None:
    feed.parts = [part("h\r\n", note="no%20%E2%80%9Ccredits%E2%80%9D")]
    assert downloaded(page, "csv", [{}])["note"] == "no “credits”"


def test_a_refusal_is_told_in_the_feeds_words(page: Page, feed: Feed) -> None:
    feed.parts = [(400, {}, '{"code":"bad_parameter","message":"this gateway has no pyarrow"}')]
    error = downloaded(page, "parquet", [{}])["error"]
    assert error == "FeedError bad_parameter this gateway has no pyarrow"


def test_what_is_no_answer_of_a_feed_becomes_no_file(page: Page, feed: Feed) -> None:
    feed.parts = [(200, {}, "<h1>Sign in</h1>"), (502, {}, "<h1>Bad gateway</h1>")]
    assert "not the feed" in downloaded(page, "csv", [{}])["error"]
    assert "not the feed" in downloaded(page, "csv", [{}])["error"]


# ---- code


def run(code: str, name: str, folder: Path) -> pd.DataFrame:
    """Run copied code as a user does; return the frame that it makes."""
    made = folder / "made"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=f"{code}\n{name}.reset_index().to_pickle({str(made)!r})\n",
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    frame: pd.DataFrame = pd.read_pickle(made)
    return frame


def times(starts_ms: list[int]) -> list[pd.Timestamp]:
    return list(pd.to_datetime(starts_ms, unit="ms", utc=True))


def test_copied_code_gets_the_bars_in_view(
    running_feed: FeedProcess, page: Page, tmp_path: Path
) -> None:
    told = bars(running_feed.url, "AAPL", limit=40, end=1_300_000_000_000, indicators="SMA(5)")
    begins = [{"start_ms": start_ms} for start_ms in told["start_ms"]]
    shown = {**SHOWN, "feedUrl": running_feed.url, "bars": begins, "indicators": ["SMA(5)"]}
    view, _ = planned(page, "barExports", shown)
    frame = run(view["code"], "bars", tmp_path)
    assert frame["time"].tolist() == times(told["start_ms"])
    assert frame["close"].tolist() == told["close"]
    assert frame["SMA(5)"].tolist() == told["indicators"]["SMA(5)"]["real"]


def test_copied_code_goes_back_page_by_page(
    running_feed: FeedProcess, page: Page, tmp_path: Path
) -> None:
    told = bars(running_feed.url, "AAPL", start=1_250_000_000_000, end=1_300_000_000_000)
    asked = {**SHOWN, "feedUrl": running_feed.url, "start_ms": 1_250_000_000_000}
    code = page.evaluate(
        "async (asked) => (await import('quotewire/exports/code.js')).barCode(asked)",
        {**asked, "end_ms": 1_300_000_000_000, "limit": 100, "isLong": True},
    )
    assert "limit=100" in code
    frame = run(code, "bars", tmp_path)
    assert len(told["start_ms"]) > 300
    assert frame["time"].tolist() == times(told["start_ms"])


def test_copied_code_gets_the_quotes_of_a_list(
    running_feed: FeedProcess, page: Page, tmp_path: Path
) -> None:
    shown = {"feedUrl": running_feed.url, "symbols": ["IBM", "AAPL"], "isAll": False}
    (found,) = planned(page, "quoteExports", shown)
    assert run(found["code"], "quotes", tmp_path)["symbol"].tolist() == ["IBM", "AAPL"]
    (everything,) = planned(page, "quoteExports", {**shown, "isAll": True})
    assert "feed.snapshot()" in everything["code"]


def test_nothing_that_is_shown_becomes_code(page: Page) -> None:
    hostile = '"); import os; os.abort()  # \n\r\u2028\\'
    shown = {**SHOWN, "symbol": hostile, "label": hostile, "feedUrl": hostile}
    found = planned(page, "barExports", {**shown, "indicators": [hostile]})
    found += planned(
        page, "quoteExports", {"feedUrl": hostile, "symbols": [hostile], "isAll": False}
    )
    harmless = planned(page, "barExports", {**SHOWN, "indicators": ["SMA(3)"]})
    for one in found:
        assert "os" not in [node.split(".")[0] for node in imported(one["code"])]
    assert len(found[0]["code"].split("\n")) == len(harmless[0]["code"].split("\n"))


def imported(code: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names
