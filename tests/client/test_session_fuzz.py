"""Whatever happens to a session, in whatever order: it never raises, and tells each change once."""

import random
from collections.abc import Callable

import pytest

from dashboard.client.core import actions as do
from dashboard.client.core.session import Session, Settings
from feed_server.protocol import (
    Authenticated,
    Bar,
    Bars,
    BarSeries,
    Error,
    ErrorCode,
    Heartbeat,
    Interval,
    Pong,
    Position,
    QuoteDetails,
    QuoteRow,
    Quotes,
    ServerMessage,
    Shutdown,
    Subscribed,
    TradeRow,
    Trades,
    TradeSeries,
    Unsubscribed,
    Welcome,
)
from tests.client.simulated_feed import KEPT, SYMBOLS, WANTS

STEPS = 400
WAYS: tuple[do.Way, ...] = ("websocket", "relay", "polling")
CODES = ("unreachable", "unknown_symbol", "auth_failed", "auth_expired", "forbidden", "not_ready")


class Fuzzer:
    """Does at random what a shell could do, and much that none should."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        modes: tuple[do.Mode, ...] = ("auto", "websocket", "polling")
        self.settings = Settings(
            mode=self.chance.choice(modes),
            relay=self.chance.random() < 0.5,
            renewable=self.chance.random() < 0.5,
        )
        self.session = Session(self.settings, self.chance.random)
        self.now_ms = 0.0
        self.open: set[do.Way] = set()
        self.said: do.StateChanged | None = None
        self.modes = modes

    def step(self) -> None:
        """Do one thing, and look at what comes of it."""
        self.now_ms += self.chance.choice((0, 1, 50, 500, 3_000, 20_000))
        for action in self.chance.choice(self.things())():
            self.look(action)
        if self.chance.random() < 0.5:
            self.catch_up()
        assert self.said is None or self.session.state == self.said

    def catch_up(self) -> None:
        """Tick until nothing is due: what is due again at once, as a try without a wait, ends."""
        due_ms = self.session.deadline()
        if due_ms is None:
            return
        self.now_ms = max(self.now_ms, due_ms)
        for _ in range(5):
            for action in self.session.tick(self.now_ms):
                self.look(action)
            due_ms = self.session.deadline()
            if due_ms is None or due_ms > self.now_ms:
                return
        raise AssertionError(f"due at {due_ms} after a tick at {self.now_ms}")

    def look(self, action: do.Action) -> None:
        """Check that one action makes sense after those before."""
        match action:
            case do.Open(way=way):
                assert way not in self.open, f"{way} is open already"
                self.open.add(way)
            case do.Close(way=way):
                assert way in self.open, f"{way} is not open"
                self.open.remove(way)
            case do.Send(way=way):
                assert way in self.open, f"sent over {way}, which is not open"
            case do.StateChanged():
                if self.said is not None:
                    before = (self.said.state, self.said.code, self.said.way)
                    assert (action.state, action.code, action.way) != before, "told twice"
                self.said = action

    def things(self) -> list[Callable[[], list[do.Action]]]:
        """Return what may happen now."""
        session, now_ms, number = self.session, self.now_ms, self.chance.randrange(60)
        way, code = self.chance.choice(WAYS), self.chance.choice(CODES)
        want = self.chance.choice((*WANTS, *KEPT))
        return [
            lambda: session.start(now_ms),
            lambda: session.stop(now_ms) if self.chance.random() < 0.1 else [],
            lambda: session.tick(now_ms),
            lambda: session.online(now_ms),
            lambda: session.visible(now_ms),
            lambda: session.hidden(now_ms),
            lambda: session.token(now_ms, f"t{self.chance.randrange(3)}"),
            lambda: session.want(now_ms, want),
            lambda: session.unwant(now_ms, want),
            lambda: session.configure(
                now_ms,
                mode=self.chance.choice((None, *self.modes)),
                poll_ms=self.chance.choice((None, 200, 5_000)),
                max_hz=self.chance.choice((None, 0, 2)),
                relay=self.chance.choice((None, True, False)),
            ),
            lambda: self.closed(way),
            *[lambda: session.received(now_ms, way, self.message(), 10)] * 12,
            lambda: session.polled(now_ms, number, self.quotes()),
            lambda: session.poll_failed(now_ms, number, code, "no"),
            lambda: session.loaded(now_ms, number, self.series()),
            lambda: session.load_failed(now_ms, number, code, "no"),
        ]

    def closed(self, way: do.Way) -> list[do.Action]:
        """Let a link end."""
        self.open.discard(way)
        number = self.chance.choice((None, 1001, 1006, 1009, 4001, 4003, 4008, 4010))
        return self.session.closed(self.now_ms, way, number, "ended")

    def message(self) -> ServerMessage | None:
        """Return something that the feed could say, at another time perhaps."""
        chance, now_ms, number = self.chance, int(self.now_ms), self.chance.randrange(60)
        symbol, offset = chance.choice(SYMBOLS), chance.randrange(100)
        bar = Bar(
            symbol,
            Interval.MINUTE,
            offset // 10 * 60_000,
            *(1.0,) * 5,
            now_ms,
            chance.random() < 0.5,
        )
        recovered = chance.choice(({}, {symbol: True}, {symbol: False}))
        epochs = chance.choice(({}, {symbol: self.epoch()}))
        messages: list[ServerMessage | None] = [
            Welcome(1, "g", now_ms, 5_000, 10, 100, 65_536, 50, "none"),
            Welcome(1, "g", now_ms, 5_000, 10, 100, 600, 50, "required"),
            Authenticated(number, now_ms + chance.choice((-5, 50, 60_000))),
            Error(chance.choice(list(ErrorCode)), "no", chance.choice((None, number))),
            Subscribed(number, "quotes", [symbol], {}, 1.0),
            Subscribed(number, "bars", [], {symbol: ErrorCode.SOURCE}, 1.0, Interval.MINUTE),
            Unsubscribed(number, "trades", [symbol]),
            Heartbeat(now_ms, chance.choice((0, 0, 500))),
            Pong(number, now_ms),
            Shutdown(chance.randrange(5_000)),
            None,
            self.quotes(),
            Trades(
                now_ms,
                now_ms,
                [TradeRow(symbol, 1.0, 1.0, 0, 0, offset)],
                chance.choice(({}, {symbol: Position(self.epoch(), offset)})),
                recovered,
            ),
            Bars(
                Interval.MINUTE, [bar], epochs, chance.random() < 0.5, {symbol: offset}, recovered
            ),
        ]
        return chance.choice(messages)

    def epoch(self) -> str:
        """Return the name of some epoch."""
        return f"e{self.chance.randrange(3)}"

    def quotes(self) -> Quotes:
        """Return some quotes."""
        symbol, now_ms = self.chance.choice(SYMBOLS), int(self.now_ms)
        row = QuoteRow(symbol, 1.0, 1.0, -1, 1, 1.0, 0, 0, self.chance.randrange(100), 1)
        details = QuoteDetails(1.0, 1.0, 1.0, None, "2020-01-01", self.epoch(), 2)
        told = self.chance.choice(({}, {symbol: details}))
        return Quotes(now_ms, now_ms, [row], told, snapshot=self.chance.random() < 0.5)

    def series(self) -> BarSeries | TradeSeries:
        """Return some history."""
        symbol, end = self.chance.choice(SYMBOLS), self.chance.randrange(100)
        if self.chance.random() < 0.5:
            offsets = list(range(max(0, end - 20), end))
            ones = [1.0] * len(offsets)
            return TradeSeries(symbol, self.epoch(), end, offsets, ones, ones, offsets)
        starts = [i * 60_000 for i in range(end // 10 + 1)]
        ones = [1.0] * len(starts)
        final = [True] * (len(starts) - 1) + [False]
        return BarSeries(symbol, Interval.MINUTE, self.epoch(), end, 5, starts, *(ones,) * 5, final)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_breaks_a_session(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    for _ in range(STEPS):
        fuzzer.step()
    for action in fuzzer.session.stop(fuzzer.now_ms):
        fuzzer.look(action)
    assert fuzzer.open == set()
    assert fuzzer.session.state.state == "closed"
    sizes = fuzzer.session.sizes()
    assert sizes["links"] == sizes["requests"] == 0
