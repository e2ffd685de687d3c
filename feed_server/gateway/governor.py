"""How fast the gateway may go: evenly slower for all when flushing takes too much time. Pure."""

WINDOW_S = 1.0
BUSY = 0.8
"""Share of the time spent on flushing from which on the rate drops."""
IDLE = 0.55
"""Share below which it may rise again; the gap keeps it from swinging."""
AIM = 0.7
"""The share that a change of the rate should lead to: flushes take in proportion to it."""
OVERRUN = 0.9
"""What the share counts as when flushes begin late."""
LATE_S = 0.2
MAX_STEP = 2.0
MIN_RATE = 0.05


class RateGovernor:
    """Watches how long flushes take.

    Attributes:
        rate: Share of the asked update rate that can be kept up, from `MIN_RATE` to 1.
    """

    def __init__(self) -> None:
        self.rate = 1.0
        self._since_s: float | None = None
        self._busy_s = 0.0
        self._late_s = 0.0

    def flushed(self, took_s: float, now_s: float, late_s: float = 0.0) -> bool:
        """Note a flush; tell whether the rate has changed.

        Args:
            took_s: How long it took.
            now_s: When it ended.
            late_s: How long after its time it began: others had their turn first.
        """
        if self._since_s is None:
            self._since_s = now_s - took_s
        self._busy_s += took_s
        self._late_s = max(self._late_s, late_s)
        window_s = now_s - self._since_s
        if window_s < WINDOW_S:
            return False
        share, before = self._busy_s / window_s, self.rate
        if self._late_s > LATE_S and share > IDLE:
            # Flushes share the time with what Redis publishes, and lose.
            share = max(share, OVERRUN)
        if not IDLE <= share <= BUSY:
            step = min(MAX_STEP, AIM / share) if share else MAX_STEP
            self.rate = min(1.0, max(MIN_RATE, self.rate * step))
        self._since_s, self._busy_s, self._late_s = now_s, 0.0, 0.0
        return self.rate != before
