"""The browser takes what a real feed says, and nothing that is broken."""

import json
import random

import httpx
import pytest
from playwright.sync_api import Page

from tests.faults.spoil import spoiled_body
from tests.harness import FeedProcess
from tests.raw_socket import RawSocket

pytestmark = pytest.mark.browser

PATHS = {
    "quotes": "symbols=AAPL,IBM",
    "bars": "symbol=AAPL&interval=1d&limit=20&indicators=SMA(5)",
    "trades": "symbol=AAPL",
    "status": "",
    "symbols": "",
    "search": "q=a",
}
TEXTS = 60

CHECK = """
async ([called, ...given]) => (await import("quotewire/core/shapes.js"))[called](...given)
"""


def is_message(page: Page, text: bytes) -> bool:
    return bool(page.evaluate(CHECK, ["isMessage", json.loads(text)]))


def texts(feed: FeedProcess) -> list[bytes]:
    """Return what a feed says to one who asks for all channels."""
    heard: list[bytes] = []
    with RawSocket(feed.port) as client:
        client.say(type="nonsense", id=1)
        client.say(type="ping", id=2)
        for number, channel in enumerate(("quotes", "trades", "bars"), 3):
            interval = {"interval": "1d", "indicators": ["SMA(2)"]} if channel == "bars" else {}
            wanted = {"channel": channel, "symbols": ["AAPL", "NOPE"], **interval}
            client.say(type="subscribe", id=number, **wanted)
        client.say(type="list", id=6)
        while len(heard) < TEXTS:
            first, payload = client.read_frame()
            heard += [payload] if first == 0x81 else []
    return heard


def test_what_a_feed_says_is_taken(blank_page: Page, feed: FeedProcess) -> None:
    told = texts(feed)
    assert {json.loads(text)["type"] for text in told} >= {
        *("welcome", "status", "error", "pong", "subscribed", "listed", "heartbeat"),
        *("quotes", "trades", "bars"),
    }
    assert [text for text in told if not is_message(blank_page, text)] == []
    assert is_message(blank_page, b'{"type":"of a newer feed"}')


@pytest.mark.parametrize("path", PATHS)
def test_what_a_feed_answers_is_taken_and_only_that(
    blank_page: Page, feed: FeedProcess, path: str
) -> None:
    answer = httpx.get(f"{feed.url}/api/{path}?{PATHS[path]}")
    assert blank_page.evaluate(CHECK, ["isBody", path, answer.json()])
    for name in answer.json():
        without = {key: value for key, value in answer.json().items() if key != name}
        if not blank_page.evaluate(CHECK, ["isBody", path, without]):
            break
    else:
        pytest.fail("no field is needed")


def test_an_error_is_told_from_what_others_answer(blank_page: Page, feed: FeedProcess) -> None:
    refused = httpx.get(f"{feed.url}/api/quotes?symbols=NOPE")
    assert blank_page.evaluate(CHECK, ["isError", refused.json()])
    others: list[object] = [{}, None, [], "no", {"code": 502, "message": "bad gateway"}]
    for other in others:
        assert not blank_page.evaluate(CHECK, ["isError", other])


def test_nothing_broken_is_taken(blank_page: Page) -> None:
    seen = set()
    for seed in range(200):
        try:
            broken = json.loads(spoiled_body(random.Random(seed), b"{}"))
        except ValueError:
            continue
        seen.add(json.dumps(broken))
        assert not blank_page.evaluate(CHECK, ["isMessage", broken])
        assert not any(blank_page.evaluate(CHECK, ["isBody", path, broken]) for path in PATHS)
    assert len(seen) > 4
