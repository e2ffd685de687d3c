from collections.abc import Callable

import msgspec
import pytest

from feed_server.gateway.cohort import Delivery
from feed_server.gateway.pending_lossless import MAX_ROWS
from feed_server.gateway.topics import Topic
from feed_server.protocol import Bars, Interval, Position, Trades
from tests.desk import (
    DAILY,
    QUOTES,
    SLOW_QUOTES,
    SLOW_TRADES,
    TRADES,
    Desk,
    at,
    bars_of,
    closing,
    lasts,
    offsets,
    quotes_of,
    rows,
    traded,
    trades_of,
    with_,
)
from tests.updates import bar, stored

BEGINNING = Position("", 0)

# ---- quotes ---------------------------------------------------------------------------------


def test_the_first_change_of_a_quiet_symbol_goes_out_at_once() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(last=5), 7.0)
    assert desk.fanout.next_due_s() == 7.0
    assert lasts(desk.due(7.0)) == [(("ann",), "AAPL", 5, 1)]


def test_changes_within_the_interval_are_conflated_and_say_how_many_they_stand_for() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(last=5), 7.0)
    assert len(desk.due(7.0)) == 1
    for number in range(2, 6):
        desk.offer(stored(last=number, offset=number), 7.01)
    assert desk.due(7.05) == []
    assert lasts(desk.due(7.1)) == [(("ann",), "AAPL", 5, 4)]
    assert desk.fanout.next_due_s() is None


def test_counts_begin_where_the_snapshot_ended() -> None:
    desk = Desk()
    desk.offer(stored(offset=40, count=7))
    (snapshot,) = desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(offset=43, count=3))
    (update,) = desk.due()
    assert (rows(snapshot)[0].offset, rows(update)[0].offset, rows(update)[0].count) == (40, 43, 3)


def test_a_new_epoch_begins_a_new_count() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(offset=50, count=50))
    desk.offer(stored(offset=2, count=2, epoch="e2"))
    (delivery,) = desk.due()
    assert rows(delivery)[0].count == 2
    assert quotes_of(delivery).details["AAPL"].epoch == "e2"


def test_members_with_the_same_symbols_and_rate_share_one_message() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], 0)
    desk.fanout.subscribe("bob", QUOTES, ["IBM", "AAPL"], 0)
    desk.fanout.subscribe("cid", SLOW_QUOTES, ["AAPL"], 0)
    assert desk.fanout.cohorts == 2
    desk.offer(stored())
    assert [d.members for d in desk.due()] == [("ann", "bob"), ("cid",)]


def test_details_go_along_only_when_they_changed() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(offset=1))
    (first,) = desk.due()
    desk.offer(stored(offset=2), 1)
    (second,) = desk.due(1)
    assert list(quotes_of(first).details) == ["AAPL"]
    assert quotes_of(second).details == {}


def test_a_joining_member_gets_a_snapshot_and_nothing_twice() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(last=1, offset=1))
    desk.due()
    desk.offer(stored(last=2, offset=2), 0.01)
    owed = desk.fanout.subscribe("bob", QUOTES, ["AAPL"], 0.02)
    assert [(d.members, rows(d)[0].last) for d in owed] == [(("ann",), 2), (("bob",), 2)]
    assert quotes_of(owed[1]).snapshot
    assert desk.due(1) == []


def test_a_member_that_takes_more_symbols_is_not_cheated_of_what_was_pending() -> None:
    desk = Desk()
    desk.latest["IBM"] = stored("IBM")
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(offset=1))
    desk.due()
    desk.offer(stored(last=2, offset=2), 0.01)
    owed = desk.fanout.subscribe("ann", QUOTES, ["IBM"], 0.02)
    assert [(rows(d)[0].symbol, rows(d)[0].last) for d in owed] == [("AAPL", 2), ("IBM", 1)]
    assert desk.fanout.symbols_of("ann") == {"AAPL", "IBM"}
    assert desk.fanout.subscriptions_of("ann") == {QUOTES: {"AAPL", "IBM"}}


def test_subscribing_again_changes_nothing() -> None:
    desk = Desk()
    desk.offer(stored())
    assert len(desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)) == 1
    assert desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0) == []
    desk.offer(stored(offset=2))
    assert lasts(desk.due()) == [(("ann",), "AAPL", 1, 1)]


def test_who_stands_at_the_newest_quote_is_not_told_it_again() -> None:
    desk = Desk()
    desk.offer(stored(offset=3))
    desk.offer(stored("IBM", offset=3))
    since = {"AAPL": at(3), "IBM": at(2)}
    (snapshot,) = desk.fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], 0, since=since)
    assert [row.symbol for row in rows(snapshot)] == ["IBM"]


def test_who_stands_in_another_epoch_is_told_the_newest_quote() -> None:
    desk = Desk()
    desk.offer(stored(offset=3))
    since = {"AAPL": at(3, "e0")}
    assert len(desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0, since=since)) == 1


def test_without_a_snapshot_quotes_begin_with_the_next_change() -> None:
    desk = Desk()
    desk.offer(traded(1))
    assert desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0, snapshot=False) == []
    desk.offer(traded(2))
    assert lasts(desk.due()) == [(("ann",), "AAPL", 2, 1)]


@pytest.mark.parametrize("topic", [TRADES, DAILY])
def test_a_lossless_topic_says_where_it_begins_whether_asked_or_not(topic: Topic) -> None:
    desk = Desk()
    desk.offer(traded(1))
    (begun,) = desk.fanout.subscribe("ann", topic, ["AAPL"], 0, snapshot=False)
    assert begun.batch.since == {"AAPL": at(1)}


@pytest.mark.parametrize(
    ("since", "snapshot"), [({}, False), ({"AAPL": at(1)}, True)], ids=["unasked", "unchanged"]
)
def test_who_joins_without_a_snapshot_is_told_the_details_that_rows_are_read_by(
    since: dict[str, Position], snapshot: bool
) -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(offset=1))
    desk.due()
    joined = desk.fanout.subscribe("bob", QUOTES, ["AAPL"], 0, since=since, snapshot=snapshot)
    assert joined == []
    desk.offer(stored(offset=2), 1)
    (delivery,) = desk.due(1)
    assert delivery.members == ("ann", "bob")
    assert list(quotes_of(delivery).details) == ["AAPL"]


def test_who_joined_without_a_snapshot_is_told_the_details_in_its_next_cohort_too() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], 0)
    for symbol in ("AAPL", "IBM"):
        desk.offer(stored(symbol))
    desk.due()
    for symbol in ("AAPL", "IBM"):
        desk.fanout.subscribe("bob", QUOTES, [symbol], 0, snapshot=False)
    desk.offer(stored(offset=2), 1)
    (delivery,) = desk.due(1)
    assert delivery.members == ("ann", "bob")
    assert list(quotes_of(delivery).details) == ["AAPL"]


def test_what_was_read_anew_is_told_as_a_snapshot_with_its_details() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], 0)
    for symbol in ("AAPL", "IBM"):
        desk.offer(stored(symbol, offset=1))
    desk.due()
    desk.restate(stored(last=9, offset=9), 1)
    desk.offer(stored("IBM", offset=2), 1)
    (delivery,) = desk.due(1)
    message = quotes_of(delivery)
    assert [(row.symbol, row.offset) for row in message.rows] == [("AAPL", 9), ("IBM", 2)]
    assert message.snapshot
    assert sorted(message.details) == ["AAPL", "IBM"]


def test_a_member_that_missed_quotes_gets_the_newest_of_each_when_it_can_read() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL", "IBM", "FB"], 0)
    for offset in (1, 2, 3):
        for symbol in ("AAPL", "IBM"):
            desk.offer(stored(symbol, last=offset, offset=offset), offset)
            (delivery,) = desk.due(offset + 0.5 * (symbol == "IBM"))
            desk.fanout.missed("ann", delivery)
    assert desk.fanout.is_behind("ann")
    (snapshot,) = desk.fanout.catch_up("ann", 4)
    assert snapshot.members == ("ann",)
    assert quotes_of(snapshot).snapshot
    assert [(row.symbol, row.last) for row in rows(snapshot)] == [("AAPL", 3), ("IBM", 3)]
    assert not desk.fanout.is_behind("ann")
    assert desk.fanout.catch_up("ann", 4) == []


def test_counts_are_those_since_what_a_member_was_told_when_it_caught_up() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(stored(offset=1), 0)
    (first,) = desk.due(0)
    desk.fanout.missed("ann", first)
    desk.offer(stored(offset=2), 0.01)
    held = 0
    sent = desk.fanout.catch_up("ann", 0.02)
    desk.offer(stored(offset=3), 0.03)
    for delivery in [*sent, *desk.due(0.2)]:
        for row in rows(delivery):
            assert quotes_of(delivery).snapshot or row.count == row.offset - held
            held = row.offset
    assert held == 3


# ---- trades and bars ------------------------------------------------------------------------


def test_trades_begin_with_where_the_member_stands_and_every_one_follows() -> None:
    desk = Desk()
    desk.offer(traded(4))
    (begun,) = desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0)
    assert trades_of(begun).positions == {"AAPL": at(4)}
    assert trades_of(begun).rows == []
    desk.offer(traded(5))
    desk.offer(traded(8, trades=3))
    (delivery,) = desk.due()
    message = trades_of(delivery)
    assert [row.offset for row in message.rows] == [5, 6, 7, 8]
    assert [row.size for row in message.rows] == [1, 1, 2, 3]
    assert (message.positions, message.recovered) == ({}, {})


def test_the_first_trades_of_a_symbol_that_was_not_known_say_where_they_stand() -> None:
    desk = Desk()
    assert desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0) == []
    desk.offer(traded(1))
    (delivery,) = desk.due()
    assert trades_of(delivery).positions == {"AAPL": at(1)}
    assert trades_of(delivery).recovered == {}
    assert [row.offset for row in trades_of(delivery).rows] == [1]


def test_trades_that_nobody_told_are_owned_up_to() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0)
    desk.offer(traded(2))
    desk.offer(traded(9, trades=2, missing=5))
    (delivery,) = desk.due()
    message = trades_of(delivery)
    assert [row.offset for row in message.rows] == [8, 9]
    assert message.recovered == {"AAPL": False}
    assert message.positions == {"AAPL": at(9)}


def test_trades_of_an_epoch_that_is_over_are_dropped_and_that_is_told() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL", "IBM"], 0)
    desk.offer(traded(2))
    desk.offer(traded(1, "IBM"))
    desk.offer(traded(1, epoch="e2"))
    (delivery,) = desk.due()
    message = trades_of(delivery)
    assert [(row.symbol, row.offset) for row in message.rows] == [("IBM", 1), ("AAPL", 1)]
    assert message.recovered == {"AAPL": False}
    assert message.positions == {"AAPL": at(1, "e2"), "IBM": at(1)}


def test_final_bars_are_never_dropped_and_forming_ones_are_conflated() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0)
    for offset in (1, 2, 3):
        desk.offer(with_(traded(offset), bars=[bar(close=offset, day=0)]))
    desk.offer(with_(traded(4), bars=[bar(close=3, day=0, final=True), bar(close=4, day=1)]))
    desk.offer(with_(traded(5), bars=[bar(close=5, day=1)]))
    (delivery,) = desk.due()
    message = bars_of(delivery)
    assert [(b.start_ms, b.close, b.final) for b in message.rows] == [
        (0, 3, True),
        (86_400_000, 5, False),
    ]
    assert (message.epochs, message.offsets) == ({"AAPL": "e1"}, {"AAPL": 5})


def test_bars_say_where_the_member_stands_and_the_epoch_once() -> None:
    desk = Desk()
    desk.offer(traded(1))
    (begun,) = desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0)
    assert (bars_of(begun).epochs, bars_of(begun).offsets) == ({"AAPL": "e1"}, {"AAPL": 1})
    assert bars_of(begun).snapshot
    desk.offer(traded(2))
    (delivery,) = desk.due()
    assert (bars_of(delivery).epochs, bars_of(delivery).offsets) == ({}, {"AAPL": 2})
    assert not bars_of(delivery).snapshot


def test_a_new_epoch_voids_the_bars_that_waited() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", DAILY, ["AAPL", "IBM"], 0)
    desk.offer(stored("IBM"))
    desk.offer(stored(offset=9))
    desk.offer(with_(stored(epoch="e2"), bars=[bar(day=-5)]))
    (delivery,) = desk.due()
    message = bars_of(delivery)
    assert [(b.symbol, b.start_ms) for b in message.rows] == [
        ("AAPL", -5 * 86_400_000),
        ("IBM", 0),
    ]
    assert message.epochs == {"AAPL": "e2", "IBM": "e1"}
    assert message.recovered == {"AAPL": False}


def test_trades_that_may_be_missing_before_a_restated_symbol_are_owned_up_to() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0)
    desk.fanout.subscribe("bob", DAILY, ["AAPL"], 0)
    desk.offer(traded(2))
    desk.restate(traded(9))
    trades, bars = desk.due()
    assert trades_of(trades).rows == []
    assert trades_of(trades).positions == {"AAPL": at(9)}
    assert trades_of(trades).recovered == {"AAPL": False}
    assert bars_of(bars).recovered == {"AAPL": False}
    assert bars_of(bars).offsets == {"AAPL": 9}
    assert [b.close for b in bars_of(bars).rows] == [9]


def test_what_is_restated_where_members_stand_already_has_no_gap() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0)
    desk.restate(traded(1))
    assert desk.due() == []


# ---- going on from a position ---------------------------------------------------------------


def test_a_member_goes_on_from_where_it_stood() -> None:
    desk = Desk()
    for offset in (1, 2, 3, 4):
        desk.offer(traded(offset))
    assert desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(2)}) == []
    assert desk.fanout.symbols_of("ann") == {"AAPL"}
    (delivery,) = desk.recover("ann")
    assert delivery.members == ("ann",)
    assert [row.offset for row in trades_of(delivery).rows] == [3, 4]
    assert trades_of(delivery).positions == {"AAPL": at(4)}
    assert trades_of(delivery).recovered == {"AAPL": True}
    desk.offer(traded(5))
    assert offsets(desk.due(), "ann") == [("AAPL", 5)]
    assert desk.fanout.recoveries_of("ann") == []


def test_a_long_recovery_comes_page_by_page() -> None:
    desk = Desk()
    for offset in range(1, 8):
        desk.offer(traded(offset))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(0)})
    sent = desk.recover("ann", page=3)
    assert [len(trades_of(d).rows) for d in sent] == [3, 3, 1]
    assert [trades_of(d).positions for d in sent] == [
        {"AAPL": at(3)},
        {"AAPL": at(6)},
        {"AAPL": at(7)},
    ]
    assert [trades_of(d).recovered for d in sent] == [{}, {}, {"AAPL": True}]
    assert offsets(sent, "ann") == [("AAPL", offset) for offset in range(1, 8)]


def test_what_is_heard_while_the_log_is_read_is_neither_missing_nor_there_twice() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.offer(traded(2))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(0)})
    (recovery,) = desk.fanout.recoveries_of("ann")
    desk.offer(traded(3))
    read = {"AAPL": desk.logged_after("AAPL", 0)}
    desk.offer(traded(4))
    assert desk.due() == []
    sent = desk.fanout.advance(recovery, read, 0)
    assert offsets(sent, "ann") == [("AAPL", offset) for offset in (1, 2, 3, 4)]
    assert recovery.since == {}


def test_a_log_that_is_ahead_of_the_present_loses_nothing() -> None:
    """The log is read on another connection than the present is heard on."""
    desk = Desk()
    desk.offer(traded(1))
    desk.offer(traded(2))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(1)})
    (recovery,) = desk.fanout.recoveries_of("ann")
    sent = desk.fanout.advance(recovery, {"AAPL": [traded(2), traded(3)]}, 0)
    if recovery.since:
        sent += desk.fanout.advance(recovery, {"AAPL": []}, 0)
    desk.offer(traded(3))
    sent += desk.due()
    assert offsets(sent, "ann") == [("AAPL", 2), ("AAPL", 3)]
    assert [trades_of(d).recovered for d in sent if trades_of(d).recovered] == [{"AAPL": True}]


@pytest.mark.parametrize(
    "since", [at(1), at(3, "e0"), at(9), BEGINNING], ids=["trimmed", "epoch", "beyond", "beginning"]
)
@pytest.mark.parametrize("topic", [TRADES, DAILY])
def test_who_cannot_be_brought_to_the_present_is_told_and_begins_anew(
    topic: Topic, since: Position
) -> None:
    desk = Desk()
    for offset in (1, 2, 3, 4):
        desk.offer(traded(offset))
    del desk.log["AAPL"][:2]
    desk.fanout.subscribe("ann", topic, ["AAPL"], 0, since={"AAPL": since})
    (delivery,) = desk.recover("ann")
    if topic is TRADES:
        trades = trades_of(delivery)
        assert (trades.rows, trades.recovered) == ([], {"AAPL": False})
        assert trades.positions == {"AAPL": at(4)}
    else:
        bars = bars_of(delivery)
        assert ([b.close for b in bars.rows], bars.recovered) == ([4], {"AAPL": False})
        assert (bars.epochs, bars.offsets) == ({"AAPL": "e1"}, {"AAPL": 4})
    desk.offer(traded(5))
    assert [d.members for d in desk.due()] == [("ann",)]


def test_trades_told_nowhere_are_a_gap_for_trades_but_not_for_bars() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.offer(closing(2, day=0))
    desk.offer(with_(traded(5, trades=1, missing=2), bars=[bar(close=5, day=1)]))
    for member, topic in (("ann", TRADES), ("bob", DAILY)):
        desk.fanout.subscribe(member, topic, ["AAPL"], 0, since={"AAPL": at(1)})
    (trades,), (bars,) = desk.recover("ann"), desk.recover("bob")
    assert trades_of(trades).recovered == {"AAPL": False}
    assert bars_of(bars).recovered == {"AAPL": True}
    assert [(b.start_ms, b.final) for b in bars_of(bars).rows] == [(0, True), (86_400_000, False)]


def test_final_bars_of_the_time_away_come_with_the_forming_one() -> None:
    desk = Desk()
    desk.offer(traded(1))
    for day in range(3):
        desk.offer(closing(day + 2, day=day))
    desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0, since={"AAPL": at(1)})
    sent = desk.recover("ann", page=2)
    closed = [b.start_ms for d in sent for b in bars_of(d).rows if b.final]
    assert closed == [0, 86_400_000, 2 * 86_400_000]
    assert bars_of(sent[-1]).rows[-1].close == 4
    assert bars_of(sent[-1]).offsets == {"AAPL": 4}


def test_a_bar_that_was_final_already_is_not_told_again() -> None:
    desk = Desk()
    desk.offer(closing(3, day=0))
    desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0, since={"AAPL": at(3)})
    (delivery,) = desk.recover("ann")
    assert [(b.start_ms, b.final) for b in bars_of(delivery).rows] == [(86_400_000, False)]


def test_a_recovery_at_the_present_brings_nothing_and_says_so() -> None:
    desk = Desk()
    desk.offer(traded(3))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(3)})
    (delivery,) = desk.recover("ann")
    assert trades_of(delivery).rows == []
    assert trades_of(delivery).recovered == {"AAPL": True}


def test_of_several_symbols_each_arrives_when_it_can() -> None:
    desk = Desk()
    for offset in range(1, 6):
        desk.offer(traded(offset))
    desk.offer(traded(1, "IBM"))
    desk.fanout.subscribe("ann", TRADES, ["AAPL", "IBM"], 0, since={"AAPL": at(0), "IBM": at(0)})
    first = desk.advance("ann", page=3)
    assert trades_of(first[-1]).recovered == {"IBM": True}
    desk.offer(traded(2, "IBM"))
    desk.offer(traded(6))
    assert offsets(desk.due(), "ann") == [("IBM", 2)]
    assert offsets(desk.recover("ann"), "ann") == [("AAPL", 4), ("AAPL", 5), ("AAPL", 6)]


def test_what_a_member_has_keeps_flowing_while_something_else_recovers() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", TRADES, ["IBM"], 0)
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(0)})
    desk.offer(traded(1, "IBM"))
    assert offsets(desk.due(), "ann") == [("IBM", 1)]
    assert desk.fanout.subscriptions_of("ann") == {TRADES: {"AAPL", "IBM"}}


def test_a_finished_recovery_does_nothing_more() -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(0)})
    (recovery,) = desk.fanout.recoveries_of("ann")
    desk.recover("ann")
    assert desk.fanout.advance(recovery, {"AAPL": [traded(1)]}, 0) == []


def test_a_symbol_that_is_gone_from_redis_is_owned_up_to() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(4)})
    (delivery,) = desk.recover("ann")
    assert trades_of(delivery).recovered == {"AAPL": False}
    desk.offer(traded(1, epoch="e2"))
    (first,) = desk.due()
    assert trades_of(first).positions == {"AAPL": at(1, "e2")}


@pytest.mark.parametrize("topic", [TRADES, DAILY])
def test_a_loss_is_told_although_the_symbol_was_gone_from_redis_for_a_while(topic: Topic) -> None:
    desk = Desk()
    desk.offer(traded(4))
    desk.fanout.subscribe("ann", topic, ["AAPL"], 0)
    del desk.latest["AAPL"]
    desk.fanout.subscribe("ann", topic, ["IBM"], 0)
    desk.restate(traded(1, epoch="e2"))
    (delivery,) = desk.due()
    message = delivery.batch.message
    assert isinstance(message, (Trades, Bars))
    assert message.recovered == {"AAPL": False}


# ---- members that cannot read fast enough ---------------------------------------------------


def behind(topic: Topic = TRADES) -> Desk:
    """Ann stands at 1 of AAPL and IBM and has missed 2 and 3 of AAPL; Bob has all."""
    desk = Desk()
    for symbol in ("AAPL", "IBM"):
        desk.offer(traded(1, symbol))
    for member in ("ann", "bob"):
        desk.fanout.subscribe(member, topic, ["AAPL", "IBM"], 0)
    for offset in (2, 3):
        desk.offer(traded(offset), offset)
        for delivery in desk.due(offset):
            if "ann" in delivery.members:
                desk.fanout.missed("ann", delivery)
    return desk


def test_who_missed_trades_is_set_aside_and_loses_none() -> None:
    desk = behind()
    assert desk.fanout.is_behind("ann")
    assert desk.fanout.symbols_of("ann") == {"AAPL", "IBM"}
    desk.offer(traded(2, "IBM"), 4)
    (delivery,) = desk.due(4)
    assert delivery.members == ("bob",)
    assert desk.fanout.catch_up("ann", 5) == []
    assert not desk.fanout.is_behind("ann")
    desk.offer(traded(4), 5)
    sent = desk.recover("ann", 5)
    desk.offer(traded(5), 6)
    sent += desk.due(6)
    assert sorted(offsets(sent, "ann")) == [
        *(("AAPL", offset) for offset in (2, 3, 4, 5)),
        ("IBM", 2),
    ]
    assert trades_of(sent[-2]).recovered == {"AAPL": True, "IBM": True}


def test_who_missed_bars_gets_those_that_closed_meanwhile() -> None:
    desk = behind(DAILY)
    desk.offer(closing(4, day=0), 4)
    desk.due(4)
    desk.fanout.catch_up("ann", 5)
    (delivery,) = desk.recover("ann", 5)
    assert [(b.symbol, b.final) for b in bars_of(delivery).rows] == [
        ("AAPL", True),
        ("AAPL", False),
        ("IBM", False),
    ]
    assert bars_of(delivery).recovered == {"AAPL": True, "IBM": True}


def test_who_comes_back_too_late_is_told_what_is_lost() -> None:
    desk = behind()
    del desk.log["AAPL"][:2]
    desk.fanout.catch_up("ann", 5)
    (delivery,) = desk.recover("ann", 5)
    assert trades_of(delivery).recovered == {"AAPL": False, "IBM": True}


def test_who_missed_a_page_of_its_recovery_goes_on_from_before_it() -> None:
    desk = Desk()
    for offset in range(1, 6):
        desk.offer(traded(offset))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(0)})
    first = desk.advance("ann", page=2)
    (missed,) = desk.advance("ann", page=2)
    desk.fanout.missed("ann", missed)
    assert desk.fanout.recoveries_of("ann") == []
    desk.fanout.catch_up("ann", 1)
    sent = first + desk.recover("ann", 1)
    assert offsets(sent, "ann") == [("AAPL", offset) for offset in range(1, 6)]


def test_who_missed_a_page_loses_nothing_that_waits_of_other_symbols() -> None:
    desk = Desk()
    for offset in range(1, 6):
        desk.offer(traded(offset, "IBM"))
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0)
    desk.offer(traded(2), 0.0)
    sent = desk.due(0.0)
    desk.fanout.subscribe("ann", TRADES, ["IBM"], 0, since={"IBM": at(1)})
    desk.offer(traded(3), 0.01)  # waits for the cohort's time
    (missed,) = desk.advance("ann", 0.02, page=2)
    desk.fanout.missed("ann", missed)
    sent += desk.fanout.catch_up("ann", 0.03)
    sent += desk.recover("ann", 0.03)
    assert sorted(offsets(sent, "ann")) == [
        *(("AAPL", offset) for offset in (2, 3)),
        *(("IBM", offset) for offset in (2, 3, 4, 5)),
    ]


@pytest.mark.parametrize("topic", [TRADES, DAILY])
def test_a_symbol_that_comes_back_begins_like_any_other(topic: Topic) -> None:
    desk = Desk()
    desk.offer(traded(1))
    desk.fanout.subscribe("ann", topic, ["AAPL"], 0)
    desk.offer(traded(2), 0)
    desk.due(0)
    desk.fanout.remove("ann")
    del desk.latest["AAPL"]
    desk.fanout.subscribe("bob", topic, ["AAPL"], 10)
    desk.restate(traded(9), 10)
    (delivery,) = desk.due(10)
    message = delivery.batch.message
    assert isinstance(message, (Trades, Bars))
    assert message.recovered == {}
    if isinstance(message, Trades):
        assert message.positions == {"AAPL": at(9)}
    else:
        assert (message.epochs, message.offsets) == ({"AAPL": "e1"}, {"AAPL": 9})


def test_who_leaves_for_another_rate_is_told_where_it_stands() -> None:
    desk = Desk()
    desk.offer(traded(1))
    for member in ("ann", "bob"):
        desk.fanout.subscribe(member, TRADES, ["AAPL"], 0)
    desk.offer(traded(2), 0)
    desk.due(0)
    desk.offer(traded(3), 0.01)
    owed, standing = desk.fanout.leave("ann", TRADES, ["AAPL", "IBM"], 0.02)
    assert offsets(owed, "ann") == [("AAPL", 3)]
    assert standing == {"AAPL": at(3)}
    desk.offer(traded(4), 0.03)
    desk.fanout.subscribe("ann", SLOW_TRADES, ["AAPL"], 1, since=standing)
    assert offsets(desk.recover("ann", 1), "ann") == [("AAPL", 4)]


def test_who_leaves_while_it_cannot_read_stands_before_what_it_missed() -> None:
    desk = behind()
    _, standing = desk.fanout.leave("ann", TRADES, ["AAPL", "IBM"], 4)
    assert standing == {"AAPL": at(1), "IBM": at(1)}


def test_many_trades_go_out_before_their_time() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", SLOW_TRADES, ["AAPL"], 0)
    desk.offer(traded(1), 0)
    assert len(desk.due(0)) == 1
    desk.offer(traded(MAX_ROWS, trades=MAX_ROWS - 1), 0.1)
    assert desk.due(0.1) == []
    desk.offer(traded(MAX_ROWS + 1), 0.2)
    (delivery,) = desk.due(0.2)
    assert len(trades_of(delivery).rows) == MAX_ROWS
    desk.offer(traded(MAX_ROWS + 2), 0.3)
    assert desk.due(1.19) == []
    assert len(desk.due(1.2)) == 1


def test_who_missed_what_it_was_owed_and_what_it_recovered_loses_neither() -> None:
    desk = Desk()
    desk.offer(traded(1, "IBM"))
    for offset in (1, 2, 3):
        desk.offer(traded(offset))
    desk.fanout.subscribe("ann", TRADES, ["IBM"], 0)
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(1)})
    desk.offer(traded(2, "IBM"))
    deliveries = desk.recover("ann")
    assert len(deliveries) == 2
    for delivery in deliveries:
        desk.fanout.missed("ann", delivery)
    desk.fanout.catch_up("ann", 1)
    sent = desk.recover("ann", 1)
    assert sorted(offsets(sent, "ann")) == [("AAPL", 2), ("AAPL", 3), ("IBM", 2)]


def test_who_missed_what_it_was_owed_and_a_loss_is_still_told_of_the_loss() -> None:
    desk = Desk()
    desk.offer(traded(1, "IBM"))
    desk.offer(traded(3))
    desk.fanout.subscribe("ann", TRADES, ["IBM"], 0)
    desk.fanout.subscribe("ann", TRADES, ["AAPL"], 0, since={"AAPL": at(7, "e0")})
    desk.offer(traded(2, "IBM"))
    for delivery in desk.recover("ann"):
        desk.fanout.missed("ann", delivery)
    desk.fanout.catch_up("ann", 1)
    (delivery,) = desk.recover("ann", 1)
    assert trades_of(delivery).recovered == {"AAPL": False, "IBM": True}


def test_a_member_that_is_aside_can_take_more_symbols() -> None:
    desk = behind()
    desk.offer(traded(7, "FB"), 4)
    desk.fanout.subscribe("ann", TRADES, ["FB"], 4)
    assert desk.fanout.symbols_of("ann") == {"AAPL", "FB", "IBM"}
    desk.offer(traded(8, "FB"), 5)
    assert offsets(desk.due(5), "ann") == [("FB", 8)]
    desk.fanout.catch_up("ann", 6)
    assert offsets(desk.recover("ann", 6), "ann") == [("AAPL", 2), ("AAPL", 3)]


def test_unsubscribing_while_aside_ends_it() -> None:
    desk = behind()
    desk.fanout.unsubscribe("ann", TRADES, ["AAPL"], 4)
    assert desk.fanout.symbols_of("ann") == {"IBM"}
    desk.fanout.catch_up("ann", 5)
    assert offsets(desk.recover("ann", 5), "ann") == []
    desk.fanout.unsubscribe("ann", TRADES, ["IBM"], 6)
    assert desk.fanout.symbols_of("ann") == set()
    assert desk.fanout.topics_of("ann") == []


def test_unsubscribing_quotes_while_behind_ends_it() -> None:
    desk = behind(QUOTES)
    desk.fanout.unsubscribe("ann", QUOTES, ["AAPL"], 4)
    assert not desk.fanout.is_behind("ann")
    assert desk.fanout.catch_up("ann", 5) == []


def test_unsubscribing_while_recovering_ends_it() -> None:
    desk = Desk()
    for symbol in ("AAPL", "IBM"):
        desk.offer(traded(1, symbol))
    desk.fanout.subscribe("ann", TRADES, ["AAPL", "IBM"], 0, since={"AAPL": at(0), "IBM": at(0)})
    desk.fanout.unsubscribe("ann", TRADES, ["AAPL"], 0)
    assert desk.fanout.subscriptions_of("ann") == {TRADES: {"IBM"}}
    assert offsets(desk.recover("ann"), "ann") == [("IBM", 1)]
    desk.offer(traded(2))
    assert desk.due() == []


def test_who_was_removed_meanwhile_misses_nothing() -> None:
    desk = behind()
    delivery = Delivery(
        ("ann",), TRADES, desk.fanout.subscribe("cid", TRADES, ["AAPL"], 4)[0].batch
    )
    desk.fanout.remove("ann")
    desk.fanout.missed("ann", delivery)
    assert desk.fanout.symbols_of("ann") == set()
    assert desk.fanout.catch_up("ann", 5) == []


# ---- coming, going, rates -------------------------------------------------------------------


def test_unsubscribing_ends_it_and_pays_what_is_owed() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], 0)
    desk.offer(stored("IBM"))
    owed = desk.fanout.unsubscribe("ann", QUOTES, ["AAPL"], 0)
    assert [rows(d)[0].symbol for d in owed] == ["IBM"]
    assert desk.fanout.symbols_of("ann") == {"IBM"}
    desk.fanout.unsubscribe("ann", QUOTES, ["IBM"], 0)
    assert desk.fanout.cohorts == 0
    assert desk.fanout.unsubscribe("ann", QUOTES, ["IBM"], 0) == []


def _flowing(desk: Desk) -> None:
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0)


def _pending(desk: Desk) -> None:
    _flowing(desk)
    desk.offer(traded(2))


def _behind(desk: Desk) -> None:
    _flowing(desk)
    desk.offer(traded(2))
    for delivery in desk.due():
        desk.fanout.missed("ann", delivery)


def _recovering(desk: Desk) -> None:
    since = {"AAPL": at(0), "IBM": at(0)}
    desk.fanout.subscribe("ann", TRADES, ["AAPL", "IBM"], 0, since=since)
    desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0, since=since)


@pytest.mark.parametrize("state", [_flowing, _pending, _behind, _recovering])
def test_a_removed_member_gets_nothing_more_and_leaves_nothing_behind(
    state: Callable[[Desk], None],
) -> None:
    desk = Desk()
    desk.offer(traded(1))
    state(desk)
    assert desk.fanout.symbols_of("ann") >= {"AAPL"}
    unfinished = desk.fanout.recoveries_of("ann")
    desk.fanout.remove("ann")
    assert desk.fanout.cohorts == 0
    assert desk.fanout.symbols_of("ann") == set()
    assert desk.fanout.topics_of("ann") == []
    assert desk.fanout.members_of("AAPL") == set()
    assert desk.fanout.recoveries_of("ann") == []
    assert not desk.fanout.is_behind("ann")
    desk.offer(traded(3), 1)
    assert desk.due(10) == []
    assert desk.fanout.next_due_s() is None
    for recovery in unfinished:
        assert (recovery.since, recovery.heard) == ({}, {})
        assert desk.fanout.advance(recovery, {}, 1) == []
    desk.fanout.remove("ann")


@pytest.mark.parametrize("state", [_flowing, _behind, _recovering])
def test_whoever_gets_something_of_a_symbol_is_named(state: Callable[[Desk], None]) -> None:
    desk = Desk()
    desk.offer(traded(1))
    state(desk)
    assert desk.fanout.members_of("AAPL") == {"ann"}
    assert desk.fanout.members_of("FB") == set()


def test_a_lower_rate_slows_all_evenly() -> None:
    desk = Desk()
    topics = [Topic("quotes", None, max_hz=10), Topic("bars", Interval.DAY, max_hz=1)]
    for topic in topics:
        desk.fanout.subscribe("ann", topic, ["AAPL"], 0)
    desk.fanout.rate = 0.5
    desk.offer(traded(1))
    assert len(desk.due(0)) == 2
    desk.offer(traded(2), 0.01)
    times = []
    while (due_s := desk.fanout.next_due_s()) is not None:
        times.append((due_s, [d.topic for d in desk.due(due_s)]))
    assert times == [(0.2, topics[:1]), (2.0, topics[1:])]


def test_the_newest_rate_counts_from_the_next_flush_on() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", QUOTES, ["AAPL"], 0)
    desk.offer(traded(1))
    desk.due(0)
    desk.fanout.rate = 0.1
    desk.offer(traded(2), 0.01)
    assert len(desk.due(0.1)) == 1
    desk.offer(traded(3), 0.2)
    assert desk.fanout.next_due_s() == pytest.approx(1.1)


def test_a_symbol_with_several_bars_of_the_same_day_keeps_the_newest() -> None:
    desk = Desk()
    desk.fanout.subscribe("ann", DAILY, ["AAPL"], 0)
    for offset in (1, 2):
        desk.offer(msgspec.structs.replace(traded(offset), offset=offset))
    (delivery,) = desk.due()
    assert [b.close for b in bars_of(delivery).rows] == [2]
