"""Servers under measurement: child processes that end with us, and what they cost (Linux)."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.harness import PROJECT, descendants, wait_for

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
CPUCLOCK_SCHED = 2  # linux/posix-timers.h


class Child:
    """A server on a port of 127.0.0.1, under `feed_server.guard`: it never outlives us.

    Args:
        command: What to start.
        port: Where it will listen.
        environment: Its environment; ours where it is None.
    """

    def __init__(
        self, command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self._command = command
        self._environment = environment
        self._guard: subprocess.Popen[bytes] | None = None
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._pids: list[int] = []

    def __enter__(self) -> Self:
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "feed_server.guard", "--", *self._command],
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,  # Ctrl-C is for us
        )
        try:
            self.wait_until("it listens", lambda: _listens(self.port))
            self._pids = descendants(self._guard.pid)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._guard = None
        self._output.close()

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Return when something has become true.

        Raises:
            RuntimeError: It has ended instead.
            TimeoutError: It was not true in time.
        """
        name = " ".join(self._command)
        wait_for(
            f"{name}: {what}", lambda: self._lives() and condition(), timeout_s=START_TIMEOUT_S
        )

    def output(self) -> str:
        """Return the end of what it has printed."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")[-500:].strip()

    def cpu_s(self) -> float:
        """Return the processor time that it and its children have used."""
        return sum(map(process_cpu_s, self._pids))

    def memory_bytes(self) -> int:
        """Return its resident memory, shared pages counted by share."""
        return sum(map(_pss_bytes, self._pids))

    def _lives(self) -> bool:
        if self._guard is None or self._guard.poll() is not None:
            raise RuntimeError(f"{' '.join(self._command)} has ended: {self.output()}")
        return True


class CpuWindow:
    """Processor time over a span of time that begins now.

    Args:
        cpu_s: Tells how much has been used so far.
    """

    def __init__(self, cpu_s: Callable[[], float]) -> None:
        self._total_s = cpu_s
        self._began_s = time.monotonic()
        self._before_s = cpu_s()

    def cpu_s(self) -> float:
        """Return the processor time used since."""
        return self._total_s() - self._before_s

    def cores(self) -> float:
        """Return the share of one core used since."""
        return self.cpu_s() / (time.monotonic() - self._began_s)


def process_cpu_s(pid: int) -> float:
    """Return a process's user and system time, of the clock that clock_getcpuclockid(3) gives."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/smaps_rollup tells no Pss")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop_by_input(process: subprocess.Popen[bytes]) -> None:
    """End a process that serves until its input ends, at the latest by killing it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
