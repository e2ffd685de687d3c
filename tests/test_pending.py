import pytest

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.pending import Batch, Pending, QuotePending
from feed_server.gateway.pending_lossless import BarPending, TradePending
from feed_server.gateway.rows import QuoteRows
from feed_server.protocol import Bar, Bars, Interval, Position, Quotes, Trades
from tests.desk import at, closing, quoted, traded, with_
from tests.updates import bar, stored

BEGINNING = Position("", 0)


class Quoted(QuotePending):
    """Quotes whose present is what was offered last."""

    def __init__(self, *latest: StoredUpdate) -> None:
        self.present = {one.update.quote.symbol: one for one in latest}
        super().__init__(QuoteRows(), ["AAPL", "IBM"], self.present)

    def offer(self, stored: StoredUpdate) -> None:
        self.present[stored.update.quote.symbol] = stored
        super().offer(stored)

    def restate(self, stored: StoredUpdate) -> None:
        self.present[stored.update.quote.symbol] = stored
        super().restate(stored)


def make(kind: type[Pending], *latest: StoredUpdate) -> Pending:
    """Return what a cohort has pending that begins at some updates."""
    if kind is QuotePending:
        return Quoted(*latest)
    return BarPending(Interval.DAY, latest) if kind is BarPending else TradePending(latest)


def quotes(batch: Batch) -> Quotes:
    assert isinstance(batch.message, Quotes)
    return batch.message


def trades(batch: Batch) -> Trades:
    assert isinstance(batch.message, Trades)
    return batch.message


def bars(batch: Batch) -> Bars:
    assert isinstance(batch.message, Bars)
    return batch.message


every_kind = pytest.mark.parametrize("kind", [QuotePending, TradePending, BarPending])
lossless = pytest.mark.parametrize("kind", [TradePending, BarPending])


@every_kind
def test_nothing_is_pending_until_something_changes_nor_after_it_was_taken(
    kind: type[Pending],
) -> None:
    pending = make(kind, traded(1))
    assert not pending
    pending.offer(traded(2))
    assert pending
    assert pending.take().symbols == {"AAPL"}
    assert not pending


@every_kind
def test_a_snapshot_takes_nothing_away(kind: type[Pending]) -> None:
    pending = make(kind, traded(1), traded(1, "IBM"))
    pending.offer(traded(2))
    assert pending.snapshot([traded(2)]).symbols == {"AAPL"}
    assert pending
    assert pending.take().symbols == {"AAPL"}


@lossless
def test_a_batch_says_where_its_readers_stood_before_it(kind: type[Pending]) -> None:
    pending = make(kind, traded(1))
    pending.offer(traded(2))
    pending.offer(traded(3))
    pending.offer(traded(1, "IBM"))
    assert pending.take().since == {"AAPL": at(1), "IBM": BEGINNING}
    pending.offer(traded(4))
    assert pending.take().since == {"AAPL": at(3)}


@lossless
def test_positions_are_those_of_all_that_was_taken(kind: type[Pending]) -> None:
    pending = make(kind, traded(1), traded(5, "IBM"))
    pending.offer(traded(2))
    pending.restate(traded(9, "IBM", epoch="e2"))
    assert pending.positions() == {"AAPL": at(1), "IBM": at(5)}
    pending.take()
    assert pending.positions() == {"AAPL": at(2), "IBM": at(9, "e2")}


@lossless
def test_a_snapshot_can_be_gone_on_from(kind: type[Pending]) -> None:
    assert make(kind).snapshot([traded(4)]).since == {"AAPL": at(4)}


@lossless
def test_a_loss_is_told_once(kind: type[Pending]) -> None:
    pending = make(kind, traded(1))
    pending.restate(traded(9))
    lost = pending.take().message
    assert isinstance(lost, (Trades, Bars))
    assert lost.recovered == {"AAPL": False}
    pending.offer(traded(10))
    after = pending.take().message
    assert isinstance(after, (Trades, Bars))
    assert after.recovered == {}


def test_the_newest_quote_wins_and_counts_all_since_the_last_message() -> None:
    pending = make(QuotePending, stored(offset=1))
    for offset in (3, 4, 7):
        pending.offer(stored(last=offset, offset=offset))
    (row,) = quotes(pending.take()).rows
    assert (row.last, row.offset, row.count) == (7, 7, 6)


def test_a_quote_of_a_symbol_not_told_before_counts_what_it_says() -> None:
    pending = make(QuotePending)
    pending.offer(stored(offset=40, count=3))
    assert quotes(pending.take()).rows[0].count == 3


def test_what_was_told_is_what_the_next_change_counts_from() -> None:
    pending = Quoted(stored(offset=1), stored("IBM"))
    pending.offer(stored(offset=2))
    assert [s.offset for s in pending.told(["AAPL", "IBM", "FB"])] == [1, 1]
    pending.take()
    assert [s.offset for s in pending.told(["AAPL"])] == [2]


def test_quotes_are_a_snapshot_only_while_something_was_read_anew() -> None:
    pending = make(QuotePending, stored(offset=1))
    pending.restate(stored(offset=9))
    assert quotes(pending.take()).snapshot
    pending.offer(stored(offset=10))
    assert not quotes(pending.take()).snapshot


def test_details_are_told_when_they_change_and_when_a_reader_comes() -> None:
    pending = Quoted()
    told = []
    for offset in (1, 2, 3):
        if offset == 3:
            pending.renew(["AAPL"])
        pending.offer(stored(offset=offset))
        told.append(bool(quotes(pending.take()).details))
    assert told == [True, False, True]


def test_every_trade_is_kept_in_order() -> None:
    pending = make(TradePending, traded(1), traded(1, "IBM"))
    pending.offer(traded(3, trades=2))
    pending.offer(traded(2, "IBM"))
    pending.offer(traded(4))
    message = trades(pending.take())
    assert [(row.symbol, row.offset) for row in message.rows] == [
        ("AAPL", 2),
        ("AAPL", 3),
        ("IBM", 2),
        ("AAPL", 4),
    ]
    assert (message.positions, message.recovered) == ({}, {})


def test_trades_before_a_hole_go_with_it_and_those_of_others_stay() -> None:
    pending = make(TradePending, traded(1), traded(1, "IBM"))
    pending.offer(traded(2))
    pending.offer(traded(2, "IBM"))
    pending.offer(traded(6, trades=1, missing=3))
    message = trades(pending.take())
    assert [(row.symbol, row.offset) for row in message.rows] == [("IBM", 2), ("AAPL", 6)]
    assert (message.positions, message.recovered) == ({"AAPL": at(6)}, {"AAPL": False})


def test_trades_told_nowhere_are_no_loss_for_who_has_just_come() -> None:
    pending = make(TradePending)
    pending.offer(traded(6, trades=1, missing=5))
    message = trades(pending.take())
    assert (message.positions, message.recovered) == ({"AAPL": at(6)}, {})


def test_a_forming_bar_is_conflated_and_final_ones_stay() -> None:
    pending = make(BarPending, traded(1))
    for update in (traded(2), closing(3, day=0), closing(4, day=1)):
        pending.offer(update)
    rows = bars(pending.take()).rows
    assert [(row.start_ms // 86_400_000, row.final) for row in rows] == [
        (0, True),
        (1, True),
        (2, False),
    ]


def test_bars_before_a_gap_go_with_it_and_the_state_stays() -> None:
    pending = make(BarPending, traded(1), traded(1, "IBM"))
    pending.offer(closing(2, day=0))
    pending.offer(closing(2, day=0, symbol="IBM"))
    pending.restate(closing(9, day=4))
    message = bars(pending.take())
    assert [(row.symbol, row.start_ms // 86_400_000, row.final) for row in message.rows] == [
        ("AAPL", 4, True),
        ("AAPL", 5, False),
        ("IBM", 0, True),
        ("IBM", 1, False),
    ]
    assert (message.recovered, message.offsets) == ({"AAPL": False}, {"AAPL": 9, "IBM": 2})


def minute(number: int, close: float = 1.0, *, final: bool = False) -> Bar:
    return bar(close=close, day=number, final=final, interval=Interval.MINUTE)


@lossless
def test_what_tells_nothing_is_not_sent_but_gone_on_from(kind: type[Pending]) -> None:
    pending = make(kind, traded(1))
    daily = traded(1).update.bars
    pending.offer(quoted(2, bars=daily))
    assert not pending
    assert pending.positions() == {"AAPL": at(2)}
    pending.offer(traded(3))
    pending.offer(quoted(4, bars=traded(3).update.bars))
    assert pending.positions() == {"AAPL": at(2)}, "a trade waits"
    assert pending.take().since == {"AAPL": at(2)}
    assert pending.positions() == {"AAPL": at(4)}


def test_quotes_alone_are_no_hole_between_trades() -> None:
    pending = make(TradePending, traded(1))
    for update in (traded(2), quoted(3), traded(4)):
        pending.offer(update)
    message = trades(pending.take())
    assert [row.offset for row in message.rows] == [2, 4]
    assert (message.positions, message.recovered) == ({}, {})


def test_a_symbol_that_begins_with_a_quote_alone_is_told_where_it_stands() -> None:
    pending = make(TradePending)
    pending.offer(quoted(1))
    message = trades(pending.take())
    assert (message.rows, message.positions) == ([], {"AAPL": at(1)})


def test_only_bars_of_the_interval_are_told_and_only_those_that_changed() -> None:
    begun = with_(traded(1), bars=[minute(0), minute(1), bar()])
    pending = BarPending(Interval.MINUTE, [begun])
    pending.offer(with_(traded(2), bars=[minute(0), minute(1, 2), bar(close=2)]))
    assert bars(pending.take()).rows == [minute(1, 2)]
    pending.offer(with_(traded(3), bars=[minute(0), minute(1, 2), bar(close=3)]))
    assert not pending, "its trade was of another interval's bar"
    pending.offer(with_(traded(4), bars=[minute(0, 4, final=True), minute(1, 2), bar(close=3)]))
    message = bars(pending.take())
    assert message.rows == [minute(0, 4, final=True)]
    assert message.offsets == {"AAPL": 4}


def test_a_snapshot_has_all_open_bars_of_the_interval() -> None:
    begun = with_(traded(1), bars=[minute(0, final=True), minute(1), minute(2), bar()])
    batch = BarPending(Interval.MINUTE, []).snapshot([begun])
    assert bars(batch).rows == [minute(1), minute(2)]


def test_after_a_gap_open_bars_are_told_though_they_have_not_changed() -> None:
    begun = with_(traded(1), bars=[minute(1), minute(2)])
    pending = BarPending(Interval.MINUTE, [begun])
    pending.restate(with_(traded(9), bars=[minute(1), minute(2, 9)]))
    message = bars(pending.take())
    assert message.rows == [minute(1), minute(2, 9)]
    assert message.recovered == {"AAPL": False}


def test_restated_trades_may_have_been_told_and_are_not_told_again() -> None:
    pending = make(TradePending, traded(1))
    pending.offer(traded(2))
    pending.restate(traded(2))
    assert [row.offset for row in trades(pending.take()).rows] == [2]
