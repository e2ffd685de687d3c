from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from dashboard.client.core.trade_book import WITHHELD, TradeBook
from dashboard.client.core.trades import TradesChange
from feed_server.protocol import Position, TradeRow, Trades, TradeSeries
from tests.client.model_server import SYMBOL, TradeServer


class TradesThroughAnything(RuleBasedStateMachine):
    """Pushes, polls, drops, losses and new epochs in any order: every trade once, or a gap told."""

    @initialize(live=st.booleans())
    def begin(self, live: bool) -> None:
        self.server = TradeServer()
        self.book = TradeBook()
        self.answers: list[TradeSeries] = []
        self.epoch = ""
        self.told: int | None = None
        self.lost = False
        self.server.change(trade=True)
        if live:
            self.server.connect(None)
            self.arrives()
        else:
            self.take(self.book.apply_series(self.server.series()))

    @rule(trades=st.lists(st.booleans(), min_size=1, max_size=8))
    def happens(self, trades: list[bool]) -> None:
        for trade in trades:
            self.server.change(trade=trade)

    @precondition(lambda self: self.server.link is not None)
    @rule()
    def goes_well(self) -> None:
        self.server.change(trade=True)
        self.server.flush()
        while self.server.link:
            self.arrives()

    @precondition(lambda self: self.server.offset > 20)
    @rule()
    def begins_anew(self) -> None:
        self.server.begin_anew()

    @precondition(lambda self: self.server.link is not None)
    @rule(how=st.sampled_from([TradeServer.flush, TradeServer.flush, TradeServer.lose]))
    def says(self, how: Callable[[TradeServer], None]) -> None:
        how(self.server)

    @precondition(lambda self: bool(self.server.link))
    @rule(again=st.booleans())
    def arrives(self, again: bool = False) -> None:
        assert self.server.link
        message = self.server.link.pop(0)
        for change in self.book.apply(message):
            self.take(change)
        if again:
            assert not self.book.apply(message)

    @precondition(lambda self: self.server.link is not None)
    @rule()
    def drops(self) -> None:
        self.server.link = None
        self.answers = []
        self.book.unlinked()

    @precondition(lambda self: self.server.link is None)
    @rule()
    def reconnects(self) -> None:
        self.server.connect(self.book.positions([SYMBOL]).get(SYMBOL))

    @rule()
    def asks(self) -> None:
        self.answers.append(self.server.series())

    @precondition(lambda self: self.answers)
    @rule()
    def is_answered(self) -> None:
        self.take(self.book.apply_series(self.answers.pop(0)))

    @precondition(lambda self: self.book.needs_history(SYMBOL) and self.server.offset % 2)
    @rule()
    def gives_up(self) -> None:
        self.take(self.book.give_up(SYMBOL))

    def take(self, change: TradesChange | None) -> None:
        """Check what is told against the truth, in the epoch that the book is in."""
        if change is None:
            return
        epoch = self.book.positions([SYMBOL])[SYMBOL].epoch
        if epoch != self.epoch:
            assert change.lost == "epoch" or not self.epoch
            self.epoch, self.told = epoch, None
        self.lost = self.lost or change.lost is not None
        for trade in change.trades:
            run = self.server.runs[int(epoch)]
            assert trade.offset in run
            assert trade.price == trade.offset
            assert trade.time_ms == 1000 + trade.offset
            if self.told is not None:
                assert trade.offset > self.told
                missed = [o for o in run if self.told < o < trade.offset]
                assert self.lost or not missed
            self.told, self.lost = trade.offset, change.lost is not None
        self.lost = self.lost and not change.trades

    def teardown(self) -> None:
        """In the end the book has caught up."""
        if not hasattr(self, "server"):
            return
        self.drops()
        self.reconnects()
        while self.server.link:
            self.arrives()
        self.server.change(trade=True)
        self.server.flush()
        while self.server.link:
            self.arrives()
        if self.book.needs_history(SYMBOL):
            self.take(self.book.apply_series(self.server.series()))
        assert not self.book.needs_history(SYMBOL)
        assert self.told == self.server.trades[-1]
        assert self.book.tail(SYMBOL)[-1].offset == self.told


TestTradesThroughAnything: Any = TradesThroughAnything.TestCase
TestTradesThroughAnything.settings = settings(max_examples=100, stateful_step_count=40)


def pushed(*offsets: int, at: int | None = None, recovered: bool | None = None) -> Trades:
    return Trades(
        0,
        0,
        [TradeRow(SYMBOL, 1.0, 1.0, 0, 0, offset) for offset in offsets],
        {} if at is None else {SYMBOL: Position("a", at)},
        {} if recovered is None else {SYMBOL: recovered},
    )


def test_what_waits_for_history_is_bounded() -> None:
    book = TradeBook()
    book.apply(pushed(at=0))
    book.apply(pushed(at=10, recovered=False))
    assert not book.apply(pushed(*range(11, 11 + WITHHELD)))
    (change,) = book.apply(pushed(11 + WITHHELD))
    assert change.lost == "gap"
    assert len(change.trades) == WITHHELD + 1
    assert not book.needs_history(SYMBOL)


def test_symbols_are_kept_apart() -> None:
    book = TradeBook()
    positions = {"AAPL": Position("a", 1), "IBM": Position("b", 5)}
    book.apply(Trades(0, 0, [], positions))
    rows = [TradeRow("IBM", 1.0, 1.0, 0, 0, 6), TradeRow("AAPL", 1.0, 1.0, 0, 0, 2)]
    changes = book.apply(Trades(0, 0, rows))
    assert {change.symbol: [t.offset for t in change.trades] for change in changes} == {
        "AAPL": [2],
        "IBM": [6],
    }
    assert book.positions(["AAPL", "IBM", "FB"]) == {
        "AAPL": Position("a", 2),
        "IBM": Position("b", 6),
    }
