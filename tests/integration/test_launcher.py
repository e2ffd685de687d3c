import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.harness import (
    PATIENCE_S,
    PROJECT,
    clean_environment,
    descendants,
    free_port,
    is_alive,
    wait_for,
)

# Two processes of several hundred modules, up to twice.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

STARTUP_S = 2 * PATIENCE_S


class Launched:
    """A command that starts dashboard and feed, on free ports.

    Args:
        said: A file for what it says, so that this can be read while it runs.
        command: The command, with ``{port}`` for the dashboard's.
        settings: Environment settings without their prefix.
    """

    def __init__(self, said: Path, command: tuple[str, ...], settings: dict[str, str]) -> None:
        self._said = said
        self.dashboard_port, self.feed_port = free_port(), free_port()
        own = {
            "dashboard_port": str(self.dashboard_port),
            "feed_port": str(self.feed_port),
            "log_level": "warning",
        }
        with said.open("w") as output:
            self.process = subprocess.Popen(
                [part.format(port=self.dashboard_port) for part in command],
                cwd=PROJECT,
                env=clean_environment(**{**own, **settings}),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def is_up(self) -> bool:
        """Tell whether the page and the feed answer."""
        assert self.process.poll() is None, self.output()
        try:
            page = httpx.get(f"http://127.0.0.1:{self.dashboard_port}/dashboard", timeout=20)
            ready = httpx.get(f"http://127.0.0.1:{self.feed_port}/readyz", timeout=5)
        except httpx.TransportError:
            return False
        return page.is_success and ready.is_success

    def output(self) -> str:
        """Return all it said until now."""
        return self._said.read_text()

    def end(self) -> None:
        """Kill it unless it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


@contextmanager
def launched(*command: str, **settings: str) -> Iterator[Launched]:
    with tempfile.TemporaryDirectory(prefix="quotewire-launched-") as folder:
        run = Launched(Path(folder) / "said", command, settings)
        try:
            yield run
        finally:
            run.end()


def all_gone(processes: list[int]) -> None:
    wait_for("no process is left", lambda: not any(map(is_alive, processes)))


ALL_IN_ONE = (sys.executable, "-m", "dashboard")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_one_command_starts_all_and_its_end_leaves_nothing(number: signal.Signals) -> None:
    with launched(*ALL_IN_ONE) as run:
        wait_for("all is up", run.is_up, timeout_s=STARTUP_S)
        # A moment later: the launcher looks for the feed ten times a second.
        wait_for("it says so", lambda: "Ctrl-C stops all." in run.output())
        below = descendants(run.process.pid)
        # A guard and the feed, a guard and Valkey.
        assert len(below) == 4
        run.process.send_signal(number)
        assert run.process.wait(PATIENCE_S) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        all_gone(below)
        output = run.output()
    assert f"http://127.0.0.1:{run.dashboard_port}/dashboard" in output
    assert f"ws://127.0.0.1:{run.feed_port}/ws" in output
    assert "Traceback" not in output


@pytest.mark.skipif(
    (PROJECT / ".venv").is_symlink(), reason="make would set up another checkout's environment"
)
def test_a_killed_make_leaves_nothing() -> None:
    with launched("make", "run") as run:
        wait_for("all is up", run.is_up, timeout_s=STARTUP_S)
        below = descendants(run.process.pid)
        run.process.kill()
        all_gone(below)


def test_a_dead_feed_is_started_again() -> None:
    with launched(*ALL_IN_ONE) as run:
        wait_for("all is up", run.is_up, timeout_s=STARTUP_S)
        below = descendants(run.process.pid)
        subprocess.run(["kill", "-9", str(below[1])], check=True)
        wait_for("the feed is gone", lambda: not is_alive(below[1]))
        wait_for("all is up again", run.is_up, timeout_s=STARTUP_S)
        run.process.terminate()
        run.process.wait(PATIENCE_S)
        assert "the feed was killed (signal 9); starting it again" in run.output()


@pytest.mark.parametrize("setting", ["dashboard_port", "feed_port"])
def test_a_taken_port_is_one_line_that_says_what_to_do(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with launched(*ALL_IN_ONE, **{setting: port}) as run:
            assert run.process.wait(PATIENCE_S) == 2
            (line,) = run.output().splitlines()
    assert port in line
    assert f"QUOTEWIRE_{setting.upper()}" in line


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "localhost:6379"])
def test_an_unusable_redis_ends_it_with_one_line(address: str) -> None:
    with launched(*ALL_IN_ONE, redis_url=address) as run:
        below = wait_for("it has children", lambda: descendants(run.process.pid))
        assert run.process.wait(STARTUP_S) == 2
        output = run.output()
        all_gone(below)
    assert output.count("QUOTEWIRE_REDIS_URL") >= 1
    assert "Traceback" not in output
    assert "Ctrl-C" not in output, "announced what does not run"


def test_a_dashboard_served_by_itself_starts_its_own_feed() -> None:
    with launched(
        *(sys.executable, "-m", "panel", "serve", "dashboard", "--port", "{port}"),
        *("--log-level", "warning"),
    ) as run:
        wait_for("all is up", run.is_up, timeout_s=STARTUP_S)
        below = descendants(run.process.pid)
        run.process.terminate()
        run.process.wait(PATIENCE_S)
        all_gone(below)
