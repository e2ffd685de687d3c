"""The dashboard as it is served, in every engine."""

import re

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.engines import Engine
from tests.harness import wait_for

pytestmark = pytest.mark.browser

# Panel's elements are in shadow roots, one inside the other.
SHOWN = """
(ids) => {
  const find = (root, id) => {
    const found = root.querySelector(`[data-testid="${id}"]`);
    if (found) return found;
    for (const {shadowRoot} of root.querySelectorAll("*")) {
      const below = shadowRoot && find(shadowRoot, id);
      if (below) return below;
    }
    return null;
  };
  return ids.map((id) => {
    const element = find(document, id);
    return element && (element.dataset.state ?? element.textContent);
  });
}
"""
SHOWN_IDS = ["badge", "quote-AAPL-last", "chart-last"]


def shown(page: Engine) -> list[str | None]:
    """Return the state of the connection, and prices."""
    texts: list[str | None] = page.run(SHOWN, SHOWN_IDS)
    return texts


def is_live(page: Engine) -> bool:
    state, *prices = shown(page)
    return state == "live" and all(price and re.search(r"\d", price) for price in prices)


@pytest.mark.usefixtures("running_feed")
def test_the_dashboard_is_live_and_its_prices_move(engine: Engine, dashboard: Dashboard) -> None:
    engine.open(dashboard.url)
    wait_for("it is live and shows prices", lambda: is_live(engine), timeout_s=60)
    before = shown(engine)
    wait_for("a price moves", lambda: shown(engine)[1:] != before[1:])
    bars = wait_for("bars are drawn", lambda: engine.run("() => window.__quotewire.chart.bars"))
    assert bars > 100
    engine.open("about:blank")
