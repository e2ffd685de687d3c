"""What is said over links, and which answers are waited for. Pure."""

from typing import Literal, cast

import msgspec

from dashboard.client.core.actions import Send
from dashboard.client.core.asks import Ask, Unask
from dashboard.client.core.books import Books
from dashboard.client.core.situation import LinkWay
from feed_server.protocol import Auth, Channel, Interval, Ping, Subscribe, Unsubscribe

SYMBOL_BYTES = 200
"""A symbol in a request, with where it stands, is no longer than this."""


class Pending(msgspec.Struct, frozen=True):
    """A request that is not answered yet; ``token`` is what ``auth`` has shown."""

    way: LinkWay
    kind: Literal["ask", "unask", "auth"]
    channel: Channel = "quotes"
    interval: str | None = None
    symbols: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    token: str | None = None

    def __repr__(self) -> str:
        """Hide the token."""
        return f"Pending({self.way!r}, {self.kind!r})"


class Requests:
    """Numbers what is said, and knows what for.

    Args:
        books: Know where a subscription goes on from.

    Attributes:
        most: Symbols in one request at most.
    """

    def __init__(self, books: Books) -> None:
        self.most = 1
        self._books = books
        self._last = 0
        self._pending: dict[int, Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def limit(self, max_message_bytes: int) -> None:
        """Keep to how long a message may be."""
        self.most = max(1, max_message_bytes // SYMBOL_BYTES)

    def take(self, way: LinkWay, number: int | None) -> Pending | None:
        """Return what an answer is to, and wait for it no longer; None where nobody does."""
        pending = self.find(way, number)
        if pending is not None and number is not None:
            del self._pending[number]
        return pending

    def find(self, way: LinkWay, number: int | None) -> Pending | None:
        """Return what an answer is to, and go on waiting; None where nobody does."""
        pending = None if number is None else self._pending.get(number)
        return pending if pending is not None and pending.way == way else None

    def unlinked(self, way: LinkWay) -> None:
        """Wait for nothing of a link any more."""
        self._pending = {n: p for n, p in self._pending.items() if p.way != way}

    def subscribe(self, way: LinkWay, ask: Ask) -> list[Send]:
        """Ask for what is wanted, to go on from what is held."""
        sends = []
        for begin in range(0, len(ask.symbols), self.most):
            symbols = ask.symbols[begin : begin + self.most]
            number = self._expect(
                Pending(way, "ask", ask.channel, ask.interval, tuple(symbols), ask.indicators)
            )
            message = Subscribe(
                number,
                ask.channel,
                symbols,
                # The feed judges it.
                interval=cast(Interval | None, ask.interval),
                max_hz=ask.max_hz,
                since=self._books.positions(ask.channel, ask.interval, symbols),
                indicators=list(ask.indicators),
            )
            sends.append(Send(way, message))
        return sends

    def unsubscribe(self, way: LinkWay, unask: Unask) -> list[Send]:
        """End what was asked for."""
        sends = []
        for begin in range(0, len(unask.symbols), self.most):
            symbols = unask.symbols[begin : begin + self.most]
            number = self._expect(
                Pending(way, "unask", unask.channel, unask.interval, tuple(symbols))
            )
            interval = cast(Interval | None, unask.interval)
            sends.append(Send(way, Unsubscribe(number, unask.channel, symbols, interval)))
        return sends

    def authenticate(self, way: LinkWay, token: str) -> Send:
        """Show a token."""
        return Send(way, Auth(self._expect(Pending(way, "auth", token=token)), token))

    def ping(self, way: LinkWay) -> tuple[int, Send]:
        """Ask for the feed's clock; return the number, too."""
        self._last += 1
        return self._last, Send(way, Ping(self._last))

    def _expect(self, pending: Pending) -> int:
        self._last += 1
        self._pending[self._last] = pending
        return self._last
