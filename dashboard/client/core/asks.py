"""What is asked of the feed at once: all symbols of a channel that are wanted alike. Pure."""

from collections.abc import Iterable

import msgspec

from dashboard.client.core.entries import Entry, Terms
from feed_server.protocol import Channel


class Ask(msgspec.Struct, frozen=True, tag_field="do", tag="ask"):
    """Subscribe to these; attributes as in `feed_server.protocol.Subscribe`."""

    channel: Channel
    interval: str | None
    indicators: tuple[str, ...]
    max_hz: float
    symbols: list[str]


class Unask(msgspec.Struct, frozen=True, tag_field="do", tag="unask"):
    """Unsubscribe from these."""

    channel: Channel
    interval: str | None
    symbols: list[str]


def asks(entries: Iterable[Entry], max_hz: float) -> list[Ask]:
    """Ask for those of some entries that are wanted on other terms than was asked for."""
    groups: dict[tuple[Channel, str | None, Terms], list[str]] = {}
    for entry in entries:
        terms = entry.ask(max_hz)
        if terms is not None:
            groups.setdefault((entry.channel, entry.interval, terms), []).append(entry.symbol)
    return [
        Ask(channel, interval, indicators, max_hz, symbols)
        for (channel, interval, (indicators, max_hz)), symbols in groups.items()
    ]


def unasks(entries: Iterable[Entry]) -> list[Unask]:
    """End some entries at the feed."""
    groups: dict[tuple[Channel, str | None], list[str]] = {}
    for entry in entries:
        groups.setdefault((entry.channel, entry.interval), []).append(entry.symbol)
    return [Unask(channel, interval, symbols) for (channel, interval), symbols in groups.items()]
