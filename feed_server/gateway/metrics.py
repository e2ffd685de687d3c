"""The gateway's figures, for Prometheus and the debug panel."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from feed_server.gateway.recent import Recent

LATENCY_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """All figures of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.connections = self._gauge("connections", "Client connections now open")
        self.cohorts = self._gauge("cohorts", "Groups of clients that share frames")
        self.watched_symbols = self._gauge("watched_symbols", "Symbols kept current")
        self.rate = self._gauge("rate", "Share of the asked update rate that clients get")
        self.rate.set(1)
        self.behind = self._gauge("clients_behind", "Clients that cannot read fast enough now")
        self.symbols_behind = self._gauge(
            "symbols_behind", "Wanted symbols that are not current for longer than a moment"
        )
        self.updates = self._counter("updates", "Symbol updates taken from Redis")
        self.restated = self._counter(
            "restated", "Symbols read anew: when first wanted, or after a gap beyond the log"
        )
        self.frames = self._counter("frames", "Data frames written to clients")
        self.sent_bytes = self._counter("sent_bytes", "Bytes of data before compression")
        self.missed = self._counter("missed", "Data frames not written to clients that are behind")
        self.closes = self._counter("closes", "Connections that the gateway closed", "reason")
        self.errors = self._counter("errors", "Errors answered to clients", "code")
        self.flush = self._histogram("flush_seconds", "Time that one flush of due cohorts took")
        self.latency = self._histogram(
            "gateway_latency_seconds",
            "From receipt at the source to the gateway's last value; one sample a millisecond",
        )

        self.recent_flush = Recent()
        self.recent_latency = Recent()

    def flushed(self, took_s: float) -> None:
        """Note how long a flush of due cohorts took."""
        self.flush.observe(took_s)
        self.recent_flush.add(took_s)

    def passed(self, took_s: float) -> None:
        """Note how long an update took from its receipt at the source."""
        self.latency.observe(took_s)
        self.recent_latency.add(took_s)

    def read(self, figure: Gauge | Counter) -> int:
        """Return what a gauge or counter without labels stands at."""
        (family,) = figure.collect()
        return round(family.samples[0].value)

    def text(self) -> bytes:
        """Return the figures in Prometheus's text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"quotewire_{name}", text, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"quotewire_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"quotewire_{name}", text, buckets=LATENCY_BUCKETS_S, registry=self.registry
        )
