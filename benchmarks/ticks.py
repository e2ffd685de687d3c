"""Ticks a second from the publisher through Redis to the gateway's last value, none lost.

A client of all symbols is the witness: the counts of what it gets must add up to what was
published, so that every offset has reached the gateway. Beside it the bare limit of the same Redis:
the same number of messages of the same length, PUBLISHed in pipelines over a raw socket.
"""

import socket
import time
from urllib.parse import urlsplit

from benchmarks.children import CpuWindow
from benchmarks.crowd import Crowd, subscribe
from benchmarks.feed import running_feed
from benchmarks.feeder import FIRST_OFFSET, Flood
from benchmarks.figures import show, show_at_least, show_ratio
from feed_server.protocol import Quotes, decode_server_message

RUNS = 5
SYMBOLS = [f"S{number:03}" for number in range(500)]
ROUNDS = 100
TICKS = ROUNDS * len(SYMBOLS)
TIMEOUT_S = 60.0
TARGET_PER_S = 50_000
MESSAGE_BYTES = 200
"""About what one update of a quote and its bar is on the bus."""


class Witness:
    """Adds up what a client hears of each symbol."""

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}
        self.gaps = 0

    def hear(self, _number: int, payload: bytes, _at_ms: float) -> None:
        """Take a frame."""
        message = decode_server_message(payload)
        if not isinstance(message, Quotes):
            return
        for row in message.rows:
            before = self.offsets.get(row.symbol)
            if before is not None and not message.snapshot and row.offset != before + row.count:
                self.gaps += 1
            self.offsets[row.symbol] = row.offset

    def has_all(self, offset: int) -> bool:
        """Tell whether every symbol has reached an offset."""
        return len(self.offsets) == len(SYMBOLS) and min(self.offsets.values()) >= offset


def main() -> None:
    """Measure and print."""
    print(f"ticks: {TICKS} updates of {len(SYMBOLS)} symbols, as fast as they go")
    rates, bare = [], []
    costs: dict[str, list[float]] = {}
    witness = Witness()
    with running_feed(SYMBOLS) as feed, Crowd(feed.gateway.port) as crowd:
        crowd.join(1, lambda _number: subscribe(SYMBOLS))
        _hear(crowd, witness, FIRST_OFFSET)
        for run in range(1, RUNS + 1):
            windows = {
                "the publisher": CpuWindow(feed.feeder.cpu_s),
                "Redis": CpuWindow(feed.valkey_cpu_s),
                "the gateway": CpuWindow(feed.gateway.cpu_s),
            }
            feed.feeder.start(Flood(SYMBOLS, ROUNDS))
            rates.append(TICKS / _hear(crowd, witness, FIRST_OFFSET + run * ROUNDS))
            feed.feeder.finish()
            for name, window in windows.items():
                costs.setdefault(name, []).append(window.cpu_s() / TICKS * 1e6)
            bare.append(_bare_rate(feed.valkey.url))
    show_at_least("published → gateway's last value", rates, "ticks/s", TARGET_PER_S)
    show("bare PUBLISH, pipelined over a raw socket", bare, "messages/s")
    show_ratio("ticks, of the bare PUBLISH", rates, bare)
    for name, values in costs.items():
        show(f"processor time of {name}", values, "µs a tick")
    arrived = sum(witness.offsets.values()) - FIRST_OFFSET * len(SYMBOLS)
    lost = RUNS * TICKS - arrived
    print(f"  {arrived} of {RUNS * TICKS} arrived, {lost} lost, {witness.gaps} gaps", flush=True)


def _hear(crowd: Crowd, witness: Witness, offset: int) -> float:
    """Return how long it took until every symbol has reached an offset, in seconds."""
    return crowd.listen(TIMEOUT_S, witness.hear, lambda: witness.has_all(offset))


def _bare_rate(redis_url: str) -> float:
    """Return messages a second that Redis takes, as ``valkey-benchmark -P`` would send them."""
    text = b"x" * MESSAGE_BYTES
    command = b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nbare\r\n$%d\r\n%b\r\n" % (len(text), text)
    batch = command * len(SYMBOLS)
    answer_bytes = len(b":0\r\n") * len(SYMBOLS)
    port = urlsplit(redis_url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        began_s = time.monotonic()
        for _ in range(ROUNDS):
            connection.sendall(batch)
            left = answer_bytes
            while left:
                left -= len(connection.recv(left))
        return TICKS / (time.monotonic() - began_s)
