"""Elements on a page that is none of ours, as in a notebook: no address, no shared symbol."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

APP = """
import panel as pn
from dashboard.charts.candles import CandleChart
from dashboard.watchlist import Watchlist

feed = {{"feed_url": "{url}", "width": 600, "height": 400}}
chart = CandleChart(symbol="IBM", interval="1m", **feed)
day = pn.widgets.Button(name="by day", on_click=lambda _: chart.param.update(interval="1d"))
pn.Column(Watchlist(symbols=["MSFT", "FB"], **feed), chart, day).servable()
"""


@pytest.fixture
def page(browser: Browser, running_feed: FeedProcess, tmp_path: Path) -> Iterator[Page]:
    """A page with a watchlist of two symbols, and a chart of a third one."""
    app = tmp_path / "notebook.py"
    app.write_text(APP.format(url=running_feed.url))
    served = Dashboard(app=str(app))
    errors: list[str] = []
    try:
        served.wait()
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(served.url)
        yield page
        page.close()
    finally:
        served.stop()
    assert errors == []


def test_a_chart_has_its_own_symbol_and_interval_and_a_watchlist_its_own_symbols(
    page: Page,
) -> None:
    expect(page.get_by_test_id("quote-MSFT-last")).to_contain_text(".", timeout=20_000)
    rows = page.get_by_test_id("watchlist").locator("tbody tr b")
    assert rows.all_inner_texts() == ["MSFT", "FB"]
    expect(page.get_by_test_id("chart-symbol")).to_have_text("IBM")
    page.wait_for_function("window.__quotewire.chart.bars > 100", timeout=20_000)
    last = page.evaluate("window.__quotewire.chart.last")
    assert last["start_ms"] % 60_000 == 0
    page.get_by_test_id("quote-FB").click()
    expect(page.get_by_test_id("quote-FB")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_test_id("chart-symbol")).to_have_text("IBM")
    assert "symbol=" not in page.url
    page.get_by_text("by day").click()
    page.wait_for_function(
        "window.__quotewire.chart.interval === '1d' && window.__quotewire.chart.bars > 100"
    )
    assert page.evaluate("window.__quotewire.chart.last.start_ms") % 86_400_000 == 0
