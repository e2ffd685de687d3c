import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from dashboard.client.core.quote_book import QuoteBook
from feed_server.protocol import Position, QuoteDetails, QuoteRow, Quotes

SYMBOLS = ("AAPL", "IBM")
DECIMALS = 2


@dataclass
class Truth:
    """One symbol at the feed."""

    epoch: int = 0
    offset: int = 0
    time_ms: int = 1000
    told: int = 0
    fresh: bool = True

    def row(self, symbol: str, count: int) -> QuoteRow:
        last = self.offset + 0.25
        return QuoteRow(symbol, last, 1, -1, 2, 9, self.time_ms, 0, self.offset, count)

    @property
    def details(self) -> QuoteDetails:
        return QuoteDetails(1, self.epoch, 1, None, "2012-06-01", str(self.epoch), DECIMALS)


@dataclass
class QuoteServer:
    truths: dict[str, Truth] = field(default_factory=lambda: {s: Truth() for s in SYMBOLS})
    link: list[Quotes] | None = None

    def state(self) -> Quotes:
        rows = [truth.row(symbol, 1) for symbol, truth in self.truths.items()]
        details = {symbol: truth.details for symbol, truth in self.truths.items()}
        return Quotes(0, 0, rows, details, snapshot=True)

    def connect(self, since: dict[str, Position]) -> None:
        state = self.state()
        here = {s: Position(str(t.epoch), t.offset) for s, t in self.truths.items()}
        rows = [row for row in state.rows if since.get(row.symbol) != here[row.symbol]]
        details = {row.symbol: state.details[row.symbol] for row in rows}
        self.link = [Quotes(0, 0, rows, details, snapshot=True)]
        for truth in self.truths.values():
            truth.told, truth.fresh = truth.offset, False

    def flush(self) -> None:
        assert self.link is not None
        moved = {s: t for s, t in self.truths.items() if t.offset > t.told or t.fresh}
        rows = [truth.row(symbol, truth.offset - truth.told) for symbol, truth in moved.items()]
        details = {symbol: truth.details for symbol, truth in moved.items() if truth.fresh}
        self.link.append(Quotes(0, 0, rows, details))
        for truth in moved.values():
            truth.told, truth.fresh = truth.offset, False


class QuotesThroughAnything(RuleBasedStateMachine):
    """Pushes, polls, drops and new epochs in any order: it never goes back, and ends up to date."""

    @initialize()
    def begin(self) -> None:
        self.server = QuoteServer()
        self.book = QuoteBook()
        self.polls: list[Quotes] = []
        self.shown: dict[str, tuple[int, int, int]] = {}

    @precondition(lambda self: self.server.link is not None)
    @rule(later_ms=st.integers(0, 2))
    def goes_well(self, later_ms: int) -> None:
        self.changes("AAPL", later_ms, 1)
        self.says()
        while self.server.link:
            self.arrives()

    @rule(symbol=st.sampled_from(SYMBOLS), later_ms=st.integers(0, 2), times=st.integers(1, 3))
    def changes(self, symbol: str, later_ms: int, times: int) -> None:
        truth = self.server.truths[symbol]
        truth.offset += times
        truth.time_ms += later_ms

    @precondition(lambda self: self.server.truths["AAPL"].offset > 10)
    @rule()
    def begins_anew(self, symbol: str = "AAPL") -> None:
        truth = self.server.truths[symbol]
        self.server.truths[symbol] = Truth(truth.epoch + 1, 1, 500)

    @precondition(lambda self: self.server.link is not None)
    @rule()
    def says(self) -> None:
        self.server.flush()

    @precondition(lambda self: bool(self.server.link))
    @rule(again=st.booleans())
    def arrives(self, again: bool = False) -> None:
        assert self.server.link
        message = self.server.link.pop(0)
        self.apply(message)
        if again:
            assert not self.book.apply(message)

    @precondition(lambda self: self.server.link is not None)
    @rule()
    def drops(self) -> None:
        self.server.link, self.polls = None, []
        self.book.unlinked()

    @precondition(lambda self: self.server.link is None)
    @rule()
    def reconnects(self) -> None:
        self.server.connect(self.book.positions(SYMBOLS))

    @rule()
    def polls_begin(self) -> None:
        self.polls.append(self.server.state())

    @precondition(lambda self: self.polls)
    @rule()
    def polls_end(self) -> None:
        self.apply(self.polls.pop(0), polled=True)

    def apply(self, message: Quotes, *, polled: bool = False) -> None:
        changed = {quote.symbol for quote in self.book.apply(message, polled=polled)}
        for symbol, quote in self.book.quotes().items():
            position = self.book.positions([symbol])[symbol]
            place = (int(position.epoch), quote.time_ms, position.offset)
            before = self.shown.get(symbol, place)
            assert place > before if symbol in changed and symbol in self.shown else place == before
            assert quote.last == position.offset + 0.25
            assert quote.high == int(position.epoch)
            assert (quote.bid, quote.ask) == (position.offset + 0.24, position.offset + 0.27)
            self.shown[symbol] = place

    def teardown(self) -> None:
        """In the end it is up to date, whether a link or a poll has told it."""
        if not hasattr(self, "server"):
            return
        linked = self.server.link is not None
        if linked:
            self.server.flush()
        while self.server.link:
            self.arrives()
        if not linked:
            self.apply(self.server.state(), polled=True)
        for symbol, truth in self.server.truths.items():
            assert self.shown[symbol] == (truth.epoch, truth.time_ms, truth.offset)


TestQuotesThroughAnything: Any = QuotesThroughAnything.TestCase
TestQuotesThroughAnything.settings = settings(max_examples=100, stateful_step_count=40)


@pytest.mark.alone
def test_it_takes_a_quarter_of_a_million_rows_a_second() -> None:
    symbols = [f"S{number}" for number in range(50)]
    details = {s: QuoteDetails(1, 2, 1, 1, "2012-06-01", "a", DECIMALS) for s in symbols}
    messages = [
        Quotes(k, k, [QuoteRow(s, 100.25, 1, -1, 2, 9, 0, 0, k + 1, 1) for s in symbols], details)
        for k in range(500)
    ]
    book = QuoteBook()
    begun_s = time.process_time()
    for message in messages:
        assert len(book.apply(message)) == len(symbols)
    assert 500 * len(symbols) / (time.process_time() - begun_s) > 250_000
