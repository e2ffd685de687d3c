"""Trades, bars and quotes of a market that the test moves: beginning, and going on."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from feed_server.protocol import (
    Bars,
    Error,
    ErrorCode,
    Heartbeat,
    Pong,
    Position,
    Quotes,
    Subscribed,
    Trades,
    Unsubscribed,
)
from tests.harness import FeedProcess
from tests.market import Market, gateway_of, market
from tests.raw_socket import RawSocket

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def here() -> Iterator[Market]:
    with market() as opened:
        yield opened


@pytest.fixture(scope="module")
def feed(here: Market) -> Iterator[FeedProcess]:
    with gateway_of(here, heartbeat_ms="500") as process:
        yield process


def trades_of(
    client: RawSocket, symbol: str, *, up_to: int
) -> tuple[list[int], list[bool], Position | None]:
    """Read until a symbol's trades have come so far; return offsets, what was said, where it is."""
    offsets: list[int] = []
    recovered: list[bool] = []
    position: Position | None = None
    while max([position.offset if position is not None else 0, *offsets]) < up_to:
        message = client.next(Trades)
        offsets += [row.offset for row in message.rows if row.symbol == symbol]
        position = message.positions.get(symbol, position)
        recovered += [message.recovered[symbol]] if symbol in message.recovered else []
    return offsets, recovered, position


def test_trades_begin_with_a_position_and_follow_one_by_one(
    feed: FeedProcess, here: Market
) -> None:
    at = here.trade()
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        assert client.next(Subscribed).symbols == ["AAPL"]
        begun = client.next(Trades)
        assert (begun.positions, begun.rows, begun.recovered) == ({"AAPL": at}, [], {})
        for trades in (1, 3, 500):
            here.trade(trades=trades)
        offsets, recovered, _ = trades_of(client, "AAPL", up_to=at.offset + 504)
        assert offsets == list(range(at.offset + 1, at.offset + 505))
        assert recovered == []


@pytest.mark.parametrize("missed", [0, 1, 1300])
def test_who_comes_back_gets_exactly_the_trades_that_it_missed(
    feed: FeedProcess, here: Market, missed: int
) -> None:
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        at = client.next(Trades).positions["AAPL"]
    for _ in range(missed):
        here.trade()
    with RawSocket(feed.port) as client:
        since = {"AAPL": [at.epoch, at.offset]}
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"], since=since)
        offsets, recovered, position = trades_of(client, "AAPL", up_to=at.offset + missed)
        assert offsets == list(range(at.offset + 1, at.offset + missed + 1))
        assert recovered == [True]
        assert position == Position(at.epoch, at.offset + missed)
        after = here.trade()
        assert trades_of(client, "AAPL", up_to=after.offset)[0] == [after.offset]


@pytest.mark.parametrize(
    "since",
    [["made up", 1], ["", 0], ["made up", 2**53 - 1]],
    ids=["epoch", "beginning", "far"],
)
def test_who_stands_nowhere_is_told_and_begins_anew(
    feed: FeedProcess, here: Market, since: list[object]
) -> None:
    at = here.trade()
    with RawSocket(feed.port) as client:
        client.say(
            type="subscribe", id=1, channel="trades", symbols=["AAPL"], since={"AAPL": since}
        )
        offsets, recovered, position = trades_of(client, "AAPL", up_to=at.offset)
        assert (offsets, recovered, position) == ([], [False], at)


@pytest.mark.parametrize("offset", [-1, -(2**63), 2**53, 2**63, 2**64, 10**30])
@pytest.mark.parametrize("honest_epoch", [True, False])
def test_a_position_that_cannot_be_holds_nobody_up(
    feed: FeedProcess, here: Market, offset: int, honest_epoch: bool
) -> None:
    at = here.trade()
    bad = {"AAPL": [at.epoch if honest_epoch else "x", offset]}
    with ExitStack() as stack:
        for _ in range(10):
            rogue = stack.enter_context(RawSocket(feed.port))
            rogue.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"], since=bad)
            rogue.say(type="ping", id=2)
            rogue.next(Pong)
        client = stack.enter_context(RawSocket(feed.port))
        since = {"AAPL": [at.epoch, at.offset - 1]}
        began_s = time.monotonic()
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"], since=since)
        assert trades_of(client, "AAPL", up_to=at.offset)[:2] == ([at.offset], [True])
        assert time.monotonic() - began_s < 4


def test_trades_that_the_log_has_not_told_are_owned_up_to(feed: FeedProcess, here: Market) -> None:
    at = here.trade()
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        # The trade may be on its way still, told as a row after the position.
        told = trades_of(client, "AAPL", up_to=at.offset)
        assert told[0] in ([], [at.offset])
        after = here.trade(trades=2, missing=5)
        offsets, recovered, position = trades_of(client, "AAPL", up_to=after.offset)
        assert (offsets, recovered) == ([after.offset - 1, after.offset], [False])
        assert position == after
    with RawSocket(feed.port) as client:
        since = {"AAPL": [at.epoch, at.offset]}
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"], since=since)
        assert trades_of(client, "AAPL", up_to=after.offset)[:2] == ([], [False])


def test_bars_that_became_final_meanwhile_come_once_when_one_comes_back(
    feed: FeedProcess, here: Market
) -> None:
    ask = {"type": "subscribe", "id": 1, "channel": "bars", "symbols": ["IBM"], "interval": "1d"}
    here.trade("IBM", closes=True)
    with RawSocket(feed.port) as client:
        client.say(**ask)
        begun = client.next(Bars)
        assert list(begun.epochs) == list(begun.offsets) == ["IBM"]
        assert not begun.rows[-1].final
    for closes in (True, False, True, True):
        here.trade("IBM", closes=closes)
    with RawSocket(feed.port) as client:
        client.say(**ask, since={"IBM": [begun.epochs["IBM"], begun.offsets["IBM"]]})
        back = client.next(Bars)
        assert back.recovered == {"IBM": True}
        assert back.offsets["IBM"] == begun.offsets["IBM"] + 4
        first = begun.rows[-1].start_ms
        assert [((row.start_ms - first) // 86_400_000, row.final) for row in back.rows] == [
            (0, True),
            (1, True),
            (2, True),
            (3, False),
        ]
    with RawSocket(feed.port) as client:
        client.say(**ask, since={"IBM": ["made up", 3]})
        lost = client.next(Bars)
        assert (lost.recovered, [row.final for row in lost.rows]) == ({"IBM": False}, [False])


def test_quotes_that_have_not_changed_are_not_told_again(feed: FeedProcess, here: Market) -> None:
    at = {symbol: here.trade(symbol) for symbol in ("AAPL", "IBM")}
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="quotes", symbols=["AAPL", "IBM"])
        symbols = {row.symbol for row in client.next(Quotes).rows}
        while symbols != {"AAPL", "IBM"}:
            symbols |= {row.symbol for row in client.next(Quotes).rows}
    here.trade("IBM")
    with RawSocket(feed.port) as client:
        since = {symbol: [place.epoch, place.offset] for symbol, place in at.items()}
        client.say(type="subscribe", id=1, channel="quotes", symbols=["AAPL", "IBM"], since=since)
        snapshot = client.next(Quotes)
        assert ([row.symbol for row in snapshot.rows], snapshot.snapshot) == (["IBM"], True)
        here.trade("AAPL")
        (row,) = client.next(Quotes).rows
        assert (row.symbol, row.count, row.offset) == ("AAPL", 1, at["AAPL"].offset + 1)


def test_without_a_snapshot_quotes_begin_with_the_next_change(
    feed: FeedProcess, here: Market
) -> None:
    with RawSocket(feed.port) as other, RawSocket(feed.port) as client:
        other.say(type="subscribe", id=1, channel="quotes", symbols=["MSFT"])
        other.next(Quotes)
        client.say(type="subscribe", id=1, channel="quotes", symbols=["MSFT"], snapshot=False)
        client.next(Subscribed)
        after = here.trade("MSFT")
        message = client.next(Quotes)
        assert not message.snapshot
        assert [(row.offset, row.count) for row in message.rows] == [(after.offset, 1)]
        assert message.details["MSFT"].epoch == after.epoch


def test_a_heartbeat_says_how_many_messages_came(feed: FeedProcess, here: Market) -> None:
    with RawSocket(feed.port) as client:
        client.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        for _ in range(3):
            here.trade()
            heartbeat = client.next(Heartbeat)
            assert heartbeat.frames == client.frames - 1


def test_trouble_of_a_source_is_told_to_those_who_have_the_symbol(
    feed: FeedProcess, here: Market
) -> None:
    with RawSocket(feed.port) as ann, RawSocket(feed.port) as bob:
        ann.say(type="subscribe", id=1, channel="trades", symbols=["AAPL"])
        bob.say(type="subscribe", id=1, channel="quotes", symbols=["IBM"])
        ann.next(Trades)
        bob.next(Quotes)
        here.fail(None, "the line is down")
        here.fail("AAPL", "halted")
        here.fail("IBM", "delisted")
        error = ann.next(Error)
        assert (error.code, error.symbol) == (ErrorCode.SOURCE, "AAPL")
        assert error.message == "test: halted"
        assert bob.next(Error).symbol == "IBM"
        ann.say(type="unsubscribe", id=2, channel="trades", symbols=["AAPL"])
        ann.next(Unsubscribed)
        here.fail("AAPL", "halted again")
        here.fail("IBM", "delisted again")
        assert bob.next(Error).symbol == "IBM"
        ann.say(type="ping", id=3)
        assert not isinstance(ann.hear(), Error)
