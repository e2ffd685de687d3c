"""Names of all keys and channels in Redis; no other module makes one.

What one script or transaction touches together shares a hash tag, the text in braces: in a cluster
it lies in one slot then.
"""

from functools import lru_cache

from feed_server.bus.partitions import tag
from feed_server.protocol import Interval

PREFIX = "quotewire"

SYMBOLS = f"{PREFIX}:symbols"
"""Hash: symbol → `SymbolInfo` as JSON."""

SYMBOLS_CHANNEL = f"{PREFIX}:symbols:changed"
"""Channel: an empty message when `SYMBOLS` has changed."""

SOURCES = f"{PREFIX}:sources"
"""Set: names of the sources that have said how they do."""

STATUS_CHANNEL = f"{PREFIX}:status"
"""Channel: `SourceStatus` as JSON, at every change and as a renewal."""

SERVERS = f"{PREFIX}:{{leases}}:servers"
"""Sorted set: names of the gateways that hold leases, by when they last said so (epoch ms)."""

SUBSCRIPTIONS = f"{PREFIX}:subscriptions"
"""Channel: an empty message when a gateway wants a symbol, or wants it no more."""

SEEN = f"{PREFIX}:seen"
"""Channel: `feed_server.bus.leases.Seen` as JSON."""

CONTROL = f"{PREFIX}:control"
"""Channel: what gateways shall do, see `feed_server.bus.control`."""

ERRORS = f"{PREFIX}:errors"
"""Channel: `feed_server.bus.notices.SourceError` as JSON."""

REQUESTS = f"{PREFIX}:requests"
"""Channel: what gateways ask of the sources, see `feed_server.bus.rpc`."""

ALERTS = f"{PREFIX}:alerts"
"""Channel: what has changed of whose alerts, see `feed_server.bus.alerts`."""

ALERT_USERS = f"{PREFIX}:{{alerts}}:users"
"""Sorted set: the subjects that have alerts, by when they were last seen (epoch ms)."""

ALERT_SYMBOLS = f"{PREFIX}:{{alerts}}:symbols"
"""Hash: symbol → how many alerts look at it."""

ALERT_VERSION = f"{PREFIX}:{{alerts}}:version"
"""Number of the last alert that was set or taken away; told with it on `ALERTS`."""

ALERT_CHANGES = f"{PREFIX}:{{alerts}}:changes"
"""Number of the last change of alerts of any kind, such as that one was armed."""

SETTINGS_CHANGES = f"{PREFIX}:settings-changes"
"""Number of the last change of users' settings."""

OF_USERS = (f"{PREFIX}:{{alerts}}:*", f"{PREFIX}:settings:*")
"""Patterns of the keys that users' alerts and settings are in."""


def source_status(source: str) -> str:
    """Key: a source's `SourceStatus` as JSON; expires when it is not renewed."""
    return f"{PREFIX}:source:{source}"


def run(provider: str) -> str:
    """Key: what a provider's stream is a stream of, see `Provider.run`."""
    return f"{PREFIX}:run:{provider}"


@lru_cache(100_000)
def last_value(symbol: str) -> str:
    """Key: hash of ``epoch``, ``offset``, ``time_ms``, ``update`` (a `SymbolUpdate`), ``fence``.

    And of ``since_ms``: from where on the bars are whole; ``since_ms:1m`` (and so on) where the
    oldest bars of an interval were let go.
    """
    return f"{PREFIX}:{{{tag(symbol)}}}:{symbol}:last"


@lru_cache(100_000)
def update_log(symbol: str) -> str:
    """Key: stream of the latest updates: ID ``offset-0``, field ``u``, as on their channel."""
    return f"{PREFIX}:{{{tag(symbol)}}}:{symbol}:log"


@lru_cache(100_000)
def final_bars(symbol: str, interval: Interval) -> str:
    """Key: sorted set of final `Bar` as JSON, by their start."""
    return f"{PREFIX}:{{{tag(symbol)}}}:{symbol}:bars:{interval}"


@lru_cache(100_000)
def updates(symbol: str) -> str:
    """Channel: ``epoch offset update``, see `feed_server.bus.update`."""
    return f"{PREFIX}:{{{tag(symbol)}}}:{symbol}:updates"


def server(name: str) -> str:
    """Key: hash of symbol → how many of a gateway's clients want it; expires with the gateway.

    Beside the symbols, in the field without a name: the number of the gateway's last change.
    """
    return f"{PREFIX}:{{leases}}:server:{name}"


def gateway_report(name: str) -> str:
    """Key: a gateway's `GatewayReport` as JSON; expires when it is not renewed."""
    return f"{PREFIX}:gateway:{name}"


def lock(provider: str) -> str:
    """Key: who may carry a provider's data; expires unless it is renewed."""
    return f"{PREFIX}:{{lock:{provider}}}"


def fence(provider: str) -> str:
    """Key: the highest number that was given with a provider's lock."""
    return f"{PREFIX}:{{lock:{provider}}}:fence"


def quota(provider: str) -> str:
    """Key: sorted set of when credits of a provider were spent (epoch ms)."""
    return f"{PREFIX}:{{quota:{provider}}}"


def quota_blocked(provider: str) -> str:
    """Key: until when (epoch ms) nothing may be spent, as the vendor said."""
    return f"{PREFIX}:{{quota:{provider}}}:blocked"


def alerts(subject: str) -> str:
    """Key: hash of a user's alerts as JSON, by their names."""
    return f"{PREFIX}:{{alerts}}:of:{subject}"


def alert_standings(subject: str) -> str:
    """Key: hash of how a user's alerts stand, by their names, see `feed_server.bus.alerts`."""
    return f"{PREFIX}:{{alerts}}:standing:{subject}"


def fired_alerts(subject: str) -> str:
    """Key: stream of a user's alerts that have fired: field ``f``, a `Fired` as JSON."""
    return f"{PREFIX}:{{alerts}}:fired:{subject}"


def alerts_fence(sources: str) -> str:
    """Key: the highest number of a lock under which alerts were evaluated."""
    return f"{PREFIX}:{{alerts}}:fence:{sources}"


def user_settings(subject: str) -> str:
    """Key: hash of a user's settings by name, each as ``at_ms json``."""
    return f"{PREFIX}:settings:{subject}"


def replies(server: str) -> str:
    """Channel: answers to what a gateway has asked, see `feed_server.bus.rpc`."""
    return f"{PREFIX}:replies:{server}"


def probe(server: str) -> str:
    """Channel: a gateway's messages to itself, to prove that it can hear."""
    return f"{PREFIX}:probe:{server}"
