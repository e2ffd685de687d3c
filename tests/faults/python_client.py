"""The Python client under test, in a process of its own.

``python -m tests.faults.python_client URL SYMBOLS INTERVALS`` follows trades, bars and quotes until
its input ends, then writes what it was told as JSON.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

import msgspec

from dashboard.client import FeedClient
from dashboard.client.streams import Loss
from feed_server.protocol import Quote
from tests.faults.record import (
    Closed,
    Entry,
    Failure,
    Lost,
    Quoted,
    Record,
    Sample,
    StateChange,
    Told,
    decode_entries,
)
from tests.harness import PROJECT, clean_environment

SAMPLE_S = 0.1
END_S = 20.0


class PythonClient:
    """A `FeedClient` in a process of its own.

    Args:
        url: Where it finds the feed.
        symbols: Which instruments it follows.
        intervals: Of which bars.
    """

    name = "python"

    def __init__(self, url: str, symbols: Sequence[str], intervals: Sequence[str]) -> None:
        command = [sys.executable, "-W", "error", "-m", __name__]
        self._process = subprocess.Popen(
            [*command, url, ",".join(symbols), ",".join(intervals)],
            cwd=PROJECT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def finish(self) -> Record:
        """End it; return what it was told."""
        said, _ = self._process.communicate(b"", timeout=END_S)
        record = Record(decode_entries(said) if said else [])
        if self._process.returncode:
            text = f"the process ended with {self._process.returncode}"
            record.failures.append(Failure(_now_ms(), text))
        return record

    def kill(self) -> None:
        """End it, whatever it does; safe after `finish`."""
        self._process.kill()
        self._process.communicate()


def _now_ms() -> float:
    return time.time() * 1000


class Recorder:
    """Follows everything, and notes it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def trades(self, feed: FeedClient, symbols: Sequence[str]) -> None:
        """Note trades, until cancelled."""
        on_loss = partial(self._lost, "trades", None)
        async for trade in feed.trades(*symbols, on_loss=on_loss):
            values = (trade.offset, trade.time_ms, trade.price, trade.size)
            self.entries.append(Told(_now_ms(), trade.symbol, *values))

    async def bars(self, feed: FeedClient, symbol: str, interval: str) -> None:
        """Note final bars, until cancelled."""
        on_loss = partial(self._lost, "bars", interval)
        async for bar in feed.bars(symbol, interval, on_loss=on_loss):
            if bar.final:
                values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
                closed = Closed(_now_ms(), symbol, interval, bar.start_ms, *values)
                self.entries.append(closed)

    async def quotes(self, feed: FeedClient, symbols: Sequence[str]) -> None:
        """Note quotes, until cancelled."""
        stream: AsyncIterator[Quote] = feed.quotes(*symbols, keep="every")
        async for quote in stream:
            quoted = Quoted(_now_ms(), quote.symbol, quote.time_ms, quote.last, quote.volume)
            self.entries.append(quoted)

    async def samples(self, feed: FeedClient) -> None:
        """Note the state again and again, until cancelled."""
        while True:
            state = feed.state
            self.entries.append(Sample(_now_ms(), state.state, state.way))
            await asyncio.sleep(SAMPLE_S)

    def changed(self, feed: FeedClient) -> Callable[[], object]:
        """Note changes of state."""
        return feed.on_state(
            lambda state: self.entries.append(
                StateChange(_now_ms(), state.state, state.code, state.way)
            )
        )

    def failed(self, text: str) -> None:
        """Note what should not be."""
        self.entries.append(Failure(_now_ms(), text))

    def _lost(self, channel: str, interval: str | None, loss: Loss) -> None:
        if loss.symbol is None:
            self.failed(f"{channel}: {loss.reason}")
        else:
            self.entries.append(Lost(_now_ms(), channel, loss.symbol, interval))


async def follow(url: str, symbols: Sequence[str], intervals: Sequence[str]) -> list[Entry]:
    """Follow everything until the input ends; return what was told."""
    recorder = Recorder()
    async with FeedClient(url) as feed:
        recorder.changed(feed)
        work = [recorder.trades(feed, symbols), recorder.quotes(feed, symbols)]
        work += [recorder.bars(feed, s, interval) for s in symbols for interval in intervals]
        tasks = [asyncio.create_task(each) for each in (*work, recorder.samples(feed))]
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(result, asyncio.CancelledError):
                recorder.failed(f"a stream has ended: {result!r}")
    for left in asyncio.all_tasks() - {asyncio.current_task()}:
        recorder.failed(f"a task outlives the client: {left!r}")
    return recorder.entries


if __name__ == "__main__":
    entries = asyncio.run(follow(sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")))
    sys.stdout.buffer.write(msgspec.json.encode(entries))
