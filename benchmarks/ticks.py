"""Ticks a second from a source through Redis to the gateway and its clients, none lost.

First as a source's trades come: an ingest carries them, and what comes while a batch is on its way
goes together in the next. A client of all symbols' quotes is the witness that every offset has
reached the gateway; one of some symbols' trades checks that it gets every single one, in order.

Then each tick as an update of its own, published without an ingest: what one call of the script
costs from end to end.

Beside both the bare limit of the same Redis: messages of about the length of such an update,
PUBLISHed in pipelines over a raw socket.
"""

import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.children import CpuWindow
from benchmarks.crowd import Crowd, subscribe
from benchmarks.feed import Feed, running_feed
from benchmarks.feeder import FIRST_OFFSET, AwaitDemand, Carry, Flood, Pour
from benchmarks.figures import show, show_at_least, show_ratio
from benchmarks.witness import QuoteWitness, TradeWitness
from feed_server.protocol import Quotes, Trades, decode_server_message

RUNS = 5
SYMBOLS = [f"S{number:03}" for number in range(500)]
TRADED = SYMBOLS[::25]
"""Symbols whose trades a client gets."""
CARRIED_ROUNDS = 400
ROUNDS = 100
TIMEOUT_S = 60.0
TARGET_PER_S = 50_000
MESSAGE_BYTES = 200
"""About what an update of one tick is on the bus."""
BARE_MESSAGES = 200_000
BARE_BATCH = 500


class Audience:
    """A client of all symbols' quotes, and one of some symbols' trades.

    Args:
        crowd: Where they are.
        quotes: What the first hears.
        trades: What the second hears.
        traded: Of which symbols.
    """

    def __init__(
        self, crowd: Crowd, quotes: QuoteWitness, trades: TradeWitness, traded: list[str]
    ) -> None:
        self.quotes = quotes
        self.trades = trades
        self.traded = traded
        self._crowd = crowd
        crowd.join(1, lambda _number: subscribe(SYMBOLS))
        if traded:
            crowd.join(1, lambda _number: subscribe(traded, channel="trades"))

    def hear(self, offset: int) -> float:
        """Return how long it took until every symbol has reached an offset, in seconds.

        Raises:
            TimeoutError: One has not.
        """
        seconds = self._crowd.listen(TIMEOUT_S, self._take, lambda: self._has_all(offset))
        if not self._has_all(offset):
            raise TimeoutError(f"ticks: not every symbol has reached {offset}")
        return seconds

    def _take(self, _number: int, payload: bytes, _at_ms: float) -> None:
        message = decode_server_message(payload)
        if isinstance(message, Quotes):
            self.quotes.hear(message)
        elif isinstance(message, Trades):
            self.trades.hear(message)

    def _has_all(self, offset: int) -> bool:
        return self.quotes.have(SYMBOLS, offset) and self.trades.have(self.traded, offset)


@dataclass
class Figures:
    """What some floods showed, one after another.

    Attributes:
        rates: Ticks a second.
        bare: Bare messages a second.
        together: How many ticks of a symbol were in one update.
        costs: By process its time for a tick, in microseconds.
    """

    rates: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    costs: dict[str, list[float]] = field(default_factory=dict)


def main() -> None:
    """Measure and print."""
    print(f"ticks: of {len(SYMBOLS)} symbols, as fast as they go")
    with running_feed(SYMBOLS, by=Carry) as feed, Crowd(feed.gateway.port) as crowd:
        audience = Audience(crowd, QuoteWitness(of_flood=True), TradeWitness(of_flood=True), TRADED)
        audience.hear(1)
        feed.feeder.tell(AwaitDemand())
        figures = _measure(feed, Pour(CARRIED_ROUNDS), audience, 1)
    show_at_least("source → gateway and clients", figures.rates, "ticks/s", TARGET_PER_S)
    _report(figures)
    _report_losses(audience, CARRIED_ROUNDS, 1)
    with running_feed(SYMBOLS) as feed, Crowd(feed.gateway.port) as crowd:
        audience = Audience(crowd, QuoteWitness(), TradeWitness(), [])
        audience.hear(FIRST_OFFSET)
        figures = _measure(feed, Flood(SYMBOLS, ROUNDS), audience, FIRST_OFFSET)
    show("each tick an update of its own", figures.rates, "ticks/s")
    _report(figures)
    _report_losses(audience, ROUNDS, FIRST_OFFSET)


def _measure(feed: Feed, flood: Pour | Flood, audience: Audience, first: int) -> Figures:
    figures, ticks = Figures(), flood.rounds * len(SYMBOLS)
    publisher = "source and ingest" if isinstance(flood, Pour) else "the publisher"
    for run in range(1, RUNS + 1):
        calls = feed.script_calls()
        windows = {
            publisher: CpuWindow(feed.feeder.cpu_s),
            "Redis": CpuWindow(feed.valkey_cpu_s),
            "the gateway": CpuWindow(feed.gateway.cpu_s),
        }
        feed.feeder.start(flood)
        figures.rates.append(ticks / audience.hear(first + run * flood.rounds))
        for name, window in windows.items():
            figures.costs.setdefault(name, []).append(window.cpu_s() / ticks * 1e6)
        feed.feeder.finish()
        figures.together.append(ticks / (feed.script_calls() - calls))
        figures.bare.append(_bare_rate(feed.valkey.url))
    return figures


def _report(figures: Figures) -> None:
    show("bare PUBLISH, pipelined over a raw socket", figures.bare, "messages/s")
    show_ratio("ticks, of the bare PUBLISH", figures.rates, figures.bare)
    show("of a symbol in one update", figures.together, "ticks")
    for name, values in figures.costs.items():
        show(f"processor time of {name}", values, "µs a tick")


def _report_losses(audience: Audience, rounds: int, first: int) -> None:
    quotes, trades = audience.quotes, audience.trades
    arrived = sum(quotes.offsets.values()) - first * len(SYMBOLS)
    expected = RUNS * rounds * len(SYMBOLS)
    print(f"  {arrived} of {expected} arrived, {expected - arrived} lost, {quotes.gaps} gaps")
    if audience.traded:
        expected = RUNS * rounds * len(audience.traded)
        print(f"  trades, one by one: {trades.count} of {expected}, {trades.gaps} out of place")


def _bare_rate(redis_url: str) -> float:
    """Return messages a second that Redis takes, as ``valkey-benchmark -P`` would send them."""
    text = b"x" * MESSAGE_BYTES
    command = b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nbare\r\n$%d\r\n%b\r\n" % (len(text), text)
    batch = command * BARE_BATCH
    answer_bytes = len(b":0\r\n") * BARE_BATCH
    port = urlsplit(redis_url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        began_s = time.monotonic()
        for _ in range(BARE_MESSAGES // BARE_BATCH):
            connection.sendall(batch)
            left = answer_bytes
            while left:
                left -= len(connection.recv(left))
        return BARE_MESSAGES / (time.monotonic() - began_s)
