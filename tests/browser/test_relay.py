"""The relay in Chromium: its JavaScript side alone, and a page that cannot reach the feed."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard
from tests.faults.proxy import FaultProxy
from tests.faults.weather import Fault, Kind
from tests.harness import FeedProcess, wait_for

pytestmark = pytest.mark.browser

TO_RELAY_MS = 20_000
BACK_MS = 40_000
"""At the latest by the longest pause between two tries."""

# A model as Panel gives it to an element, with nothing behind it.
SET_UP = """
async () => {
  const {Relay} = await import("quotewire/transports/relay.js");
  const {FeedError} = await import("quotewire/feed_error.js");
  const listeners = [];
  const sent = [], got = [], settled = [];
  const relay = new Relay({
    send_msg: (message) => sent.push(message),
    on: (event, listener) => listeners.push(listener),
    off: (event, listener) => listeners.splice(listeners.indexOf(listener), 1),
  });
  let batches = 0;
  window.played = {
    relay, sent, got, settled, listeners,
    open() {
      batches = 0;
      this.link = relay.open({
        onMessage: (message, bytes) => got.push([message, bytes]),
        onClosed: (number, reason) => got.push(["closed", number, reason]),
      });
      this.name = sent.at(-1).relay;
    },
    batch(batch) {
      const data = {relay: this.name, number: ++batches, ...batch};
      for (const listener of [...listeners]) listener(data);
    },
    get(path, query) {
      relay.get(path, query).then(
        (body) => settled.push(body),
        (error) => settled.push([error instanceof FeedError, error.code ?? null, error.message]));
    },
  };
}
"""


@pytest.fixture
def played(blank_page: Page) -> Page:
    """A page with a relay whose model is played: ``window.played``."""
    blank_page.evaluate(SET_UP)
    return blank_page


def sent(page: Page) -> list[dict[str, Any]]:
    """Return what the page has told its server, without the link's name."""
    told: list[dict[str, Any]] = page.evaluate("() => played.sent.splice(0)")
    return [{name: value for name, value in message.items() if name != "relay"} for message in told]


def got(page: Page) -> Any:
    return page.evaluate("() => played.got.splice(0)")


def test_nothing_is_said_or_heard_before_it_is_opened(played: Page) -> None:
    assert sent(played) == []
    assert played.evaluate("() => played.listeners.length") == 0
    played.evaluate("() => played.get('symbols')")
    assert played.evaluate("() => played.settled") == [[False, None, "the relay is not open"]]


def test_messages_go_both_ways_in_order_and_each_batch_is_answered(played: Page) -> None:
    played.evaluate("() => played.open()")
    played.evaluate("""() => {
      played.batch({texts: ['{"type":"morning"}', '{"type":"midday"}']});
      played.link.send({type: "ping", id: 1});
      played.link.send({type: "ping", id: 2});
      played.batch({texts: ['{"type":"noon"}']});
    }""")
    assert got(played) == [
        [{"type": "morning"}, 18],
        [{"type": "midday"}, 17],
        [{"type": "noon"}, 15],
    ]
    assert sent(played) == [
        {"do": "open"},
        {"do": "got", "number": 1},
        {"do": "say", "number": 1, "text": '{"type":"ping","id":1}'},
        {"do": "say", "number": 2, "text": '{"type":"ping","id":2}'},
        {"do": "got", "number": 2},
    ]


def test_requests_get_their_own_answers(played: Page) -> None:
    played.evaluate("""() => {
      played.open();
      played.get("news", {symbol: "AAPL", limit: 3, start: undefined});
      played.get("quotes", {symbols: "NOPE"});
      played.get("status");
      played.batch({answers: [
        {id: 2, code: "unknown_symbol", message: "no such instrument"},
        {id: 3, message: "no feed"},
        {id: 1, body: '{"close":[1]}'},
      ]});
    }""")
    assert sent(played)[1:3] == [
        {"do": "get", "id": 1, "path": "news", "query": {"symbol": "AAPL", "limit": "3"}},
        {"do": "get", "id": 2, "path": "quotes", "query": {"symbols": "NOPE"}},
    ]
    assert played.evaluate("() => played.settled") == [
        [True, "unknown_symbol", "no such instrument"],
        [False, None, "no feed"],
        {"close": [1]},
    ]


def test_its_end_is_told_once_with_all_that_came_before(played: Page) -> None:
    played.evaluate("""() => {
      played.open();
      played.get("status");
      played.batch({texts: ['{"type":"midnight"}'], closed: [1001, "the server is shutting down"]});
      played.batch({texts: ['{"type":"midday"}']});
      played.link.send({type: "ping"});
      played.link.close();
    }""")
    assert got(played) == [
        [{"type": "midnight"}, 19],
        ["closed", 1001, "the server is shutting down"],
    ]
    assert [message["do"] for message in sent(played)] == ["open", "get"]
    assert played.evaluate("() => played.settled") == [[False, None, "the server is shutting down"]]


def test_a_batch_that_got_lost_ends_the_link(played: Page) -> None:
    played.evaluate("() => played.open()")
    played.evaluate("() => played.batch({number: 2, texts: ['{}']})")
    assert got(played) == [["closed", None, "the relay lost messages"]]
    assert sent(played)[-1] == {"do": "close"}


@pytest.mark.parametrize("text", ["", "{", "7", "{}", '{"type":"quotes","rows":7}'])
def test_what_is_no_message_ends_the_link_with_the_rest_of_its_batch(
    played: Page, text: str
) -> None:
    played.evaluate("() => played.open()")
    played.evaluate(
        """(text) => {
          played.get("status");
          const texts = ['{"type":"morning"}', text, '{"type":"noon"}'];
          played.batch({texts, answers: [{id: 1}]});
          played.batch({texts: ['{"type":"midnight"}']});
        }""",
        text,
    )
    senseless = "the feed said what cannot be understood"
    assert got(played) == [[{"type": "morning"}, 18], ["closed", None, senseless]]
    assert [message["do"] for message in sent(played)] == ["open", "get", "close"]
    assert played.evaluate("() => played.settled") == [[False, None, senseless]]


@pytest.mark.parametrize("body", ["", "<html>", "7", '{"symbols":7}'])
def test_a_body_that_makes_no_sense_fails_its_request_alone(played: Page, body: str) -> None:
    played.evaluate("() => played.open()")
    played.evaluate(
        """(body) => {
          played.get("symbols");
          played.get("symbols");
          played.batch({answers: [{id: 1, body}, {id: 2, body: '{"symbols":[]}'}]});
        }""",
        body,
    )
    assert played.evaluate("() => played.settled") == [
        [False, None, "the feed said what cannot be understood"],
        {"symbols": []},
    ]
    assert [message["do"] for message in sent(played)][-1] == "got"


def test_what_is_meant_for_another_page_is_not_heard(played: Page) -> None:
    played.evaluate("() => played.open()")
    played.evaluate("() => played.batch({relay: 'another', number: 7, texts: ['{}']})")
    assert got(played) == []


def test_after_close_nothing_is_heard_and_it_can_be_opened_again(played: Page) -> None:
    played.evaluate("""() => {
      played.open();
      played.link.close();
      played.batch({texts: ['{}']});
      played.open();
      played.batch({texts: ['{"type":"morning"}']});
    }""")
    assert got(played) == [[{"type": "morning"}, 18]]
    assert [message["do"] for message in sent(played)] == ["open", "close", "open", "got"]
    assert played.evaluate("() => played.listeners.length") == 1


def test_a_withdrawn_element_ends_what_it_relayed(played: Page) -> None:
    played.evaluate("() => { played.open(); played.relay.withdraw(); }")
    assert got(played) == [["closed", None, "the element that relayed is gone"]]
    assert sent(played)[-1] == {"do": "close"}
    assert played.evaluate("() => played.listeners.length") == 0


@pytest.fixture(scope="module")
def way_in(own_feed: FeedProcess) -> Iterator[FaultProxy]:
    """The browser's way to the feed, which a test can block; the dashboard has its own."""
    with FaultProxy(own_feed.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def walled(own_feed: FeedProcess, way_in: FaultProxy) -> Iterator[Dashboard]:
    """A dashboard whose pages are told to go that way."""
    served = Dashboard(feed_url=own_feed.url, feed_public_url=way_in.url)
    try:
        served.wait()
        yield served
    finally:
        served.stop()


@pytest.fixture
def walled_page(browser: Browser, walled: Dashboard, running_feed: FeedProcess) -> Iterator[Page]:
    errors: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def way(page: Page, name: str, *, timeout_ms: int = TO_RELAY_MS) -> None:
    """Wait until data comes by a way, as the badge says."""
    badge = page.get_by_test_id("badge")
    expect(badge).to_have_attribute("data-state", "live", timeout=timeout_ms)
    expect(page.get_by_test_id("badge-detail")).to_contain_text(name, timeout=timeout_ms)


def moves(page: Page, test_id: str) -> None:
    """Wait until a shown value has changed."""
    shown = page.get_by_test_id(test_id)
    expect(shown).to_have_text(re.compile(r"\d"), timeout=20_000)
    before = shown.inner_text()
    expect(shown).not_to_have_text(before, timeout=20_000)


def clients(feed: FeedProcess) -> int:
    """Return how many connections the feed has."""
    metrics = httpx.get(f"{feed.url}/metrics").text.splitlines()
    return int(float(next(m for m in metrics if m.startswith("quotewire_connections ")).split()[1]))


def test_a_page_that_cannot_reach_the_feed_is_live_by_relay_and_goes_back(
    walled_page: Page, walled: Dashboard, way_in: FaultProxy
) -> None:
    page = walled_page
    with way_in.under(Fault(Kind.REFUSE)):
        page.goto(walled.url)
        way(page, "Relay")
        moves(page, "quote-AAPL-last")
        moves(page, "chart-last")
        page.wait_for_function("() => window.__quotewire.chart.bars > 500")
    way(page, "WebSocket", timeout_ms=BACK_MS)
    moves(page, "quote-AAPL-last")


def test_what_relays_ends_with_the_page(
    browser: Browser, walled: Dashboard, way_in: FaultProxy, running_feed: FeedProcess
) -> None:
    wait_for("no other page is left", lambda: clients(running_feed) == 0)
    with way_in.under(Fault(Kind.REFUSE)):
        page = browser.new_page()
        page.goto(walled.url)
        way(page, "Relay")
        assert clients(running_feed) == 1
        page.close()
        wait_for("the relay is gone", lambda: clients(running_feed) == 0, timeout_s=40)
