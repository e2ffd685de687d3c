"""Names of all keys and channels in Redis.

A symbol's keys share the hash tag ``{symbol}``, so that one script may touch them in a cluster.
"""

from feed_server.protocol import Interval

PREFIX = "quotewire"

SYMBOLS = f"{PREFIX}:symbols"
"""Hash: symbol → `SymbolInfo` as JSON."""

SYMBOLS_CHANNEL = f"{PREFIX}:symbols:changed"
"""Channel: an empty message when `SYMBOLS` was replaced."""

SOURCES = f"{PREFIX}:sources"
"""Set: names of the sources that have said how they do."""

STATUS_CHANNEL = f"{PREFIX}:status"
"""Channel: `SourceStatus` as JSON, at every change and as a renewal."""


def source_status(source: str) -> str:
    """Key: a source's `SourceStatus` as JSON; expires when it is not renewed."""
    return f"{PREFIX}:source:{source}"


def last_value(symbol: str) -> str:
    """Key: hash of ``epoch``, ``offset``, ``time_ms`` and ``update`` (a `SymbolUpdate`)."""
    return f"{PREFIX}:{{{symbol}}}:last"


def final_bars(symbol: str, interval: Interval) -> str:
    """Key: sorted set of final `Bar` as JSON, by their start."""
    return f"{PREFIX}:{{{symbol}}}:bars:{interval}"


def updates(symbol: str) -> str:
    """Channel: ``epoch offset update``, see `feed_server.bus.update`."""
    return f"{PREFIX}:{{{symbol}}}:updates"


def probe(server: str) -> str:
    """Channel: a gateway's messages to itself, to prove that it can hear."""
    return f"{PREFIX}:probe:{server}"
