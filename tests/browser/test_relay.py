"""The relay in Chromium: its JavaScript side alone, and a page that cannot reach the feed."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

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
      played.batch({texts: ['{"type":"welcome"}', '{"type":"status"}']});
      played.link.send({type: "ping", id: 1});
      played.link.send({type: "ping", id: 2});
      played.batch({texts: ['{"type":"pong"}']});
    }""")
    assert got(played) == [
        [{"type": "welcome"}, 18],
        [{"type": "status"}, 17],
        [{"type": "pong"}, 15],
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
      played.get("bars", {symbol: "AAPL", limit: 3, start: undefined});
      played.get("quotes", {symbols: "NOPE"});
      played.get("status");
      played.batch({answers: [
        {id: 2, code: "unknown_symbol", message: "no such instrument"},
        {id: 3, message: "no feed"},
        {id: 1, body: '{"close":[1]}'},
      ]});
    }""")
    assert sent(played)[1:3] == [
        {"do": "get", "id": 1, "path": "bars", "query": {"symbol": "AAPL", "limit": "3"}},
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
      played.batch({texts: ['{"type":"shutdown"}'], closed: [1001, "the server is shutting down"]});
      played.batch({texts: ['{"type":"status"}']});
      played.link.send({type: "ping"});
      played.link.close();
    }""")
    assert got(played) == [
        [{"type": "shutdown"}, 19],
        ["closed", 1001, "the server is shutting down"],
    ]
    assert [message["do"] for message in sent(played)] == ["open", "get"]
    assert played.evaluate("() => played.settled") == [[False, None, "the server is shutting down"]]


def test_a_batch_that_got_lost_ends_the_link(played: Page) -> None:
    played.evaluate("() => played.open()")
    played.evaluate("() => played.batch({number: 2, texts: ['{}']})")
    assert got(played) == [["closed", None, "the relay lost messages"]]
    assert sent(played)[-1] == {"do": "close"}


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
      played.batch({texts: ['{"type":"welcome"}']});
    }""")
    assert got(played) == [[{"type": "welcome"}, 18]]
    assert [message["do"] for message in sent(played)] == ["open", "close", "open", "got"]
    assert played.evaluate("() => played.listeners.length") == 1


def test_a_withdrawn_element_ends_what_it_relayed(played: Page) -> None:
    played.evaluate("() => { played.open(); played.relay.withdraw(); }")
    assert got(played) == [["closed", None, "the element that relayed is gone"]]
    assert sent(played)[-1] == {"do": "close"}
    assert played.evaluate("() => played.listeners.length") == 0
