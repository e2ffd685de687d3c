import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import PATIENCE_S, PROJECT, descendants, is_alive, wait_for

pytestmark = pytest.mark.integration

VALKEY_CHILD = """
import time
from feed_server.bus.embedded import EmbeddedValkey
valkey = EmbeddedValkey()
valkey.start()
print(valkey.port, valkey._folder, flush=True)
time.sleep(60)
"""


def start(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )


def test_a_killed_parent_leaves_no_valkey_and_no_folder() -> None:
    with start(VALKEY_CHILD) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().split()[1])
        below = descendants(parent.pid)
        assert len(below) == 2
        parent.kill()
        wait_for("the guard and the server are gone", lambda: not any(map(is_alive, below)))
        wait_for("the folder is gone", lambda: not folder.exists())


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent-death signal")
def test_a_killed_guard_takes_its_command_along() -> None:
    with start(VALKEY_CHILD) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        guard, server = descendants(parent.pid)
        os.kill(guard, signal.SIGKILL)
        wait_for("the server is gone", lambda: not is_alive(server))
        parent.kill()


def test_a_guarded_command_that_ignores_sigterm_is_killed() -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-m", "feed_server.guard", "--", sys.executable, "-uc", stubborn],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as guard:
        assert guard.stdout is not None
        assert guard.stdin is not None
        guard.stdout.readline()
        guard.stdin.close()
        assert guard.wait(PATIENCE_S) != 0


def test_a_guard_ends_with_its_commands_code() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "feed_server.guard", "--", sys.executable, "-c", "exit(7)"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
    ) as guard:
        assert guard.wait(PATIENCE_S) == 7
