"""The menu that exports what a page shows."""

import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.browser.charts import DRAWN_MS, bars, drawn, facts
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Visit = Callable[[str], Page]
PAGE = "?page=symbol&symbol=AAPL&range=6m&indicators=SMA(20)"
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def saved(page: Page, entry: str, folder: Path) -> Path:
    """Save a file by the menu, which is open."""
    with page.expect_download(timeout=DRAWN_MS) as download:
        page.get_by_test_id(entry).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def opened(page: Page) -> None:
    """Open the menu when the indicator has values, too."""
    drawn(page, 300)
    expect(page.get_by_test_id("indicator-SMA(20)")).to_contain_text(".", timeout=DRAWN_MS)
    page.get_by_test_id("export").click()
    expect(page.get_by_test_id("export-view")).to_have_attribute("aria-pressed", "true")


def test_the_bars_in_view_are_saved_as_csv_and_as_parquet(
    running_feed: FeedProcess, visit: Visit, tmp_path: Path
) -> None:
    page = visit(PAGE)
    opened(page)
    file = saved(page, "export-csv", tmp_path)
    assert file.name == "AAPL-1d-REPLAY.csv"
    frame = pd.read_csv(file, parse_dates=["time"], engine="python")
    first, last = frame["time"].iloc[0], frame["time"].iloc[-2]  # the very last may change
    told = bars(
        running_feed.url,
        "AAPL",
        start=round(first.timestamp() * 1000),
        end=round(last.timestamp() * 1000),
        indicators="SMA(20)",
    )
    assert 100 < len(frame) < 140
    assert frame["close"].tolist()[:-1] == told["close"]
    assert frame["SMA(20)"].tolist()[:-1] == told["indicators"]["SMA(20)"]["real"]
    expect(page.get_by_text("AAPL-1d-REPLAY.csv is saved")).to_be_visible()
    page.get_by_test_id("export").click()
    again = pd.read_parquet(saved(page, "export-parquet", tmp_path))
    assert again["close"].tolist()[:-1][: len(told["close"])] == told["close"]
    assert str(again["time"].dtype) == "datetime64[ms, UTC]"


def test_the_whole_history_is_saved(
    running_feed: FeedProcess, visit: Visit, tmp_path: Path
) -> None:
    page = visit(PAGE)
    opened(page)
    page.get_by_test_id("export-all").click()
    frame = pd.read_csv(saved(page, "export-csv", tmp_path), engine="python")
    told = bars(running_feed.url, "AAPL")
    assert frame["time"].iloc[0].startswith("2000-03-01T00:00:00")
    assert abs(len(frame) - len(told["start_ms"])) <= 1  # a day may have begun meanwhile


def test_code_and_a_link_are_copied(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    page.context.grant_permissions(CLIPBOARD)
    opened(page)
    page.get_by_test_id("copy-code").click()
    expect(page.get_by_text("The code is copied")).to_be_visible()
    code = page.evaluate("() => navigator.clipboard.readText()")
    compile(code, "copied", "exec")
    assert f'FeedClient("{running_feed.url}")' in code
    assert 'feed.history("AAPL", "1d", start="20' in code
    assert 'indicators=["SMA(20)"]' in code
    page.get_by_test_id("export").click()
    page.get_by_test_id("copy-link").click()
    expect(page.get_by_text("The link is copied")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    query = parse_qs(urlsplit(link).query)
    assert query["page"] == ["symbol"]
    assert query["symbol"] == ["AAPL"]
    assert query["indicators"] == ["SMA(20)"]
    page.goto(link)
    assert drawn(page, 300)["symbol"] == "AAPL"


def test_without_a_clipboard_code_is_copied_too(
    running_feed: FeedProcess, open_page: OpenPage
) -> None:
    page = open_page(PAGE, permissions=CLIPBOARD)
    opened(page)
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', {get: () => undefined})")
    page.evaluate("() => addEventListener('copy', () => (window.copied = true))")
    page.get_by_test_id("copy-code").click()
    expect(page.get_by_text("The code is copied")).to_be_visible()
    assert page.evaluate("() => window.copied")


def test_a_refusal_is_told_and_nothing_is_saved(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    opened(page)
    refusal = '{"code":"bad_parameter","message":"this gateway has no pyarrow"}'
    page.route(
        "**/api/bars*format=parquet*",
        lambda route: route.fulfill(
            status=400, body=refusal, headers={"Access-Control-Allow-Origin": "*"}
        ),
    )
    page.get_by_test_id("export-parquet").click()
    expect(page.get_by_text("No file was saved: this gateway has no pyarrow")).to_be_visible()
    page.route("**/api/bars*format=csv*", lambda route: route.abort())
    page.get_by_test_id("export-csv").click()
    expect(page.get_by_text("does not reach the feed")).to_be_visible()
    expect(page.get_by_test_id("export-csv")).to_be_enabled()


def test_a_slow_file_is_told_of_and_can_be_cancelled(
    running_feed: FeedProcess, visit: Visit
) -> None:
    page = visit(PAGE)
    opened(page)
    page.route("**/api/bars*format=csv*", lambda _route: None)  # it never answers
    page.get_by_test_id("export-csv").click()
    expect(page.get_by_test_id("export-words")).to_have_text("Asking the feed …")
    expect(page.get_by_test_id("export")).to_have_text("Exporting …")
    page.get_by_test_id("export-cancel").click()
    expect(page.get_by_test_id("export")).to_have_text("Export ▾")
    expect(page.get_by_text("No file was saved")).to_have_count(0)


def test_the_market_is_saved_as_it_is_shown(
    running_feed: FeedProcess, visit: Visit, tmp_path: Path
) -> None:
    page = visit("?page=market&sort=-symbol&find=A")
    rows = page.get_by_test_id("market-rows").locator("[data-symbol]")
    expect(rows.first).to_be_visible(timeout=DRAWN_MS)
    shown = [row.get_attribute("data-symbol") for row in rows.all()]
    page.get_by_test_id("export").click()
    expect(page.get_by_test_id("export-menu")).to_contain_text(f"{len(shown)} symbol")
    expect(page.get_by_test_id("picture")).to_be_hidden()
    file = saved(page, "export-csv", tmp_path)
    assert file.name == "quotes-REPLAY.csv"
    frame = pd.read_csv(io.BytesIO(file.read_bytes()))
    assert frame["symbol"].tolist() == shown
    assert (frame["last"] > 0).all()
    assert set(frame["label"]) == {"REPLAY"}


def test_the_keyboard_reaches_all_of_it(running_feed: FeedProcess, visit: Visit) -> None:
    page = visit(PAGE)
    opened(page)
    page.get_by_test_id("export-view").focus()
    for test_id in ("export-all", "export-csv", "export-parquet", "copy-code", "copy-link"):
        page.keyboard.press("Tab")
        expect(page.get_by_test_id(test_id)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("export-menu")).to_be_hidden()
    assert facts(page)["symbol"] == "AAPL"
