"""What a client has measured and counted."""

from dataclasses import dataclass

from dashboard.client.core.latency import Counts, Facts


@dataclass(frozen=True)
class Stats:
    """What a client has measured and counted.

    Attributes:
        facts: Latencies and rates.
        counts: What came, and what was wrong with it.
    """

    facts: Facts
    counts: Counts
