"""The feed server that a dashboard starts for itself: a child process, kept running."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
EXIT_CONFIGURATION = 2
"""The feed's exit code for what a restart cannot mend; it has said on standard error what."""

RESTART_AFTER_S = 1.0
STOP_TIMEOUT_S = 10.0


class LocalFeed:
    """``python -m feed_server`` as a child that ends with this process, however that ends.

    A feed that dies is started again. One that refuses its first start ends this process too
    (SIGTERM): it cannot mend itself, and has said what a person must do.

    Attributes:
        refused: Whether the feed refused to start.
    """

    def __init__(self, port: int) -> None:
        self.refused = False
        self._port = port
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep_running, daemon=True)

    def start(self) -> None:
        """Start it; returns at once."""
        self._process = self._spawn()
        self._keeper.start()

    def stop(self) -> None:
        """Stop it and wait until it is gone; safe to call twice."""
        self._stopping.set()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(STOP_TIMEOUT_S)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        python_path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        feed = [sys.executable, "-m", "feed_server"]
        return subprocess.Popen(
            [sys.executable, "-m", "feed_server.guard", "--", *feed],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={
                **os.environ,
                "QUOTEWIRE_FEED_PORT": str(self._port),
                "PYTHONPATH": python_path,
            },
        )

    def _keep_running(self) -> None:
        first = True
        while self._process is not None:
            code = self._process.wait()
            if self._stopping.is_set():
                return
            # Later the same may be a Redis that is away for a while.
            if code == EXIT_CONFIGURATION and first:
                self.refused = True
                os.kill(os.getpid(), signal.SIGTERM)
                return
            how = f"was killed (signal {code - 128})" if code > 128 else f"ended (code {code})"
            print(f"quotewire: the feed {how}; starting it again", file=sys.stderr)
            if self._stopping.wait(RESTART_AFTER_S):
                return
            first = False
            self._process = self._spawn()
