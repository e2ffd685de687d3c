"""One symbol on its way from its source to the bus. Pure."""

from collections.abc import Mapping, Sequence

from feed_server.bus.publisher import new_epoch
from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.market.bar_shelf import BarShelf
from feed_server.market.bars import RUNGS, BarLadder
from feed_server.market.begun_bars import COMPLETED, begun_bar
from feed_server.market.checks import Checks, Reason
from feed_server.market.events import MarketEvent, SessionSnapshot, TopOfBook
from feed_server.market.session import SessionCalendar, daily_bar_start_ms
from feed_server.market.symbol_session import SymbolSession, joined_day, told_day
from feed_server.protocol import Bar, Interval, Position, SymbolInfo, Trade, TradePrint

RESTORED = 200
"""Final bars of each interval that are put back where Redis has lost them."""

OVERDUE_MS = 1_000
"""An unwanted symbol is published about so often where it changes."""

MAX_ENDED = 1_000
"""Final bars that may wait for being published, also of an unwanted symbol."""


class Line:
    """A symbol's state, and what of it is still to be published.

    Trades are kept for publishing only while the symbol is wanted; those of other times are told as
    a number, so that counts and offsets stay true. Final bars are published all.

    Args:
        info: The instrument.
        calendar: Dates its sessions.
        grace_ms: For how long after its end a bar takes late trades, by the market's clock.
        max_ahead_ms: How far ahead of our clock an event may be; `None` where the market's clock is
            not ours, as in a replay.

    Attributes:
        symbol: The instrument's name.
        position: Where the symbol should stand in Redis.
        taken: How many of the source's events were applied, those that were refused among them.
        last_update: What was taken for publishing last.
    """

    def __init__(
        self,
        info: SymbolInfo,
        calendar: SessionCalendar,
        *,
        grace_ms: int,
        max_ahead_ms: int | None = None,
    ) -> None:
        self.symbol = info.symbol
        self.position = Position(new_epoch(), 0)
        self.taken = 0
        self.last_update: SymbolUpdate | None = None
        self._info = info
        self._calendar = calendar
        self._is_live = max_ahead_ms is not None
        self._checks = Checks(info.currency, max_ahead_ms)
        self._ladder = BarLadder(info.symbol, calendar, grace_ms)
        self._session = SymbolSession(info.symbol)
        self._wanted = False
        self._ended: list[Bar] = []
        self._trades: list[TradePrint] = []
        self._told_ms = self._now_ms = self._counted_ms = 0
        self._lacks_ms = 0
        self._is_overdue = False
        self._shelves = {i: BarShelf(info.symbol, i, RESTORED) for i in Interval}

    @property
    def info(self) -> SymbolInfo:
        """The instrument, and the source that it comes from now."""
        return self._info

    @info.setter
    def info(self, info: SymbolInfo) -> None:
        if info.source != self._info.source:
            # What the other said last would stay for ever where this one tells no best prices.
            self._session.forget_top()
            self._checks.forget_ids()
            self._count_after_last()
        self._info = info

    def seed(self, prev_close: float | None, today: Bar | None) -> None:
        """Take from history what is known of the session so far; it is no state by itself.

        Args:
            prev_close: Last price of the session before.
            today: The session's daily bar, `None` where it has none yet.
        """
        self._session.seed(prev_close, None if today is None else today.start_ms)
        price = prev_close if today is None else today.close
        if price is not None:
            self._checks.seed(price)
        if today is None:
            return
        held = self._session.today(self._ladder.sessions())
        if held is not None and held.start_ms == today.start_ms:
            today = joined_day(today, held)
        if held is None or held.start_ms <= today.start_ms:
            self._ladder.put(today)
            self._session.changed = self._session.begun

    def lack(self, before_ms: int) -> None:
        """Note that not all that was traded before a market time was heard; it is told as it is."""
        self._lacks_ms = before_ms

    def complete(self, told: Sequence[Bar], until_ms: int) -> None:
        """Take from history what bars that form were like before the symbol was followed.

        Args:
            told: The source's bars that ended by ``until_ms``, as `begun_bar` takes them: of all
                the time since the first of those that form began.
            until_ms: Up to when it has told them, a whole minute.
        """
        held = self._ladder.open_bars()
        own = [
            b
            for b in [*self._shelves[Interval.MINUTE], *self._ended, *held]
            if b.interval is Interval.MINUTE
        ]
        for interval in COMPLETED:
            start_ms = until_ms - until_ms % interval.ms
            same = (b for b in held if b.interval is interval and b.start_ms == start_ms)
            bar = begun_bar(interval, start_ms, told, own, next(same, None))
            if bar is not None:
                self._ladder.put(bar, told_ms=told[-1].start_ms + told[-1].interval.ms)
        if self._lacks_ms - until_ms <= Interval.MINUTE.ms:
            self._lacks_ms = 0
        self._session.changed = self._session.begun

    def resume(self, stored: StoredUpdate, last_final: Mapping[Interval, int]) -> None:
        """Go on where the line of another process has ended; before anything is applied.

        Args:
            stored: The symbol's last update in Redis.
            last_final: By interval the start of the newest final bar there.
        """
        update = stored.update
        quote = update.quote
        final_ms = dict(last_final)
        for bar in update.bars:
            if bar.final:
                final_ms[bar.interval] = max(bar.start_ms, final_ms.get(bar.interval, 0))
        self.position = stored.position
        self.taken = update.taken
        self._lacks_ms = update.lacks_ms
        self.last_update = update
        self._ladder.resume((bar for bar in update.bars if not bar.final), final_ms)
        self._session.resume(quote, self._ladder.sessions())
        self._checks.resume(quote.last, self._session.last_ms, quote.time_ms)
        self._checks.clock(quote.received_ms)
        self._count_after_last()
        self._reach(quote.time_ms)

    def _count_after_last(self) -> None:
        """Take no trade any more that may be counted already; its number would not tell."""
        if self._is_live:
            self._counted_ms = self._session.last_ms

    def apply(self, event: MarketEvent, received_ms: int) -> Reason | None:
        """Take one event of this symbol.

        Args:
            event: What the source told.
            received_ms: When it reached us, UTC epoch milliseconds.

        Returns:
            Why it was not taken, or only in part, or what was odd; `None` where all is well.
        """
        self.taken += 1
        odd = self._checks.clock(received_ms)
        if isinstance(event, Trade):
            return self._trade(event) or odd
        if isinstance(event, TopOfBook):
            return self._top(event) or odd
        return self._snapshot(event) or odd

    def _trade(self, trade: Trade) -> Reason | None:
        checks = self._checks
        if trade.time_ms <= self._counted_ms:
            return Reason.LATE
        reason = checks.trade(trade)
        if reason is not None:
            return reason
        time_ms, price, size = trade.time_ms, trade.price, trade.size
        took = self._ladder.apply(time_ms, price, size)
        if not took:
            return Reason.LATE
        self._session.trade(time_ms, price, size, checks.now_ms)
        if self._wanted:
            self._trades.append(TradePrint(time_ms, price, size))
        self._reach(time_ms)
        return None if took == RUNGS else Reason.LATE

    def _top(self, top: TopOfBook) -> Reason | None:
        accepted, reason = self._checks.top(top)
        if accepted is not None:
            self._session.top(accepted, self._checks.now_ms)
            self._reach(top.time_ms)
        return reason

    def _snapshot(self, told: SessionSnapshot) -> Reason | None:
        snapshot, reason = self._checks.snapshot(told)
        if snapshot is None:
            return reason
        session = snapshot.session or self._calendar.date_of(snapshot.time_ms)
        start_ms = daily_bar_start_ms(session)
        held = self._session.today(self._ladder.sessions())
        if held is not None and held.start_ms > start_ms:
            return Reason.OUT_OF_ORDER
        same = held if held is not None and held.start_ms == start_ms else None
        day = told_day(snapshot, start_ms, same)
        if not self._ladder.put(day):
            # The session is over: the quote tells it, its bar is final or the vendor's to tell.
            self._session.end(day)
        self._session.tell(snapshot, start_ms, self._checks.now_ms)
        if told.bid is not None or told.ask is not None:
            top = TopOfBook(told.symbol, told.time_ms, told.bid, told.ask)
            reason = self._top(top) or reason
        self._reach(snapshot.time_ms)
        return reason

    def _reach(self, time_ms: int) -> None:
        """Let the market's clock be as far as an event, but where it is ours not ahead of it."""
        self.advance(min(time_ms, self._checks.now_ms) if self._is_live else time_ms)

    def advance(self, market_ms: int) -> None:
        """Let the market's clock be as far as this at least: bars that are due become final."""
        ended = self._ladder.advance(market_ms)
        if ended:
            self._ended += ended
            for bar in ended:
                if bar.interval is Interval.DAY:
                    self._session.end(bar)

    def want(self, wanted: bool) -> None:
        """Keep trades for publishing from now on, or no longer."""
        self._wanted = wanted
        if not wanted:
            self._trades.clear()

    @property
    def due(self) -> bool:
        """Whether there is something that has to be published.

        That is what a wanted symbol does, the first state of all, and what is `overdue`.
        """
        if self._wanted or self.last_update is None or self._is_overdue:
            return self._waits
        return len(self._ended) >= MAX_ENDED

    def overdue(self, now_ms: int) -> bool:
        """Tell whether something waits, and the last was published a second ago or more.

        It is `due` then, until it is taken.

        Args:
            now_ms: Our clock.
        """
        # Where our clock was set back, it is waited for a second of the new one.
        self._told_ms = min(self._told_ms, now_ms)
        self._now_ms = now_ms
        self._is_overdue = self._waits and now_ms - self._told_ms >= OVERDUE_MS
        return self._is_overdue

    @property
    def _waits(self) -> bool:
        return self._session.begun and (self._session.changed or bool(self._ended))

    def take_update(self) -> SymbolUpdate | None:
        """Return what has changed since it was last taken, `None` where nothing has."""
        if not self._waits:
            return None
        ended, self._ended = self._ended, []
        trades, self._trades = self._trades, []
        told = self._session.trades
        for bar in ended:
            self._shelves[bar.interval].append(bar)
        quote = self._session.take_quote(self._ladder.sessions())
        bars = [*ended, *self._ladder.open_bars()]
        self._told_ms = max(self._checks.now_ms, self._now_ms)
        self._is_overdue = False
        update = SymbolUpdate(quote, bars, trades, told - len(trades), self.taken, self._lacks_ms)
        if not told and update == self.last_update:
            # Redis would take it for the last one published again, and stay where it is.
            return None
        self.last_update = update
        return update

    @property
    def final_bars(self) -> Mapping[Interval, Sequence[Bar]]:
        """The newest final bars of each interval that were taken for publishing, oldest first."""
        return self._shelves
