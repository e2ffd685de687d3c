"""Valkey servers that a test may stop, start again, freeze and fail over."""

import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from feed_server.bus.embedded import find_binary
from tests.harness import free_port, wait_for


class ValkeyServer:
    """A real ``valkey-server`` on a port that it keeps, in memory only.

    Args:
        folder: For its log and, as a Sentinel, its configuration.
        arguments: Of the command line.
        sentinel: What a Sentinel watches: lines of its configuration. None: it is no Sentinel.
    """

    def __init__(
        self, folder: Path, *arguments: str, sentinel: Sequence[str] | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder / str(self.port)
        self._folder.mkdir()
        self._arguments = arguments
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None

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
        """Start it, empty, and wait until it answers."""
        self._process = subprocess.Popen([find_binary(), *self._command_line()])
        wait_for("valkey answers", lambda: b"PONG" in self.ask("PING"))

    def _command_line(self) -> list[str]:
        first: list[str] = []
        if self._sentinel is not None:
            configuration = self._folder / "sentinel.conf"
            configuration.write_text("\n".join(self._sentinel))
            first = [str(configuration), "--sentinel"]
        common = f"--port {self.port} --bind 127.0.0.1 --dir {self._folder} --logfile log"
        in_memory = [] if first else ["--save", "", "--appendonly", "no"]
        return [*first, *common.split(), *in_memory, *self._arguments]

    def stop(self) -> None:
        """Kill it; safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it do nothing, while its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *command: str) -> bytes:
        """Return the reply to a command, as it is sent; empty where there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(" ".join(command).encode() + b"\r\n")
                return connection.recv(65_536)
        except OSError:
            return b""
