"""The dashboard as it is served, in every engine."""

import re

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.engines import Engine, shown
from tests.harness import wait_for

pytestmark = pytest.mark.browser

SHOWN = ("badge", "quote-AAPL-last", "chart-last")


def is_live(page: Engine) -> bool:
    state, *prices = shown(page, *SHOWN)
    return state == "live" and all(price and re.search(r"\d", price) for price in prices)


@pytest.mark.usefixtures("running_feed")
def test_the_dashboard_is_live_and_its_prices_move(engine: Engine, dashboard: Dashboard) -> None:
    engine.open(dashboard.url)
    wait_for("it is live and shows prices", lambda: is_live(engine), timeout_s=60)
    before = shown(engine, *SHOWN)
    wait_for("a price moves", lambda: shown(engine, *SHOWN)[1:] != before[1:])
    bars = wait_for("bars are drawn", lambda: engine.run("() => window.__quotewire.chart.bars"))
    assert bars > 100
    engine.open("about:blank")
