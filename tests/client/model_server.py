"""A feed of one symbol as the protocol describes it, small enough to be seen through.

It tells what it knows by messages that wait on a link, and by answers that wait for whoever asked;
a test decides when each arrives. `log` bounds what can be recovered or told as history.
"""

from dataclasses import dataclass, field

import msgspec

from feed_server.protocol import (
    Bar,
    Bars,
    BarSeries,
    Interval,
    Position,
    TradeRow,
    Trades,
    TradeSeries,
)

SYMBOL = "AAPL"
MINUTE = Interval.MINUTE


@dataclass
class TradeServer:
    """Numbers changes, of which some are trades; `run` has those trades by epoch."""

    log: int = 6
    epoch: int = 0
    offset: int = 0
    runs: list[list[int]] = field(default_factory=lambda: [[]])
    link: list[Trades] | None = None
    at: int = 0

    @property
    def trades(self) -> list[int]:
        """Offsets of the trades of the epoch in force."""
        return self.runs[self.epoch]

    def change(self, *, trade: bool) -> None:
        self.offset += 1
        if trade:
            self.trades.append(self.offset)

    def begin_anew(self) -> None:
        self.epoch, self.offset = self.epoch + 1, 0
        self.runs.append([])
        self.change(trade=True)
        if self.link is not None:
            self._say([], stands=True, recovered=False)

    def connect(self, since: Position | None) -> None:
        self.link = []
        if since is None:
            self._say([], stands=True)
            return
        whole = since.epoch == str(self.epoch) and self._begins <= since.offset <= self.offset
        missed = [o for o in self.trades if o > since.offset] if whole else []
        if len(missed) > 1:
            self._say(missed[:1])
            self._say(missed[1:], stands=True, recovered=True)
        else:
            self._say(missed, stands=True, recovered=whole)

    def flush(self) -> None:
        """Say what has happened since."""
        news = [o for o in self.trades if o > self.at]
        if news:
            self._say(news)

    def lose(self) -> None:
        """Skip what has happened since, and say so."""
        if self.offset > self.at:
            last = [o for o in self.trades[-1:] if o == self.offset]
            self._say(last, stands=True, recovered=False)

    def series(self) -> TradeSeries:
        told = [o for o in self.trades if o > self._begins]
        return TradeSeries(
            SYMBOL,
            str(self.epoch),
            self.offset,
            [1000 + o for o in told],
            [float(o) for o in told],
            [1.0] * len(told),
            told,
        )

    @property
    def _begins(self) -> int:
        return max(0, self.offset - self.log)

    def _say(
        self, offsets: list[int], *, stands: bool = False, recovered: bool | None = None
    ) -> None:
        assert self.link is not None
        self.at = self.offset
        self.link.append(
            Trades(
                1000,
                5000,
                [TradeRow(SYMBOL, float(o), 1.0, o, o, o) for o in offsets],
                {SYMBOL: Position(str(self.epoch), self.offset)} if stands else {},
                {} if recovered is None else {SYMBOL: recovered},
            )
        )


@dataclass
class BarServer:
    """Builds bars of ten units; one that has ended is open until the next but one begins."""

    log: int = 6
    epoch: int = 0
    offset: int = 0
    time: int = 0
    bars: dict[int, Bar] = field(default_factory=dict)
    final_at: dict[int, int] = field(default_factory=dict)
    link: list[Bars] | None = None
    at: int = 0
    changed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.trade(0)

    @property
    def finals(self) -> dict[int, float]:
        """Closes of the final bars of the epoch in force, by start."""
        return {start: bar.close for start, bar in self.bars.items() if bar.final}

    def trade(self, later: int, *, late: bool = False) -> None:
        """Trade some time later, in the present bar or, late, in the one before it."""
        self.time += later
        self.offset += 1
        start = self.time // 10 * 10
        if late and start - 10 in self.bars and not self.bars[start - 10].final:
            start -= 10
        held = self.bars.get(start)
        price = float(self.offset)
        volume = held.volume + 1 if held else 1
        self.bars[start] = Bar(
            SYMBOL, MINUTE, start, price, price, price, price, volume, start + int(volume), False
        )
        self.changed.add(start)
        for begins, bar in self.bars.items():
            if not bar.final and begins + 20 <= self.time // 10 * 10:
                self.bars[begins] = msgspec.structs.replace(bar, final=True)
                self.final_at[begins] = self.offset
                self.changed.add(begins)

    def begin_anew(self, *, back: bool) -> None:
        """Begin another epoch: at the beginning of time, or going on with the bars there are."""
        self.epoch, self.offset = self.epoch + 1, 0
        self.final_at = dict.fromkeys(self.final_at, 0)
        if back:
            self.time, self.bars, self.final_at = 0, {}, {}
        self.changed = set()
        self.trade(0)
        if self.link is not None:
            self._say(self.open, begins=True, recovered=False)

    @property
    def open(self) -> list[Bar]:
        return [bar for _, bar in sorted(self.bars.items()) if not bar.final]

    def connect(self, since: Position | None) -> None:
        self.link = []
        if since is None:
            self._say(self.open, begins=True)
            return
        begins = max(0, self.offset - self.log)
        whole = since.epoch == str(self.epoch) and begins <= since.offset <= self.offset
        missed = [
            bar
            for start, bar in sorted(self.bars.items())
            if whole and bar.final and self.final_at[start] > since.offset
        ]
        self._say([*missed, *self.open], begins=True, recovered=whole)

    def flush(self) -> None:
        """Say which bars have changed since."""
        if self.changed:
            self._say([self.bars[start] for start in sorted(self.changed)])

    def lose(self) -> None:
        """Skip what has happened since, and say so."""
        if self.changed:
            self._say(self.open, begins=True, recovered=False)

    def series(self, start_ms: int | None, limit: int) -> BarSeries:
        found = [b for s, b in sorted(self.bars.items()) if s >= (start_ms or 0)]
        told = found[-limit:]
        return BarSeries(
            SYMBOL,
            MINUTE,
            str(self.epoch),
            self.offset,
            told[-1].time_ms if told else None,
            [bar.start_ms for bar in told],
            [bar.open for bar in told],
            [bar.high for bar in told],
            [bar.low for bar in told],
            [bar.close for bar in told],
            [bar.volume for bar in told],
            [bar.final for bar in told],
            more=len(told) < len(found),
        )

    def _say(self, bars: list[Bar], *, begins: bool = False, recovered: bool | None = None) -> None:
        assert self.link is not None
        self.changed = set()
        self.link.append(
            Bars(
                MINUTE,
                bars,
                {SYMBOL: str(self.epoch)} if begins else {},
                snapshot=begins,
                offsets={SYMBOL: self.offset},
                recovered={} if recovered is None else {SYMBOL: recovered},
            )
        )
