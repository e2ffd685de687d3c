"""Real processes for tests: free ports, a feed server, waiting with a deadline."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import IO, Self, TypeVar

import httpx

MAX_LOG_BYTES = 10_000_000
PATIENCE_S = 45.0
"""What has not happened by then will not: a machine may have ten times as much to do as it can."""
PROJECT = Path(__file__).resolve().parents[1]

T = TypeVar("T")

Write = Callable[[str, str], Path]
"""Writes a file of a name and a text, and returns its path; see the fixture ``write``."""


def _own_ports() -> Iterator[int]:
    """Yield ports that no other worker of the same run is given, in any order.

    They are below those that Linux and macOS give to connections (from 32,768 and 49,152 on): a
    process that takes seconds to start would now and then find one of these taken by a client.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = list(range(20_000 + worker, 32_000, workers))
    random.SystemRandom().shuffle(ports)
    return cycle(ports)


_PORTS = _own_ports()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    return next(filter(_is_free, _PORTS))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for(what: str, condition: Callable[[], T], *, timeout_s: float = PATIENCE_S) -> T:
    """Return a condition's first true value.

    Raises:
        TimeoutError: It was not true in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise TimeoutError(f"not within {timeout_s} s: {what}")


async def until(condition: Callable[[], Awaitable[bool]], *, timeout_s: float = PATIENCE_S) -> None:
    """Return when a condition is true.

    Raises:
        TimeoutError: It was not true in time.
    """
    async with asyncio.timeout(timeout_s):
        done = await condition()
        while not done:
            await asyncio.sleep(0.02)
            done = await condition()


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this environment with no Quotewire settings but these (without their prefix).

    Budgets are kept nowhere, unless it is asked for: tests must not know of each other.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("QUOTEWIRE_")}
    settings = {"state_folder": "none", **settings}
    return kept | {f"QUOTEWIRE_{name.upper()}": value for name, value in settings.items()}


def descendants(pid: int) -> list[int]:
    """Return the process ids of all living children, their children and so on."""
    listing = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    children: dict[int, list[int]] = {}
    for line in listing.splitlines():
        child, parent, state = line.split()
        if not state.startswith("Z"):
            children.setdefault(int(parent), []).append(int(child))
    found = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    listing = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip() not in ("", "Z", "Zs")


class FeedProcess:
    """``python -m feed_server`` as a user would start it, on a free port.

    Args:
        settings: Environment settings without their prefix.
        port: The port; a free one where it is None.
        role: What it does.
        token: What it lets the harness in with, where it asks for a token.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
        role: str = "all",
        token: str | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._role = role
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._settings = {"feed_port": str(self.port), "log_level": "warning", **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.spawn()
        try:
            wait_for("the feed is ready", self.is_ready, timeout_s=2 * PATIENCE_S)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it says:\n{self.said()[-2000:]}") from None

    def spawn(self) -> None:
        """Start it without waiting."""
        # A file, for a pipe that nobody reads would stop it when it is full.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "feed_server", self._role],
            cwd=PROJECT,
            env=clean_environment(**self._settings),
            stderr=self._log,
        )

    def said(self) -> str:
        """Return all that it has logged, as long as it is not stopped."""
        assert self._log is not None
        return os.pread(self._log.fileno(), MAX_LOG_BYTES, 0).decode()

    def stop(self) -> None:
        """Stop it as Ctrl-C would, at the latest by killing it; safe to call twice."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._forget()

    def kill(self) -> None:
        """Kill it, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self._forget()

    def _forget(self) -> None:
        assert self.process is not None
        assert self._log is not None
        self.process.wait(10)
        self._log.close()
        self.process = None

    def is_ready(self) -> bool:
        """Tell whether it is fit for traffic and has a quote of its first symbol."""
        try:
            with httpx.Client(base_url=self.url, headers=self._headers, timeout=2) as http:
                listed = http.get("/api/symbols")
                if not (http.get("/readyz").is_success and listed.is_success):
                    return False
                first = listed.json()["symbols"][0]["symbol"]
                quotes = http.get("/api/quotes", params={"symbols": first})
        except httpx.TransportError:
            return False
        return quotes.is_success and bool(quotes.json()["rows"])
