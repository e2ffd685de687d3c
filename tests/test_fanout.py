import msgspec

from feed_server.gateway.fanout import Delivery, Fanout, Topic
from feed_server.protocol import Bars, Interval, QuoteRow, Quotes
from tests.updates import bar, stored

QUOTES = Topic(None, max_hz=10)
SLOW_QUOTES = Topic(None, max_hz=1)
DAILY = Topic(Interval.DAY, max_hz=10)


def rows(delivery: Delivery[str]) -> list[QuoteRow]:
    assert isinstance(delivery.message, Quotes)
    return delivery.message.rows


def lasts(fanout: Fanout[str], now_s: float) -> list[tuple[tuple[str, ...], str, float, int]]:
    return [
        (delivery.members, row.symbol, row.last, row.count)
        for delivery in fanout.take_due(now_s)
        for row in rows(delivery)
    ]


def test_the_first_change_of_a_quiet_symbol_goes_out_at_once() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.offer(stored(last=5), 7.0)
    assert fanout.next_due_s() == 7.0
    assert lasts(fanout, 7.0) == [(("ann",), "AAPL", 5, 1)]


def test_changes_within_the_interval_are_conflated_and_say_how_many_they_stand_for() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.offer(stored(last=5), 7.0)
    assert len(lasts(fanout, 7.0)) == 1
    for number in range(2, 6):
        fanout.offer(stored(last=number, offset=number), 7.01)
    assert lasts(fanout, 7.05) == []
    assert lasts(fanout, 7.1) == [(("ann",), "AAPL", 5, 4)]
    assert fanout.next_due_s() is None


def test_a_new_epoch_begins_a_new_count() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.offer(stored(offset=50, count=50), 0)
    fanout.offer(stored(offset=2, count=2, epoch="e2"), 0)
    (delivery,) = fanout.take_due(0)
    assert rows(delivery)[0].count == 2
    assert isinstance(delivery.message, Quotes)
    assert delivery.message.details["AAPL"].epoch == "e2"


def test_members_with_the_same_symbols_and_rate_share_one_message() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], [], 0)
    fanout.subscribe("bob", QUOTES, ["IBM", "AAPL"], [], 0)
    fanout.subscribe("cid", SLOW_QUOTES, ["AAPL"], [], 0)
    assert fanout.cohorts == 2
    fanout.offer(stored(), 0)
    assert [d.members for d in fanout.take_due(0)] == [("ann", "bob"), ("cid",)]


def test_details_go_along_only_when_they_changed() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.offer(stored(offset=1), 0)
    (first,) = fanout.take_due(0)
    fanout.offer(stored(offset=2), 1)
    (second,) = fanout.take_due(1)
    assert isinstance(first.message, Quotes)
    assert isinstance(second.message, Quotes)
    assert list(first.message.details) == ["AAPL"]
    assert second.message.details == {}


def test_a_joining_member_gets_a_snapshot_and_nothing_twice() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.offer(stored(last=1, offset=1), 0)
    list(fanout.take_due(0))
    fanout.offer(stored(last=2, offset=2), 0.01)
    owed = fanout.subscribe("bob", QUOTES, ["AAPL"], [stored(last=2, offset=2)], 0.02)
    assert [(d.members, rows(d)[0].last) for d in owed] == [(("ann",), 2), (("bob",), 2)]
    assert isinstance(owed[1].message, Quotes)
    assert owed[1].message.snapshot
    assert lasts(fanout, 1) == []


def test_a_member_that_takes_more_symbols_is_not_cheated_of_what_was_pending() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.offer(stored(offset=1), 0)
    list(fanout.take_due(0))
    fanout.offer(stored(last=2, offset=2), 0.01)
    owed = fanout.subscribe("ann", QUOTES, ["IBM"], [stored("IBM")], 0.02)
    assert [(rows(d)[0].symbol, rows(d)[0].last) for d in owed] == [("AAPL", 2), ("IBM", 1)]
    assert fanout.symbols_of("ann") == {"AAPL", "IBM"}
    assert fanout.subscriptions_of("ann") == 2


def test_final_bars_are_never_dropped_and_forming_ones_are_conflated() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", DAILY, ["AAPL"], [], 0)
    for day, closes in ((0, (1, 2, 3)), (1, (4, 5))):
        for close in closes:
            ended = [bar(close=3, day=0, final=True)] if (day, close) == (1, 4) else []
            change = stored(last=close, offset=close)
            forming = [*ended, bar(close=close, day=day)]
            update = msgspec.structs.replace(change.update, bars=forming)
            fanout.offer(msgspec.structs.replace(change, update=update), 0)
    (delivery,) = fanout.take_due(0)
    assert isinstance(delivery.message, Bars)
    assert [(b.start_ms, b.close, b.final) for b in delivery.message.rows] == [
        (0, 3, True),
        (86_400_000, 5, False),
    ]
    assert delivery.message.epochs == {"AAPL": "e1"}


def test_a_new_epoch_voids_the_bars_that_waited() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", DAILY, ["AAPL", "IBM"], [], 0)
    fanout.offer(stored("IBM"), 0)
    fanout.offer(stored(offset=9), 0)
    restarted = msgspec.structs.replace(stored().update, bars=[bar(day=-5)])
    fanout.offer(msgspec.structs.replace(stored(epoch="e2"), update=restarted), 0)
    (delivery,) = fanout.take_due(0)
    assert isinstance(delivery.message, Bars)
    assert [(b.symbol, b.start_ms) for b in delivery.message.rows] == [
        ("AAPL", -5 * 86_400_000),
        ("IBM", 0),
    ]
    assert delivery.message.epochs == {"AAPL": "e2", "IBM": "e1"}


def test_unsubscribing_ends_it_and_pays_what_is_owed() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], [], 0)
    fanout.offer(stored("IBM"), 0)
    owed = fanout.unsubscribe("ann", QUOTES, ["AAPL"], 0)
    assert [rows(d)[0].symbol for d in owed] == ["IBM"]
    assert fanout.symbols_of("ann") == {"IBM"}
    fanout.unsubscribe("ann", QUOTES, ["IBM"], 0)
    assert fanout.cohorts == 0


def test_a_removed_member_gets_nothing_more_and_leaves_nothing_behind() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL"], [], 0)
    fanout.subscribe("ann", DAILY, ["AAPL"], [], 0)
    fanout.offer(stored(), 0)
    fanout.remove("ann")
    assert lasts(fanout, 10) == []
    assert fanout.cohorts == 0
    assert fanout.symbols_of("ann") == set()


def test_what_was_read_anew_goes_to_all_who_have_it_and_voids_what_waited() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", QUOTES, ["AAPL", "IBM"], [], 0)
    fanout.subscribe("bob", DAILY, ["AAPL"], [], 0)
    fanout.offer(stored(last=1, offset=1), 0)
    fanout.offer(stored("IBM"), 0)
    quotes, bars = fanout.restate([stored(last=9, offset=9)])
    assert (quotes.members, rows(quotes)[0].last) == (("ann",), 9)
    assert isinstance(quotes.message, Quotes)
    assert quotes.message.snapshot
    assert isinstance(bars.message, Bars)
    assert (bars.members, bars.message.snapshot) == (("bob",), True)
    assert [row.symbol for d in fanout.take_due(0) for row in rows(d)] == ["IBM"]


def test_final_bars_that_waited_are_still_owed_after_a_restatement() -> None:
    fanout: Fanout[str] = Fanout()
    fanout.subscribe("ann", DAILY, ["AAPL"], [], 0)
    closing = msgspec.structs.replace(stored().update, bars=[bar(day=0, final=True), bar(day=1)])
    fanout.offer(msgspec.structs.replace(stored(), update=closing), 0)
    fanout.restate([stored(last=9, offset=9)])
    (delivery,) = fanout.take_due(0)
    assert isinstance(delivery.message, Bars)
    assert [(b.start_ms, b.final) for b in delivery.message.rows] == [(0, True)]
