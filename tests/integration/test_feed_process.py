import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from feed_server.bus.embedded import EmbeddedValkey
from tests.harness import (
    PATIENCE_S,
    PROJECT,
    FeedProcess,
    clean_environment,
    descendants,
    free_port,
    is_alive,
    wait_for,
)

pytestmark = pytest.mark.integration


def run_feed(**settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "feed_server"],
        cwd=PROJECT,
        env=clean_environment(**{"feed_port": str(free_port()), **settings}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def only_line(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 2
    (line,) = [text for text in done.stderr.splitlines() if "[info" not in text]
    return line


def test_a_taken_port_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = only_line(run_feed(feed_port=port))
    assert port in line
    assert "QUOTEWIRE_FEED_PORT" in line


def test_an_unreachable_redis_is_one_line_without_the_password() -> None:
    line = only_line(run_feed(redis_url=f"redis://me:secret@127.0.0.1:{free_port()}/0"))
    assert "QUOTEWIRE_REDIS_URL" in line
    assert "secret" not in line


def test_a_malformed_file_is_one_line_with_its_row(tmp_path: Path) -> None:
    trades = tmp_path / "BAC_trades.csv"
    trades.write_text("time,price,size\n2013-10-07T14:00:00Z,13.9,100\n2013-10-07T14:00:01Z,x,1\n")
    line = only_line(run_feed(replay_files=str(trades)))
    assert "BAC_trades.csv" in line
    assert "line 3, column price" in line


def test_a_wrong_setting_is_one_line_with_its_name() -> None:
    line = only_line(run_feed(replay_speed="fast"))
    assert "QUOTEWIRE_REPLAY_SPEED='fast'" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_no_process_is_left(number: signal.Signals) -> None:
    with FeedProcess() as feed:
        assert feed.process is not None
        below = descendants(feed.process.pid)
        assert len(below) == 2
        feed.process.send_signal(number)
        assert feed.process.wait(PATIENCE_S) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        wait_for("its children are gone", lambda: not any(map(is_alive, below)))


def test_a_valkey_that_dies_ends_the_feed_with_a_reason() -> None:
    with FeedProcess() as feed:
        assert feed.process is not None
        subprocess.run(["kill", "-9", str(descendants(feed.process.pid)[-1])], check=True)
        assert feed.process.wait(PATIENCE_S) == 1
        assert "embedded Valkey has ended" in feed.said()


def test_a_gateway_follows_its_ingest_that_goes_and_comes(fresh_valkey: EmbeddedValkey) -> None:
    settings = {"redis_url": fresh_valkey.url}
    gateway = FeedProcess(settings, role="gateway")
    ingest = FeedProcess(settings, role="ingest")
    gateway.spawn()
    ingest.spawn()
    try:
        wait_for("both work together", gateway.is_ready)
        ingest.kill()
        wait_for("the gateway says so", lambda: _status(f"{gateway.url}/readyz") == 503)
        (status,) = httpx.get(f"{gateway.url}/api/status").json()["sources"]
        assert status["state"] == "down"
        ingest.spawn()
        wait_for("both work together again", gateway.is_ready)
    finally:
        ingest.stop()
        gateway.stop()


def test_a_gateway_without_ingest_is_alive_but_not_ready(fresh_valkey: EmbeddedValkey) -> None:
    gateway = FeedProcess({"redis_url": fresh_valkey.url}, role="gateway")
    gateway.spawn()
    try:
        wait_for("it is alive", lambda: _status(f"{gateway.url}/healthz") == 200)
        assert _status(f"{gateway.url}/readyz") == 503
        reasons = httpx.get(f"{gateway.url}/readyz").json()["reasons"]
        assert "no source has said how it does" in reasons
        assert _status(f"{gateway.url}/api/symbols") == 503
        assert _status(f"{gateway.url}/api/quotes?symbols=AAPL") == 503
    finally:
        gateway.stop()


def _status(url: str) -> int:
    try:
        return httpx.get(url, timeout=2).status_code
    except httpx.TransportError:
        return 0
