"""Starts everything for one user: ``python -m dashboard`` (what ``make run`` does).

The feed comes up while Panel is still being imported; then the dashboard is served by the same
``panel serve dashboard`` that works by itself.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from dashboard import own_feed
from dashboard.config import ConfigError, DashboardConfig
from dashboard.local_feed import EXIT_CONFIGURATION

PARENT_CHECK_MS = 500
FEED_CHECK_S = 0.1
FEED_CHECKS = 150
"""A feed that is named but away does not keep the addresses from being told for ever."""


def main() -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=__doc__)
    parser.add_argument(
        "--stop-with-parent", action="store_true", help="also stop when the parent process ends"
    )
    options = parser.parse_args()
    try:
        config = DashboardConfig.from_environment()
        own_feed.require_free_port(config.dashboard_port, "QUOTEWIRE_DASHBOARD_PORT")
    except ConfigError as error:
        print(f"quotewire: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    own_feed.start_unless_named()
    # Until Panel has its own: while it is being imported, a feed that refuses to start says so.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_exit_code()))
    try:
        _serve(config, stop_with_parent=options.stop_with_parent)
    finally:
        own_feed.stop()
    return _exit_code()


def _exit_code() -> int:
    return EXIT_CONFIGURATION if own_feed.refused() else 0


def _serve(config: DashboardConfig, *, stop_with_parent: bool) -> None:
    # Imported late: it takes seconds, in which the feed is already starting.
    from panel.command import main as panel
    from tornado.ioloop import IOLoop, PeriodicCallback

    IOLoop.current().add_callback(_announce, config)
    if stop_with_parent:
        parent = os.getppid()
        PeriodicCallback(lambda: _stop_unless_child_of(parent), PARENT_CHECK_MS).start()
    port = str(config.dashboard_port)
    # Panel's entry point ignores its argument and reads the command line.
    sys.argv = [
        *("panel", "serve", str(Path(__file__).parent), "--log-level", "warning"),
        *("--address", "127.0.0.1", "--port", port),
        *("--allow-websocket-origin", f"127.0.0.1:{port}"),
        *("--allow-websocket-origin", f"localhost:{port}"),
        *("--unused-session-lifetime", "120000"),
    ]
    panel()


async def _announce(config: DashboardConfig) -> None:
    """Say where everything is, once it is there."""
    feed = config.browser_feed_url
    async with httpx.AsyncClient(timeout=1) as http:
        for _ in range(FEED_CHECKS):
            if await _answers(http, f"{feed}/healthz"):
                break
            await asyncio.sleep(FEED_CHECK_S)
    print(
        f"\n  Quotewire\n  dashboard  http://127.0.0.1:{config.dashboard_port}/dashboard"
        f"\n  feed       {feed}  ({feed.replace('http', 'ws', 1)}/ws)\n  Ctrl-C stops all.\n",
        flush=True,
    )


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


def _stop_unless_child_of(parent: int) -> None:
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
