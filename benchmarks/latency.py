"""From publishing in Redis to a client's socket: idle against a bare relay, and under load.

The bare relay is a Redis subscriber that hands each message to one Tornado WebSocket, and no more.
"""

from collections.abc import Callable
from functools import partial

from benchmarks.contenders import Work, write_message
from benchmarks.crowd import Crowd, subscribe
from benchmarks.feed import Feed, running_feed
from benchmarks.feeder import Command, Stop, Tick
from benchmarks.figures import percentile, show, show_ratio
from benchmarks.load import SYMBOLS, TICKING, clients_elsewhere
from feed_server.protocol import Quotes, decode_server_message

RUNS = 8
SLICE_S = 1.5
WARM_UP_S = 0.5
HZ = 40.0
PROBE = "PROBE"
PROBE_MAX_HZ = 100
PROBING = Tick([PROBE], HZ)
MESSAGE_BYTES = 140
MOST_TIMES_BARE = 2
MOST_LOADED_MS = 150


class Delays:
    """How long after their publishing values came, in milliseconds."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self._begun = False

    def take_quotes(self, _number: int, payload: bytes, at_ms: float) -> None:
        """Take a frame of the feed; the time of publishing is the probe's volume."""
        if b'["PROBE"' not in payload:
            return
        message = decode_server_message(payload)
        if isinstance(message, Quotes) and self._begun:
            self.ms += [at_ms - row.volume for row in message.rows]
        # The first is what a client begins with; its values may be of any age.
        self._begun = self._begun or isinstance(message, Quotes)

    def take_text(self, _number: int, payload: bytes, at_ms: float) -> None:
        """Take a frame of the relay: the time of publishing is its first word."""
        self.ms.append(at_ms - float(payload.split(b" ", 1)[0]))


def main() -> None:
    """Measure and print."""
    print(f"latency: published in Redis → received, {HZ:g} messages a second")
    ours, bare, loaded = [], [], []
    with (
        running_feed([PROBE, *SYMBOLS], max_hz=str(PROBE_MAX_HZ)) as feed,
        write_message(Work(feed.valkey.url, MESSAGE_BYTES, HZ)) as relay,
        Crowd(feed.gateway.port) as client,
        Crowd(relay.child.port, relay.path) as bare_client,
    ):
        client.join(1, probing)
        bare_client.join(1)
        for _ in range(RUNS):
            ours.append(_measure(client, Delays.take_quotes, feed, PROBING))
            bare.append(_measure(bare_client, Delays.take_text, feed, *relay.feed))
        with clients_elsewhere(feed.gateway.port):
            for _ in range(RUNS):
                loaded.append(_measure(client, Delays.take_quotes, feed, PROBING, TICKING))
    for percent in (50, 99):
        values, others = ([percentile(run, percent) for run in runs] for runs in (ours, bare))
        show(f"idle, p{percent}", values, "ms")
        show(f"bare relay, p{percent}", others, "ms")
        show_ratio(f"idle, against the bare relay, p{percent}", values, others, MOST_TIMES_BARE)
    show("loaded, p50", [percentile(run, 50) for run in loaded], "ms")
    show("loaded, p99", [percentile(run, 99) for run in loaded], "ms", MOST_LOADED_MS)


def probing(_number: int) -> bytes:
    """Return what a client says to get every value of the probe."""
    return subscribe([PROBE], max_hz=PROBE_MAX_HZ)


def _measure(
    crowd: Crowd,
    take: Callable[[Delays, int, bytes, float], None],
    feed: Feed,
    *commands: Command,
) -> list[float]:
    """Return the delays of what one client gets while the feeder does as it is told (ms)."""
    delays = Delays()
    for command in commands:
        feed.feeder.tell(command)
    crowd.listen(WARM_UP_S)
    crowd.listen(SLICE_S, partial(take, delays))
    feed.feeder.tell(Stop())
    return delays.ms
