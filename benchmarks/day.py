"""A day of trades as fast as it goes: bars of all intervals, Redis, indicators, a client.

An ingest in a process of its own builds the bars and publishes; a gateway computes the indicators
on each change of the forming bar; a client takes quotes, and bars with indicators. The time is from
the first trade until the client has the last one's state, exact.

Beside it: the same trades through a line alone (checks, quote and bars of all intervals; no Redis),
and the bars of all intervals by pandas in one go, when the day is over.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.children import CpuWindow, process_cpu_s, stop_by_input
from benchmarks.crowd import Crowd, subscribe
from benchmarks.day_trades import SYMBOL, day_frame, day_trades, is_real
from benchmarks.feed import gateway
from benchmarks.figures import show, show_at_least, show_ratio
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.ingest.line import Line
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bars, Interval, Quotes, SymbolInfo, Trade, decode_server_message
from tests.harness import PROJECT

RUNS = 5
TIMEOUT_S = 60.0
SETTLE_S = 5.0
TARGET_PER_S = 50_000
INDICATORS = ["SMA(20)", "RSI(14)", "MACD(12,26,9)"]
ZONE = "America/New_York"


class Source:
    """The process that carries the day."""

    def __init__(self, redis_url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.day_source", redis_url],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def tell(self, command: bytes) -> None:
        """Have something done; return when it has begun."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + b"\n")
        self._process.stdin.flush()
        while b"ready" not in (line := self._process.stdout.readline()):
            if not line:
                raise RuntimeError("the day's source has failed")

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        return process_cpu_s(self._process.pid)

    def stop(self) -> None:
        """End the process."""
        stop_by_input(self._process)


class Watcher:
    """What a client has heard."""

    def __init__(self) -> None:
        self.count = 0
        self.bar_close = 0.0
        self.bar_frames = 0
        self.with_indicators = 0

    def has_all(self, accepted: int, last: float) -> bool:
        """Tell whether the day's last trade is in the quote and in the forming bar."""
        return self.count == accepted and self.bar_close == last

    def take(self, _number: int, payload: bytes, _at_ms: float) -> None:
        """Take a frame."""
        message = decode_server_message(payload)
        if isinstance(message, Quotes):
            self.count = max(row.offset for row in message.rows) if message.rows else self.count
        elif isinstance(message, Bars) and message.rows:
            self.bar_frames += 1
            self.bar_close = message.rows[-1].close
            self.with_indicators += len(message.indicators) == len(INDICATORS)


def main() -> None:
    """Measure and print."""
    trades = day_trades()
    kind = "real" if is_real() else "made (the real day is not there)"
    print(f"day: {len(trades)} trades of one {kind} day, as fast as they go")
    line, alone = _through_a_line(trades)
    update = line.take_update()
    assert update is not None
    accepted = update.quote.count
    valkey = EmbeddedValkey()
    valkey.start()
    try:
        source = Source(valkey.url)
        try:
            rates, costs = _measure(valkey.url, source, accepted, update.quote.last)
        finally:
            source.stop()
    finally:
        valkey.stop()
    show_at_least("trades to the client, with indicators", rates, "trades/s", TARGET_PER_S)
    show("processor time of the ingest", costs, "µs a trade")
    show("through a line alone", alone, "trades/s")
    show_ratio("all the way, of the line alone", rates, alone)
    show("pandas, afterwards, in one go", _by_pandas(len(trades)), "trades/s")


def _measure(
    redis_url: str, source: Source, accepted: int, last: float
) -> tuple[list[float], list[float]]:
    rates, costs = [], []
    source.tell(b"begin")
    with gateway(redis_url) as child:
        for run in range(RUNS):
            if run:
                source.tell(b"begin")
            cpu = CpuWindow(source.cpu_s)
            with Crowd(child.port) as crowd:
                rates.append(accepted / _seconds_of_a_day(crowd, source, accepted, last))
            costs.append(cpu.cpu_s() / accepted * 1e6)
    return rates, costs


def _seconds_of_a_day(crowd: Crowd, source: Source, accepted: int, last: float) -> float:
    """Return how long it took until a client had the day's last trade."""
    watcher = Watcher()
    crowd.join(1, lambda _number: subscribe([SYMBOL]), lambda _number: _subscribe_bars())
    crowd.listen(SETTLE_S, watcher.take, lambda: watcher.count == 1)
    began_s = time.monotonic()
    source.tell(b"go")
    crowd.listen(TIMEOUT_S, watcher.take, lambda: watcher.has_all(accepted, last))
    seconds = time.monotonic() - began_s
    if not watcher.has_all(accepted, last):
        raise TimeoutError(f"day: {watcher.count} of {accepted} trades arrived")
    if not watcher.with_indicators:
        raise RuntimeError("day: no bar came with its indicators")
    return seconds


def _subscribe_bars() -> bytes:
    command = {"type": "subscribe", "id": 2, "channel": "bars", "symbols": [SYMBOL]}
    return json.dumps(command | {"interval": "1m", "indicators": INDICATORS}).encode()


def _through_a_line(trades: Sequence[Trade]) -> tuple[Line, list[float]]:
    rates = []
    for _ in range(RUNS):
        info = SymbolInfo(SYMBOL, SYMBOL, "USD", 2, "day", "REPLAY", ZONE)
        line = Line(info, SessionCalendar(ZONE), grace_ms=2_000)
        began_s = time.perf_counter()
        for trade in trades:
            line.apply(trade, trade.time_ms)
        rates.append(len(trades) / (time.perf_counter() - began_s))
    return line, rates


def _by_pandas(count: int) -> list[float]:
    frame = day_frame()
    frame.index = frame["time"].astype("datetime64[ms]").to_numpy()
    rules = {"price": "ohlc", "size": "sum"}
    rates = []
    for _ in range(RUNS):
        began_s = time.perf_counter()
        for interval in Interval:
            frame.resample(f"{interval.ms}ms").agg(rules)
        rates.append(count / (time.perf_counter() - began_s))
    return rates
