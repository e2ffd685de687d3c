"""A day of reconnects in seconds for the browser's session: it loses nothing unsaid, and does not
grow.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from dashboard.browser import import_map, module_url

SCRIPT = Path(__file__).parent / "reconnects.js"
HOUR_MS = 3_600_000
WARM_HOURS = 8
GROWTH_BYTES = 200_000

pytestmark = pytest.mark.browser

BEGIN = """
async ([seed, settings]) => {
  const {World} = await import("reconnects.js");
  window.world = new World(seed, settings);
}
"""


@pytest.fixture
def page(browser: Browser) -> Any:
    """A page in which a world can be begun."""
    page = browser.new_page()
    imports = {**import_map()["imports"], "reconnects.js": module_url("reconnects.js", SCRIPT)}
    page.set_content(f'<script type="importmap">{json.dumps({"imports": imports})}</script>')
    yield page
    page.close()


def run(page: Page, hours: int) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate("(until) => world.run(until)", hours * HOUR_MS)
    return told


def heap_bytes(cdp: CDPSession) -> float:
    cdp.send("HeapProfiler.collectGarbage")
    used: float = cdp.send("Runtime.getHeapUsage")["usedSize"]
    return used


@pytest.mark.parametrize("relay", [False, True])
def test_a_day_of_trouble_loses_nothing_unsaid(page: Page, relay: bool) -> None:
    page.evaluate(BEGIN, [7, {"relay": relay, "poll_ms": 3000}])
    told = run(page, 24)
    assert told["events"] > 50_000
    assert set(told["states"]) >= {"connecting", "live", "polling", "stale", "offline"}
    assert told["told"]["trades"] > 3_000
    assert told["told"]["finals"] > 800
    assert told["told"]["lost"] > 0
    assert told["reconnects"] > 150


def test_a_day_of_trouble_leaves_nothing_behind(page: Page) -> None:
    page.evaluate(BEGIN, [8, {"relay": True, "poll_ms": 3000}])
    cdp = page.context.new_cdp_session(page)
    run(page, WARM_HOURS)
    heaps = []
    for hour in range(WARM_HOURS + 1, 25):
        sizes = run(page, hour)["sizes"]
        heaps.append(heap_bytes(cdp))
        assert sizes["wanted"] <= 20, sizes
        assert sizes["books"] <= 20, sizes
        assert sizes["requests"] <= 100, sizes
        assert sizes["loads"] <= 20, sizes
        assert sizes["links"] <= 2, sizes
        assert sizes["pending"] < 200, sizes
    half = len(heaps) // 2
    assert max(heaps[half:]) < max(heaps[:half]) + GROWTH_BYTES, heaps
