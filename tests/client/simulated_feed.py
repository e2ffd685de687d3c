"""A feed, a network and a shell without I/O, in simulated time: what a session lives through.

Nothing waits: events lie in a heap, and time jumps from one to the next. All chance is seeded.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Literal

from dashboard.client.core import actions as do
from dashboard.client.core.session import Session, Settings, Want
from feed_server.protocol import (
    Auth,
    Authenticated,
    Bar,
    Bars,
    BarSeries,
    CloseCode,
    Error,
    ErrorCode,
    GatewayStatus,
    Heartbeat,
    Interval,
    Ping,
    Pong,
    Position,
    QuoteDetails,
    QuoteRow,
    Quotes,
    ServerMessage,
    Shutdown,
    SourceState,
    SourceStatus,
    Status,
    Subscribe,
    Subscribed,
    TradeRow,
    Trades,
    TradeSeries,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)

Network = Literal["good", "http", "silent", "blocked"]

HEARTBEAT_MS = 5_000
MINUTE_MS = 60_000
LOG = 40
"""Changes of a symbol that a link can go on from."""
HISTORY = 300
"""Trades and final bars that requests can have."""
TOKEN_MS = 600_000
GRACE_MS = 5_000


class Market:
    """One symbol, from one change to the next: each is a trade, a quote, and part of a bar."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.offset = 0
        self.trades: deque[tuple[int, int]] = deque(maxlen=HISTORY)
        self.finals: deque[tuple[int, int]] = deque(maxlen=HISTORY)
        self.open_ms: int | None = None

    def move(self, now_ms: int) -> list[tuple[int, bool]]:
        """Trade once; return the bars that changed: their starts, and whether they are final."""
        self.offset += 1
        self.trades.append((now_ms, self.offset))
        start_ms = now_ms // MINUTE_MS * MINUTE_MS
        changed = []
        if self.open_ms is not None and self.open_ms < start_ms:
            self.finals.append((self.open_ms, self.offset))
            changed.append((self.open_ms, True))
        self.open_ms = start_ms
        return [*changed, (start_ms, False)]


class Link:
    """The feed's end of one connection."""

    def __init__(self, way: do.Way) -> None:
        self.way = way
        self.is_in = False
        self.frames = 0
        self.free_ms = 0.0
        self.expires_ms: float | None = None
        self.wanted: set[tuple[str, str | None, str]] = set()


class World:
    """Everything around a session.

    Args:
        seed: Of all chance.
        settings: Of the session.
        symbols: What there is to want.
        auth: Whether the feed asks for a token.

    Attributes:
        told: Called with each action that tells something.
    """

    def __init__(
        self, seed: int, settings: Settings, symbols: tuple[str, ...], *, auth: bool = False
    ) -> None:
        self.chance = random.Random(seed)
        self.session = Session(settings, self.chance.random)
        self.now_ms = 0.0
        self.network: Network = "good"
        self.markets = {symbol: Market("e0") for symbol in symbols}
        self.unknown: set[str] = set()
        self.told: list[Callable[[do.Action], None]] = []
        self.events = 0
        self._auth = auth
        self._epochs = count(1)
        self._numbers = count()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._links: dict[do.Way, Link] = {}
        self._tokens = count()
        self._token_ms = 0.0
        self._tick_ms: float | None = None

    # ---- time

    def at(self, after_ms: float, call: Callable[[], None]) -> None:
        """Do something after a while."""
        heapq.heappush(self._heap, (self.now_ms + after_ms, next(self._numbers), call))

    def run(self, until_ms: float) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= until_ms:
            self.now_ms, _, call = heapq.heappop(self._heap)
            self.events += 1
            call()
        self.now_ms = until_ms

    def pending(self) -> int:
        """Return how many events lie ahead."""
        return len(self._heap)

    # ---- the shell

    def perform(self, actions: list[do.Action]) -> None:
        """Do what the session wants, and hold its timer."""
        for action in actions:
            self._do(action)
        due_ms = self.session.deadline()
        if due_ms is not None and (self._tick_ms is None or due_ms < self._tick_ms):
            self._tick_ms = due_ms
            self.at(max(0.0, due_ms - self.now_ms), lambda: self._tick(due_ms))

    def _tick(self, due_ms: float) -> None:
        if self._tick_ms == due_ms:
            self._tick_ms = None
            self.perform(self.session.tick(self.now_ms))

    def _do(self, action: do.Action) -> None:
        match action:
            case do.Open(way=way):
                self._open(way)
            case do.Close(way=way):
                self._links.pop(way, None)
            case do.Send(way=way, message=message):
                link = self._links.get(way)
                if link is not None and self.network == "good":
                    self._later(lambda: self._heard(link, message))
            case do.Poll():
                self._later(lambda: self._poll(action))
            case do.Load():
                self._later(lambda: self._load(action))
            case do.Renew():
                if self.network == "good" or self.chance.random() < 0.5:
                    self._later(self.renew)
            case _:
                for listener in self.told:
                    listener(action)

    def renew(self) -> None:
        """Sign another token, and give it to the session."""
        self._token_ms = self.now_ms + TOKEN_MS
        self.perform(self.session.token(self.now_ms, f"t{next(self._tokens)}"))

    def _later(self, call: Callable[[], None]) -> None:
        self.at(self.chance.uniform(2, 60), call)

    # ---- links

    def _open(self, way: do.Way) -> None:
        link = self._links[way] = Link(way)
        if way == "relay" or self.network == "good":
            self._later(lambda: self._welcome(link))
        elif self.network in ("http", "blocked"):
            self._later(lambda: self._end(link, None))

    def _welcome(self, link: Link) -> None:
        link.is_in = not self._auth
        auth: Literal["none", "required"] = "required" if self._auth else "none"
        now_ms = int(self.now_ms)
        self._say(link, Welcome(1, "g", now_ms, HEARTBEAT_MS, 10, 1000, 65536, 50, auth))
        self._say(link, self.status())
        self.at(HEARTBEAT_MS, lambda: self._beat(link))

    def _beat(self, link: Link) -> None:
        if self._links.get(link.way) is not link:
            return
        if link.expires_ms is not None and self.now_ms > link.expires_ms + GRACE_MS:
            self._end(link, CloseCode.AUTH_EXPIRED.number)
            return
        self._say(link, Heartbeat(int(self.now_ms), link.frames))
        self.at(HEARTBEAT_MS, lambda: self._beat(link))

    def drop(self, number: int | None) -> None:
        """End every link."""
        for link in list(self._links.values()):
            self._end(link, number)

    def shut_down(self) -> None:
        """Tell clients to come back in a while, and go."""
        for link in list(self._links.values()):
            if link.is_in:
                self._say(link, Shutdown(self.chance.randrange(5_000)))
            self.at(100, partial(self._end, link, 1001))

    def _end(self, link: Link, number: int | None) -> None:
        if self._links.get(link.way) is link:
            del self._links[link.way]
            self.perform(self.session.closed(self.now_ms, link.way, number, "ended"))

    def _say(self, link: Link, message: ServerMessage) -> None:
        """Deliver in order; what is said into silence is lost with the link."""
        if self._links.get(link.way) is not link:
            return
        if self.network != "good" and link.way != "relay":
            link.frames += 1
            return
        link.frames += 1
        link.free_ms = max(link.free_ms, self.now_ms + self.chance.uniform(1, 20))
        self.at(link.free_ms - self.now_ms, lambda: self._deliver(link, message))

    def _deliver(self, link: Link, message: ServerMessage) -> None:
        if self._links.get(link.way) is link:
            self.perform(self.session.received(self.now_ms, link.way, message, 100))

    # ---- the feed

    def status(self) -> Status:
        """Return how the sources do."""
        source = SourceStatus("replay", "REPLAY", SourceState.LIVE, "", None, 0)
        return Status([source], GatewayStatus("g", 1.0))

    def trade(self, symbol: str) -> None:
        """Let one symbol move, and tell everyone who wants it."""
        market, now_ms = self.markets[symbol], int(self.now_ms)
        changed = market.move(now_ms)
        for link in list(self._links.values()):
            if ("quotes", None, symbol) in link.wanted:
                self._say(link, Quotes(now_ms, now_ms, [self._quote(symbol)]))
            if ("trades", None, symbol) in link.wanted:
                row = TradeRow(symbol, 1.0, 1.0, 0, 0, market.offset)
                self._say(link, Trades(now_ms, now_ms, [row]))
            if ("bars", "1m", symbol) in link.wanted:
                rows = [_bar(symbol, start_ms, now_ms, final=final) for start_ms, final in changed]
                self._say(link, Bars(Interval.MINUTE, rows, offsets={symbol: market.offset}))

    def begin_anew(self, symbol: str) -> None:
        """Begin another epoch of a symbol, as a restart does; links end with it.

        Trades of the epoch before are gone, bars are known from their source.
        """
        before = self.markets[symbol]
        market = self.markets[symbol] = Market(f"e{next(self._epochs)}")
        market.finals.extend((start_ms, 0) for start_ms, _ in before.finals)
        market.open_ms = before.open_ms
        self.drop(None)

    def _quote(self, symbol: str) -> QuoteRow:
        return QuoteRow(symbol, 1.0, 1.0, None, None, 1.0, 0, 0, self.markets[symbol].offset, 1)

    def _heard(self, link: Link, message: do.Request) -> None:
        if self._links.get(link.way) is not link:
            return
        match message:
            case Ping(id=number):
                self._say(link, Pong(number, int(self.now_ms)))
            case Auth(id=number, token=_):
                if self._token_ms <= self.now_ms:
                    self._say(link, Error(ErrorCode.AUTH_EXPIRED, "expired", number))
                    return
                link.is_in, link.expires_ms = True, self._token_ms
                self._say(link, Authenticated(number, int(self._token_ms)))
            case Subscribe():
                self._subscribe(link, message)
            case Unsubscribe(id=number, channel=channel, symbols=symbols, interval=interval):
                link.wanted -= {(channel, interval, symbol) for symbol in symbols}
                self._say(link, Unsubscribed(number, channel, symbols, interval))

    def _subscribe(self, link: Link, asked: Subscribe) -> None:
        known = [s for s in asked.symbols if s in self.markets and s not in self.unknown]
        failed = {s: ErrorCode.UNKNOWN_SYMBOL for s in asked.symbols if s not in known}
        link.wanted |= {(asked.channel, asked.interval, symbol) for symbol in known}
        self._say(link, Subscribed(asked.id, asked.channel, known, failed, 10.0, asked.interval))
        for symbol in known:
            self._say(link, self._first(asked, symbol))

    def _first(self, asked: Subscribe, symbol: str) -> ServerMessage:
        """Return the state as it is, or what came since."""
        market, now_ms = self.markets[symbol], int(self.now_ms)
        at, since = Position(market.epoch, market.offset), asked.since.get(symbol)
        reaches = since is not None and (
            since.epoch == market.epoch and since.offset >= market.offset - LOG
        )
        recovered = {} if since is None else {symbol: reaches}
        after = since.offset if since is not None and reaches else market.offset
        if asked.channel == "quotes":
            return self.quotes([symbol])
        if asked.channel == "trades":
            rows = [
                TradeRow(symbol, 1.0, 1.0, time_ms - now_ms, 0, offset)
                for time_ms, offset in market.trades
                if offset > after
            ]
            return Trades(now_ms, now_ms, rows, {symbol: at}, recovered)
        bars = [
            _bar(symbol, start_ms, now_ms, final=True)
            for start_ms, offset in market.finals
            if offset > after
        ]
        if market.open_ms is not None:
            bars.append(_bar(symbol, market.open_ms, now_ms, final=False))
        return Bars(
            Interval.MINUTE,
            bars,
            {symbol: market.epoch},
            snapshot=True,
            offsets={symbol: market.offset},
            recovered=recovered,
        )

    def quotes(self, symbols: list[str]) -> Quotes:
        """Return the quotes of some symbols as they are."""
        now_ms = int(self.now_ms)
        details = {
            s: QuoteDetails(1.0, 1.0, 1.0, None, "2020-01-01", self.markets[s].epoch, None)
            for s in symbols
        }
        return Quotes(now_ms, now_ms, [self._quote(s) for s in symbols], details, snapshot=True)

    # ---- requests

    def _poll(self, poll: do.Poll) -> None:
        if self.network in ("good", "http"):
            if self._auth and self._token_ms <= self.now_ms:
                code = "auth_expired"
            elif any(s in self.unknown for s in poll.symbols):
                code = "unknown_symbol"
            else:
                quotes = self.quotes(poll.symbols) if poll.symbols else None
                told = self.session.polled(self.now_ms, poll.id, quotes, self.status())
                self.perform(told)
                return
            self.perform(self.session.poll_failed(self.now_ms, poll.id, code, "no"))
        elif self.network == "blocked":
            self.perform(self.session.poll_failed(self.now_ms, poll.id, "unreachable", "no"))

    def _load(self, load: do.Load) -> None:
        market = self.markets[load.symbol]
        if self.network == "silent" and load.way != "relay":
            return
        if (self.network == "blocked" and load.way != "relay") or self.chance.random() < 0.05:
            self.perform(self.session.load_failed(self.now_ms, load.id, "unreachable", "no"))
        elif load.channel == "trades":
            times = [time_ms for time_ms, _ in market.trades][-load.limit :]
            offsets = [offset for _, offset in market.trades][-load.limit :]
            ones = [1.0] * len(times)
            body = TradeSeries(load.symbol, market.epoch, market.offset, times, ones, ones, offsets)
            self.perform(self.session.loaded(self.now_ms, load.id, body))
        else:
            series = self._bars(load, market)
            self.perform(self.session.loaded(self.now_ms, load.id, series))

    def _bars(self, load: do.Load, market: Market) -> BarSeries:
        held = [(start_ms, True) for start_ms, _ in market.finals]
        if market.open_ms is not None:
            held.append((market.open_ms, False))
        wanted = [(start, final) for start, final in held if start >= (load.start_ms or 0)]
        is_cut = len(market.finals) == HISTORY and held[0][0] > (load.start_ms or 0)
        more = len(wanted) > load.limit or is_cut
        wanted = wanted[-load.limit :]
        starts, ones = [start for start, _ in wanted], [1.0] * len(wanted)
        return BarSeries(
            load.symbol,
            Interval.MINUTE,
            market.epoch,
            market.offset,
            int(self.now_ms),
            starts,
            *(ones,) * 5,
            [final for _, final in wanted],
            more=more,
        )


def _bar(symbol: str, start_ms: int, now_ms: int, *, final: bool) -> Bar:
    return Bar(symbol, Interval.MINUTE, start_ms, 1.0, 1.0, 1.0, 1.0, 1.0, now_ms, final)


def every(world: World, least_ms: float, most_ms: float, call: Callable[[], None]) -> None:
    """Do something again and again."""

    def again() -> None:
        call()
        world.at(world.chance.uniform(least_ms, most_ms), again)

    world.at(world.chance.uniform(least_ms, most_ms), again)


WANTS = (
    Want(channel="quotes", symbols=("AAPL", "IBM", "NEW")),
    Want(channel="quotes", symbols=("AAPL",), max_hz=1),
    Want(channel="quotes", symbols=("MSFT", "GOOG")),
    Want(channel="trades", symbols=("AAPL", "MSFT")),
    Want(channel="trades", symbols=("NEW",)),
    Want(channel="bars", symbols=("IBM",), interval="1m", history=100),
    Want(channel="bars", symbols=("IBM", "GOOG"), interval="1m", indicators=("SMA(20)",)),
)
"""What comes and goes."""

KEPT = (
    Want(channel="quotes", symbols=("GOLD",)),
    Want(channel="trades", symbols=("GOLD",)),
    Want(channel="bars", symbols=("GOLD",), interval="1m", history=50),
)
"""What is wanted all the time."""

SYMBOLS = ("AAPL", "IBM", "MSFT", "GOOG", "NEW", "GOLD")
