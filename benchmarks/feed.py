"""What is measured: a Valkey, a gateway as a user starts it, and a feeder that publishes."""

import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from redis import Redis

from benchmarks.children import Child, process_cpu_s, stop_by_input
from benchmarks.feeder import Answer, Carry, Command, Declare
from feed_server.bus.embedded import EmbeddedValkey
from tests.harness import PROJECT, clean_environment, free_port

ANSWER_TIMEOUT_S = 60.0
# Here all clients come from one address.
DEFAULTS = {"log_level": "error", "max_connections_per_address": "10000"}


class FeederHandle:
    """The feeder's process, which ends with us."""

    def __init__(self, redis_url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.feeder", redis_url],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us
        )

    def tell(self, command: Command) -> dict[str, list[float]]:
        """Have something done; return when each symbol's values were published (ms).

        Raises:
            RuntimeError: The feeder has failed.
        """
        self.start(command)
        return self.finish()

    def start(self, command: Command) -> None:
        """Have something begun; `finish` waits until it is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(command) + b"\n")
        self._process.stdin.flush()

    def finish(self) -> dict[str, list[float]]:
        """Wait for what was begun; see `tell`."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(ANSWER_TIMEOUT_S) else b""
        if not line:
            raise RuntimeError("the feeder has failed, or is not done in time")
        return msgspec.json.decode(line, type=Answer).times_ms

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        return process_cpu_s(self._process.pid)

    def stop(self) -> None:
        """End the process."""
        stop_by_input(self._process)


@dataclass(frozen=True)
class Feed:
    """All that runs.

    Attributes:
        valkey: The Redis server.
        feeder: Publishes to it.
        gateway: The feed server's process.
    """

    valkey: EmbeddedValkey
    feeder: FeederHandle
    gateway: Child

    def valkey_cpu_s(self) -> float:
        """Return the processor time that the Redis server has used."""
        cpu = self._info("cpu")
        return float(cpu["used_cpu_sys"]) + float(cpu["used_cpu_user"])

    def script_calls(self) -> int:
        """Return how many updates the Redis server has been given: each is one call of a script."""
        called = self._info("commandstats").get("cmdstat_evalsha", {"calls": 0})
        return int(called["calls"])

    def _info(self, section: str) -> dict[str, Any]:
        with Redis.from_url(self.valkey.url) as redis:
            info = redis.info(section)
        assert isinstance(info, dict)
        return info


@contextmanager
def valkey_and_feeder() -> Iterator[tuple[EmbeddedValkey, FeederHandle]]:
    """Give an empty Valkey and a feeder that publishes to it."""
    valkey = EmbeddedValkey()
    valkey.start()
    try:
        feeder = FeederHandle(valkey.url)
        try:
            yield valkey, feeder
        finally:
            feeder.stop()
    finally:
        valkey.stop()


@contextmanager
def running_feed(
    symbols: list[str], *, by: type[Declare | Carry] = Declare, **settings: str
) -> Iterator[Feed]:
    """Give a feed that is ready and has these symbols.

    Args:
        symbols: What can be subscribed to.
        by: Whether the feeder publishes updates itself, or by an ingest.
        settings: Of the gateway, without their prefix.
    """
    with valkey_and_feeder() as (valkey, feeder):
        feeder.tell(by(symbols))
        with gateway(valkey.url, **settings) as child:
            yield Feed(valkey, feeder, child)


@contextmanager
def gateway(
    redis_url: str, interpreter: Sequence[str] = (sys.executable,), **settings: str
) -> Iterator[Child]:
    """Give a gateway that is ready.

    Args:
        redis_url: Where something has been published.
        interpreter: What runs the module.
        settings: Without their prefix.
    """
    port = free_port()
    environment = clean_environment(redis_url=redis_url, feed_port=str(port), **DEFAULTS | settings)
    with Child([*interpreter, "-m", "feed_server", "gateway"], port, environment) as child:
        child.wait_until("it is ready", lambda: is_ready(port))
        yield child


def is_ready(port: int) -> bool:
    """Tell whether the feed server at a port is fit for traffic."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).is_success
    except httpx.TransportError:
        return False
