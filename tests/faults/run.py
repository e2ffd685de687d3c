"""A run: clients behind a proxy each, faults by plan, and the verdict on what they were told."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from tests.faults.ledger import Ledger
from tests.faults.proxy import FaultProxy
from tests.faults.record import Record
from tests.faults.stack import HEARTBEAT_MS, stack
from tests.faults.verdict import of_lossless, of_quotes, of_states
from tests.faults.weather import Planned

INTERVALS = ("1s", "5s", "1m")
POLL_MS = 1000
SETTLE_S = 5.0
"""From the market's last trade until all clients must have it; all is well meanwhile."""

START_S = 30.0
HEARD = 20
"""Messages that a client has been told when faults begin."""

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
    log_entries: int = 2000,
    wait: Callable[[float], object] = time.sleep,
) -> list[Outcome]:
    """Let clients follow a market through faults; return what became of each.

    Args:
        clients: Each with the faults that it has to live through.
        seconds: How long, a calm end included.
        seed: Of what is left to chance.
        log_entries: Updates of a symbol that the feed keeps.
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
        for proxy, (_, planned) in zip(proxies, clients, strict=True):
            player = Player(proxy, planned)
            player.start()
            opened.callback(player.stop)
        wait(seconds)
        until_ms = time.time() * 1000
        feed.market.stop()
        wait(SETTLE_S)
        records = [client.finish() for client in running]
        ledger.check()
        return [
            Outcome(
                client.name,
                record,
                list(_facts(record, proxy)),
                list(_violations(record, ledger, proxy, until_ms)),
            )
            for client, record, proxy in zip(running, records, proxies, strict=True)
        ]


def _wait_until_heard(proxies: Sequence[FaultProxy], wait: Callable[[float], object]) -> None:
    """Return when every client has been told something."""
    deadline_s = time.monotonic() + START_S
    while not all(len(proxy.deliveries) >= HEARD for proxy in proxies):
        assert time.monotonic() < deadline_s, "not every client has come"
        wait(0.1)


def _violations(
    record: Record, ledger: Ledger, proxy: FaultProxy, until_ms: float
) -> Iterator[str]:
    yield from (failure.text for failure in record.failures)
    yield from of_lossless(record, ledger.trades, ledger.bars)
    yield from of_quotes(record, ledger.quotes(), ledger.trades)
    yield from of_states(
        record,
        proxy.deliveries,
        proxy.spells,
        heartbeat_ms=HEARTBEAT_MS,
        poll_ms=POLL_MS,
        until_ms=until_ms,
    )


def _facts(record: Record, proxy: FaultProxy) -> Iterator[str]:
    trades = sum(map(len, record.trades.values()))
    bars = sum(map(len, record.bars.values()))
    quotes = sum(map(len, record.quotes.values()))
    yield f"told: {trades} trades, {bars} final bars, {quotes} quotes"
    yield f"said to be lost: {_counted(loss.channel for loss in record.losses)}"
    yield f"samples: {_counted(sample.state for sample in record.samples)}"
    yield f"changes of state: {_counted(f'{c.state}/{c.code}' for c in record.states)}"
    yield f"requests: {dict(sorted(proxy.requests.items()))}"
    yield f"faults: {_counted(spell.kind for spell in proxy.spells)}"


def _counted(names: Iterator[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(names).items())) or "none"
