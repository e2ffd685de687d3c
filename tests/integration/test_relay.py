"""The relay in Python, against a real feed; the page is played."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import httpx
import msgspec
import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document

from dashboard.badge import ConnectionBadge
from dashboard.relay import MAX_LINKS, Relay
from dashboard.relay.outbox import Outbox
from tests.harness import FeedProcess, free_port, until

pytestmark = pytest.mark.integration

Message = dict[str, Any]


class PlayedPage:
    """A page with one relay, which answers batches as long as it is ``reading``.

    Attributes:
        got: The feed's messages, decoded.
        answers: To requests, by number.
        closed: The close code and reason, once the link has ended.
        batch_times: When each batch came, by a monotonic clock in seconds.
    """

    def __init__(self, feed_url: str, *, token: str = "", **box: float) -> None:
        outbox: Callable[[str], Outbox] = partial(Outbox, **box)  # type: ignore[arg-type]
        self.relay = Relay(feed_url, lambda: token, self._take, outbox)
        self.got: list[Message] = []
        self.answers: dict[int, Message] = {}
        self.closed: list[object] | None = None
        self.batch_times: list[float] = []
        self.reading = True
        self._number = 0
        self._said = 0

    def _take(self, data: object) -> None:
        batch: Message = json.loads(msgspec.json.encode(data))  # nothing but plain JSON goes there
        assert batch["relay"] == "p"
        self._number += 1
        assert batch["number"] == self._number
        self.batch_times.append(time.monotonic())
        self.got += map(json.loads, batch.get("texts", []))
        self.answers |= {answer["id"]: answer for answer in batch.get("answers", [])}
        self.closed = batch.get("closed")
        if self.reading:
            self.read()

    def read(self) -> None:
        """Answer what came so far."""
        self.tell(do="got", number=self._number)

    def tell(self, **message: object) -> None:
        self.relay.receive({"relay": "p", **message})

    def say(self, **command: object) -> None:
        self._said += 1
        self.tell(do="say", number=self._said, text=json.dumps(command))

    async def ask(self, path: str, /, **query: str) -> Message:
        number = len(self.answers) + 1
        self.tell(do="get", id=number, path=path, query=query)
        await until(lambda: is_so(number in self.answers))
        return self.answers[number]

    async def symbols(self) -> list[str]:
        listed = json.loads((await self.ask("symbols"))["body"])["symbols"]
        return [info["symbol"] for info in listed]

    async def until_closed(self) -> list[object]:
        await until(lambda: is_so(self.closed is not None))
        assert self.closed is not None
        return self.closed

    def rows(self, channel: str) -> list[list[Any]]:
        return [
            row for message in self.got if message["type"] == channel for row in message["rows"]
        ]


async def is_so(truth: bool) -> bool:
    return truth


@asynccontextmanager
async def page(feed_url: str, **options: Any) -> AsyncIterator[PlayedPage]:
    """A page with an open relay; afterwards no task of it may be left."""
    before = asyncio.all_tasks()
    played = PlayedPage(feed_url, **options)
    played.tell(do="open")
    try:
        yield played
    finally:
        played.relay.close()
        await until(lambda: is_so(asyncio.all_tasks() <= before))
        assert played.relay.links == 0


@pytest.fixture(scope="module")
def busy_feed() -> Iterator[FeedProcess]:
    """Far more trades a second than a page could be sent one by one."""
    settings = {"provider": "simulated", "simulated_symbols": "20", "simulated_hz": "30"}
    with FeedProcess(settings) as process:
        yield process


def connections(feed: FeedProcess) -> int:
    """Return how many clients the feed has now."""
    metrics = httpx.get(f"{feed.url}/metrics").text.splitlines()
    return int(float(next(m for m in metrics if m.startswith("quotewire_connections ")).split()[1]))


async def test_the_feeds_messages_come_as_they_are_and_in_few_batches(
    busy_feed: FeedProcess,
) -> None:
    async with page(busy_feed.url) as played:
        await until(lambda: is_so(len(played.got) >= 2))
        assert [message["type"] for message in played.got[:2]] == ["welcome", "status"]
        symbols = await played.symbols()
        played.say(type="subscribe", id=1, channel="quotes", symbols=symbols)
        await until(lambda: is_so(len(played.rows("quotes")) > 500))
        times = played.batch_times
        assert min(b - a for a, b in pairwise(times)) > 0.24
        offsets: dict[str, int] = {}
        for row in played.rows("quotes"):
            assert row[8] > offsets.get(row[0], 0), "reordered"
            offsets[row[0]] = row[8]


async def test_requests_are_answered_and_only_those_that_are_allowed(feed: FeedProcess) -> None:
    async with page(feed.url) as played:
        bars = await played.ask("bars", symbol="AAPL", interval="1d", limit="3")
        assert len(json.loads(bars["body"])["close"]) == 3
        told = json.loads((await played.ask("gateways"))["body"])
        assert [report["server"] for report in told["gateways"]] == [told["server"]]
        assert "AAPL" in json.loads((await played.ask("subscriptions"))["body"])
        assert (await played.ask("bars", symbol="NOPE"))["code"] == "unknown_symbol"
        for path in ("stream", "../metrics", "symbols/../../healthz", ""):
            assert (await played.ask(path))["code"] == "not_found"
        assert (await played.ask("bars", path="/metrics"))["code"] == "bad_parameter"
        assert (await played.ask("quotes", symbols="A" * 20_000))["code"] == "bad_parameter"


async def test_a_page_that_pauses_loses_no_trade_and_one_that_stays_away_is_left(
    busy_feed: FeedProcess,
) -> None:
    async with page(busy_feed.url, max_bytes=20_000, stall_ms=5000) as played:
        symbols = await played.symbols()
        played.say(type="subscribe", id=1, channel="trades", symbols=symbols)
        await until(lambda: is_so(len(played.rows("trades")) > 100))
        played.reading = False
        await until(lambda: is_so(time.monotonic() - played.batch_times[-1] > 2))
        seen = len(played.rows("trades"))
        played.reading = True
        played.read()
        await until(lambda: is_so(len(played.rows("trades")) > seen + 2000))
        assert in_order(played), "reordered or repeated"
        assert not [m for m in played.got if False in m.get("recovered", {}).values()]
        played.reading = False
        assert await played.until_closed() == [4009, "the page took nothing for too long"]


def in_order(played: PlayedPage) -> bool:
    held: dict[str, int] = {}
    for row in played.rows("trades"):
        if row[5] <= held.get(row[0], 0):
            return False
        held[row[0]] = row[5]
    return True


async def test_a_closed_link_leaves_nothing_open(feed: FeedProcess) -> None:
    before = connections(feed)
    async with page(feed.url) as played:
        await until(lambda: is_so(bool(played.got)))
        assert connections(feed) == before + 1
        played.tell(do="get", id=1, path="symbols")
        played.tell(do="close")
        await until(lambda: is_so(connections(feed) == before))
        assert played.closed is None
        played.tell(do="got", number=1)  # crossed with the end


async def test_a_feed_that_is_away_or_goes_is_told() -> None:
    async with page(f"http://127.0.0.1:{free_port()}") as played:
        number, reason = await played.until_closed()
        assert number is None
        assert "cannot reach the feed" in str(reason)
    with FeedProcess() as going:
        async with page(going.url) as played:
            await until(lambda: is_so(bool(played.got)))
            answer = await played.ask("symbols")
            assert "body" in answer
            going.stop()
            assert (await played.until_closed())[0] == 1001
            assert played.got[-1]["type"] == "shutdown"


async def test_a_command_that_got_lost_ends_the_link(feed: FeedProcess) -> None:
    async with page(feed.url) as played:
        played.tell(do="say", number=2, text="{}")
        assert "lost" in str((await played.until_closed())[1])


async def test_too_long_or_too_many_commands_end_the_link(feed: FeedProcess) -> None:
    async with page(feed.url) as played:
        played.say(type="ping", id=1, filler="x" * 70_000)
        assert (await played.until_closed())[0] == 1009
    async with page(feed.url) as played:
        for number in range(300):
            played.say(type="ping", id=number)
        assert (await played.until_closed())[0] == 4029


async def test_one_element_has_few_links(feed: FeedProcess) -> None:
    said: list[Any] = []
    relay = Relay(feed.url, lambda: "", said.append)
    for number in range(MAX_LINKS + 1):
        relay.receive({"do": "open", "relay": str(number)})
    assert relay.links == MAX_LINKS
    assert said == [{"relay": "4", "number": 1, "closed": (None, "too many pages are relayed")}]
    relay.close()
    await until(lambda: is_so(relay.links == 0))


def relaying() -> int:
    """Return how many links this process has."""
    return sum(task.get_name() == "relay" for task in asyncio.all_tasks())


async def test_what_an_element_relays_ends_with_its_last_page(feed: FeedProcess) -> None:
    element = ConnectionBadge(feed_url="http://feed.test", relay_url=feed.url)
    roots = [element.get_root(Document()) for _ in range(2)]
    await element._handle_msg({"do": "open", "relay": "p"})
    assert relaying() == 1
    element._cleanup(roots[0])
    await asyncio.sleep(0.1)
    assert relaying() == 1
    element._cleanup(roots[1])
    await until(lambda: is_so(relaying() == 0))


@pytest.mark.parametrize("relay_url", ["http://inside.test", ""])
async def test_an_element_tells_the_page_no_more_than_whether_it_can_relay(relay_url: str) -> None:
    element = ConnectionBadge(feed_url="http://feed.test", relay_url=relay_url)
    document = Document()
    document.add_root(element.get_root(document))
    told = serialize_json(document.to_json())
    assert ('"can_relay":true' in told) is bool(relay_url)
    assert "inside.test" not in told


async def test_an_element_without_a_relay_opens_none() -> None:
    element = ConnectionBadge(feed_url="http://feed.test")
    await element._handle_msg({"do": "open", "relay": "p"})
    assert relaying() == 0


@pytest.mark.parametrize("data", [None, "open", {"do": "open"}, {"do": "fetch", "relay": "p"}])
async def test_what_is_no_message_is_refused(feed: FeedProcess, data: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        Relay(feed.url, str, print).receive(data)
