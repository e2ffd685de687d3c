"""The one `LocalFeed` of this process, started where ``QUOTEWIRE_FEED_URL`` names no other feed."""

import atexit
import errno
import socket
import sys

from dashboard.config import ConfigError, DashboardConfig
from dashboard.local_feed import EXIT_CONFIGURATION, LocalFeed

_feed: LocalFeed | None = None


def start_unless_named() -> None:
    """Start it, once; does nothing where another feed is named.

    Ends the process, with one line that says what to do, where it cannot be started.
    """
    global _feed  # noqa: PLW0603
    try:
        config = DashboardConfig.from_environment()
        if config.feed_url is not None or _feed is not None:
            return
        require_free_port(config.feed_port, "QUOTEWIRE_FEED_PORT")
    except ConfigError as error:
        print(f"quotewire: {error}", file=sys.stderr)
        sys.exit(EXIT_CONFIGURATION)
    _feed = LocalFeed(config.feed_port)
    _feed.start()
    atexit.register(stop)


def stop() -> None:
    """Stop it, if it was started; safe to call twice."""
    if _feed is not None:
        _feed.stop()


def refused() -> bool:
    """Tell whether it refused to start."""
    return _feed is not None and _feed.refused


def require_free_port(port: int, setting: str) -> None:
    """Return when nothing listens there.

    Args:
        port: On 127.0.0.1.
        setting: The environment variable that chooses it.

    Raises:
        ConfigError: The port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken: stop what uses it," if taken else f"cannot be used ({error}):"
            raise ConfigError(f"port {port} {reason} or set {setting} to a free one") from None
