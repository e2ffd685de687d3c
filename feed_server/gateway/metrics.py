"""The gateway's figures, for Prometheus and the debug panel."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """All figures of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.connections = Gauge(
            "quotewire_connections", "WebSocket connections now open", registry=self.registry
        )
        self.cohorts = Gauge(
            "quotewire_cohorts", "Groups of clients that share frames", registry=self.registry
        )
        self.watched_symbols = Gauge(
            "quotewire_watched_symbols", "Symbols with a subscriber", registry=self.registry
        )
        self.updates = Counter(
            "quotewire_updates", "Symbol updates taken from Redis", registry=self.registry
        )
        self.frames = Counter(
            "quotewire_frames", "Frames written to clients", registry=self.registry
        )
        self.sent_bytes = Counter(
            "quotewire_sent_bytes", "Bytes of frames written to clients", registry=self.registry
        )
        self.slow_closes = Counter(
            "quotewire_slow_closes", "Clients closed as too slow", registry=self.registry
        )
        self.errors = Counter(
            "quotewire_errors", "Errors answered to clients", ["code"], registry=self.registry
        )
        self.latency = Histogram(
            "quotewire_gateway_latency_seconds",
            "From receipt at the source to the gateway's last value",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return the figures in Prometheus's text format."""
        return generate_latest(self.registry)
