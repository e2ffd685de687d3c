"""What a client sees when Redis fails: a real feed in two processes, and a Redis of its own."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self, cast

import httpx
import pytest
from redis import Redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from feed_server.bus import names
from feed_server.bus.leases import NUMBER_FIELD
from feed_server.bus.reader import numbered_trades
from feed_server.bus.update import StoredUpdate, decode_update
from feed_server.protocol import Position, Quotes, Trades, decode_server_message
from tests.harness import FeedProcess, wait_for
from tests.servers import ValkeyServer

pytestmark = pytest.mark.integration

SYMBOLS = ["AAPL", "IBM"]


@dataclass(frozen=True)
class Stand:
    """What is known of a symbol."""

    position: Position
    last: float


@dataclass
class Run:
    """Trades between which none should be missing.

    Attributes:
        at: Where the client was told that it stands, after the first message.
        offsets: Of the trades.
    """

    at: Position
    offsets: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Where the client stands, as far as it knows."""
        return self.offsets[-1] if self.offsets else self.at.offset

    def lacks_nothing(self, log: list[StoredUpdate]) -> bool:
        """Tell whether these are all trades since the first that a log has."""
        begin = min([self.at.offset + 1, *self.offsets])
        told = [t for s in log if s.epoch == self.at.epoch for t, _ in numbered_trades(s)]
        kept = log[0].begins_at if log else 0
        return [t for t in told if t >= begin] == [t for t in self.offsets if t > kept]


class Listener:
    """A WebSocket client that keeps the quotes, and checks that no trade is lost unsaid."""

    def __init__(self, port: int) -> None:
        self.quotes: dict[str, Stand] = {}
        self.unsaid: list[str] = []
        self.trades = 0
        self.runs: dict[str, Run] = {}
        self._epochs: dict[str, str] = {}
        self._connecting = connect(f"ws://127.0.0.1:{port}/ws")
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._socket: ClientConnection = self._connecting.__enter__()
        for number, channel in enumerate(("quotes", "trades")):
            message = {"type": "subscribe", "id": number, "channel": channel, "symbols": SYMBOLS}
            self._socket.send(json.dumps(message))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connecting.__exit__(None, None, None)
        self._thread.join()

    def has_all_trades(self, symbol: str, log: list[StoredUpdate]) -> bool:
        """Tell whether it has all that a log tells, since it knows of the last loss."""
        return self.runs[symbol].lacks_nothing(log)

    def _listen(self) -> None:
        try:
            for text in self._socket:
                match decode_server_message(text):
                    case Quotes() as quotes:
                        self._take_quotes(quotes)
                    case Trades() as trades:
                        self._take_trades(trades)
        except ConnectionClosed:
            pass

    def _take_quotes(self, message: Quotes) -> None:
        self._epochs |= {symbol: details.epoch for symbol, details in message.details.items()}
        for row in message.rows:
            position = Position(self._epochs[row.symbol], row.offset)
            self.quotes[row.symbol] = Stand(position, row.last)

    def _take_trades(self, message: Trades) -> None:
        self.trades += len(message.rows)
        for row in message.rows:
            run = self.runs.get(row.symbol)
            if row.symbol not in message.positions and (run is None or row.offset <= run.end):
                self.unsaid.append(f"{row} after {run}")
        for symbol, position in message.positions.items():
            if message.recovered.get(symbol) is not True or symbol not in self.runs:
                if symbol in self.runs and message.recovered.get(symbol) is not False:
                    self.unsaid.append(f"{symbol}: {position} after {self.runs[symbol]}")
                self.runs[symbol] = Run(position)
        for row in message.rows:
            if row.symbol in self.runs:
                self.runs[row.symbol].offsets.append(row.offset)


class Market:
    """An ingest and a gateway on one Redis, and a client."""

    def __init__(self, redis_url: str, stack: ExitStack) -> None:
        settings = {"redis_url": redis_url, "replay_speed": "3000"}
        self.ingest = FeedProcess(settings, role="ingest")
        self.gateway = FeedProcess(settings, role="gateway")
        stack.callback(self.ingest.stop)
        stack.callback(self.gateway.stop)
        self.ingest.spawn()
        self.gateway.start()
        self.client = stack.enter_context(Listener(self.gateway.port))
        wait_for("the client has quotes", lambda: self.client.quotes.keys() == set(SYMBOLS))

    def is_ready(self) -> bool:
        """Tell what the gateway says of itself."""
        return httpx.get(f"{self.gateway.url}/readyz", timeout=10).status_code == 200

    def wait_until_ready(self, ready: bool) -> None:
        """Return when the gateway says that it is ready, or that it is not."""
        wait_for(f"ready: {ready}", lambda: self.is_ready() == ready)

    def assert_current(self, server: ValkeyServer) -> dict[str, Stand]:
        """Wait until trades flow again, and until the client has what Redis has; return it."""
        trades = self.client.trades
        wait_for("trades flow", lambda: self.client.trades > trades + 10)
        assert self.ingest.process is not None
        self.ingest.process.send_signal(signal.SIGSTOP)
        try:
            with Redis(port=server.port) as redis:
                wait_for("the client is current", lambda: self.client.quotes == stands(redis))
                for symbol in SYMBOLS:
                    has_all = partial(self.client.has_all_trades, symbol, log_of(redis, symbol))
                    wait_for(f"it has all trades of {symbol}", has_all)
        finally:
            self.ingest.process.send_signal(signal.SIGCONT)
        assert self.client.unsaid == []
        return dict(self.client.quotes)


def stands(redis: Redis) -> dict[str, Stand]:
    """Return what Redis has of the symbols."""
    found = {}
    for symbol in SYMBOLS:
        kept = cast(dict[bytes, bytes], redis.hgetall(names.last_value(symbol)))
        if b"update" in kept:
            position = Position(kept[b"epoch"].decode(), int(kept[b"offset"]))
            found[symbol] = Stand(position, decode_update(kept[b"update"]).quote.last)
    return found


def log_of(redis: Redis, symbol: str) -> list[StoredUpdate]:
    entries = cast(list[tuple[bytes, dict[bytes, bytes]]], redis.xrange(names.update_log(symbol)))
    return [StoredUpdate.from_message(fields[b"u"]) for _, fields in entries]


@contextmanager
def market_on(redis_url: str) -> Iterator[Market]:
    with ExitStack() as stack:
        yield Market(redis_url, stack)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def market(server: ValkeyServer) -> Iterator[Market]:
    with market_on(server.url) as market:
        yield market


def test_a_redis_that_is_restarted_empty(server: ValkeyServer, market: Market) -> None:
    before = market.assert_current(server)
    server.stop()
    market.wait_until_ready(False)
    server.start()
    market.wait_until_ready(True)
    after = market.assert_current(server)
    for symbol in SYMBOLS:
        assert after[symbol].position.epoch != before[symbol].position.epoch


def test_a_redis_that_is_flushed(server: ValkeyServer, market: Market) -> None:
    before = market.assert_current(server)
    server.ask("FLUSHALL")
    wait_for(
        "a new epoch",
        lambda: all(
            market.client.quotes[s].position.epoch != before[s].position.epoch for s in SYMBOLS
        ),
    )
    market.assert_current(server)
    assert market.is_ready()


def test_a_redis_that_pauses_its_clients(server: ValkeyServer, market: Market) -> None:
    market.assert_current(server)
    server.ask("CLIENT PAUSE 5000 ALL")
    market.wait_until_ready(False)
    market.wait_until_ready(True)
    market.assert_current(server)


def test_a_redis_that_freezes(server: ValkeyServer, market: Market) -> None:
    market.assert_current(server)
    server.freeze()
    market.wait_until_ready(False)
    server.thaw()
    market.wait_until_ready(True)
    market.assert_current(server)


@contextmanager
def replicated(folder: Path) -> Iterator[tuple[ValkeyServer, ValkeyServer, ValkeyServer]]:
    """Run a master, its replica, and a Sentinel that knows both."""
    with ExitStack() as stack:
        at_once = ("--repl-diskless-sync-delay", "0")
        master = stack.enter_context(ValkeyServer(folder, *at_once))
        replica = stack.enter_context(
            ValkeyServer(folder, "--replicaof", "127.0.0.1", str(master.port), *at_once)
        )
        wait_for("the replica has all", lambda: b"master_link_status:up" in replica.ask("INFO"))
        watching = [
            f"sentinel monitor market 127.0.0.1 {master.port} 1",
            "sentinel down-after-milliseconds market 1000",
            "sentinel failover-timeout market 2000",
        ]
        sentinel = stack.enter_context(ValkeyServer(folder, sentinel=watching))
        wait_for(
            "the sentinel knows the replica",
            lambda: str(replica.port).encode() in sentinel.ask("SENTINEL REPLICAS market"),
        )
        yield master, replica, sentinel


@pytest.mark.parametrize("dies", [True, False], ids=["dead", "replaced"])
def test_a_master_that_a_sentinel_replaces(tmp_path: Path, dies: bool) -> None:
    with (
        replicated(tmp_path) as (master, replica, sentinel),
        market_on(f"redis+sentinel://127.0.0.1:{sentinel.port}/market/0") as market,
    ):
        market.assert_current(master)
        if dies:
            master.stop()
            market.wait_until_ready(False)
        else:
            sentinel.ask("SENTINEL FAILOVER market")
        wait_for("the replica is master", lambda: b"role:master" in replica.ask("INFO"))
        last_value = f"HMGET {names.last_value('AAPL')} epoch offset"
        before = replica.ask(last_value)
        wait_for("the ingest writes there", lambda: replica.ask(last_value) != before)
        market.wait_until_ready(True)
        market.assert_current(replica)


def test_leases_of_a_gateway_that_is_killed(server: ValkeyServer, market: Market) -> None:
    with Redis(port=server.port) as redis:

        def leases() -> list[set[bytes]]:
            servers = cast(list[bytes], redis.zrange(names.SERVERS, 0, -1))
            keys = [names.server(name.decode()) for name in servers]
            found = [set(cast(list[bytes], redis.hkeys(key))) for key in keys if redis.exists(key)]
            return [symbols - {NUMBER_FIELD.encode()} for symbols in found]

        wanted = {symbol.encode() for symbol in SYMBOLS}
        wait_for("one gateway leases", lambda: leases() == [wanted])
        other = FeedProcess({"redis_url": server.url}, role="gateway")
        with other, Listener(other.port):
            wait_for("two gateways lease", lambda: len(leases()) == 2)
            other.kill()
        wait_for("the leases of the killed one are gone", lambda: leases() == [wanted])
    market.assert_current(server)
