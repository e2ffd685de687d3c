from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from dashboard.client.core.bar_book import BarBook, BarsChange
from feed_server.protocol import BarSeries
from tests.client.model_server import MINUTE, SYMBOL, BarServer

LIMITS = st.sampled_from([3, 100])
KEY = (SYMBOL, MINUTE)


class BarsThroughAnything(RuleBasedStateMachine):
    """Pushes, polls, drops, losses and new epochs in any order.

    Every final bar is told once, in order and as it is, or a gap is told; a chart that redraws what
    it is told to redraw shows what is held.
    """

    @initialize(live=st.booleans())
    def begin(self, live: bool) -> None:
        self.server = BarServer()
        self.book = BarBook()
        self.answers: list[tuple[BarSeries, int | None]] = []
        self.truth: dict[int, dict[int, float]] = {}
        self.chart: dict[int, float] = {}
        self.told: int | None = None
        self.lost = False
        if live:
            self.server.connect(None)
            self.arrives()
        else:
            self.take(self.book.apply_series(self.server.series(None, 100)))

    @rule(trades=st.lists(st.tuples(st.sampled_from([0, 3, 10]), st.booleans()), max_size=6))
    def happens(self, trades: list[tuple[int, bool]]) -> None:
        for later, late in trades:
            self.server.trade(later, late=late)

    @precondition(lambda self: self.server.link is not None)
    @rule(bars=st.integers(1, 3))
    def goes_well(self, bars: int) -> None:
        for _ in range(bars):
            self.server.trade(10)
        self.server.flush()
        while self.server.link:
            self.arrives()

    @precondition(lambda self: self.server.offset > 20)
    @rule(back=st.booleans())
    def begins_anew(self, back: bool) -> None:
        self.truth[self.server.epoch] = self.server.finals
        self.server.begin_anew(back=back)

    @precondition(lambda self: self.server.link is not None)
    @rule(how=st.sampled_from([BarServer.flush, BarServer.flush, BarServer.lose]))
    def says(self, how: Callable[[BarServer], None]) -> None:
        how(self.server)

    @precondition(lambda self: bool(self.server.link))
    @rule(again=st.booleans())
    def arrives(self, again: bool = False) -> None:
        assert self.server.link
        message = self.server.link.pop(0)
        for _ in range(2 if again else 1):
            for change in self.book.apply(message):
                self.take(change)

    @precondition(lambda self: self.server.link is not None)
    @rule()
    def drops(self) -> None:
        self.server.link = None
        self.answers = []
        self.book.unlinked()

    @precondition(lambda self: self.server.link is None)
    @rule()
    def reconnects(self) -> None:
        self.server.connect(self.book.positions([SYMBOL], MINUTE).get(SYMBOL))

    @rule(limit=LIMITS, whole=st.booleans())
    def asks(self, limit: int, whole: bool) -> None:
        start_ms = None if whole else self.book.resume_from(*KEY)
        self.answers.append((self.server.series(start_ms, limit), start_ms))

    @precondition(lambda self: self.answers)
    @rule()
    def is_answered(self) -> None:
        series, start_ms = self.answers.pop(0)
        self.take(self.book.apply_series(series, start_ms=start_ms))

    @precondition(lambda self: self.book.needs_history(*KEY) and self.server.offset % 2)
    @rule()
    def gives_up(self) -> None:
        self.take(self.book.give_up(*KEY))

    def take(self, change: BarsChange | None) -> None:
        """Check what is told against the truth, in the epoch that the book is in."""
        self.truth[self.server.epoch] = self.server.finals
        bars = self.book.bars(*KEY)
        if change is not None:
            self.draw(change)
            self.check(change)
        assert [bar.start_ms for bar in bars] == sorted({bar.start_ms for bar in bars})
        assert {bar.start_ms: bar.close for bar in bars} == self.chart

    def draw(self, change: BarsChange) -> None:
        since_ms = 0 if change.reset else change.since_ms
        if since_ms is None:
            return
        kept = {start: close for start, close in self.chart.items() if start < since_ms}
        drawn = {b.start_ms: b.close for b in self.book.bars(*KEY) if b.start_ms >= since_ms}
        self.chart = {**kept, **drawn}

    def check(self, change: BarsChange) -> None:
        truth = self.truth[int(self.book.positions([SYMBOL], MINUTE)[SYMBOL].epoch)]
        self.lost = self.lost or change.lost is not None
        if change.lost == "epoch":
            self.told = None
        for bar in change.finals:
            assert bar.close == truth[bar.start_ms]
            if self.told is not None:
                assert bar.start_ms > self.told
                missed = [start for start in truth if self.told < start < bar.start_ms]
                assert self.lost or not missed
            self.told, self.lost = bar.start_ms, change.lost is not None

    def teardown(self) -> None:
        """In the end the book has caught up."""
        if not hasattr(self, "server"):
            return
        self.drops()
        self.reconnects()
        while self.server.link:
            self.arrives()
        for _ in range(3):
            self.server.trade(10)
            self.server.flush()
        while self.server.link:
            self.arrives()
        start_ms = self.book.resume_from(*KEY)
        self.take(self.book.apply_series(self.server.series(start_ms, 100), start_ms=start_ms))
        assert not self.book.needs_history(*KEY)
        self.server.trade(10)
        self.server.flush()
        self.arrives()
        assert self.told == max(self.server.finals)
        assert self.chart[self.told] == self.server.finals[self.told]


TestBarsThroughAnything: Any = BarsThroughAnything.TestCase
TestBarsThroughAnything.settings = settings(max_examples=100, stateful_step_count=40)
