"""Links that fail on purpose, and what is heard of all that goes over them; in Chromium."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# A transport whose links the script holds, under a drill and a tap, and a clock of its own.
SCRIPT = """
async (script) => {
  const {Drill} = await import("quotewire/drill.js");
  const {Traffic} = await import("quotewire/traffic.js");
  const heard = [], timers = new Map(), links = [], taps = [];
  let now_ms = 0, last = 0;
  const environment = {
    now: () => now_ms,
    setTimeout: (call, wait_ms) => {
      timers.set(++last, {at_ms: now_ms + wait_ms, call});
      return last;
    },
    clearTimeout: (timer) => timers.delete(timer),
  };
  const pass = (ms) => {
    const end_ms = now_ms + ms;
    for (;;) {
      const due = [...timers].filter(([, {at_ms}]) => at_ms <= end_ms)
        .sort(([, a], [, b]) => a.at_ms - b.at_ms)[0];
      if (!due) break;
      timers.delete(due[0]);
      now_ms = due[1].at_ms;
      due[1].call();
    }
    now_ms = end_ms;
  };
  const direct = {
    open: (handlers) => {
      const link = {...handlers, isOpen: true, sent: []};
      links.push(link);
      return {send: (message) => link.sent.push(message), close: () => (link.isOpen = false)};
    },
    get: async (path) => ({path}),
    change: async () => null,
  };
  const drill = new Drill(environment, ({code}) => heard.push(`told ${code}`));
  const traffic = new Traffic(() => now_ms);
  const transport = traffic.tap(drill.wrap(direct), "websocket");
  const open = () => transport.open({
    onMessage: ({type}) => heard.push(type),
    onClosed: (number, reason) => heard.push(`closed ${number} ${reason}`),
  });
  await new Function("t", `return (async () => {${script}})()`)(
    {open, drill, links, pass, heard, traffic, transport, taps});
  return heard;
}
"""


def heard(page: Page, script: str) -> list[str]:
    """Return what the connection and its timeline heard, in order, while a script ran."""
    told = page.evaluate(SCRIPT, script)
    assert isinstance(told, list)
    return told


def test_a_drop_closes_what_is_open_and_says_that_it_was_one(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.open(); t.drill.drop(); t.heard.push(t.links[0].isOpen);
        t.links[0].onClosed(1006, "late");
        t.open(); t.links[1].onMessage({type: "on"}, 1);""",
    )
    assert told == ["told drop", "closed null simulation: the link was closed", False, "on"]


def test_while_links_are_refused_each_ends_after_it_was_opened(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.open(); t.drill.refuse(); t.open(); t.heard.push("opened"); t.pass(1);
        t.open().close(); t.pass(20_000); t.open(); t.links[1].onMessage({type: "welcome"}, 1);""",
    )
    ended = "closed null simulation: no link can be opened for 20 s"
    assert told == ["told refuse", ended, "opened", ended, "told over", "welcome"]


def test_what_comes_while_frozen_is_heard_after_it_in_order(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """const link = t.open(); t.drill.freeze(); t.links[0].onMessage({type: "a"}, 1);
        t.links[0].onMessage({type: "b"}, 1); link.send({type: "c"}); t.heard.push("still");
        t.pass(20_000); t.links[0].onMessage({type: "d"}, 1);""",
    )
    assert told == ["told freeze", "still", "told over", "a", "b", "d"]


def test_a_link_that_is_given_up_while_frozen_is_heard_no_more(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """const link = t.open(); t.drill.freeze(); t.links[0].onMessage({type: "a"}, 1);
        link.close(); t.drill.end(); t.drill.end(); t.heard.push(t.drill.running);""",
    )
    assert told == ["told freeze", "told over", None]


def test_a_tap_tells_both_directions_and_no_token(blank_page: Page) -> None:
    told = heard(
        blank_page,
        """t.transport.get("before");
        const end = t.traffic.hear(({direction, way, kind, bytes, body}) =>
          t.heard.push([direction, way, kind, JSON.stringify(body)].join(" ")));
        const link = t.open(); link.send({type: "auth", id: 1, token: "s3cret"});
        t.links[0].onMessage({type: "pong"}, 5);
        await t.transport.get("status", {a: 1});
        await t.transport.change("PUT", "settings", {body: {x: 1}});
        link.close(); end(); t.open().send({type: "ping"});
        t.heard.push(t.links[0].sent[0].token);""",
    )
    assert told == [
        'out websocket auth {"type":"auth","id":1,"token":"***"}',
        'in websocket pong {"type":"pong"}',
        "pong",
        'out http GET status {"a":1}',
        'in http GET status {"path":"status"}',
        'out http PUT settings {"x":1}',
        "in http PUT settings null",
        "out websocket close null",
        "s3cret",
    ]
