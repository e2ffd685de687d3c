"""What a subscription is about."""

from dataclasses import dataclass

from feed_server.protocol import Channel, Interval


@dataclass(frozen=True, slots=True)
class Topic:
    """A channel at a rate.

    Attributes:
        channel: ``quotes``, ``trades`` or ``bars``.
        interval: Which bars; None for other channels.
        max_hz: Messages a second at most.
        indicators: Canonical texts, sorted, of what is computed at each bar.
    """

    channel: Channel
    interval: Interval | None
    max_hz: float
    indicators: tuple[str, ...] = ()

    @property
    def lossless(self) -> bool:
        """Whether every datum counts, not only the newest."""
        return self.channel != "quotes"
