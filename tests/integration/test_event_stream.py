"""Server-Sent Events: the WebSocket's messages for those whom no WebSocket reaches."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
import pytest

from feed_server.protocol import (
    Bars,
    ErrorCode,
    Heartbeat,
    Quotes,
    ServerMessage,
    Shutdown,
    Status,
    Subscribed,
    Trades,
    Welcome,
    decode_server_message,
)
from tests.harness import FeedProcess, wait_for
from tests.market import Market, gateway_of, market

pytestmark = pytest.mark.integration

M = TypeVar("M")


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


@pytest.fixture(scope="module")
def feed(here: Market) -> Iterator[FeedProcess]:
    with gateway_of(here, heartbeat_ms="300", max_symbols="2") as process:
        yield process


class Events:
    """What comes on one stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.frames = 0
        self._lines = response.iter_lines()

    def hear(self) -> ServerMessage:
        """Return the next event's message."""
        data = next(self._lines)
        assert next(self._lines) == ""
        self.frames += 1
        message = decode_server_message(data.removeprefix("data: "))
        assert message is not None
        return message

    def next(self, kind: type[M]) -> M:
        """Return the next message of a kind."""
        while not isinstance(message := self.hear(), kind):
            pass
        return message


@contextmanager
def events(feed: FeedProcess, query: str, **headers: str) -> Iterator[Events]:
    address = f"{feed.url}/api/stream?{query}"
    with httpx.stream("GET", address, headers=headers, timeout=10) as response:
        yield Events(response)


def figure(feed: FeedProcess, name: str) -> float:
    text = httpx.get(f"{feed.url}/metrics", timeout=5).text
    found = re.search(rf"^quotewire_{name} (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_a_stream_says_what_the_websocket_would(feed: FeedProcess, here: Market) -> None:
    with events(feed, "symbols=AAPL,,IBM%20") as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["Cache-Control"] == "no-store"
        assert isinstance(stream.hear(), Welcome)
        assert isinstance(stream.hear(), Status)
        assert stream.next(Subscribed).symbols == ["AAPL", "IBM"]
    with events(feed, "symbols=AAPL,NOPE&max_hz=5") as stream:
        subscribed = stream.next(Subscribed)
        assert (subscribed.symbols, subscribed.max_hz) == (["AAPL"], 5)
        assert subscribed.failed == {"NOPE": ErrorCode.UNKNOWN_SYMBOL}
        assert stream.next(Quotes).snapshot
        after = here.trade()
        assert stream.next(Quotes).rows[0].offset == after.offset


def test_trades_and_bars_come_as_events_too(feed: FeedProcess, here: Market) -> None:
    with (
        events(feed, "channel=trades&symbols=IBM") as trades,
        events(feed, "channel=bars&symbols=IBM&interval=1d") as bars,
    ):
        at = trades.next(Trades).positions["IBM"]
        assert bars.next(Bars).offsets == {"IBM": at.offset}
        here.trade("IBM", trades=3)
        assert [row.offset for row in trades.next(Trades).rows] == [
            at.offset + number for number in (1, 2, 3)
        ]
        assert bars.next(Bars).offsets == {"IBM": at.offset + 3}


def test_a_stream_is_never_silent_and_counts_its_events(feed: FeedProcess) -> None:
    with events(feed, "symbols=AAPL") as stream:
        for _ in range(2):
            assert stream.next(Heartbeat).frames == stream.frames - 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("channel=dance&symbols=AAPL", "bad_parameter"),
        ("symbols=AAPL&max_hz=fast", "bad_parameter"),
        ("symbols=AAPL&max_hz=nan", "bad_parameter"),
        ("symbols=AAPL&max_hz=-1", "bad_parameter"),
        ("channel=bars&symbols=AAPL", "bad_parameter"),
        ("channel=bars&symbols=AAPL&interval=3d", "unknown_interval"),
        ("channel=quotes&symbols=AAPL&interval=1d", "bad_parameter"),
        ("symbols=%FF", "bad_parameter"),
        ("symbols=AAPL&snapshot=2", "bad_parameter"),
        ("symbols=AAPL&since=AAPL:17", "bad_parameter"),
        ("symbols=AAPL&since=AAPL:9f:-1", "bad_parameter"),
        ("", "bad_parameter"),
        ("symbols=,", "bad_parameter"),
        ("symbols=AAPL,IBM,NOPE", "too_many_symbols"),
    ],
)
def test_a_wrong_address_is_answered_as_any_other(feed: FeedProcess, query: str, code: str) -> None:
    answer = httpx.get(f"{feed.url}/api/stream?{query}", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_where_nothing_can_be_had_there_is_no_stream(feed: FeedProcess) -> None:
    answer = httpx.get(f"{feed.url}/api/stream?symbols=NOPE,NADA", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
    assert "NOPE" in answer.json()["message"]


def test_who_comes_back_gets_what_it_missed(feed: FeedProcess, here: Market) -> None:
    with events(feed, "channel=trades&symbols=IBM") as stream:
        at = stream.next(Trades).positions["IBM"]
    here.trade("IBM", trades=3)
    since = f"IBM:{at.epoch}:{at.offset}"
    with events(feed, f"channel=trades&symbols=IBM,AAPL&since={since}") as stream:
        offsets: list[int] = []
        while len(offsets) < 3:
            message = stream.next(Trades)
            offsets += [row.offset for row in message.rows if row.symbol == "IBM"]
            assert message.recovered.get("IBM", True)
        assert offsets == [at.offset + number for number in (1, 2, 3)]


def test_without_a_snapshot_events_begin_with_the_next_change(
    feed: FeedProcess, here: Market
) -> None:
    with events(feed, "symbols=MSFT") as other:
        other.next(Quotes)
        with events(feed, "symbols=MSFT&snapshot=0") as stream:
            stream.next(Subscribed)
            after = here.trade("MSFT")
            message = stream.next(Quotes)
        assert (message.snapshot, message.rows[0].offset) == (False, after.offset)


def test_who_leaves_frees_its_place(feed: FeedProcess) -> None:
    with events(feed, "symbols=AAPL") as stream:
        stream.next(Quotes)
        assert figure(feed, "connections") >= 1
        assert figure(feed, "cohorts") >= 1
    wait_for("it is forgotten", lambda: figure(feed, "connections") == 0)
    assert figure(feed, "cohorts") == 0


def test_pages_of_this_machine_may_read_a_stream_and_strangers_may_not(feed: FeedProcess) -> None:
    for origin, allowed in (("http://localhost:5006", True), ("https://evil.example", False)):
        with events(feed, "symbols=AAPL", Origin=origin) as stream:
            named = stream.response.headers.get("Access-Control-Allow-Origin")
            assert named == (origin if allowed else None)


def test_readers_of_events_are_told_when_the_server_goes(here: Market) -> None:
    with gateway_of(here) as feed, events(feed, "symbols=AAPL") as stream:
        stream.next(Quotes)
        assert feed.process is not None
        feed.process.terminate()
        assert stream.next(Shutdown).reconnect_ms <= 5_000
        with pytest.raises(StopIteration):
            stream.next(Welcome)
