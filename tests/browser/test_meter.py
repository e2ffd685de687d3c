"""What the page measures, by its modules alone, in Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def p95(page: Page, steps: str) -> float | None:
    """Return the latency measured after some steps with a meter, its clock that of the server."""
    told: float | None = page.evaluate(
        f"""async () => {{
          const {{Meter}} = await import("quotewire/meter.js");
          const meter = new Meter();
          const clock = () => {{ meter.pinged(1, 0); meter.ponged({{id: 1, time_ms: 5}}, 10); }};
          meter.welcomed();
          clock();
          {steps}
          return meter.facts(90_000).latency_p95_ms;
        }}"""
    )
    return told


def test_latency_is_from_receipt_to_paint(blank_page: Page) -> None:
    assert p95(blank_page, "meter.applied([{received_ms: 100}]); meter.painted(140);") == 40


def test_what_waits_for_a_hidden_page_is_not_measured(blank_page: Page) -> None:
    steps = """
      meter.applied([{received_ms: 100}]);
      meter.showing(false);
      meter.applied([{received_ms: 120}]);
      meter.showing(true);
      meter.painted(60_000);
    """
    assert p95(blank_page, steps) is None
    assert p95(blank_page, steps + "meter.applied([{received_ms: 200}]); meter.painted(230);") == 30


def test_a_new_connection_has_a_clock_of_its_own(blank_page: Page) -> None:
    steps = "meter.welcomed(); meter.applied([{received_ms: 100}]); meter.painted(140);"
    assert p95(blank_page, steps) is None
    steps += "clock(); meter.applied([{received_ms: 200}]); meter.painted(230);"
    assert p95(blank_page, steps) == 30
