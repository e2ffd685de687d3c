"""How gateways and Redis do, as ``/api/gateways`` tells it to who looks for a fault."""

import msgspec


class GatewayReport(msgspec.Struct, frozen=True):
    """One gateway's own account of itself.

    Attributes:
        server: Its name, as in `Welcome.server`.
        updated_ms: When it said so, UTC epoch milliseconds.
        started_ms: When it began.
        clients: Connections now open.
        clients_behind: Those of them that cannot read fast enough now.
        cohorts: Groups of clients that share frames.
        symbols: Symbols kept current.
        symbols_behind: Wanted symbols that are not current for longer than a moment.
        rate: Share of the asked update rate that clients get.
        flush_p50_ms: Time that one flush of due cohorts took, of those of the last 30 s; null where
            there was none.
        flush_p99_ms: Likewise.
        latency_p50_ms: From receipt at the source to the gateway, likewise.
        latency_p99_ms: Likewise.
        backlog_bytes: What waits for clients that read slowly, in all.
        largest_backlog_bytes: What waits for one of them at most.
        redis_lag_ms: How long the message of its own that it heard last took through Redis, null
            before one was heard.
        hears: Whether it hears what is published.
        updates: Symbol updates taken from Redis since it began.
        frames: Data frames written to clients, likewise.
        sent_bytes: Bytes of data before compression, likewise.
        missed: Data frames not written to clients that were behind, likewise.
    """

    server: str
    updated_ms: int
    started_ms: int
    clients: int
    clients_behind: int
    cohorts: int
    symbols: int
    symbols_behind: int
    rate: float
    flush_p50_ms: float | None
    flush_p99_ms: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    backlog_bytes: int
    largest_backlog_bytes: int
    redis_lag_ms: float | None
    hears: bool
    updates: int
    frames: int
    sent_bytes: int
    missed: int


class RedisState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How Redis does, as it tells itself; what it does not tell is null.

    Attributes:
        reachable: Whether it answered.
        message: Why not, or why it tells nothing of itself.
        ping_ms: How long its answer took.
        version: Of Redis or Valkey.
        role: ``master`` or ``slave``.
        uptime_s: Since it began.
        clients: Connections to it.
        used_memory_bytes: What it holds.
        max_memory_bytes: What it may hold; 0 without bound.
        commands_per_s: Commands that it carries out.
        evicted_keys: Keys that it dropped for want of memory: of ours none may be.
        channels: Channels that someone listens to.
    """

    reachable: bool
    message: str = ""
    ping_ms: float | None = None
    version: str | None = None
    role: str | None = None
    uptime_s: int | None = None
    clients: int | None = None
    used_memory_bytes: int | None = None
    max_memory_bytes: int | None = None
    commands_per_s: int | None = None
    evicted_keys: int | None = None
    channels: int | None = None


class GatewayList(msgspec.Struct, frozen=True):
    """Body of ``/api/gateways``.

    Attributes:
        server: Which gateway answers.
        gateways: All that live, in order of their names; where Redis is away, the one that answers.
        redis: How Redis does, seen from there.
    """

    server: str
    gateways: list[GatewayReport]
    redis: RedisState
