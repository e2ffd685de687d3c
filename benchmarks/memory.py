"""Memory of the gateway for each connection that is subscribed and idle, without compression."""

from benchmarks.crowd import Crowd, subscribe
from benchmarks.feed import running_feed
from benchmarks.figures import show

RUNS = 3
FIRST_CLIENTS = 100
"""Connected before the first look: what the process allocates once is not a connection's."""
CLIENTS = 2000
SETTLE_S = 2.0
SYMBOL = "IDLE"
TARGET_KIB = 18


def main() -> None:
    """Measure and print."""
    print(f"memory: {CLIENTS} idle connections, each subscribed to one symbol")
    costs = [_measure() for _ in range(RUNS)]
    show("gateway's memory per connection", costs, "KiB", target=TARGET_KIB)


def _measure() -> float:
    """Return KiB per connection."""
    with running_feed([SYMBOL]) as feed, Crowd(feed.gateway.port) as crowd:
        crowd.join(FIRST_CLIENTS, lambda _number: subscribe([SYMBOL]))
        crowd.listen(SETTLE_S)
        before = feed.gateway.memory_bytes()
        crowd.join(CLIENTS, lambda _number: subscribe([SYMBOL]))
        crowd.listen(SETTLE_S)
        after = feed.gateway.memory_bytes()
        if crowd.closed:
            print(f"  {crowd.closed} connections were closed")
        return (after - before) / CLIENTS / 1024
