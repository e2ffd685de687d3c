import asyncio
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, Self

import pandas as pd
import pyarrow.parquet as pq
import pytest

from feed_server.bus.connection import connect
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.ingest.record_files import read_journal
from feed_server.market.events import TopOfBook
from feed_server.protocol import Trade
from feed_server.providers.base import Watchlist
from feed_server.providers.replay import open_replay
from tests.harness import PATIENCE_S, PROJECT, FeedProcess, clean_environment, wait_for
from tests.market import SYMBOLS, Market, market

pytestmark = pytest.mark.integration


class RecordProcess:
    """``python -m feed_server record`` as a user would start it."""

    def __init__(self, folder: Path, *symbols: str, **settings: str) -> None:
        self._command = [sys.executable, "-m", "feed_server", "record", *symbols]
        self._environment = clean_environment(record_folder=str(folder), **settings)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, cwd=PROJECT, env=self._environment, stderr=self._log
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)
        self._log.close()

    def end(self, number: signal.Signals) -> int:
        """Send a signal; return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def said(self) -> str:
        """Return all that it has logged."""
        return os.pread(self._log.fileno(), 1_000_000, 0).decode()


@pytest.fixture
def aapl() -> Iterator[Market]:
    with market() as opened:
        yield opened


def table(folder: Path, name: str) -> pd.DataFrame:
    """Read all rows of a table, of journals and files."""
    frames = [
        pq.ParquetFile(file).read().to_pandas() for file in folder.glob(f"{name}/*/**/*.parquet")
    ]
    for path in folder.glob(f"{name}/_journal-*"):
        if (journal := read_journal(path)) is not None:
            frames.append(journal.to_pandas())
    return pd.concat(frames) if frames else pd.DataFrame({"offset": [], "reason": []})


def trades_in(folder: Path) -> int:
    return len(table(folder, "trades"))


def begun(folder: Path, symbols: int) -> Callable[[], bool]:
    return lambda: (table(folder, "gaps")["reason"] == "begin").sum() >= symbols


def replayed(path: Path) -> list[Trade | TopOfBook]:
    async def play() -> list[Trade | TopOfBook]:
        provider = open_replay([path], None, "America/New_York", math.inf)
        batches = [batch async for batch in provider.stream(Watchlist(), {})]
        return [e for batch in batches for e in batch if isinstance(e, Trade | TopOfBook)]

    return asyncio.run(play())


def published(aapl: Market, count: int) -> list[Trade]:
    """Publish trades of all symbols; return them."""
    made = []
    for n in range(count):
        symbol = SYMBOLS[n % len(SYMBOLS)]
        first = aapl.trade(symbol, trades=2).offset  # of the symbol, not of the market
        assert first
        number = aapl._number
        made += [Trade(symbol, t, float(t), 1.0) for t in (number - 1, number)]
    return made


def deafen(aapl: Market) -> None:
    """Cut the connections of those who listen; they make new ones half a second later."""

    async def cut() -> None:
        redis = connect(aapl.url)
        await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await redis.aclose()

    asyncio.run(cut())


def test_a_killed_recorder_leaves_readable_files_and_the_next_goes_on(
    aapl: Market, tmp_path: Path
) -> None:
    with RecordProcess(tmp_path, redis_url=aapl.url) as recorder:
        wait_for("it records", begun(tmp_path, 3))
        first = published(aapl, 60)
        wait_for("all is written", lambda: trades_in(tmp_path) == len(first))
        recorder.end(signal.SIGKILL)
    assert replayed(tmp_path / "trades") == first
    for file in tmp_path.rglob("*.parquet"):
        pq.read_table(file)
    with RecordProcess(tmp_path, redis_url=aapl.url) as recorder:
        wait_for("it records", begun(tmp_path, 6))
        assert list(tmp_path.glob("trades/date=*/symbol=AAPL/*.parquet"))
        second = published(aapl, 60)
        wait_for("all is written", lambda: trades_in(tmp_path) == len(first) + len(second))
        assert recorder.end(signal.SIGINT) == 0
    assert not list(tmp_path.rglob("_journal-*"))
    assert replayed(tmp_path / "trades") == first + second
    quotes = [e for e in replayed(tmp_path) if isinstance(e, TopOfBook)]
    assert len(quotes) == 120
    offsets = table(tmp_path, "trades")["offset"].groupby(table(tmp_path, "trades")["epoch"])
    assert all(sorted(of_one) == list(range(2, 82)) for _, of_one in offsets)
    assert set(table(tmp_path, "gaps")["reason"]) == {"begin"}


@pytest.mark.parametrize("hears", [True, False])
def test_what_comes_last_is_in_the_files_after_ctrl_c(
    aapl: Market, tmp_path: Path, hears: bool
) -> None:
    with RecordProcess(tmp_path, "IBM", redis_url=aapl.url) as recorder:
        wait_for("it records", begun(tmp_path, 1))
        if not hears:
            deafen(aapl)
        made = published(aapl, 30)
        assert recorder.end(signal.SIGINT) == 0
    of_ibm = [trade for trade in made if trade.symbol == "IBM"]
    assert replayed(tmp_path / "trades") == of_ibm


def test_what_passes_while_the_connection_is_lost_is_recorded(aapl: Market, tmp_path: Path) -> None:
    with RecordProcess(tmp_path, redis_url=aapl.url) as recorder:
        wait_for("it records", begun(tmp_path, 3))
        made = published(aapl, 30)
        wait_for("all is written", lambda: trades_in(tmp_path) == len(made))
        deafen(aapl)
        made += published(aapl, 30)
        wait_for("all is written", lambda: trades_in(tmp_path) == len(made))
        recorder.end(signal.SIGINT)
    assert replayed(tmp_path / "trades") == made
    assert set(table(tmp_path, "gaps")["reason"]) == {"begin"}


def test_trades_that_were_never_published_are_told_as_a_gap(aapl: Market, tmp_path: Path) -> None:
    with RecordProcess(tmp_path, "AAPL", redis_url=aapl.url) as recorder:
        wait_for("it records", begun(tmp_path, 1))
        aapl.trade("AAPL", trades=2, missing=5)
        wait_for("it is written", lambda: trades_in(tmp_path) == 2)
        recorder.end(signal.SIGINT)
        assert "untold" in recorder.said()
    gaps = table(tmp_path, "gaps")
    (untold,) = gaps[gaps["reason"] == "untold"].to_dict("records")
    assert (untold["after"], untold["until"]) == (1, 6)
    assert table(tmp_path, "trades")["offset"].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("symbols", "with_redis", "message"),
    [
        (["AAPLE"], True, "AAPLE is not declared; there are AAPL"),
        ([], False, "set QUOTEWIRE_REDIS_URL to the Redis of the feed that shall be recorded"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    aapl: Market, tmp_path: Path, symbols: list[str], with_redis: bool, message: str
) -> None:
    settings = {"redis_url": aapl.url} if with_redis else {}
    with RecordProcess(tmp_path, *symbols, **settings) as recorder:
        assert recorder.process is not None
        assert recorder.process.wait(PATIENCE_S) == 2
        assert message in recorder.said()


def test_a_feed_is_recorded_as_its_source_told_it(tmp_path: Path) -> None:
    valkey = EmbeddedValkey()
    valkey.start()
    settings = {
        "redis_url": valkey.url,
        "replay_start": "2013-01-15",
        "replay_speed": "20000",
        "replay_loop": "false",
    }
    feed = FeedProcess(settings, role="ingest")
    try:
        feed.spawn()
        with RecordProcess(tmp_path, "IBM", redis_url=valkey.url) as recorder:
            wait_for("it has recorded", lambda: trades_in(tmp_path) > 200)
            recorder.end(signal.SIGINT)
    finally:
        feed.stop()
        valkey.stop()
    source = open_replay([], date(2013, 1, 15), "", math.inf).source
    told = [trade for trade in source.trades() if trade.symbol == "IBM"]
    recorded = [event for event in replayed(tmp_path / "trades") if isinstance(event, Trade)]
    assert len(recorded) > 200
    assert recorded == told[told.index(recorded[0]) :][: len(recorded)]
