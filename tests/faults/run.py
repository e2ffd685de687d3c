"""A run: clients behind a proxy each, faults by plan, and the verdict on what they were told."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tests.faults.ledger import Ledger
from tests.faults.proxy import FaultProxy
from tests.faults.record import BarKey, Record, TradeKey
from tests.faults.stack import HEARTBEAT_MS, stack
from tests.faults.states import of_states
from tests.faults.verdict import of_lossless, of_quotes
from tests.faults.weather import BEGIN_S, Planned

K = TypeVar("K", str, tuple[str, str])
T = TypeVar("T", TradeKey, BarKey)

INTERVALS = ("1s", "5s", "1m")
POLL_MS = 1000
SETTLE_S = 5.0
"""From the market's last trade until all clients must have it; all is well meanwhile."""

START_S = 30.0
HEARD = 60
"""Messages that a client has been told when faults begin: answers to all that it asked for."""

LOG_ENTRIES = 2000
"""Updates of a symbol that the feed keeps: more than there are while a client hears nothing."""

TELL = 25
"""Faults told of one client."""


class Client(Protocol):
    """One of the clients under test, which has begun."""

    name: str

    def finish(self) -> Record:
        """End it; return what it was told."""

    def kill(self) -> None:
        """End it, whatever it does; safe after `finish`."""


StartClient = Callable[[str, Sequence[str], Sequence[str]], Client]
"""Begins a client at an address, of some symbols and intervals."""


@dataclass(frozen=True)
class Outcome:
    """What became of one client.

    Attributes:
        name: The client's.
        record: What it was told.
        facts: Figures, a line each.
        violations: What is wrong.
    """

    name: str
    record: Record
    facts: list[str]
    violations: list[str]

    def __str__(self) -> str:
        told = self.violations[:TELL]
        more = len(self.violations) - len(told)
        lines = [*self.facts, *(f"WRONG {text}" for text in told)]
        lines += [f"WRONG … and {more} more"] if more else []
        return "\n".join([self.name, *(f"  {line}" for line in lines)])


@dataclass(frozen=True)
class Course:
    """How a run went.

    Attributes:
        from_ms: When the first fault began: from then on all has to be told.
        until_ms: When the market ended.
        may_lose: Whether the feed kept less than clients have missed.
    """

    from_ms: float
    until_ms: float
    may_lose: bool


class Player(threading.Thread):
    """Plays a plan of faults on a proxy."""

    def __init__(self, proxy: FaultProxy, planned: Sequence[Planned]) -> None:
        super().__init__(name="faults")
        self._proxy, self._planned = proxy, planned
        self._ended = threading.Event()

    def run(self) -> None:
        """Begin each fault when it is due."""
        begun_s = time.monotonic()
        for each in self._planned:
            if self._ended.wait(max(0.0, begun_s + each.at_s - time.monotonic())):
                return
            self._proxy.begin(each.fault)

    def stop(self) -> None:
        """Begin no more."""
        self._ended.set()
        self.join(15)


def run(
    clients: Sequence[tuple[StartClient, Sequence[Planned]]],
    *,
    seconds: float,
    seed: int = 0,
    log_entries: int = LOG_ENTRIES,
    wait: Callable[[float], object] = time.sleep,
) -> list[Outcome]:
    """Let clients follow a market through faults; return what became of each.

    Args:
        clients: Each with the faults that it has to live through.
        seconds: How long, a calm end included.
        seed: Of what is left to chance.
        log_entries: Updates of a symbol that the feed keeps; with fewer than `LOG_ENTRIES` clients
            may lose some, and have to say so.
        wait: Lets so many seconds pass.
    """
    with ExitStack() as opened:
        feed = opened.enter_context(stack(log_entries))
        ledger = opened.enter_context(Ledger(feed.gateway.port, feed.symbols, INTERVALS))
        proxies, running = [], []
        for number, (start, _) in enumerate(clients):
            proxy = opened.enter_context(FaultProxy(feed.gateway.port, seed + number))
            client = start(proxy.url, feed.symbols, INTERVALS)
            opened.callback(client.kill)
            proxies.append(proxy)
            running.append(client)
        _wait_until_heard(proxies, wait)
        from_ms = (time.time() + BEGIN_S) * 1000
        for proxy, (_, planned) in zip(proxies, clients, strict=True):
            player = Player(proxy, planned)
            player.start()
            opened.callback(player.stop)
        wait(seconds)
        course = Course(from_ms, time.time() * 1000, log_entries < LOG_ENTRIES)
        feed.market.stop()
        wait(SETTLE_S)
        records = [client.finish() for client in running]
        ledger.check()
        return [
            Outcome(
                client.name,
                record,
                list(_facts(record, ledger, proxy, course)),
                list(_violations(record, ledger, proxy, course)),
            )
            for client, record, proxy in zip(running, records, proxies, strict=True)
        ]


def _wait_until_heard(proxies: Sequence[FaultProxy], wait: Callable[[float], object]) -> None:
    """Return when every client has been told something."""
    deadline_s = time.monotonic() + START_S
    while not all(len(proxy.deliveries) >= HEARD for proxy in proxies):
        assert time.monotonic() < deadline_s, "not every client has come"
        wait(0.1)


def _violations(record: Record, ledger: Ledger, proxy: FaultProxy, course: Course) -> Iterator[str]:
    yield from (failure.text for failure in record.failures)
    yield from of_lossless(
        record,
        ledger.trades,
        ledger.bars,
        from_ms=course.from_ms,
        may_lose=course.may_lose,
    )
    yield from of_quotes(record, ledger.quotes(), ledger.trades)
    yield from of_states(
        record,
        proxy.deliveries,
        proxy.spells,
        heartbeat_ms=HEARTBEAT_MS,
        poll_ms=POLL_MS,
        until_ms=course.until_ms,
    )


def _facts(record: Record, ledger: Ledger, proxy: FaultProxy, course: Course) -> Iterator[str]:
    trades = _told(record.trades, ledger.trades, 1, course.from_ms)
    bars = _told(record.bars, ledger.bars, 0, course.from_ms)
    quotes = sum(map(len, record.quotes.values()))
    yield f"told since the first fault: {trades} trades, {bars} final bars, {quotes} quotes"
    yield f"said to be lost: {_counted(loss.channel for loss in record.losses)}"
    yield f"samples: {_counted(sample.state for sample in record.samples)}"
    yield f"changes of state: {_counted(f'{c.state}/{c.code}' for c in record.states)}"
    yield f"requests: {dict(sorted(proxy.requests.items()))}"
    yield f"faults: {_counted(spell.kind for spell in proxy.spells)}"


def _told(
    seen: Mapping[K, Sequence[tuple[float, T]]],
    truth: Mapping[K, Sequence[T]],
    time_at: int,
    from_ms: float,
) -> str:
    """Return how many of how many there were."""
    told = {(of, key) for of, entries in seen.items() for _, key in entries}
    due = [(of, key) for of, keys in truth.items() for key in keys if key[time_at] >= from_ms]
    return f"{sum(each in told for each in due)} of {len(due)}"


def _counted(names: Iterator[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(names).items())) or "none"
