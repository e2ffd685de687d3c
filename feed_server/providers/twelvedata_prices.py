"""Twelve Data's WebSocket: what it says as events. Pure.

Its messages are those of https://twelvedata.com/docs#websocket.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from urllib.parse import quote

import msgspec

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    UnauthorizedError,
    UnavailableError,
)
from feed_server.market.events import MarketEvent, TopOfBook
from feed_server.protocol import Trade
from feed_server.providers.twelvedata_messages import NAME, PAYWALL, currency, epoch_ms, number

HEARTBEAT = {"action": "heartbeat"}


class Prices:
    """One connection's.

    Args:
        masked: Takes secrets out of what the vendor says.

    Attributes:
        wanted: What it was asked for.
        confirmed: What it carries, as it has said.
        refused: What it does not carry, and why.
        unread: How many price events could not be used.
    """

    def __init__(self, masked: Callable[[str], str]) -> None:
        self._masked = masked
        self.wanted: frozenset[str] = frozenset()
        self.confirmed: set[str] = set()
        self.refused: dict[str, str] = {}
        self.unread = 0
        self._volumes: dict[str, float] = {}

    def want(self, symbols: Collection[str]) -> list[dict[str, object]]:
        """Return what has to be said so that it carries these symbols and no others."""
        added, gone = set(symbols) - self.wanted, self.wanted - set(symbols)
        self.wanted = frozenset(symbols)
        self.confirmed -= gone
        for symbol in gone:
            self.refused.pop(symbol, None)
            self._volumes.pop(symbol, None)
        says = [("unsubscribe", gone), ("subscribe", added)]
        return [
            {"action": action, "params": {"symbols": ",".join(sorted(names))}}
            for action, names in says
            if names
        ]

    @property
    def pending(self) -> frozenset[str]:
        """Of what it has not said yet whether it carries it."""
        return self.wanted - self.confirmed - self.refused.keys()

    def give_up(self) -> None:
        """Wait no longer for what it has not said.

        Raises:
            UnavailableError: It carries nothing.
        """
        if not self.confirmed:
            raise UnavailableError(f"{NAME}'s WebSocket has not answered what was subscribed")
        self.refused |= dict.fromkeys(self.pending, "it has not said that it carries it")

    def require_some(self) -> None:
        """Check that it carries something of what is wanted, or may still say so.

        Raises:
            NotOfferedError: It has refused all.
        """
        if self.wanted and self.wanted <= self.refused.keys():
            symbol = min(self.wanted)
            raise NotOfferedError(
                f"{NAME}'s WebSocket carries none of the symbols: {symbol}: {self.refused[symbol]}"
            )

    def take(self, message: bytes) -> list[MarketEvent]:
        """Return the events of a message.

        Raises:
            MalformedError: It is no JSON object.
            NotOfferedError: The plan is without it.
            UnauthorizedError: It refuses the key.
            UnavailableError: It has an error of its own.
        """
        try:
            told: object = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise MalformedError(f"{NAME}'s WebSocket sent what is no JSON object")
        if told.get("event") == "price":
            return self._price(told)
        if told.get("event") == "subscribe-status":
            self._note(told)
        elif told.get("status") == "error":
            raise self._failure(told)
        return []

    def _price(self, told: Mapping[str, object]) -> list[MarketEvent]:
        symbol, time_ms = self._symbol(told), epoch_ms(told.get("timestamp"))
        if symbol is None:
            return []  # Of before it was unsubscribed.
        if time_ms is None:
            self.unread += 1
            return []
        events: list[MarketEvent] = []
        bid, ask = number(told.get("bid")), number(told.get("ask"))
        if bid is not None or ask is not None:
            events.append(TopOfBook(symbol, time_ms, bid, ask))
        price = number(told.get("price"))
        size = self._size(symbol, number(told.get("day_volume")))
        # A price that is none is passed on: it is refused and counted with all other bad data.
        last = math.nan if price is None else price
        events.append(Trade(symbol, time_ms, last, size, None, currency(symbol, told)))
        return events

    def _size(self, symbol: str, volume: float | None) -> float:
        """Return by how much the day's volume has grown; it begins anew with each day."""
        if volume is None:
            return 0.0
        before = self._volumes.get(symbol)
        self._volumes[symbol] = volume
        return 0.0 if before is None else max(0.0, volume - before)

    def _symbol(self, told: Mapping[str, object]) -> str | None:
        """Return what we call the instrument: ``RY:TSX`` is told as RY on TSX."""
        base = told.get("symbol")
        if not isinstance(base, str):
            return None
        places = (told.get("exchange"), told.get("mic_code"))
        names = [f"{base}:{place}" for place in places if place] + [base]
        return next((name for name in names if name in self.wanted), None)

    def _meant(self, told: Mapping[str, object]) -> str | None:
        """Return the same of an answer to us, which may leave the exchange out."""
        alike = [s for s in self.wanted if s.partition(":")[0] == told.get("symbol")]
        return self._symbol(told) or (alike[0] if len(alike) == 1 else None)

    def _note(self, told: Mapping[str, object]) -> None:
        success, fails = _entries(told.get("success")), _entries(told.get("fails"))
        for entry in success:
            if (symbol := self._meant(entry)) is not None:
                self.confirmed.add(symbol)
                self.refused.pop(symbol, None)
        for entry in fails:
            if (symbol := self._meant(entry)) is not None and symbol not in self.confirmed:
                self.refused[symbol] = self._masked(_text(entry))
        if told.get("status") == "error" and not success and not fails:
            raise self._failure(told)

    def _failure(self, told: Mapping[str, object]) -> ProviderError:
        message = _text(told)
        text = message.casefold()
        kind: type[ProviderError] = UnavailableError
        if any(part in text for part in PAYWALL):
            kind = NotOfferedError
        elif "apikey" in text or "api key" in text:
            kind = UnauthorizedError
        return kind(f"{NAME}'s WebSocket: {self._masked(message)}")


def address(url: str, key: str) -> str:
    """Return the WebSocket's address with the key in it."""
    return f"{url}{'&' if '?' in url else '?'}apikey={quote(key, safe='')}"


def _entries(value: object) -> list[Mapping[str, object]]:
    items: Iterable[object] = value if isinstance(value, list) else ()
    named = ({"symbol": item} if isinstance(item, str) else item for item in items)
    return [item for item in named if isinstance(item, dict)]


def _text(told: Mapping[str, object]) -> str:
    message = told.get("message") or told.get("messages") or "no reason told"
    return "; ".join(map(str, message)) if isinstance(message, list) else str(message)
