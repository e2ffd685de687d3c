"""What tests of charts share: a chart on a page, and what the feed has of its bars."""

from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

DRAWN_MS = 30_000


def facts(page: Page) -> dict[str, Any]:
    """Return what the chart says of itself."""
    told = page.evaluate("() => window.__quotewire.chart")
    assert isinstance(told, dict)
    return told


def drawn(page: Page, least: int = 20) -> dict[str, Any]:
    """Wait until bars are drawn and their axes fitted; return the chart's facts."""
    page.wait_for_function(
        "(least) => (window.__quotewire?.chart?.bars ?? 0) >= least"
        " && window.__quotewire.chart.dates.length > 0",
        arg=least,
        timeout=DRAWN_MS,
    )
    return facts(page)


def until(page: Page, condition: str, argument: object = None) -> dict[str, Any]:
    """Wait until the chart's facts fulfil a condition on `chart`; return them."""
    page.wait_for_function(
        f"(argument) => {{ const chart = window.__quotewire?.chart;"
        f" return Boolean(chart && ({condition})); }}",
        arg=argument,
        timeout=DRAWN_MS,
    )
    return facts(page)


def bars(feed_url: str, symbol: str, interval: str = "1d", **query: object) -> dict[str, Any]:
    """Return bars as the feed has them."""
    asked = {"symbol": symbol, "interval": interval, "limit": 5000, **query}
    answer = httpx.get(f"{feed_url}/api/bars", params=asked, timeout=30)  # type: ignore[arg-type]
    answer.raise_for_status()
    body = answer.json()
    assert isinstance(body, dict)
    return body


def pane(page: Page) -> Locator:
    """Return the pane of the prices."""
    return page.get_by_test_id("chart").locator(".pane.price")


def middle(page: Page, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
    """Return a place in the pane of the prices, in the page's pixels."""
    box = pane(page).bounding_box()
    assert box is not None
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def pan(page: Page, by_px: float) -> None:
    """Drag the bars to the right."""
    x, y = middle(page, 0.4)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by_px / 2, y, steps=4)
    page.mouse.move(x + by_px, y, steps=4)
    page.mouse.up()


def shows(page: Page, test_id: str, pattern: Any) -> None:
    """Wait until a text is shown."""
    expect(page.get_by_test_id(test_id)).to_have_text(pattern, timeout=DRAWN_MS)
